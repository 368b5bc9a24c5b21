"""The robustness graph: noise on representations, and what is left of the sound."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from conditioned_synthesis.data.mtcrnn_format import params
from conditioned_synthesis.instrument.automation import constant
from conditioned_synthesis.representations.stft import Stft
from conditioned_synthesis.representations.waveform import Waveform
from conditioned_synthesis.robustness.command import COLUMNS, rising
from conditioned_synthesis.robustness.noise import with_noise
from conditioned_synthesis.robustness.quality import quality_by
from texturelib.audio import write_wav
from texturelib.controls import Control

RATE, SECONDS = 8000, 0.5


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A config with two clips: decaying tones in faint noise."""
    rng = np.random.default_rng(0)
    times = np.arange(round(RATE * SECONDS)) / RATE
    for index, hertz in enumerate((500, 900)):
        tone = 0.4 * np.sin(2 * np.pi * hertz * times) * np.exp(-8 * (times % 0.1))
        write_wav(tmp_path / f"{index}.wav", tone + rng.normal(0, 0.003, len(times)), RATE)
        control = Control("height", 0, 1, "")
        content = params(f"{index}.wav", {"height": constant(index)}, SECONDS, [control])
        (tmp_path / f"{index}.params").write_text(json.dumps(content))
    spectral = {"n_fft": 256, "hop_length": 64}
    kinds = ("stft", "log_magnitude", "magnitude_phase", "instantaneous_frequency", "mel")
    content = {
        "output": "out",
        "labelled": "none",
        "train": {"sounds": "."},
        "robustness": {
            "representations": {
                "waveform": {"type": "waveform"},
                **{kind: {"type": kind, **spectral} for kind in kinds},
            },
            "snr_db": [0, 20, 40],
            "repeats": 2,
            "clips": 2,
        },
    }
    content["robustness"]["representations"]["mel"]["n_mels"] = 40
    path = tmp_path / "synthesis.json"
    path.write_text(json.dumps(content))
    return path


def test_quality_falls_with_noise_for_each_representation_and_channel(
    config: Path, command: Callable[..., tuple[int, str, str]]
):
    status, out, errors = command("robustness", config, "--workers", "1")
    assert status == 0, errors
    assert "note:" not in out
    folder = config.parent / "out" / "robustness"
    assert {"robustness.csv", "robustness.md", "robustness.png"} <= {
        path.name for path in folder.iterdir()
    }
    table = pd.read_csv(folder / "robustness.csv")
    assert tuple(table) == COLUMNS
    curves = table.groupby(["representation", "part"])
    assert len(curves) == 3 + 3 * 3  # one channel, and two with both together
    for name, rows in curves:
        distances = rows.sort_values("snr_db")["mean"].tolist()
        assert distances[0] > distances[1] > distances[2], name


@pytest.mark.parametrize("settings", [Waveform(), Stft()])
@pytest.mark.parametrize("snr_db", [0.0, 20.0])
def test_noise_is_as_loud_as_it_says(settings, snr_db):
    """Of white noise, whose representation is linear: the same ratio in the sound."""
    audio = 0.1 * torch.randn(2, 16000, generator=torch.Generator().manual_seed(0))
    transform = settings.transform(16000)
    transform.learn([audio])
    channels = range(len(transform.parts))
    noisy = with_noise(transform, audio, channels, snr_db, torch.Generator().manual_seed(1))
    clean = transform.inverse(transform(audio))
    found = 10 * torch.log10(clean.square().mean() / (noisy - clean).square().mean())
    # Frames that overlap average their noise: by 4 times as many values, 6 dB.
    wanted = snr_db + (0 if isinstance(settings, Waveform) else 6)
    assert float(found) == pytest.approx(wanted, abs=0.7)


def table_of(*rows: tuple[float, float, float], measure: str = "texture") -> Any:
    return pd.DataFrame([("mel", "all", a, measure, b, c) for a, b, c in rows], columns=COLUMNS)


def test_a_quality_that_rises_with_noise_is_noted():
    assert rising(table_of((0, 3.0, 0.1), (20, 1.0, 0.1))) == []
    assert rising(table_of((0, 3.0, 0.1), (20, 3.1, 0.1))) == []  # by chance
    assert rising(table_of((0, 1.0, 0.1), (20, 3.0, 0.1))) == [
        "mel: texture is worse at 20 dB than at 0 dB"
    ]
    better = table_of((0, 1.0, 0.1), (20, 3.0, 0.1), measure="visqol")
    assert rising(better) == []


def test_a_package_that_is_missing_is_named_before_any_work(
    config: Path, command: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "pesq", None)
    status, _, errors = command("robustness", config, "--set", 'robustness.measures=["pesq"]')
    assert status != 0
    assert "pesq is not installed" in errors
    assert not (config.parent / "out").exists()


def test_ratios_that_do_not_rise_are_refused(
    config: Path, command: Callable[..., tuple[int, str, str]]
):
    status, _, errors = command("robustness", config, "--set", "robustness.snr_db=[20, 10]")
    assert status == 2
    assert "should rise from each number to the next" in errors


def test_clips_too_short_for_visqol_are_refused(
    config: Path, command: Callable[..., tuple[int, str, str]]
):
    status, _, errors = command("robustness", config, "--set", 'robustness.measures=["visqol"]')
    assert status == 2
    assert "visqol takes clips of 1 s or more, not of 0.5 s" in errors


@pytest.mark.slow
def test_visqol_hears_noise():
    pytest.importorskip("visqol")
    quality = quality_by("visqol", 16000, 32000)
    audio = 0.1 * torch.randn(1, 32000, generator=torch.Generator().manual_seed(0))
    transform = Stft().transform(16000)
    transform.learn([audio])
    found = []
    for snr_db in (0.0, 12.0, 24.0):
        noise = torch.Generator().manual_seed(1)
        found.append(quality(with_noise(transform, audio, (0, 1), snr_db, noise), audio))
    assert found[0] < found[1] < found[2]
