"""A voice at the rate of the sound card, where that does not take the instrument's own."""

import numpy as np
import soxr

from conditioned_synthesis.live.voice import Voice

_BLOCK = 256  # samples of the voice that are rendered at a time


class Resampled:
    """Renders a voice at another rate. Its samples come some milliseconds later, as the
    resampler's filter takes."""

    def __init__(self, voice: Voice, rate: float) -> None:
        self._voice, self.rate, self.n_channels = voice, rate, voice.n_channels
        self._stream = soxr.ResampleStream(voice.rate, rate, voice.n_channels, dtype="float32")
        self._left = np.zeros((0, voice.n_channels), np.float32)

    def render(self, n_samples: int) -> np.ndarray:
        """Return the next samples, [n_samples, n_channels] float32."""
        parts, n_there = [self._left], len(self._left)
        while n_there < n_samples:
            made = self._stream.resample_chunk(self._voice.render(_BLOCK))
            parts.append(made.reshape(-1, self.n_channels))
            n_there += len(parts[-1])
        samples = np.concatenate(parts)
        self._left = samples[n_samples:]
        return samples[:n_samples]
