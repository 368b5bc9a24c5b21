"""Parse requested controls: `maxRadius=0.5`, `maxRadius=0:0,10:1`, `maxRadius=curve.npy`."""

import itertools
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from conditioned_synthesis.instrument.automation import Automation
from conditioned_synthesis.instrument.instrument import ModelSpec, Slider
from texturelib.errors import TextureError, UsageError, first_line
from texturelib.files import check_file, shown
from texturelib.nearest import did_you_mean

_LARGEST_ARRAY = 2**30  # bytes


def read_automations(
    words: Sequence[str], spec: ModelSpec, seconds: float
) -> tuple[dict[str, Automation], list[str]]:
    """Return the requested automations by control, and notes on those that exceeded the trained
    range.

    words: NAME=VALUE, NAME=TIME:VALUE,TIME:VALUE,..., NAME=FILE.npy ([rows], spread over the
    sound), or FILE.npy ([rows, controls], or MTCRNN's [1, rows, controls]). Automations are held
    within what the synthesiser was trained on. Errors: UsageError, TextureError about a file.
    """
    automations: dict[str, Automation] = {}
    for word in words:
        name, equals, rest = word.partition("=")
        if equals:
            if name not in spec.names:
                raise UsageError(
                    f'--control {word}: no control "{name}" {did_you_mean(name, spec.names)}'
                )
            automations[name] = (
                _column(Path(rest), seconds) if rest.endswith(".npy") else _line(word, rest)
            )
        elif word.endswith(".npy"):
            automations |= _table(Path(word), spec, seconds)
        else:
            raise UsageError(
                f"--control {word}: should be NAME=VALUE, NAME=TIME:VALUE,TIME:VALUE,... or a .npy file"
            )
    notes = []
    for slider in spec.sliders:
        if slider.name in automations:
            automations[slider.name], note = _held(automations[slider.name], slider)
            notes += note
    return automations, notes


def _line(word: str, text: str) -> Automation:
    try:
        points = [tuple(float(number) for number in point.split(":")) for point in text.split(",")]
    except ValueError:
        points = []
    if len(points) == 1 and len(points[0]) == 1:
        times, values = [0.0], [points[0][0]]
    elif points and all(len(point) == 2 for point in points):
        times, values = ([point[index] for point in points] for index in (0, 1))
    else:
        raise UsageError(
            f"--control {word}: should be a number, as 0.5, or points of time and value, as 0:0.2,10:0.8"
        )
    is_rising = all(later > earlier for earlier, later in itertools.pairwise(times))
    if not is_rising or not np.isfinite([*times, *values]).all():
        raise UsageError(f"--control {word}: its times should rise, and all be finite numbers")
    return Automation(np.array(times), np.array(values))


def _load(path: Path) -> np.ndarray:
    try:
        check_file(path, _LARGEST_ARRAY)
        # What the header claims is looked at first: numpy sets memory aside for it, and divides by
        # the size of a number.
        with path.open("rb") as file:
            array = np.load(path, allow_pickle=False) if _holds_numbers(file) else np.zeros(0)
    except FileNotFoundError:
        raise TextureError(f"{shown(path)}: no such file") from None
    except TextureError:
        raise
    # Numpy reads the header as Python, so that almost anything may come of a damaged one.
    except Exception as error:
        raise TextureError(
            f"{shown(path)}: not an array of numbers that numpy saved ({first_line(error)})"
        ) from None
    if array.dtype.kind not in "iuf" or not array.size or not np.isfinite(array).all():
        raise TextureError(f"{shown(path)}: should hold finite numbers")
    return array


_HEADER_READERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def _holds_numbers(file: BinaryIO) -> bool:
    """Return whether a .npy file is an array of numbers by its header.

    Errors: ValueError where there are fewer than the header says, or objects that must not be
    loaded.
    """
    version = np.lib.format.read_magic(file)
    if version not in _HEADER_READERS:
        return False
    shape, _, dtype = _HEADER_READERS[version](file)
    if dtype.hasobject:
        raise ValueError("it holds objects of Python's, which loading might run")
    n_numbers = math.prod(shape)
    if dtype.kind in "iuf" and n_numbers * dtype.itemsize > os.fstat(file.fileno()).st_size:
        raise ValueError(f"its header says {n_numbers} numbers, and it is too short for these")
    return dtype.kind in "iuf"


def _column(path: Path, seconds: float) -> Automation:
    values = np.squeeze(_load(path))
    if values.ndim > 1:
        raise TextureError(
            f"{shown(path)}: has shape {values.shape}; for one control it should be [rows]"
        )
    return _spread(np.atleast_1d(values), seconds)


def _table(path: Path, spec: ModelSpec, seconds: float) -> Mapping[str, Automation]:
    values = _load(path)
    if values.ndim == 3 and len(values) == 1:
        values = values[0]
    if values.ndim != 2 or values.shape[1] != len(spec.names):
        raise TextureError(
            f"{shown(path)}: has shape {values.shape}; it should be [rows, {len(spec.names)}], a column each for "
            f"{', '.join(spec.names)}"
        )
    return {name: _spread(values[:, index], seconds) for index, name in enumerate(spec.names)}


def _spread(values: np.ndarray, seconds: float) -> Automation:
    """Return an automation from the first value at the beginning of the sound to the last at its
    end.

    values: [rows].
    """
    times = np.linspace(0.0, seconds, len(values)) if len(values) > 1 else np.zeros(1)
    return Automation(times, values.astype(np.float64))


def _held(automation: Automation, slider: Slider) -> tuple[Automation, list[str]]:
    """Return the automation held within the trained range, and a note where it was outside.

    A synthesiser knows nothing of values that it was never trained on.
    """
    held = np.clip(automation.values, slider.low, slider.high)
    if np.allclose(held, automation.values):
        return automation, []
    asked = (
        f"{automation.values.min():g} to {automation.values.max():g}"
        if np.ptp(automation.values)
        else f"{automation.values[0]:g}"
    )
    return Automation(automation.times, held), [
        f"{slider.name}: {asked} is held within {slider.low:g} to {slider.high:g}, what was trained on"
    ]
