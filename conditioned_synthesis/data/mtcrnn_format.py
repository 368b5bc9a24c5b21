"""MTCRNN's data format: wavs, each with a .params file beside it (L. Wyse and M. Huzaifah, 2020).

MTCRNN itself checks little: it trains on a wrong rate, turns a missing number into silence, and
carries a line of values on beyond its last time. So we check.
"""

import itertools
import math
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

from conditioned_synthesis.instrument.automation import Automation
from texturelib.audio import read_header
from texturelib.controls import Control
from texturelib.errors import Rejected, TextureError, first_line
from texturelib.files import read_text, shown
from texturelib.json_text import NotJsonError, parse
from texturelib.progress import progress
from texturelib.sound_files import find_audio, find_files

_LONGEST = 2**26  # samples of a clip: over an hour at 16 kHz


@dataclass(frozen=True)
class Checked:
    """The properties of a folder that MTCRNN can train on.

    controls: in the order of the first .params file.
    """

    n_clips: int
    sample_rate: int
    n_samples: int
    controls: tuple[str, ...]

    @property
    def seconds(self) -> float:
        """The length of each clip, in seconds."""
        return self.n_samples / self.sample_rate

    def __str__(self) -> str:
        return f"{self.n_clips} clips of {self.seconds:g} s at {self.sample_rate} Hz, controls {', '.join(self.controls)}"


def params(
    file_name: str,
    automations: Mapping[str, Automation],
    seconds: float,
    controls: Iterable[Control],
) -> dict[str, Any]:
    """Return the content of a sound's .params file.

    automations: by control. controls: in the order of the file; low and high are what the values 0 and 1
    stand for.
    """
    content: dict[str, Any] = {"meta": {"filename": file_name}}
    for control in controls:
        automation = automations[control.name].over(seconds)
        points = {"times": automation.times.tolist(), "values": automation.values.tolist()}
        # nvals 0: any value may occur, not one of so many.
        content[control.name] = (
            points | {"units": "norm", "nvals": 0, "minval": 0, "maxval": 1} | _original(control)
        )
    return content


def _original(control: Control) -> dict[str, Any]:
    """Return how a .params file describes the values before they were brought to 0..1, in the form
    of the data that MTCRNN is published with.

    That has no key for a scale that is not linear, so origCurve and origOffset are ours; MTCRNN
    reads none of these.
    """
    if not math.isfinite(control.low) or not math.isfinite(control.high):
        return {}  # labels so far outside 0..1 that no value belongs to them
    ends = {"origMinval": control.low, "origMaxval": control.high, "origUnits": control.unit}
    return (
        ends
        if control.curve == "linear"
        else {**ends, "origCurve": control.curve, "origOffset": control.offset}
    )


def control_of(name: str, line: Mapping[str, Any]) -> Control:
    """Return the control that a .params file describes.

    Values run from 0 to 1; a file may also say what they were before.
    """
    low, high, offset = (line.get(key) for key in ("origMinval", "origMaxval", "origOffset"))
    if not (_is_number(low) and _is_number(high) and low < high):
        return Control(name, 0.0, 1.0, str(line.get("units") or ""))
    unit = str(line.get("origUnits") or "")
    if line.get("origCurve") == "exponential" and _is_number(offset) and offset < low:
        return Control(name, low, high, unit, "exponential", offset)
    return Control(name, low, high, unit)


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and is_finite(value)


def check_folder(folder: Path) -> Checked:
    """Read every sound's header and every .params file under `folder`, and return what they have in
    common.

    Errors: TextureError with the first thing that MTCRNN would stumble over, or learn wrongly from.
    """
    checked, _ = read_folder(folder, folder, read_strings=False, keep=False)
    return checked


def read_folder(
    wav_folder: Path, params_folder: Path, *, read_strings: bool, keep: bool = True
) -> tuple[Checked, dict[Path, dict[str, Any]]]:
    """Read the sounds' headers and the .params files.

    read_strings: whether a number may be written as text, which MTCRNN reads too. keep: whether to
    return the content of the files; that of a large folder takes much memory.

    Returns: what all have in common; by wav, relative to its folder, the content of its .params
    file on each control, in numbers, in the order of the first. Errors: as `check_folder`.
    """
    pairs = find_pairs(wav_folder, params_folder)
    wavs = list(pairs)
    if not wavs:
        raise TextureError(f"{shown(wav_folder)}: holds no sound files")
    rate, n_samples = _read_header(wavs[0])
    first = _read_params(pairs[wavs[0]], n_samples / rate, read_strings)
    contents = {wavs[0].relative_to(wav_folder): first} if keep else {}
    for wav in progress(wavs[1:], "checking"):
        found = _read_header(wav)
        if found != (rate, n_samples):
            raise TextureError(
                f"{shown(wav)}: {found[1]} samples at {found[0]} Hz, but {wavs[0].name} has {n_samples} at {rate} Hz; "
                "MTCRNN needs one rate and one length"
            )
        content = _read_params(pairs[wav], n_samples / rate, read_strings)
        if content.keys() != first.keys():
            odd = sorted(content.keys() ^ first.keys())[0]
            has, lacks = (wav, wavs[0]) if odd in content else (wavs[0], wav)
            raise TextureError(f"{shown(pairs[lacks])}: has no {odd}, but {pairs[has].name} has")
        if keep:
            contents[wav.relative_to(wav_folder)] = {name: content[name] for name in first}
    return Checked(len(wavs), rate, n_samples, tuple(first)), contents


