"""Settings of an embedding network."""

from typing import Annotated, Literal

from pydantic import Field

from texturelib.config import Config, ConfigPath

_Count = Annotated[int, Field(ge=1, le=100000)]
_Hz = Annotated[float, Field(ge=0, le=192000)]


class Embedding(Config):
    """Settings of a network that judges sounds by embedding them: an ONNX file, from waveforms or
    log-mel spectrograms to vectors. It must not have had a part in any training.

    What is null is read from the file's metadata, under the same names.
    """

    path: ConfigPath
    """ONNX file."""
    input: Literal["waveform", "log_mel"] | None = None
    """What it takes: [batch, samples] or [batch, 1, samples] of waveforms, or [batch, mels, frames]
    of log-mel spectrograms, with a dimension of 1 for channels or not; [batch, frames, mels] where
    the file says so with fixed sizes."""
    sample_rate: Annotated[int, Field(ge=1000, le=192000)] | None = None
    """Sample rate that it takes, in Hz."""
    n_mels: _Count | None = None
    """Number of mel bands; for log_mel alone, as all that follow."""
    n_fft: _Count | None = None
    """Length of the spectrogram's window, in samples; null takes 25 ms."""
    hop: _Count | None = None
    """Step of the spectrogram, in samples; null takes 10 ms."""
    low_hz: _Hz | None = None
    """Lower end of the lowest mel band, in Hz; null takes 0."""
    high_hz: _Hz | None = None
    """Upper end of the highest mel band, in Hz; null takes half the sample rate."""
    floor: Annotated[float, Field(gt=0, le=1)] | None = None
    """What is added to the power before its natural logarithm; null takes 1e-6."""
    mean: float | None = None
    """What is subtracted from the logarithms, as the network's training did; null takes 0."""
    deviation: Annotated[float, Field(gt=0)] | None = None
    """What they are then divided by; null takes 1."""
