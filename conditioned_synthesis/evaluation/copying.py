"""How far sounds are copies of training clips."""

import math
from typing import cast

import numpy as np
import soxr
from scipy.fft import next_fast_len

from texturelib.audio import mix_down
from texturelib.evenly import evenly_spread

SNIPPET_SECONDS = 0.5
MOST_SNIPPETS, MOST_CLIPS = 32, 512
_HIGHEST_RATE = 16000  # Hz: what is above 8 kHz tells no copy better, and costs twice the time
_QUIETEST = 1e-4  # of a clip's mean power, -40 dB: what is quieter is like nothing
_CLIPS_AT_A_TIME = 64


class Snippets:
    """Half-second snippets of clips, and their likeness to other sounds.

    Args:
        clips: what could have been copied; of more than 512 some that are evenly spread.
        sample_rate: of all sounds, in Hz.

    Shape:
        clips: [clips, samples] or [clips, samples, channels]
    """

    def __init__(self, clips: np.ndarray, sample_rate: int) -> None:
        self._rate = sample_rate
        own = [
            _prepared(each, sample_rate) for each in clips[evenly_spread(len(clips), MOST_CLIPS)]
        ]
        n_samples = max((len(each) for each in own), default=0)
        rate = min(sample_rate, _HIGHEST_RATE)
        # A clip of less than a second is half a snippet longer than the snippet.
        self._n_snippet = min(round(SNIPPET_SECONDS * rate), max(1, n_samples // 2))
        self._n_fft = cast("int", next_fast_len(n_samples + self._n_snippet, real=True))
        self._own = np.zeros((len(own), n_samples), dtype=np.float32)
        for row, each in zip(self._own, own, strict=True):
            row[: len(each)] = each

    def copying(self, sounds: np.ndarray) -> float:
        """Return the mean, over sounds, of the greatest normalised cross-correlation of a snippet
        with any clip, 0..1; NaN where there is no sound.

        The snippet is from the middle of a sound; of more than 32 sounds some are taken. It counts
        in either polarity, at any place of a clip.

        Shape:
            sounds: [sounds, samples] or [sounds, samples, channels]
        """
        chosen = [sounds[int(index)] for index in evenly_spread(len(sounds), MOST_SNIPPETS)]
        snippets = np.array([self._snippet(each) for each in chosen], dtype=np.float32)
        lengths = np.sqrt((snippets.astype(np.float64) ** 2).sum(axis=1))
        snippets = snippets[lengths > 0]
        if not len(snippets) or not len(self._own):
            return math.nan
        snippets /= lengths[lengths > 0, None]
        best = np.zeros(len(snippets))
        # Backwards in time, convolution is correlation.
        transformed = np.fft.rfft(snippets[:, ::-1], self._n_fft)
        n_places = self._own.shape[1] - self._n_snippet + 1
        for start in range(0, len(self._own), _CLIPS_AT_A_TIME):
            clips = self._own[start : start + _CLIPS_AT_A_TIME]
            lengths = self._lengths(clips)
            of_clips = np.fft.rfft(clips, self._n_fft)
            for row, snippet in enumerate(transformed):
                products = np.fft.irfft(of_clips * snippet, self._n_fft)
                inside = products[:, self._n_snippet - 1 :][:, :n_places]
                best[row] = max(best[row], float((np.abs(inside) / lengths).max()))
        return float(np.minimum(best, 1).mean())

    def _snippet(self, sound: np.ndarray) -> np.ndarray:
        samples = _prepared(sound, self._rate)
        first = max(0, (len(samples) - self._n_snippet) // 2)
        found = samples[first : first + self._n_snippet]
        return np.pad(found, (0, self._n_snippet - len(found)))

    def _lengths(self, clips: np.ndarray) -> np.ndarray:
        """Return the norm of each clip's part at each place, [clips, places]; infinite where it is
        too quiet to be like anything."""
        power = np.cumsum(np.pad(clips.astype(np.float64) ** 2, ((0, 0), (1, 0))), axis=1)
        inside = power[:, self._n_snippet :] - power[:, : -self._n_snippet]
        least = _QUIETEST * power[:, -1:] * self._n_snippet / clips.shape[1]
        is_sound = inside > np.maximum(least, 1e-12)
        return np.where(is_sound, np.sqrt(np.maximum(inside, 1e-12)), np.inf).astype(np.float32)


def _prepared(sound: np.ndarray, sample_rate: int) -> np.ndarray:
    """Return a sound of one channel without its mean, at 16 kHz or less."""
    samples = mix_down(np.asarray(sound, dtype=np.float32))
    samples = samples - samples.mean()
    return (
        soxr.resample(samples, sample_rate, _HIGHEST_RATE, quality="MQ")
        if sample_rate > _HIGHEST_RATE
        else samples
    )
