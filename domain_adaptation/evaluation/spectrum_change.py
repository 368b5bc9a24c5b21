"""How much the spectrum of a recording changes between two speeds."""

import numpy as np

_CENTRES_HZ = 1000.0 * 2.0 ** (np.arange(-13, 11) / 3)  # third octaves from 50 Hz to 10 kHz
_LEAST_BINS = 2


def spectrum_change_db(one: np.ndarray, other: np.ndarray, sample_rate: int) -> float:
    """Return how far the mean spectra of two sets of clips lie apart, in dB.

    The root mean square difference over third octaves, without level and tilt; nan where the clips
    are too short for three third octaves. Where two speeds of one recording differ by little,
    little tells of its size: a microphone changes as much.

    one, other: [clips, samples], equally long, none silent.
    """
    frequency = np.fft.rfftfreq(one.shape[1], 1 / sample_rate)
    edges = np.searchsorted(frequency, [_CENTRES_HZ * 2 ** (-1 / 6), _CENTRES_HZ * 2 ** (1 / 6)]).T
    bands = [
        slice(*edge)
        for edge in edges
        if edge[1] - edge[0] >= _LEAST_BINS and edge[1] < len(frequency)
    ]
    if len(bands) < 3:
        return float("nan")
    change = _levels_db(other, bands) - _levels_db(one, bands)
    place = np.arange(len(bands))
    return float(np.std(change - np.polyval(np.polyfit(place, change, 1), place)))


def _levels_db(clips: np.ndarray, bands: list[slice]) -> np.ndarray:
    """Return the level of each band, the mean over clips of equal loudness.

    -> [bands], in dB
    """
    window = np.hanning(clips.shape[1])
    power = np.zeros(clips.shape[1] // 2 + 1)
    for clip in clips:
        windowed = clip * window
        power += np.abs(np.fft.rfft(windowed)) ** 2 / max(1e-12, np.square(windowed).sum())
    return 10 * np.log10([power[band].mean() + 1e-12 * power.mean() for band in bands])
