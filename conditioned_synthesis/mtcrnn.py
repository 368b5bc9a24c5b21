"""MTCRNN's data: wavs, each with a .params file beside it (L. Wyse and M. Huzaifah, 2020).

MTCRNN itself checks little: it trains on a wrong rate, turns a missing number into silence, and carries a line of values
on beyond its last time. So we check.
"""

import itertools
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import soundfile

from texturelib.errors import TextureError
from texturelib.files import shown
from texturelib.progress import progress


@dataclass(frozen=True)
class Checked:
    """A folder that MTCRNN can train on. controls: in the order of the first .params file."""

    n_clips: int
    sample_rate: int
    n_samples: int
    controls: tuple[str, ...]

    @property
    def seconds(self) -> float:
        """Of each clip."""
        return self.n_samples / self.sample_rate

    def __str__(self) -> str:
        return f"{self.n_clips} clips of {self.seconds:g} s at {self.sample_rate} Hz, controls {', '.join(self.controls)}"


def params(file_name: str, values: Mapping[str, float], seconds: float) -> dict[str, Any]:
    """-> what the .params file of a clip holds whose controls stand still. values: by control, 0..1."""
    return {"meta": {"filename": file_name}} | {
        name: {"times": [0, seconds], "values": [value, value], "units": "norm", "nvals": 11, "minval": 0, "maxval": 1}
        for name, value in values.items()
    }


def check_folder(folder: Path) -> Checked:
    """Read every wav's header and every .params file under `folder`.

    Errors: TextureError with the first thing that MTCRNN would stumble over, or learn wrongly from.
    """
    wavs = sorted(folder.rglob("*.wav"))
    if not wavs:
        raise TextureError(f"{shown(folder)}: holds no .wav files")
    rate, n_samples = _read_header(wavs[0])
    controls = _check_params(wavs[0], n_samples / rate)
    for wav in progress(wavs[1:], "checking"):
        found = _read_header(wav)
        if found != (rate, n_samples):
            raise TextureError(
                f"{shown(wav)}: {found[1]} samples at {found[0]} Hz, but {wavs[0].name} has {n_samples} at {rate} Hz; "
                "MTCRNN needs one rate and one length"
            )
        names = _check_params(wav, n_samples / rate)
        if set(names) != set(controls):
            odd = sorted(set(names) ^ set(controls))[0]
            has, lacks = (wav, wavs[0]) if odd in names else (wavs[0], wav)
            raise TextureError(f"{shown(lacks.with_suffix('.params'))}: has no {odd}, but {has.stem}.params has")
    return Checked(len(wavs), rate, n_samples, controls)


def _read_header(wav: Path) -> tuple[int, int]:
    """-> sample rate, samples."""
    try:
        header = soundfile.info(wav)
    except soundfile.LibsndfileError as error:
        raise TextureError(f"{shown(wav)}: cannot be read as audio ({error.error_string.rstrip('.')})") from None
    if header.channels != 1:
        raise TextureError(f"{shown(wav)}: has {header.channels} channels; MTCRNN needs mono")
    return header.samplerate, header.frames


def _check_params(wav: Path, seconds: float) -> tuple[str, ...]:
    """-> the names of the controls in the .params file beside `wav`."""
    path = wav.with_suffix(".params")
    try:
        content = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse)
    except FileNotFoundError:
        raise TextureError(f"{shown(path)}: no such file; MTCRNN needs one for each wav") from None
    except ValueError as error:
        raise TextureError(f"{shown(path)}: not JSON ({error})") from None
    if not isinstance(content, dict) or len(content.keys() - {"meta"}) == 0:
        raise TextureError(f"{shown(path)}: names no control")
    names = tuple(name for name in content if name != "meta")
    for name in names:
        problem = _problem(content[name], seconds)
        if problem:
            raise TextureError(f"{shown(path)}: {name}: {problem}")
    return names


def _refuse(constant: str) -> None:
    raise ValueError(f"it holds {constant}")


def _problem(control: Any, seconds: float) -> str | None:
    """control: what a .params file says of it -> what is wrong with that, if anything."""
    if not isinstance(control, dict) or not isinstance(control.get("times"), list) or not isinstance(control.get("values"), list):
        return "should hold lists of times and values"
    times, values = control["times"], control["values"]
    for number in [*times, *values]:
        if not isinstance(number, (int, float)) or isinstance(number, bool) or not math.isfinite(number):
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
