"""Embeddings of sounds by a network in an ONNX file."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import soxr
from pydantic import ValidationError

from conditioned_synthesis.judge_settings import Embedding
from texturelib._config_errors import first_problem
from texturelib.audio import mix_down
from texturelib.errors import TextureError, UsageError, first_line
from texturelib.files import shown

_KEY = "evaluate.embedding"
_SOUNDS_AT_A_TIME = 16
_WINDOW_SECONDS, _HOP_SECONDS = 0.025, 0.01
_EXAMPLES = {
    "input": 'it should be "waveform" or "log_mel"',
    "sample_rate": "it should be the rate that the network was trained at, as 16000",
    "n_mels": "it should be the number of mel bands that it takes, as 64",
}


class EmbeddingNetwork:
    """A network that turns a sound into a vector.

    Errors: UsageError when neither config nor file says what the network takes; TextureError when
    the file is no such network.
    """

    def __init__(self, settings: Embedding) -> None:
        import onnxruntime

        self._name = shown(settings.path)
        if not settings.path.is_file():
            raise UsageError(f"{_KEY}.path: {self._name}: no such file; name an ONNX file")
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4  # what is wrong is raised, too
        try:
            self._session = onnxruntime.InferenceSession(
                str(settings.path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's own kinds have no common base but this
            raise TextureError(
                f"{_KEY}.path: {self._name}: no network that onnxruntime loads ({first_line(error)})"
            ) from None
        metadata = self._session.get_modelmeta().custom_metadata_map
        self._settings = _completed(settings, metadata, self._name)
        inputs = self._session.get_inputs()
        if len(inputs) != 1 or inputs[0].type != "tensor(float)":
            raise TextureError(
                f"{_KEY}.path: {self._name}: takes {len(inputs)} input(s), the first of {inputs[0].type if inputs else 'none'}; "
                "one of tensor(float) would be right"
            )
        self._input = inputs[0].name
        self._sizes = [size if isinstance(size, int) else None for size in inputs[0].shape]
        n_axes = 2 if self._settings.input == "waveform" else 3
        if len(self._sizes) not in (n_axes, n_axes + 1):
            raise TextureError(
                f"{_KEY}.path: {self._name}: takes {len(self._sizes)} dimensions; {self._settings.input} has {n_axes}, "
                f"or {n_axes + 1} with one for channels"
            )

    def __call__(self, sounds: "list[np.ndarray] | np.ndarray", sample_rate: int) -> np.ndarray:
        """Return the embedding of each sound, [sounds, dimensions].

        sounds: [samples] or [samples, channels] each, of one length. sample_rate: of these, in Hz.

        Errors: TextureError when the network fails, or its vectors are not finite.
        """
        wanted = self._settings.sample_rate
        prepared = [
            np.asarray(
                soxr.resample(mix_down(np.asarray(each, dtype=np.float32)), sample_rate, wanted)
            )
            for each in sounds
        ]
        step = self._sizes[0] or _SOUNDS_AT_A_TIME
        found = []
        for start in range(0, len(prepared), step):
            part = prepared[start : start + step]
            n_own = len(part)
            if self._sizes[0]:  # a fixed batch is filled up
                part = part + [part[-1]] * (step - n_own)
            found.append(self._embedded(np.stack(part))[:n_own])
        return np.concatenate(found)

    def _embedded(self, waveforms: np.ndarray) -> np.ndarray:
        is_spectrogram = self._settings.input == "log_mel"
        given = self._shaped(log_mel(waveforms, self._settings) if is_spectrogram else waveforms)
        try:
            output = np.asarray(self._session.run(None, {self._input: given})[0], dtype=np.float64)
            # The mean, where it gives a vector for each frame.
            vectors = output.reshape(len(waveforms), -1, output.shape[-1]).mean(axis=1)
        except Exception as error:
            raise TextureError(
                f"{_KEY}.path: {self._name}: fails on an input of {list(given.shape)} ({first_line(error)})"
            ) from None
        if not np.isfinite(vectors).all():
            raise TextureError(f"{_KEY}.path: {self._name}: gives vectors that are not finite")
        return vectors

    def _shaped(self, values: np.ndarray) -> np.ndarray:
        """Return an input in the shape that the network takes. Where that has a fixed length, the
        sound is cut to it, or repeated up to it.

        values: [batch, samples] or [batch, mels, frames].
        """
        sizes = list(self._sizes)
        has_channels = len(sizes) == values.ndim + 1
        if has_channels:
            del sizes[1]
        if len(sizes) == 3 and sizes[2] == values.shape[1] and sizes[1] != values.shape[1]:
            length, axes = sizes[1], (0, 2, 1)  # [batch, frames, mels]
        else:
            length, axes = sizes[-1], range(values.ndim)
        if length:
            values = values[..., np.arange(length) % values.shape[-1]]
        values = values.transpose(tuple(axes))
        return np.ascontiguousarray(values[:, None] if has_channels else values, dtype=np.float32)


def log_mel(waveforms: np.ndarray, settings: "Complete") -> np.ndarray:
    """Return log-mel spectrograms: the natural logarithm of the power in triangular bands (mel scale
    of S. Stevens et al., 1937, in the form of HTK), from a Hann window.

    Shape:
        waveforms: [batch, samples] -> [batch, mels, frames]
    """
    padded = np.pad(waveforms, ((0, 0), (0, max(0, settings.n_fft - waveforms.shape[1]))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, settings.n_fft, axis=1)
    window = np.hanning(settings.n_fft + 1)[:-1]
    power = np.abs(np.fft.rfft(frames[:, :: settings.hop] * window)) ** 2
    bins_hz = np.fft.rfftfreq(settings.n_fft, 1 / settings.sample_rate)
    edges = np.linspace(_mel(settings.low_hz), _mel(settings.high_hz), settings.n_mels + 2)
    edges_hz = 700 * (10 ** (edges / 2595) - 1)
    low, centre, high = (edges_hz[first:][: settings.n_mels, None] for first in range(3))
    rising, falling = (bins_hz - low) / (centre - low), (high - bins_hz) / (high - centre)
    bands = np.maximum(0, np.minimum(rising, falling))
    levels = np.log(power @ bands.T + settings.floor)
    return ((levels - settings.mean) / settings.deviation).transpose(0, 2, 1)


def _mel(frequency_hz: float) -> float:
    return 2595 * math.log10(1 + frequency_hz / 700)


class Complete(NamedTuple):
    """What a network takes, with nothing left open; see `Embedding`."""

    input: str
    sample_rate: int
    n_mels: int
    n_fft: int
    hop: int
    low_hz: float
    high_hz: float
    floor: float
    mean: float
    deviation: float


def _completed(settings: Embedding, metadata: Mapping[str, str], name: str) -> Complete:
    """Return the settings, with the file's metadata where the config says nothing.

    Errors: UsageError when neither says what must be known.
    """
    known = {
        key: metadata[key]
        for key in Complete._fields
        if getattr(settings, key) is None and key in metadata
    }
    try:
        # As numbers are texts there.
        merged = Embedding.model_validate(
            settings.model_dump(exclude_none=True) | {key: _number(known[key]) for key in known}
        )
    except ValidationError as error:
        raise TextureError(f"{_KEY}.path: {name}: its metadata: {first_problem(error)}") from None
    needed = ["input", "sample_rate", *(["n_mels"] if merged.input == "log_mel" else [])]
    for key in needed:
        if getattr(merged, key) is None:
            raise UsageError(
                f"{_KEY}.{key}: is null, and the metadata of {name} do not say it; {_EXAMPLES[key]}"
            )
    rate = merged.sample_rate or 0
    high_hz = merged.high_hz or rate / 2
    if high_hz > rate / 2 or (merged.low_hz or 0) >= high_hz:
        raise UsageError(
            f"{_KEY}.high_hz: {high_hz:g}: should lie above low_hz, and at half the sample rate, {rate / 2:g}, at most"
        )
    return Complete(
        merged.input or "waveform",
        rate,
        merged.n_mels or 0,
        merged.n_fft or max(2, round(_WINDOW_SECONDS * rate)),
        merged.hop or max(1, round(_HOP_SECONDS * rate)),
        merged.low_hz or 0.0,
        high_hz,
        merged.floor or 1e-6,
        merged.mean or 0.0,
        merged.deviation or 1.0,
    )


def _number(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
