"""What the player of Grains plays from, and what it keeps from one call to the next."""

from typing import NamedTuple

import numpy as np

from conditioned_synthesis.dsp.interpolation import kernels_for
from conditioned_synthesis.synthesisers.grains.laws import LAWS
from conditioned_synthesis.synthesisers.grains.sizes import TICK, Sizes


class Material(NamedTuple):
    """The units and the tables that they are played with.

    Attributes:
        sounds: the clips, 16-bit.
        places: those of the controls of each unit; unit u begins in clip u // n_starts.
        spectra: levels of bands in each frame, in dB.
        shapes, exponents: as `law_tables` returns them.
        kernels: as `kernels_for` returns them.
        begins, speeds, recorded: as `moment_tables` returns them.

    Shape:
        sounds: [clips, channels, samples] int16
        places: [units, controls] float32
        spectra: [clips, frames, bands] float32
        shapes: [controls, 4]
        exponents: [controls, laws]
        kernels: [banks + 1, phases + 1, taps] float32
        begins: [clips, layers]
        speeds, recorded: [clips]
    """

    sounds: np.ndarray
    places: np.ndarray
    spectra: np.ndarray
    shapes: np.ndarray
    exponents: np.ndarray
    kernels: np.ndarray
    begins: np.ndarray
    speeds: np.ndarray
    recorded: np.ndarray


# Of State.counts.
CLOCK, NUMBER, SLOT, DUE, FADED, HAS_MOVED, IS_NEW = range(7)


class State(NamedTuple):
    """A sound that is being played.

    There are two slots: the grain that plays, and the one before it, which may still be fading out.
    A grain is one unit, or several at a time, its layers; the first of them is the one that is
    joined.

    Attributes:
        counts: samples played, number of the next grain, the slot that plays, when its grain is to
            end, how many samples of the crossfade are over, whether the target has moved in this
            tick (1 or 0), whether a grain begins in it.
        target: the places asked for.
        unit, position, step, gain: of each layer in each slot: which unit, where in its clip in
            samples, its speed, its gain now.
        weight: of each layer, so that the grain is as loud as one unit.
        n_layers: of each slot; 0 before the first grain.
        mixing: of each slot, ln of how many units its layers are worth.
        off: of each slot, how far its first layer was off when it was chosen.
        correlation: of the two grains in the crossfade.
        last_used: by unit, when it or one that shares sound with it began; earlier where it may
            come again sooner.
        near, near_key: units near the target, the nearest first.
        lowest, highest, change, left: for `change_to`.
        glimpse_of_last, glimpse: parts of sounds that are compared.
        buffer: the sound of each slot in a tick.

    Shape:
        counts: [7] int64
        target, left: [controls]
        unit, position, step, gain, weight: [2, layers]
        n_layers, mixing, off: [2]
        correlation: [1]
        last_used: [units] int64
        near, near_key: [neighbours]
        lowest, highest, change: [laws]
        glimpse_of_last: [fade]
        glimpse: [fade + search + 1]
        buffer: [2, channels, TICK] float32
    """

    counts: np.ndarray
    target: np.ndarray
    unit: np.ndarray
    position: np.ndarray
    step: np.ndarray
    gain: np.ndarray
    weight: np.ndarray
    n_layers: np.ndarray
    mixing: np.ndarray
    off: np.ndarray
    correlation: np.ndarray
    last_used: np.ndarray
    near: np.ndarray
    near_key: np.ndarray
    lowest: np.ndarray
    highest: np.ndarray
    change: np.ndarray
    left: np.ndarray
    glimpse_of_last: np.ndarray
    glimpse: np.ndarray
    buffer: np.ndarray


def new_state(material: Material, sizes: Sizes) -> State:
    """Return the state before the first sample."""
    n_controls, n_layers = material.places.shape[1], sizes.most_layers
    n_channels = material.sounds.shape[1]
    counts = np.zeros(7, np.int64)
    counts[FADED] = sizes.fade
    return State(
        counts=counts,
        target=np.full(n_controls, np.nan),
        unit=np.zeros((2, n_layers), np.int64),
        position=np.zeros((2, n_layers)),
        step=np.ones((2, n_layers)),
        gain=np.zeros((2, n_layers)),
        weight=np.zeros((2, n_layers)),
        n_layers=np.zeros(2, np.int64),
        mixing=np.zeros(2),
        off=np.zeros(2),
        correlation=np.zeros(1),
        last_used=np.full(len(material.places), -(2**62), np.int64),
        near=np.zeros(sizes.neighbours, np.int64),
        near_key=np.zeros(sizes.neighbours),
        lowest=np.zeros(len(LAWS)),
        highest=np.zeros(len(LAWS)),
        change=np.zeros(len(LAWS)),
        left=np.zeros(n_controls),
        glimpse_of_last=np.zeros(sizes.fade),
        glimpse=np.zeros(sizes.fade + sizes.search + 1),
        buffer=np.zeros((2, n_channels, TICK), np.float32),
    )


def kernels_of(sizes: Sizes) -> np.ndarray:
    """Return the kernels for the speeds that these sizes allow."""
    return kernels_for(float(np.exp(sizes.ln_ratio)))
