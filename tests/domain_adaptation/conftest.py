"""Small synthetic and real sets whose one control can be heard: how loud the high partial is, or,
where the control has a law, the pitch of a texture."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from domain_adaptation.config import AdaptationConfig
from texturelib.audio import write_wav
from texturelib.config import load_config
from texturelib.dataset import write_dataset

SAMPLE_RATE, SECONDS = 16000, 0.25
BRIGHTNESS = {
    "name": "brightness",
    "unit": "share",
    "low": 0.0,
    "high": 1.0,
    "curve": "linear",
    "offset": 0.0,
}

PITCH = {
    "name": "pitch",
    "unit": "Hz",
    "low": 400.0,
    "high": 3200.0,
    "curve": "exponential",
    "offset": 0.0,
    "laws": {"slow_down": -1.0},
}
"""Played k times slower, a sound has 1/k of its pitch: one of its three octaves is a third of the
slider."""


def make_set(
    folder: Path, n_clips: int, *, is_real: bool, seed: int = 0, sample_rate: int = SAMPLE_RATE
) -> Path:
    """Two partials in noise; real clips have more noise and no labels."""
    rng = np.random.default_rng([seed, is_real])
    seconds = np.arange(round(sample_rate * SECONDS)) / sample_rate
    brightness = rng.uniform(0.1, 0.9, n_clips)
    rows = []
    for index, value in enumerate(brightness):
        clip = (1 - value) * np.sin(2 * np.pi * 440 * seconds) + value * np.sin(
            2 * np.pi * 3000 * seconds
        )
        clip += (0.2 if is_real else 0.02) * rng.standard_normal(len(seconds))
        write_wav(folder / f"audio/{index}.wav", 0.3 * clip, sample_rate)
        row = {"file_name": f"audio/{index}.wav"}
        rows.append(
            row
            | (
                {"source": "river.mp3", "start_seconds": index * SECONDS}
                if is_real
                else {"brightness": value}
            )
        )
    write_dataset(
        folder,
        pd.DataFrame(rows),
        sample_rate=sample_rate,
        seconds=SECONDS,
        controls=[] if is_real else [BRIGHTNESS],
        provenance={"kind": "test"},
    )
    return folder


def make_stereo(folder: Path) -> Path:
    """Give a mono set two channels, whose mean is to the last bit what the clips were."""
    rng = np.random.default_rng(0)
    for path in sorted((folder / "audio").iterdir()):
        samples, sample_rate = soundfile.read(path, dtype="int16")
        difference = rng.integers(-3000, 3000, len(samples))
        # Beyond full scale there would be another mean.
        assert np.abs(samples).max() + 3000 < 2**15
        both = np.stack([samples + difference, samples - difference], axis=1)
        write_wav(path, both.astype(np.int16), sample_rate)
    description = json.loads((folder / "dataset.json").read_text())
    (folder / "dataset.json").write_text(json.dumps(description | {"channels": 2}))
    return folder


def make_pitch_set(
    folder: Path, n_clips: int, *, is_real: bool, seed: int = 0
) -> tuple[Path, np.ndarray]:
    """Noise around a pitch; in real clips it is narrower, tilted, and in other noise. -> the
    folder, the pitches as 0..1."""
    rng = np.random.default_rng([seed, is_real, 7])
    n_samples = round(SAMPLE_RATE * SECONDS)
    frequency_hz = np.fft.rfftfreq(n_samples, 1 / SAMPLE_RATE)
    octaves = np.log2(np.maximum(frequency_hz, 1.0) / 1000)
    pitch = rng.uniform(0.1, 0.9, n_clips)
    rows = []
    for index, value in enumerate(pitch):
        distance = np.abs(octaves - np.log2(400 * 8**value / 1000))
        decibels = -10 * np.minimum(distance / (0.2 if is_real else 0.35), 4.5) - (
            4 * octaves if is_real else 0
        )
        spectrum = np.fft.rfft(rng.standard_normal(n_samples)) * 10 ** (decibels / 20)
        clip = np.fft.irfft(spectrum, n_samples)
        name = f"audio/{index}.wav"
        write_wav(folder / name, 0.7 * clip / np.abs(clip).max(), SAMPLE_RATE)
        rows.append({"file_name": name} | ({"source": "wind.mp3"} if is_real else {"pitch": value}))
    write_dataset(
        folder,
        pd.DataFrame(rows),
        sample_rate=SAMPLE_RATE,
        seconds=SECONDS,
        controls=[] if is_real else [PITCH],
        provenance={"kind": "test"},
    )
    return folder, pitch


BANDS = {
    "type": "log_bands",
    "sample_rate": 16000,
    "n_bands": 32,
    "low_hz": 150.0,
    "high_hz": 5400.0,
    "frames_per_second": 32,
    "narrowest_hz": 40.0,
}
"""Features in which a slower sound is the same picture, shifted."""


def make_config(folder: Path, **changes: object) -> AdaptationConfig:
    """The smallest stage that works: a few epochs of two blocks, on the sets in `folder`."""
    content = {
        "output": "models",
        "synthetic": "synthetic",
        "real": "real",
        # Nine clips at least, or nothing is known of intervals.
        "split": {"train": 0.7, "validation": 0.2, "test": 0.1},
        "features": {"type": "mel", "sample_rate": 16000, "n_mels": 24},
        "network": {"type": "cnn", "n_blocks": 2, "first_channels": 4},
        "extractor": {"epochs": 3, "batch_size": 16, "learning_rate": 0.003},
        "classifier": {"epochs": 3, "n_layers": 3, "batch_size": 16},
        "adaptation": {"type": "adda_frozen", "epochs": 2, "batch_size": 16},
        "compute": {"accelerator": "cpu"},
        **changes,
    }
    path = folder / "adaptation.json"
    path.write_text(json.dumps(content))
    return load_config(path, AdaptationConfig)


@pytest.fixture
def sets(tmp_path: Path) -> Path:
    """Return a folder with a synthetic and a real set."""
    make_set(tmp_path / "synthetic", 60, is_real=False)
    make_set(tmp_path / "real", 40, is_real=True)
    return tmp_path


@pytest.fixture
def config_of() -> Callable[..., AdaptationConfig]:
    return make_config


@pytest.fixture
def make_clips() -> Callable[..., Path]:
    return make_set
