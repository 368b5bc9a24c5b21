"""Export an instrument as a plugin for DAWs: LV2, VST3 or CLAP, built here with DPF."""

import os
import re
import sys
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from urllib.parse import quote

from conditioned_synthesis.exporters.building import (
    C_COMPILERS,
    C_FOLDER,
    CPP_COMPILERS,
    compile_with,
    copy_whole,
    first_program,
)
from conditioned_synthesis.instrument.instrument import load_instrument
from conditioned_synthesis.portable.instrument_file import (
    PortableInstrument,
    Precision,
    Quality,
    to_bytes,
)
from conditioned_synthesis.portable.make import portable_of
from texturelib.controls import Control
from texturelib.errors import UsageError
from texturelib.files import shown
from texturelib.outputs import check_file_place

FORMATS = ("lv2", "vst3", "clap")
_DPF = (os.environ.get("DPF"), "/usr/share/dpf")
_WHAT = "export-plugin"
_VST3_FOLDER = "Contents/x86_64-linux"


def export_plugin(
    folder: Path, path: Path, precision: Precision, overwrite: bool, quality: Quality = "high"
) -> dict[str, Any]:
    """Build the plugin, in the format that the ending of `path` says, and return the instrument's
    header. A .lv2 and a .vst3 are folders, a .clap is a file.

    Errors: UsageError, also where a compiler or DPF is missing; TextureError.
    """
    kind = path.suffix[1:]
    if kind not in FORMATS:
        raise UsageError(f"--output {shown(path)}: should end in .lv2, .vst3 or .clap")
    if sys.platform != "linux":
        raise UsageError(f"export-plugin: builds on Linux alone so far, and this is {sys.platform}")
    tools = _tools()
    files = _files_of(path)
    for each in files:
        check_file_place(each, overwrite)
    portable = portable_of(load_instrument(folder), precision, quality)
    with TemporaryDirectory(prefix="texture-plugin-") as scratch:
        made = _build(portable, path.stem, kind, Path(scratch), tools)
        for target, source in zip(files, made, strict=True):
            copy_whole(source, target)
    return dict(portable.header)


def _tools() -> tuple[str, str, Path]:
    """Return a C compiler, a C++ compiler and DPF's folder. Errors: UsageError where one is
    missing."""
    cc, compiler = first_program(C_COMPILERS), first_program(CPP_COMPILERS)
    if cc is None or compiler is None:
        raise UsageError("export-plugin: takes a C++ compiler (Debian: apt-get install g++)")
    for place in filter(None, _DPF):
        if (Path(place) / "distrho" / "DistrhoPluginMain.cpp").exists():
            return cc, compiler, Path(place)
    raise UsageError(
        "export-plugin: takes the DISTRHO Plugin Framework (Debian: apt-get install dpf-source; "
        "elsewhere: its folder in the environment variable DPF)"
    )


def _files_of(path: Path) -> list[Path]:
    name = path.stem
    if path.suffix == ".lv2":
        return [path / f"{name}.so", path / "manifest.ttl", path / f"{name}.ttl"]
    if path.suffix == ".vst3":
        return [path / _VST3_FOLDER / f"{name}.so"]
    return [path]


