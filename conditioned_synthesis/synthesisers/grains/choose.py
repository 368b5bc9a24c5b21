"""The choice of the next unit: near the target, not played of late, and fitting at the join."""

import numba
import numpy as np

from conditioned_synthesis.dsp.integer_hash import uniform
from conditioned_synthesis.dsp.interpolation import EDGE
from conditioned_synthesis.synthesisers.grains.join import best_offset
from conditioned_synthesis.synthesisers.grains.laws import (
    GAIN,
    LN_MOST_GAIN,
    MIXING,
    SLOW_DOWN,
    change_to,
    speed_of,
)
from conditioned_synthesis.synthesisers.grains.sizes import INNER, Sizes
from conditioned_synthesis.synthesisers.grains.state import CLOCK, NUMBER, Material, State

_NEAR = 0  # purpose of random numbers; `begin_grain` has others
# What a change costs, of a slider's range: the more a unit is changed, the less it is a recording.
_COST_OF_SPEED = 0.02  # at the highest ratio
_COST_OF_LAYER = 0.02
_COST_OF_REPEAT = 10.0  # more than any distance
_MOST_DB = 20.0  # by which a band counts as different


@numba.njit(cache=True, error_model="numpy")
def set_limits(state: State, sizes: Sizes, least_mixing: float, most_mixing: float) -> None:
    """Set the limits of `change_to`: ln of the least and the most layers, and the settings'."""
    state.lowest[SLOW_DOWN], state.highest[SLOW_DOWN] = -sizes.ln_ratio, sizes.ln_ratio
    state.lowest[MIXING], state.highest[MIXING] = least_mixing, most_mixing
    state.lowest[GAIN], state.highest[GAIN] = -LN_MOST_GAIN, LN_MOST_GAIN


@numba.njit(cache=True, error_model="numpy")
def change_unit(material: Material, state: State, unit: int) -> float:
    """Write into `state.change` the change within the limits that brings a unit nearest to the
    target; return how far it is off nevertheless."""
    return change_to(
        material.exponents,
        state.target,
        material.places[unit],
        state.lowest,
        state.highest,
        state.change,
        state.left,
    )


@numba.njit(cache=True, error_model="numpy")
def find_near(material: Material, sizes: Sizes, state: State, seed: int, temperature: float) -> int:
    """Write the units near the target into `state.near`, nearest first, and return how many."""
    set_limits(state, sizes, 0.0, np.log(sizes.most_layers))
    number, n_near = state.counts[NUMBER], 0
    spread = sizes.tolerance * temperature
    for unit in range(len(material.places)):
        key = change_unit(material, state, unit)
        key += _COST_OF_LAYER * state.change[MIXING] / np.log(2.0)
        if sizes.ln_ratio > 0.0:
            key += _COST_OF_SPEED * abs(state.change[SLOW_DOWN]) / sizes.ln_ratio
        key += spread * uniform(seed, number, _NEAR, unit)
        since = state.counts[CLOCK] - state.last_used[unit]
        if since < sizes.no_repeat:  # where all were used of late, the one of longest ago
            key += _COST_OF_REPEAT * (1.0 - since / sizes.no_repeat)
        if n_near == sizes.neighbours and key >= state.near_key[n_near - 1]:
            continue
        place = min(n_near, sizes.neighbours - 1)
        while place > 0 and state.near_key[place - 1] > key:
            state.near[place] = state.near[place - 1]
            state.near_key[place] = state.near_key[place - 1]
            place -= 1
        state.near[place], state.near_key[place] = unit, key
        n_near = min(n_near + 1, sizes.neighbours)
    return n_near


@numba.njit(cache=True)
def start_of(material: Material, sizes: Sizes, unit: int) -> float:
    """Return where in its clip a unit begins, in samples."""
    return float(EDGE + unit % (len(material.places) // len(material.sounds)) * sizes.hop)


@numba.njit(**INNER)
def difference(material: Material, sizes: Sizes, playing: int, position: float, unit: int) -> float:
    """Return how much the spectrum where a unit begins differs from that of what plays, in dB.

    Args:
        playing: the clip that plays.
        position: where in it, in samples.
    """
    n_starts = len(material.places) // len(material.sounds)
    n_frames, n_bands = material.spectra.shape[1:]
    frame = min(max(int((position - EDGE) / sizes.hop + 0.5), 0), n_frames - 1)
    total = 0.0
    for band in range(n_bands):
        apart = (
            material.spectra[playing, frame, band]
            - material.spectra[unit // n_starts, unit % n_starts, band]
        )
        total += min(abs(apart), _MOST_DB)
    return total / n_bands


@numba.njit(cache=True, error_model="numpy")
def best_join(
    material: Material, sizes: Sizes, state: State, last: int, n_near: int
) -> tuple[int, float, float]:
    """Return the unit that fits best to what plays in slot `last`: of those of the nearest spectra
    the one whose waveform agrees most; where in its clip it begins; their correlation."""
    n_starts = len(material.places) // len(material.sounds)
    playing, position = state.unit[last, 0] // n_starts, state.position[last, 0]
    apart = state.near_key
    for index in range(n_near):
        apart[index] = difference(material, sizes, playing, position, state.near[index])
    best, begins, highest = state.near[0], start_of(material, sizes, state.near[0]), -2.0
    for _ in range(min(sizes.compared, n_near)):
        index = 0
        for other in range(n_near):
            if apart[other] < apart[index]:
                index = other
        apart[index] = np.inf
        unit = state.near[index]
        change_unit(material, state, unit)
        place, correlation = best_offset(
            sizes,
            material.sounds[playing],
            position,
            state.step[last, 0],
            material.sounds[unit // n_starts],
            start_of(material, sizes, unit),
            speed_of(state.change[SLOW_DOWN]),
            state.glimpse_of_last,
            state.glimpse,
        )
        if correlation > highest:
            best, begins, highest = unit, place, correlation
    return best, begins, highest
