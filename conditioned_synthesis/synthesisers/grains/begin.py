"""Begin a grain: choose its units, and how each is changed."""

import math

from conditioned_synthesis.dsp.integer_hash import hash_of, uniform
from conditioned_synthesis.synthesisers.grains.choose import (
    best_join,
    change_unit,
    find_near,
    set_limits,
    start_of,
)
from conditioned_synthesis.synthesisers.grains.laws import (
    GAIN,
    MIXING,
    SLOW_DOWN,
    last_layer,
    speed_of,
)
from conditioned_synthesis.synthesisers.grains.repeats import mark_used
from conditioned_synthesis.synthesisers.grains.sizes import Sizes
from conditioned_synthesis.synthesisers.grains.state import (
    CLOCK,
    DUE,
    FADED,
    IS_NEW,
    NUMBER,
    SLOT,
    Material,
    State,
)

# Purposes of random numbers; that of `find_near` is 0.
_LENGTH, _LAYER, _PLACE = 1, 2, 3
_JITTER = 0.25  # of a unit's length, up or down: joins at even times would be heard as a beat
_LEAST_LAYERS = 1.05  # below it, one unit is dense enough


def begin_grain(
    material: Material, sizes: Sizes, state: State, seed: int, temperature: float
) -> None:
    """Put the next grain into the slot that does not play, and begin the crossfade to it.

    It is as many units near the target as it takes to be as dense as the target is. The first is
    the one that fits best to what plays.
    """
    counts = state.counts
    number, last = int(counts[NUMBER]), int(counts[SLOT])
    slot = 1 - last
    n_near = find_near(material, sizes, state, seed, temperature)
    near = state.near[:n_near].tolist()
    unit, correlation = near[0], 0.0
    position = start_of(material, sizes, unit)
    if number > 0:
        unit, position, correlation = best_join(material, sizes, state, last, n_near)
        counts[FADED] = 0
    counts[SLOT], counts[NUMBER], counts[IS_NEW] = slot, number + 1, 1
    length = sizes.unit * (1.0 + _JITTER * (2.0 * uniform(seed, number, _LENGTH, 0) - 1.0))
    counts[DUE] = counts[CLOCK] + int(length)

    units, positions = [int(unit)], [position]
    _change(material, sizes, state, units[0], 0.0, math.log(sizes.most_layers))
    mixing = float(state.change[MIXING])
    n_layers, power = last_layer(math.exp(mixing))
    if math.exp(mixing) < _LEAST_LAYERS or len(near) < n_layers:
        n_layers, power, mixing = 1, 1.0, 0.0
    others = [each for each in near if each != unit]
    for layer in range(1, n_layers):
        other = others.pop(hash_of(seed, number, _LAYER, layer) % len(others))
        place = int(sizes.search * uniform(seed, number, _PLACE, layer))
        units.append(other)
        positions.append(start_of(material, sizes, other) + place)

    state.n_layers[slot], state.mixing[slot] = n_layers, mixing
    louder = 1.0 / math.sqrt(n_layers - 1 + power)  # as loud as one
    for layer in reversed(range(n_layers)):
        weight = louder * (math.sqrt(power) if layer == n_layers - 1 else 1.0)
        # The first is the last to be changed, so that what is off is its.
        state.off[slot] = _change(material, sizes, state, units[layer], mixing, mixing)
        state.unit[slot, layer], state.position[slot, layer] = units[layer], positions[layer]
        state.step[slot, layer] = speed_of(state.change[SLOW_DOWN])
        state.weight[slot, layer] = weight
        state.gain[slot, layer] = weight * math.exp(state.change[GAIN])
    mark_used(material, sizes, state, slot)
    # Only the first layers agree; the others have nothing in common.
    state.correlation[0] = correlation * state.weight[slot, 0] * state.weight[last, 0]


def _change(
    material: Material, sizes: Sizes, state: State, unit: int, least: float, most: float
) -> float:
    """Write into `state.change` how a unit is changed, between ln of the least and the most
    layers; return how far it is off nevertheless."""
    set_limits(state, sizes, least, most)
    return change_unit(material, state, unit)
