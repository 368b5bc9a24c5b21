"""Checks of generated sounds: is one silent, or nothing but noise?"""

import numpy as np

from texturelib.audio import level_dbfs

_FRAME = 512
_FAR_BELOW_DB = 30.0
# At 16 kHz white noise has 0.99 by `flatness`, and of recordings of water, fire and wind light rain
# has most, 0.68.
_WHITE = 0.8


def flatness(samples: np.ndarray) -> float | None:
    """Return the spectral flatness: the geometric over the arithmetic mean of the power spectrum of
    all channels; 1 is white. None where the samples are too few.

    samples: [samples] or [samples, channels].

    The spectrum is averaged over frames first (P. Welch, 1967): of a single frame, even white noise
    gives 0.56.
    """
    n_frames = len(samples) // _FRAME
    if not n_frames:
        return None
    frames = samples[: n_frames * _FRAME].reshape(n_frames, _FRAME, -1)
    spectra = np.fft.rfft(frames * np.hanning(_FRAME)[:, None], axis=1)
    power = (np.abs(spectra) ** 2).mean(axis=(0, 2))[1:-1] + 1e-20
    return float(np.exp(np.log(power).mean()) / power.mean())


def quality_warning(
    samples: np.ndarray, usual_dbfs: float | None, usual_flatness: float | None = None
) -> str | None:
    """Return what is wrong with a generated sound, as a phrase, or None.

    samples: [samples] or [samples, channels]. usual_dbfs, usual_flatness: of the sounds that were learnt from, None: unknown.
    """
    own = flatness(samples)
    if own is None:
        return None
    level = level_dbfs(samples)
    if level < (usual_dbfs if usual_dbfs is not None else -30.0) - _FAR_BELOW_DB:
        return "is silence" if level == -np.inf else f"is nearly silence ({level:.0f} dBFS)"
    white = max(_WHITE, 0.5 + 0.5 * usual_flatness) if usual_flatness is not None else _WHITE
    return f"is hardly more than white noise (spectral flatness {own:.2f})" if own > white else None
