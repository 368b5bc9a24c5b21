"""Repeats: units that would be heard as what has just been played."""

import numba
import numpy as np

from conditioned_synthesis.data.moments import Moments
from conditioned_synthesis.dsp.interpolation import EDGE
from conditioned_synthesis.synthesisers.grains.sizes import FRAMES_PER_UNIT, Sizes
from conditioned_synthesis.synthesisers.grains.state import CLOCK, Material, State

# Of what is recorded, as long as a moment of it is not played again: of more, no unit would be left
# near the target, as each keeps off those before and after it, and twice as much at double speed.
_SHARE_OF_RECORDED = 1 / 16


def moment_tables(
    moments: Moments | None, rows: np.ndarray, sample_rate: int
) -> dict[str, np.ndarray]:
    """Return the moments of some clips in samples, as buffers of a `GrainsNetwork`.

    moments: of all clips; None: nothing is known of them.
    """
    if moments is None:
        return no_moments(len(rows))
    return {
        "begins": np.where(moments.begins < 0, -1.0, moments.begins * sample_rate)[rows],
        "speeds": moments.speeds[rows],
        "recorded": moments.recorded[rows] * sample_rate,
    }


def no_moments(n_clips: int) -> dict[str, np.ndarray]:
    """Return the same for clips of which nothing is known."""
    return {
        "begins": np.zeros((n_clips, 0)),
        "speeds": np.ones(n_clips),
        "recorded": np.zeros(n_clips),
    }


def mark_used(material: Material, sizes: Sizes, state: State, slot: int) -> None:
    """Note that the units of a slot begin, and with them all that would repeat them."""
    n_starts = len(material.places) // len(material.sounds)
    for unit in state.unit[slot, : state.n_layers[slot]]:
        first = unit // n_starts * n_starts
        begin = max(first, unit - FRAMES_PER_UNIT)
        end = min(first + n_starts, unit + FRAMES_PER_UNIT + 1)
        state.last_used[begin:end] = state.counts[CLOCK]
    if material.begins.shape[1]:
        _mark_moments(material, sizes, state, slot)


@numba.njit(cache=True, error_model="numpy")
def _mark_moments(material: Material, sizes: Sizes, state: State, slot: int) -> None:
    """Note the units of which half or more is what the units of a slot are of: the same moments of
    a recording, at any speed."""
    n_starts = len(material.places) // len(material.sounds)
    n_layers = material.begins.shape[1]
    heard = np.zeros((state.n_layers[slot] * n_layers, 2))
    n_heard = 0
    for index in range(state.n_layers[slot]):
        unit = state.unit[slot, index]
        clip, place = unit // n_starts, EDGE + unit % n_starts * sizes.hop
        for layer in range(n_layers):
            if material.begins[clip, layer] >= 0.0:
                begin = material.begins[clip, layer] + place * material.speeds[clip]
                heard[n_heard, 0] = begin
                heard[n_heard, 1] = begin + sizes.unit * material.speeds[clip]
                n_heard += 1
    for clip in range(len(material.sounds)):
        n_own = 0
        for layer in range(n_layers):
            n_own += int(material.begins[clip, layer] >= 0.0)
        if 2 * n_own < n_heard:
            continue
        no_repeat = min(float(sizes.no_repeat), _SHARE_OF_RECORDED * material.recorded[clip])
        used = state.counts[CLOCK] - sizes.no_repeat + int(no_repeat)
        speed = material.speeds[clip]
        for start in range(n_starts):
            n_shared = 0
            for layer in range(n_layers):
                if material.begins[clip, layer] < 0.0:
                    continue
                begin = material.begins[clip, layer] + (EDGE + start * sizes.hop) * speed
                end = begin + sizes.unit * speed
                for index in range(n_heard):
                    if begin < heard[index, 1] and heard[index, 0] < end:
                        n_shared += 1
                        break
            unit = clip * n_starts + start
            if 2 * n_shared >= max(n_own, n_heard) and state.last_used[unit] < used:
                state.last_used[unit] = used
