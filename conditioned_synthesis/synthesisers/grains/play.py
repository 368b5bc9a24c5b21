"""Play the grains that have begun, in plain loops, which are easily written in another language."""

import numba
import numpy as np

from conditioned_synthesis.dsp.crossfade import crossfade_gains
from conditioned_synthesis.dsp.interpolation import EDGE, add_resampled, bank_of
from conditioned_synthesis.synthesisers.grains.choose import change_unit, set_limits
from conditioned_synthesis.synthesisers.grains.laws import (
    GAIN,
    SLOW_DOWN,
    set_places,
    speed_of,
)
from conditioned_synthesis.synthesisers.grains.sizes import INNER, TICK, Sizes
from conditioned_synthesis.synthesisers.grains.state import (
    CLOCK,
    DUE,
    FADED,
    HAS_MOVED,
    IS_NEW,
    NUMBER,
    SLOT,
    Material,
    State,
)

_REACH = 0.03  # of a slider's range, by which a unit may drift off before it is replaced
_FULL_SCALE = 1.0 / 32768.0


@numba.njit(cache=True, error_model="numpy")
def play(
    material: Material,
    sizes: Sizes,
    state: State,
    controls: np.ndarray,
    out: np.ndarray,
    first_tick: int,
) -> int:
    """Play ticks, each with the controls of its first sample, until the next grain is due.

    Args:
        first_tick: where in `controls` and `out` to begin.

    Returns: the tick in which a grain is due, which `begin_grain` begins, or the number of ticks.

    Shape:
        controls: [ticks, controls] float32
        out: [channels, ticks * TICK] float32
    """
    counts = state.counts
    for tick in range(first_tick, len(controls)):
        if set_places(material.shapes, controls[tick], state.target):
            counts[HAS_MOVED] = 1
        if counts[IS_NEW] == 0 and is_due(material, sizes, state):
            return tick
        play_slot(material, sizes, state, counts[SLOT])
        first = tick * TICK
        if counts[FADED] < sizes.fade:
            play_slot(material, sizes, state, 1 - counts[SLOT])
            mix(sizes, state, out, first)
        else:
            for channel in range(len(out)):
                for index in range(TICK):
                    out[channel, first + index] = state.buffer[counts[SLOT], channel, index]
        counts[CLOCK] += TICK
        counts[HAS_MOVED] = counts[IS_NEW] = 0
    return len(controls)


@numba.njit(**INNER)
def is_due(material: Material, sizes: Sizes, state: State) -> bool:
    """Return whether the next grain begins: as the time has come, as a clip comes to its end, or
    as the controls have moved off from what the unit can be."""
    counts = state.counts
    slot = counts[SLOT]
    if counts[NUMBER] == 0:
        return True
    if counts[FADED] < sizes.fade:
        return False
    if counts[CLOCK] >= counts[DUE]:
        return True
    # Rounded up, but for what the exponential may be off by.
    fastest = np.ceil((sizes.fade + 2 * TICK) * np.exp(sizes.ln_ratio) - 1e-6)
    still_needed = fastest + EDGE + 1
    n_samples = material.sounds.shape[2]
    for layer in range(state.n_layers[slot]):
        if state.position[slot, layer] + still_needed >= n_samples:
            return True
    if counts[HAS_MOVED] == 0:
        return False
    return bool(follow(material, sizes, state, slot, 0) > state.off[slot] + _REACH)


@numba.njit(**INNER)
def follow(material: Material, sizes: Sizes, state: State, slot: int, layer: int) -> float:
    """Write into `state.change` how a layer must be changed now, with as many layers as its grain
    has; return how far it is off nevertheless."""
    set_limits(state, sizes, state.mixing[slot], state.mixing[slot])
    return change_unit(material, state, state.unit[slot, layer])


@numba.njit(**INNER)
def play_slot(material: Material, sizes: Sizes, state: State, slot: int) -> None:
    """Play a tick of a grain into `state.buffer`."""
    out = state.buffer[slot]
    for channel in range(len(out)):
        for index in range(TICK):
            out[channel, index] = 0.0
    n_starts = len(material.places) // len(material.sounds)
    for layer in range(state.n_layers[slot]):
        last_gain = state.gain[slot, layer]
        if state.counts[HAS_MOVED] == 1:
            follow(material, sizes, state, slot, layer)
            state.step[slot, layer] = speed_of(state.change[SLOW_DOWN])
            last_gain = state.weight[slot, layer] * np.exp(state.change[GAIN])
        step = state.step[slot, layer]
        state.position[slot, layer] = add_resampled(
            out,
            material.sounds[state.unit[slot, layer] // n_starts],
            state.position[slot, layer],
            step,
            state.gain[slot, layer] * _FULL_SCALE,
            last_gain * _FULL_SCALE,
            material.kernels[bank_of(step, sizes.ln_ratio)],
        )
        state.gain[slot, layer] = last_gain


@numba.njit(**INNER)
def mix(sizes: Sizes, state: State, out: np.ndarray, first: int) -> None:
    """Crossfade from the one slot to the other."""
    begins, ends = state.counts[SLOT], 1 - state.counts[SLOT]
    for index in range(TICK):
        share = (state.counts[FADED] + index + 0.5) / sizes.fade
        gain_of_old, gain_of_new = crossfade_gains(share, state.correlation[0])
        for channel in range(len(out)):
            out[channel, first + index] = (
                gain_of_old * state.buffer[ends, channel, index]
                + gain_of_new * state.buffer[begins, channel, index]
            )
    state.counts[FADED] += TICK