def _build(
    portable: PortableInstrument, name: str, kind: str, scratch: Path, tools: tuple[str, str, Path]
) -> list[Path]:
    """Build in `scratch`, and return what was made, in the order of `_files_of`."""
    content = to_bytes(portable)
    digest = zlib.crc32(content)
    parameters = parameters_of(portable.header)
    (scratch / "instrument_bytes.h").write_text(_bytes_header(parameters, len(content)))
    (scratch / "instrument.texinst").write_bytes(content)
    (scratch / "bytes.S").write_text(_BYTES.format(path=scratch / "instrument.texinst"))
    (scratch / "plugin_names.h").write_text(_names_header(name, digest))
    cc, compiler, dpf = tools
    own, library = C_FOLDER / "plugin", scratch / f"{name}.so"
    distrho = dpf / "distrho"
    includes = [
        f"-I{place}" for place in (scratch, own, C_FOLDER, distrho, distrho / "src" / "lv2")
    ]
    embedded = scratch / "bytes.o"
    compile_with([cc, "-c", scratch / "bytes.S", "-o", embedded], _WHAT)
    common = ["-O3", "-fPIC", "-fvisibility=hidden", *includes]
    if kind == "lv2":
        compile_with(
            [cc, "-std=c99", *common, "-shared", own / "lv2.c", embedded, "-o", library, "-lm"],
            _WHAT,
        )
        manifest, description = scratch / "manifest.ttl", scratch / f"{name}.ttl"
        manifest.write_text(_manifest(name, digest), encoding="utf-8")
        description.write_text(_description(name, digest, parameters), encoding="utf-8")
        return [library, manifest, description]
    (scratch / "player.c").write_text(
        '#define TEXTURE_IMPLEMENTATION\n#include "texture_instrument.h"\n'
    )
    player = scratch / "player.o"
    compile_with([cc, "-std=c99", *common, "-c", scratch / "player.c", "-o", player], _WHAT)
    sources = [own / "TexturePlugin.cpp", distrho / "DistrhoPluginMain.cpp"]
    target = [f"-DDISTRHO_PLUGIN_TARGET_{kind.upper()}", "-std=c++11", "-shared", "-w"]
    libraries = ["-ldl", "-lpthread"]
    compile_with(
        [compiler, *common, *target, *sources, player, embedded, "-o", library, *libraries], _WHAT
    )
    return [library]


class Parameter(NamedTuple):
    """A slider as hosts show it. low, high, default: in `unit`."""

    name: str
    symbol: str
    unit: str
    low: float
    high: float
    default: float
    is_logarithmic: bool


def parameters_of(header: Mapping[str, Any]) -> list[Parameter]:
    """Return the parameters of an instrument's sliders, each with a symbol of its own."""
    found: list[Parameter] = []
    taken = {"variation", "left", "right"}
    for number, slider in enumerate(header["sliders"]):
        control = Control.from_description(slider["control"])
        ends = [float(control.to_physical(slider[key])) for key in ("low", "high")]
        middle = float(control.to_physical((slider["low"] + slider["high"]) / 2))
        symbol = re.sub(r"[^A-Za-z0-9_]+", "_", control.name).strip("_")
        if symbol in taken or not symbol or symbol[0].isdigit():
            symbol = f"slider_{number}_{symbol}"
        taken.add(symbol)
        # Hosts' logarithmic sliders begin above 0.
        is_logarithmic = control.curve == "exponential" and min(ends) > 0 and control.offset == 0
        found.append(
            Parameter(
                control.name, symbol, control.unit, min(ends), max(ends), middle, is_logarithmic
            )
        )
    return found


def _names_header(name: str, digest: int) -> str:
    return f"""#define DISTRHO_PLUGIN_NAME {_quoted(name)}
#define DISTRHO_PLUGIN_URI "{_uri(name, digest)}"
#define DISTRHO_PLUGIN_CLAP_ID "texture-toolkit.{_plain(name)}-{digest:08x}"
#define DISTRHO_PLUGIN_BRAND_ID TxTk
#define DISTRHO_PLUGIN_UNIQUE_ID {_four_letters(digest)}
#define TEXTURE_DIGEST {digest}
"""


def _uri(name: str, digest: int) -> str:
    return f"urn:texture-toolkit:{_plain(name)}-{digest:08x}"


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-") or "texture"