def find_pairs(wav_folder: Path, params_folder: Path) -> dict[Path, Path]:
    """Return, by sound, its .params file, or the path where that should be; suffixes in upper or
    lower case.

    Errors: TextureError where a folder lies in a sound's place.
    """
    # Of x.PARAMS and x.params, the latter comes last and stays.
    found = sorted(path for path in find_files(params_folder) if path.suffix.lower() == ".params")
    by_stem = {path.relative_to(params_folder).with_suffix(""): path for path in found}
    pairs = {}
    for wav in find_audio(wav_folder):
        stem = wav.relative_to(wav_folder).with_suffix("")
        pairs[wav] = by_stem.get(stem, params_folder / f"{stem}.params")
    has_sound = set(pairs.values())
    for stem, params in by_stem.items():
        if params not in has_sound and (folder := wav_folder / f"{stem}.wav").is_dir():
            raise TextureError(
                f"{shown(folder)}: is a folder; {shown(params)} belongs to a sound of that name"
            )
    return pairs


def _read_header(wav: Path) -> tuple[int, int]:
    """Return the sample rate and the number of samples of a wav."""
    try:
        header = read_header(wav)
    except Rejected as reason:
        raise TextureError(f"{shown(wav)}: {reason}") from None
    if header.n_channels != 1:
        raise TextureError(f"{shown(wav)}: has {header.n_channels} channels; MTCRNN needs mono")
    if header.n_frames > _LONGEST:  # the others should be as long, and all of them fit into memory
        raise TextureError(
            f"{shown(wav)}: has {header.n_frames} samples by its header, which are too many for a clip"
        )
    return header.sample_rate, header.n_frames


def _read_params(path: Path, seconds: float, read_strings: bool) -> dict[str, Any]:
    """Return the content of a .params file by control.

    Errors: TextureError with what is wrong.
    """
    try:
        content = parse(read_text(path), allow_nan=False)
    except FileNotFoundError:
        raise TextureError(f"{shown(path)}: no such file; MTCRNN needs one for each wav") from None
    except NotJsonError as error:
        raise TextureError(f"{shown(path)}: not JSON ({error}") from None
    except (ValueError, RecursionError) as error:
        raise TextureError(f"{shown(path)}: not JSON ({first_line(error)})") from None
    if not isinstance(content, dict) or len(content.keys() - {"meta"}) == 0:
        raise TextureError(f"{shown(path)}: names no control")
    controls = {name: control for name, control in content.items() if name != "meta"}
    for name, control in controls.items():
        if read_strings:
            controls[name] = control = _in_numbers(control)
        problem = problem_of_line(control, seconds)
        if problem:
            raise TextureError(f"{shown(path)}: {name}: {problem}")
    return controls


def _in_numbers(control: Any) -> Any:
    """Return a control's entry with numbers in place of numbers written as text.

    Text that is no number stays, for the check to report.
    """
    if not isinstance(control, dict):
        return control

    def number(value: Any) -> Any:
        try:
            return float(value) if isinstance(value, str) else value
        except ValueError:
            return value

    lists = {
        key: [number(value) for value in control[key]]
        for key in ("times", "values")
        if isinstance(control.get(key), list)
    }
    return {**control, **lists}


def is_finite(number: float) -> bool:
    """Return whether a number is finite as a float.

    False also for a whole number with more digits than a float can take, which JSON may hold.
    """
    return abs(number) <= sys.float_info.max


def problem_of_line(control: Any, seconds: float) -> str | None:
    """Return what is wrong with a control's entry in a .params file, None where nothing is.

    seconds: length of the sound.
    """
    if (
        not isinstance(control, dict)
        or not isinstance(control.get("times"), list)
        or not isinstance(control.get("values"), list)
    ):
        return "should hold lists of times and values"
    times, values = control["times"], control["values"]
    for number in [*times, *values]:
        if (
            not isinstance(number, (int, float))
            or isinstance(number, bool)
            or not is_finite(number)
        ):
            return f"{number!r} is not a finite number"
    if len(times) != len(values):
        return f"has {len(times)} times but {len(values)} values"
    if len(times) < 2:
        return f"has {len(times)} point(s); it takes two or more to draw a line"
    if any(later <= earlier for earlier, later in itertools.pairwise(times)):
        return "its times do not rise"
    if times[0] > 0 or times[-1] < seconds:
        return f"its times run from {times[0]:g} to {times[-1]:g} s, but the clip from 0 to {seconds:g} s"
    return None
