"""Mix several channels to one."""

import numpy as np

_QUIETEST_MIX = 0.01
"""Channels cancel below this share of the power of an uncorrelated mix: 20 dB."""


class Mixer:
    """Mixes a recording's channels to their mean, block after block, and notices when they
    cancel one another.

    One channel wired the wrong way round, or a mid-side recording, leaves next to nothing in the
    mean.
    """

    def __init__(self) -> None:
        self._n_samples = 0
        self._sums = np.zeros(0)
        self._products = np.zeros((0, 0))

    def mix(self, samples: np.ndarray) -> np.ndarray:
        """Return the mean of the channels of the recording's next block. samples: [samples,
        channels] float32 -> [samples]."""
        n_channels = samples.shape[1]
        if n_channels == 1:
            return samples[:, 0]
        self._note(samples)
        # Channel by channel: numpy's mean over so short an axis takes fifty times as long.
        total = samples[:, 0] + samples[:, 1]
        for channel in range(2, n_channels):
            total += samples[:, channel]
        return total * np.float32(1 / n_channels)

    @property
    def cancels(self) -> bool:
        """Whether the mean of all channels so far is far quieter than that of uncorrelated
        channels would be."""
        if not self._n_samples:
            return False
        covariance = self._covariance()
        unrelated = np.trace(covariance)
        return bool(unrelated > _FAINTEST and covariance.sum() < _QUIETEST_MIX * unrelated)

    @property
    def loudest(self) -> int:
        """The number of the channel with the most power so far, from 1; the first one if several
        are equal."""
        powers = np.diag(self._covariance())
        # Within 0.04 dB, powers count as equal.
        return 1 + int(np.flatnonzero(powers >= 0.99 * powers.max())[0])

    def _note(self, samples: np.ndarray) -> None:
        if not self._n_samples:
            self._sums = np.zeros(samples.shape[1])
            self._products = np.zeros((samples.shape[1], samples.shape[1]))
        self._n_samples += len(samples)
        with np.errstate(over="ignore", invalid="ignore"):  # of huge values
            self._sums += np.ones(len(samples), np.float32) @ samples
            self._products += samples.T @ samples

    def _covariance(self) -> np.ndarray:
        """Return the covariance, [channels, channels]; without the means, since an offset is no
        sound."""
        with np.errstate(over="ignore", invalid="ignore"):
            means = self._sums / self._n_samples
            return self._products / self._n_samples - np.outer(means, means)


def mix_down(samples: np.ndarray) -> np.ndarray:
    """Return a whole sound as one channel: the mean of its channels; where they cancel one another,
    the loudest of them.

    samples: [samples] or [samples, channels] float32 -> [samples].
    """
    if samples.ndim == 1:
        return samples
    mixer = Mixer()
    mixed = mixer.mix(samples)
    return np.ascontiguousarray(samples[:, mixer.loudest - 1]) if mixer.cancels else mixed


_FAINTEST = 1e-10  # -100 dBFS: below it, a mean is only rounding
