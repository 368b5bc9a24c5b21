"""The index of the units: which controls each has, and its spectrum where it begins."""

import numpy as np

from conditioned_synthesis.data.clips import Sounds
from conditioned_synthesis.dsp.interpolation import EDGE
from conditioned_synthesis.synthesisers.grains.laws import law_tables, set_places
from conditioned_synthesis.synthesisers.grains.repeats import moment_tables
from conditioned_synthesis.synthesisers.grains.sizes import Sizes

_LOW_HZ = 60.0  # where the second band begins; the first has all below it
_FLOOR_DB = -90.0  # below it, everything is silence


def index_of(sounds: Sounds, rows: np.ndarray, sizes: Sizes, n_bands: int) -> dict[str, np.ndarray]:
    """Return the buffers of a `GrainsNetwork`.

    Args:
        rows: the clips to hold.
        n_bands: number of bands of a spectrum.
    """
    clips = sounds.clips[rows]
    clips = clips[..., None] if clips.ndim == 2 else clips
    shapes, exponents = law_tables(sounds.controls)
    return {
        "sounds": np.ascontiguousarray(clips.swapaxes(1, 2)),
        "places": _places(sounds, rows, sizes, shapes),
        "spectra": np.stack([spectra(clip, sounds.sample_rate, sizes, n_bands) for clip in clips]),
        "shapes": shapes,
        "exponents": exponents,
        **moment_tables(sounds.moments, rows, sounds.sample_rate),
    }


def _places(sounds: Sounds, rows: np.ndarray, sizes: Sizes, shapes: np.ndarray) -> np.ndarray:
    """Return the places of the controls of each unit, at its middle."""
    starts = EDGE + sizes.hop * np.arange(sizes.n_starts(sounds.n_samples))
    seconds = (starts + (sizes.unit + sizes.fade) / 2) / sounds.sample_rate
    positions = np.array([[each.at(seconds) for each in sounds.automations[row]] for row in rows])
    flat = positions.swapaxes(1, 2).reshape(-1, len(shapes))
    places = np.zeros(flat.shape)
    for unit in range(len(flat)):
        set_places(shapes, flat[unit], places[unit])
    return places.reshape(len(rows), len(starts), len(shapes)).astype(np.float32)


def spectra(clip: np.ndarray, sample_rate: int, sizes: Sizes, n_bands: int) -> np.ndarray:
    """Return the levels of bands in each frame of a clip, in dB of full scale.

    The bands are evenly spaced in octaves. The power of channels adds up.

    Shape:
        clip: [samples, channels] int16 -> [frames, bands] float16
    """
    length = sizes.fade
    starts = EDGE + sizes.hop * np.arange(sizes.n_frames(len(clip)))
    window = np.hanning(length + 2)[1:-1]
    frames = clip[starts[:, None] + np.arange(length)] / 2.0**15 * window[:, None]
    power = (np.abs(np.fft.rfft(frames, axis=1)) ** 2).sum(axis=-1) * 2 / (window**2).sum() / length
    bins_hz = np.fft.rfftfreq(length, 1 / sample_rate)
    ends_hz = np.geomspace(min(_LOW_HZ, sample_rate / 8), sample_rate / 2, n_bands)
    of_bin = np.minimum(np.searchsorted(ends_hz, bins_hz), n_bands - 1)
    levels = np.zeros((len(frames), n_bands))
    for band in range(n_bands):
        levels[:, band] = power[:, of_bin == band].sum(axis=1)
    return (10 * np.log10(levels + 10 ** (_FLOOR_DB / 10))).astype(np.float16)
