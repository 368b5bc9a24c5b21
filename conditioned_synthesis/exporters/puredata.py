"""Export an instrument for Pure Data: an object, built where a compiler is, and a patch that plays
it."""

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from conditioned_synthesis.exporters.building import (
    C_COMPILERS,
    C_FOLDER,
    compile_with,
    copy_whole,
    first_program,
)
from conditioned_synthesis.exporters.portable import copy_beside, export_portable
from conditioned_synthesis.portable.instrument_file import Precision, Quality
from texturelib.files import shown, write_text
from texturelib.made import named_by_the_user
from texturelib.outputs import check_file_place

_SOURCES = ("texture_instrument.h", "texture~.c")
_OBJECT = "texture~." + {"darwin": "pd_darwin", "win32": "dll"}.get(sys.platform, "pd_linux")
_HEADERS = ("/usr/include/pd", "/usr/include", "/Applications/Pd.app/Contents/Resources/src")


def export_pd(
    folder: Path, path: Path, precision: Precision, overwrite: bool, quality: Quality = "high"
) -> tuple[dict[str, Any], str]:
    """Write the instrument to `path` and, beside it, a patch of the same name, the object's source
    and, where a C compiler and Pd's header are there, the object.

    Returns: the instrument's header; why the object was not built, "" where it was. Errors:
    UsageError, TextureError.
    """
    beside = [path.with_suffix(".pd"), *(path.parent / name for name in (*_SOURCES, _OBJECT))]
    for each in beside:
        check_file_place(each, overwrite)
    header = export_portable(folder, path, precision, overwrite, quality)
    copy_beside(path, _SOURCES)
    with named_by_the_user():
        write_text(path.with_suffix(".pd"), patch_of(header, path.name))
    return header, _build(path.parent)


def patch_of(header: Mapping[str, Any], file_name: str) -> str:
    """Return a patch with a slider for each of the instrument's, and one for the volume."""
    sliders = header["sliders"]
    lines = [
        "#N canvas 100 100 700 400 10;",
        f"#X text 20 10 {_as_text('A texture instrument. Turn DSP on, and move the sliders.')};",
        f"#X obj 20 {90 + 60 * len(sliders)} texture~ {_escaped(file_name)} 1;",
        f"#X obj 20 {180 + 60 * len(sliders)} *~ 0;",
        f"#X obj 120 {180 + 60 * len(sliders)} *~ 0;",
        f"#X obj 20 {220 + 60 * len(sliders)} dac~;",
        _slider_at(20, 130 + 60 * len(sliders), 0, 1, "volume"),
        f"#X msg 500 {90 + 60 * len(sliders)} seed \\$1;",
        f"#X floatatom 500 {60 + 60 * len(sliders)} 8 0 9999 0 variation - - 0;",
        "#X msg 500 10 \\; pd dsp 1;",
    ]
    player, left, right, speaker, volume, seed, variation = range(1, 8)
    wires = [(player, 0, left, 0), (player, 1, right, 0), (left, 0, speaker, 0)]
    wires += [(right, 0, speaker, 1), (volume, 0, left, 1), (volume, 0, right, 1)]
    wires += [(variation, 0, seed, 0), (seed, 0, player, 0)]
    for number, slider in enumerate(sliders):
        control = slider["control"]
        label = f"{control['name']} ({control['unit']})" if control["unit"] else control["name"]
        first = 9 + 2 * number
        lines.append(_slider_at(20, 50 + 60 * number, slider["low"], slider["high"], label))
        lines.append(f"#X msg 20 {75 + 60 * number} slider {number} \\$1;")
        wires += [(first, 0, first + 1, 0), (first + 1, 0, player, 0)]
    lines += ["#X connect " + " ".join(map(str, wire)) + ";" for wire in wires]
    return "\n".join(lines) + "\n"


def _slider_at(x: int, y: int, low: float, high: float, label: str) -> str:
    words = re.sub(r"[^\w().%/-]+", "_", label)  # a label cannot have spaces
    return f"#X obj {x} {y} hsl 300 18 {low:g} {high:g} 0 0 empty empty {words} 310 9 0 12 #fcfcfc #000000 #000000 0 1;"


def _as_text(words: str) -> str:
    return words.replace(",", " \\,").replace(";", " \\;")


def _escaped(name: str) -> str:
    return re.sub(r"([ ,;$\\])", r"\\\1", name)


def _build(folder: Path) -> str:
    """Build the object. Returns why not, "" where it was built."""
    compiler = first_program(C_COMPILERS)
    if compiler is None:
        return "no C compiler is installed (Debian: apt-get install gcc)"
    header = next((place for place in _HEADERS if (Path(place) / "m_pd.h").exists()), None)
    if header is None:
        return "Pd's header m_pd.h is not installed (Debian: apt-get install puredata-dev)"
    # Without -ffast-math, so that it plays what the other players do.
    words = ["-shared", "-fPIC", "-O3", "-std=c99", f"-I{header}", f"-I{C_FOLDER}"]
    if sys.platform == "darwin":
        words += ["-undefined", "dynamic_lookup"]
    with TemporaryDirectory(prefix="texture-pd-") as scratch:
        built = Path(scratch) / _OBJECT
        command = [compiler, *words, "-o", built, C_FOLDER / "texture~.c", "-lm"]
        compile_with(command, shown(folder / _OBJECT))
        copy_whole(built, folder / _OBJECT)
    return ""