def _four_letters(digest: int) -> str:
    letters = "abcdefghijklmnopqrstuvwxyz"
    return "T" + "".join(letters[digest // 26**place % 26] for place in range(3))


# The file as it is: as numbers in C, a large one takes a compiler minutes.
_BYTES = """.section .rodata
.global texture_bytes
.hidden texture_bytes
texture_bytes:
.incbin "{path}"
.section .note.GNU-stack,"",%progbits
"""


def _bytes_header(parameters: Sequence[Parameter], n_bytes: int) -> str:
    """Return C that declares the instrument, and holds its parameters."""
    rows = [
        f"  {{{_quoted(each.name)}, {_quoted(each.symbol)}, {_quoted(each.unit)}, "
        f"{each.low:.9g}, {each.high:.9g}, {int(each.is_logarithmic)}}},\n"
        for each in parameters
    ]
    defaults = ", ".join(f"{each.default:.9g}" for each in parameters) or "0"
    none = '  {"", "", "", 0, 1, 0},\n'
    return f"""typedef struct {{
  const char *name, *symbol, *unit;
  float low, high;
  int is_logarithmic;
}} texture_parameter;
enum {{ TEXTURE_N_SLIDERS = {len(parameters)} }};
static const texture_parameter texture_parameters[] = {{
{"".join(rows) or none}}};
static const float texture_defaults[] = {{{defaults}}};
#ifdef __cplusplus
extern "C"
#else
extern
#endif
const unsigned char texture_bytes[{n_bytes}];
"""


def _quoted(text: str) -> str:
    """Return a text as a literal of C, and of Turtle."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(r"[\x00-\x1f]", " ", escaped) + '"'


def _manifest(name: str, digest: int) -> str:
    return f"""@prefix lv2: <http://lv2plug.in/ns/lv2core#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .

<{_uri(name, digest)}>
    a lv2:Plugin ;
    lv2:binary <{quote(name)}.so> ;
    rdfs:seeAlso <{quote(name)}.ttl> .
"""


def _description(name: str, digest: int, parameters: Sequence[Parameter]) -> str:
    """Return the plugin's description in Turtle."""
    ports = [
        f"""[
        a lv2:OutputPort, lv2:AudioPort ;
        lv2:index {index} ;
        lv2:symbol "{side}" ;
        lv2:name "{side.capitalize()}"
    ]"""
        for index, side in enumerate(("left", "right"))
    ]
    for index, each in enumerate(parameters, len(ports)):
        unit = f"a units:Unit ; rdfs:label {_quoted(each.unit)} ; units:symbol {_quoted(each.unit)}"
        unit += f" ; units:render {_quoted('%f ' + each.unit)}"
        logarithmic = " ;\n        lv2:portProperty props:logarithmic" * each.is_logarithmic
        ports.append(
            f"""[
        a lv2:InputPort, lv2:ControlPort ;
        lv2:index {index} ;
        lv2:symbol "{each.symbol}" ;
        lv2:name {_quoted(each.name)} ;
        lv2:minimum {each.low:.9f} ;
        lv2:maximum {each.high:.9f} ;
        lv2:default {each.default:.9f} ;
        units:unit [ {unit} ]{logarithmic}
    ]"""
        )
    ports.append(
        f"""[
        a lv2:InputPort, lv2:ControlPort ;
        lv2:index {len(ports)} ;
        lv2:symbol "variation" ;
        lv2:name "Variation" ;
        rdfs:comment "0 is another one in each instance" ;
        lv2:minimum 0 ;
        lv2:maximum 9999 ;
        lv2:default 0 ;
        lv2:portProperty lv2:integer
    ]"""
    )
    return f"""@prefix doap: <http://usefulinc.com/ns/doap#> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
@prefix lv2: <http://lv2plug.in/ns/lv2core#> .
@prefix props: <http://lv2plug.in/ns/ext/port-props#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix units: <http://lv2plug.in/ns/extensions/units#> .

<{_uri(name, digest)}>
    a lv2:Plugin, lv2:GeneratorPlugin, doap:Project ;
    doap:name {_quoted(name)} ;
    doap:maintainer [ foaf:name "texture-toolkit" ] ;
    lv2:optionalFeature lv2:hardRTCapable ;
    lv2:port {" , ".join(ports)} .
"""
