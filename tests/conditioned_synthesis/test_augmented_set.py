"""From a dataset folder as `augment` writes one (stereo, at 44.1 kHz, with laws and a split) to a
trained, linear, measured and played texenv."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from conditioned_synthesis.evaluation.labeller import Labeller
from conditioned_synthesis.instrument.instrument import load_instrument
from texturelib.audio import read_mono, write_wav
from texturelib.controls import Control
from texturelib.dataset import write_dataset

RATE, SECONDS = 44100, 0.25
SIZE = Control("size", 0.5, 2.0, "x", "exponential", laws={"slow_down": 1.0})
CUTOFF_HZ = 1500.0  # of a sound of size 1
N_CLIPS, N_HELD_OUT = 48, 8


def low_noise(size: float, rng: np.random.Generator) -> np.ndarray:
    """Stereo noise, [samples, 2], that falls from a frequency that is the lower the larger it is."""
    n_samples = round(RATE * SECONDS)
    frequency = np.fft.rfftfreq(n_samples, 1 / RATE) * size / CUTOFF_HZ
    noise = np.fft.rfft(rng.standard_normal((n_samples, 2)), axis=0)
    samples = np.fft.irfft(noise / (1 + frequency**2)[:, None], n_samples, axis=0)
    return 0.1 * samples / samples.std()


def heard_size(path: Path) -> float:
    """Return the place of the size that a sound has by the median of its spectrum, half of
    which lies below 0.44 times the cutoff."""
    power = np.abs(np.fft.rfft(read_mono(path, RATE))) ** 2
    below = np.cumsum(power) / power.sum()
    median_hz = np.searchsorted(below, 0.5) * RATE / 2 / (len(power) - 1)
    return float(SIZE.to_slider(0.44 * CUTOFF_HZ / median_hz))


@pytest.fixture
def augmented(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    places = np.append(np.linspace(0, 1, N_CLIPS - N_HELD_OUT), rng.random(N_HELD_OUT))
    names = [f"audio/{index:03}.wav" for index in range(N_CLIPS)]
    for name, size in zip(names, SIZE.to_physical(places), strict=True):
        write_wav(tmp_path / "augmented" / name, low_noise(size, rng), RATE)
    n_validation = N_HELD_OUT // 2
    table = {
        "file_name": names,
        "size": places,
        "source": "noise.wav",
        "start_seconds": 0.0,
        "split": ["train"] * (N_CLIPS - N_HELD_OUT)
        + ["validation"] * n_validation
        + ["test"] * (N_HELD_OUT - n_validation),
    }
    write_dataset(
        tmp_path / "augmented",
        pd.DataFrame(table),
        sample_rate=RATE,
        seconds=SECONDS,
        n_channels=2,
        controls=[SIZE.describe()],
    )
    return tmp_path / "augmented"


@pytest.fixture
def config(tmp_path: Path, augmented: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    def read(folder: Path) -> pd.DataFrame:
        paths = sorted(folder.rglob("*.wav"))
        names = [path.relative_to(folder).as_posix() for path in paths]
        return pd.DataFrame({"size": [heard_size(path) for path in paths]}, index=names)

    monkeypatch.setattr(
        "conditioned_synthesis.evaluation.labeller.load_labeller",
        lambda _: Labeller((SIZE,), SECONDS, read),
    )
    (tmp_path / "labeller").mkdir()
    (tmp_path / "labeller" / "model.safetensors").write_bytes(b"not read in this test")
    content = {
        "output": "out",
        "labelled": "nothing",
        "labeller": "labeller",
        "train": {"sounds": augmented.name},
        "synthesiser": {
            "type": "texenv", "stereo": True, "num_steps": 150, "checkpoint": 75, "batch_size": 8, "lr": 0.005,
            "seconds": SECONDS, "n_bands": 16, "low_hz": 100, "channels": 16, "n_layers": 2,
            "losses": [{"type": "texture"}],
        },
        "linearise": {"values": 5, "seeds": 1, "seconds": 0.5},
        "generate": {"values": 2, "seconds": 0.5, "sweep_seconds": 0.5},
        "evaluate": {"values": 5, "seeds": 2, "seconds": 0.5, "clips": 16},
    }  # fmt: skip
    (tmp_path / "synthesis.json").write_text(json.dumps(content))
    return tmp_path / "synthesis.json"


@pytest.mark.slow
def test_an_instrument_is_made_from_an_augmented_stereo_set(
    config: Path, command: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    for name in ("train", "linearise", "generate", "evaluate"):
        status, _, errors = command(name, config)
        assert (status, errors) == (0, ""), name

    spec = load_instrument(tmp_path / "out" / "instrument").spec
    assert (spec.sample_rate, spec.channels, spec.names) == (RATE, 2, ["size"])
    assert spec.sliders[0].control["laws"] == {"slow_down": 1.0}
    metrics = json.loads((tmp_path / "out" / "synthesiser" / "metrics.json").read_text())
    assert metrics["n_clips"] == {"train": N_CLIPS - N_HELD_OUT, "validation": N_HELD_OUT}

    folder = tmp_path / "out" / "evaluation"
    found = json.loads((folder / "evaluation.json").read_text())
    assert found["n_held_out_clips"] == N_HELD_OUT
    own = pd.DataFrame(found["rows"]).set_index("synthesiser")
    # 150 steps teach a little network where its noise belongs.
    assert own.loc["linearised", "rho"] > 0.9
    assert own.loc["synthesiser", "paired_distance"] < own.loc["white noise", "paired_distance"]
    assert abs(own.loc["synthesiser", "louder_db"]) < 3
    assert {soundfile.info(path).channels for path in folder.rglob("*.wav")} == {2}
    for name in ("train", "evaluate"):
        assert "done and unchanged" in command(name, config)[1]
