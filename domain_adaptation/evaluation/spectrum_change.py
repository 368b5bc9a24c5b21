"""How differently the same sound sounds at two speeds."""

import numpy as np

_CENTRES_HZ = 1000.0 * 2.0 ** (np.arange(-13, 11) / 3)  # third octaves from 50 Hz to 10 kHz
_LEAST_BINS = 2


def spectrum_change_db(one: np.ndarray, other: np.ndarray, sample_rate: int) -> float:
    """How far the mean spectra of two sets of clips lie apart, in dB: root mean square over third
    octaves, less level and tilt.

    one, other: [clips, samples], as long as each other, none silent. Two speeds of one recording
        that differ by little leave
    little to tell its size by: a microphone changes as much. nan where the clips are too short to
        tell three third octaves.
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
    """-> [bands], of the mean over clips, each of them as loud as the others."""
    window = np.hanning(clips.shape[1])
    power = np.zeros(clips.shape[1] // 2 + 1)
    for clip in clips:
        windowed = clip * window
        power += np.abs(np.fft.rfft(windowed)) ** 2 / max(1e-12, np.square(windowed).sum())
    return 10 * np.log10([power[band].mean() + 1e-12 * power.mean() for band in bands])
