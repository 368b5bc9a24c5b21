"""How far, and by which laws, a unit must be changed to have the controls that are asked for."""

import math
from collections.abc import Sequence

import numba
import numpy as np

from texturelib.controls import Control, Law

LAWS: tuple[Law, ...] = ("slow_down", "mixing", "gain")
SLOW_DOWN, MIXING, GAIN = range(len(LAWS))
LN_MOST_GAIN = math.log(10 ** (12 / 20))  # 12 dB: what is softer still holds too much noise
_ROUNDS = 3
_SPEEDS = 2.0**20  # steps of a speed from 0 to 1
BY_POSITION, LINEAR, EXPONENTIAL = range(3)  # how a slider position becomes a place


def law_tables(controls: Sequence[Control]) -> tuple[np.ndarray, np.ndarray]:
    """Return how slider positions become places, and how far each law moves these.

    A law multiplies the physical value by factor**exponent. So the place of a control with laws is
    the logarithm of its physical value, 0..1 over its range, where any law moves by
    exponent * ln(factor) over the range's own logarithm. The place of a control without laws, or
    whose range has zero in it, is its slider position, which no law moves.

    Returns:
        For each control: how, low, high and offset, for `set_places`; the movement of its place for
        each unit of ln(factor), for each of LAWS.

    Shape:
        -> [controls, 4], [controls, 3]
    """
    shapes = np.zeros((len(controls), 4))
    exponents = np.zeros((len(controls), len(LAWS)))
    for index, control in enumerate(controls):
        moves = [float(control.laws.get(law, 0.0)) for law in LAWS]
        low, high, offset = control.low, control.high, control.offset
        if not any(moves) or low * high <= 0 or low == high:
            shapes[index] = BY_POSITION, 0.0, 1.0, 0.0
            continue
        exponents[index] = np.array(moves) / math.log(high / low)
        is_even = control.curve == "exponential" and offset == 0
        kind = LINEAR if control.curve == "linear" else BY_POSITION if is_even else EXPONENTIAL
        shapes[index] = kind, low, high, offset
    return shapes, exponents


@numba.njit(cache=True)
def set_places(shapes: np.ndarray, positions: np.ndarray, places: np.ndarray) -> bool:
    """Write the places of slider positions, and return whether any has changed.

    Shape:
        shapes: [controls, 4]
        positions, places: [controls]
    """
    has_changed = False
    for index in range(len(positions)):
        kind, low, high, offset = shapes[index]
        place = float(positions[index])
        if kind != BY_POSITION:
            place = min(max(place, 0.0), 1.0)
            if kind == LINEAR:
                value = low + (high - low) * place
            else:
                value = offset + (low - offset) * ((high - offset) / (low - offset)) ** place
            place = np.log(value / low) / np.log(high / low)
        if place != places[index]:
            places[index] = place
            has_changed = True
    return has_changed


@numba.njit(cache=True)
def change_to(
    exponents: np.ndarray,
    places: np.ndarray,
    unit: np.ndarray,
    lowest: np.ndarray,
    highest: np.ndarray,
    change: np.ndarray,
    left: np.ndarray,
) -> float:
    """Find the change that brings a unit nearest to the places asked for.

    One law after the other takes what is best with the others as they are, within its limits, a few
    times over (coordinate descent); where no control is moved by two laws, once is enough.

    Args:
        exponents: as `law_tables` returns them.
        places: asked for.
        unit: the unit's own places.
        lowest, highest: limits of the change.
        change: is set to ln(factor) of each law.
        left: is set to what is left between the two.

    Returns: the distance that is left, of a slider's range.

    Shape:
        exponents: [controls, laws]
        places, unit, left: [controls]
        lowest, highest, change: [laws]
    """
    n_controls, n_laws = exponents.shape
    for law in range(n_laws):
        change[law] = min(max(0.0, lowest[law]), highest[law])
    for index in range(n_controls):
        left[index] = places[index] - unit[index]
        for law in range(n_laws):
            left[index] -= exponents[index, law] * change[law]
    for _ in range(_ROUNDS):
        for law in range(n_laws):
            along, power = 0.0, 0.0
            for index in range(n_controls):
                along += exponents[index, law] * left[index]
                power += exponents[index, law] ** 2
            if power == 0.0:
                continue
            wanted = min(max(change[law] + along / power, lowest[law]), highest[law])
            for index in range(n_controls):
                left[index] -= exponents[index, law] * (wanted - change[law])
            change[law] = wanted
    total = 0.0
    for index in range(n_controls):
        total += left[index] ** 2
    return np.sqrt(total)


@numba.njit(cache=True)
def speed_of(slow_down: float) -> float:
    """Return the speed of a unit that is slowed down, in steps of a millionth: so positions in a clip
    are exact numbers, and the same in every language.

    slow_down: ln of how much. -> 2 is twice as fast.
    """
    return np.rint(np.exp(-slow_down) * _SPEEDS) / _SPEEDS


@numba.njit(cache=True)
def last_layer(factor: float) -> tuple[int, float]:
    """Return how many sounds at a time are as dense as `factor` of them, and the power of the last
    one.

    Sounds of powers p are as dense as (sum p)**2 / sum p**2 equal ones: that is by how much a sum of
    so many varies less. For n of power 1 and one of power p this is (n + p)**2 / (n + p**2); set to
    `factor`, it is solved for p. At a whole number the last one is as strong as the others.

    >>> last_layer(1.0), last_layer(2.0), last_layer(3.0)
    ((1, 1.0), (2, 1.0), (3, 1.0))
    >>> n, power = last_layer(2.5)
    >>> n, round((n - 1 + power) ** 2 / (n - 1 + power**2), 6)
    (3, 2.5)
    """
    n_full = int(np.floor(factor + 1e-9))
    if factor - n_full < 1e-6:
        return n_full, 1.0
    under = n_full * n_full - (factor - 1.0) * n_full * (factor - n_full)
    return n_full + 1, (n_full - np.sqrt(max(under, 0.0))) / (factor - 1.0)
