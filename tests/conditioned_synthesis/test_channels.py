"""A synthesiser of several channels, from training to what it plays; and one of one channel on
sounds of several."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
from torch import nn

from conditioned_synthesis.instrument.automation import Automation
from conditioned_synthesis.instrument.instrument import (
    Instrument,
    ModelSpec,
    Slider,
    load_instrument,
    new_instrument,
    save_instrument,
)
from conditioned_synthesis.instrument.output_checks import flatness, quality_warning
from conditioned_synthesis.synthesisers import TrainedSynthesiser
from conditioned_synthesis.synthesisers.mtcrnn.settings import Mtcrnn
from conditioned_synthesis.synthesisers.texenv.settings import TexEnv
from texturelib.audio import level_dbfs, write_wav
from texturelib.controls import Control
from texturelib.dataset import read_dataset, write_dataset
from texturelib.learning.weights import save_weights

RATE, SAMPLES = 44100, 4410
CONTROL = Control("loud", -40.0, -20.0, "dB")
PLACES = np.linspace(0, 1, 20)


class Levels(nn.Module):
    """White noise, each channel with a level of its own."""

    loss_in_words = "of levels"
    n_samples = 1000

    def __init__(self, n_controls: int, n_channels: int) -> None:
        super().__init__()
        self.n_channels = n_channels
        self.level = nn.Linear(n_controls, n_channels)
        nn.init.constant_(self.level.bias, -3.0)

    def losses(self, audio: torch.Tensor, controls: torch.Tensor) -> dict[str, torch.Tensor]:
        assert audio.shape == (*controls.shape[:2], self.n_channels)
        heard = audio.square().mean(1).clamp_min(1e-9).log()
        return {"loss": (heard - 2 * self.level(controls).mean(1)).square().mean()}

    def player(self, seed: int, **_: object) -> "LevelsPlayer":
        return LevelsPlayer(self, seed)


class LevelsPlayer:
    def __init__(self, network: Levels, seed: int) -> None:
        self._network, self._rng = network, np.random.default_rng(seed)

    @torch.inference_mode()
    def play(self, controls: np.ndarray) -> np.ndarray:
        levels = self._network.level(torch.from_numpy(controls)).exp().numpy()
        noise = self._rng.standard_normal((len(controls), self._network.n_channels))
        return (levels * noise).astype(np.float32)


@pytest.fixture(autouse=True)
def levels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let "texenv" be noise with as many channels as its clips have."""
    monkeypatch.setattr(TexEnv, "channels_learnt", lambda _, of_clips: of_clips)
    monkeypatch.setattr(TexEnv, "training", TrainedSynthesiser.training)
    monkeypatch.setattr(
        TexEnv,
        "network",
        lambda _, n_controls, __, n_channels: Levels(n_controls, n_channels),
    )


@pytest.fixture
def stereo(tmp_path: Path) -> Path:
    """A dataset folder of stereo noise, its left channel 6 dB above its right one, both louder with
    the control."""
    rng = np.random.default_rng(0)
    names = [f"audio/{index}.wav" for index in range(len(PLACES))]
    for name, place in zip(names, PLACES, strict=True):
        gain = 10 ** (CONTROL.to_physical(place) / 20)
        noise = gain * np.array([2, 1]) * rng.standard_normal((SAMPLES, 2))
        write_wav(tmp_path / "stereo" / name, noise, RATE)
    table = {"file_name": names, "loud": PLACES, "split": ["train"] * 15 + ["test"] * 5}
    write_dataset(
        tmp_path / "stereo",
        pd.DataFrame(table),
        sample_rate=RATE,
        seconds=SAMPLES / RATE,
        n_channels=2,
        controls=[CONTROL.describe()],
    )
    return tmp_path / "stereo"


@pytest.fixture
def config(tmp_path: Path, stereo: Path) -> Path:
    content = {
        "output": "out",
        "labelled": "nothing",
        "train": {"sounds": "stereo"},
        "synthesiser": {"type": "texenv", "num_steps": 20, "checkpoint": 10, "batch_size": 8},
        "generate": {"values": 2, "seconds": 0.5, "sweep_seconds": 0.5},
    }
    (tmp_path / "synthesis.json").write_text(json.dumps(content))
    return tmp_path / "synthesis.json"


def test_a_synthesiser_of_two_channels_is_trained_kept_and_played(config, command, tmp_path):
    status, _, errors = command("train", config)
    assert (status, errors) == (0, "")
    folder = tmp_path / "out" / "synthesiser"

    assert load_instrument(folder).spec.channels == 2
    assert "Plays at 44100 Hz, stereo, with 1 control:" in (folder / "README.md").read_text()
    # By the split of the set, not by the share that the settings hold out.
    assert json.loads((folder / "metrics.json").read_text())["n_clips"] == {
        "train": 15,
        "validation": 5,
    }
    assert soundfile.info(folder / "examples" / "step_0000020.wav").channels == 2

    assert command("generate", config)[0] == 0
    sound = tmp_path / "out" / "examples" / "1_loud_sweep.wav"
    assert soundfile.info(sound).channels == 2
    assert sound.with_suffix(".png").exists()


def test_a_synthesiser_of_one_channel_learns_the_mix(config, command, tmp_path):
    settings = {
        "type": "mtcrnn", "hidden_size": 8, "seq_len": 100, "windows_carried": 2, "batch_size": 4,
        "num_steps": 2, "checkpoint": 2,
    }  # fmt: skip
    status, _, errors = command("train", config, "--set", f"synthesiser={json.dumps(settings)}")
    assert (status, errors) == (0, "")
    spec = load_instrument(tmp_path / "out" / "synthesiser").spec
    assert spec.channels == 1
    # The mean of independent channels of gains 2 and 1 has the power 5/4.
    power = 5 / 4 * np.mean(10 ** (CONTROL.to_physical(PLACES) / 10))
    assert spec.level_dbfs == pytest.approx(10 * np.log10(power), abs=0.1)


def test_a_played_sound_has_its_channels_and_says_so(config, command, tmp_path):
    assert command("train", config)[0] == 0
    model = tmp_path / "out" / "synthesiser"
    words = ["generate", "--model", model, "--output", tmp_path / "a.wav", "--seconds", "0.25"]
    status, printed, _ = command(*words)
    assert status == 0
    assert "0.25 s at 44100 Hz, stereo, " in printed
    samples, _ = soundfile.read(tmp_path / "a.wav")
    assert samples.shape == (11025, 2)


def _instrument(n_channels: int) -> Instrument:
    slider = Slider(
        control=CONTROL.describe(), low=0.0, high=1.0, loudness=((0.0, -6.0206), (1.0, 6.0206))
    )
    spec = ModelSpec(synthesiser=TexEnv(), sliders=(slider,), sample_rate=RATE, channels=n_channels)
    return new_instrument(spec, seed=0)


def test_the_gain_of_a_moving_slider_reaches_every_channel():
    instrument = _instrument(3)
    nn.init.zeros_(instrument.network.level.weight)
    line = Automation(np.array([0.0, 1.0]), np.array([0.0, 1.0]))
    samples = instrument.play({"loud": line}, 1.0, seed=1)
    plain = LevelsPlayer(instrument.network, 1).play(np.zeros((RATE, 1), np.float32))

    assert samples.shape == (RATE, 3)
    np.testing.assert_allclose(samples[0], plain[0] / 2, rtol=1e-3)
    np.testing.assert_allclose(samples[-1], plain[-1] * 2, rtol=1e-3)


def test_a_model_folder_of_before_channels_plays_one(tmp_path):
    instrument = _instrument(1)
    save_instrument(tmp_path, instrument)
    description = instrument.spec.model_dump(mode="json")
    del description["channels"]
    save_weights(tmp_path, instrument.network, description)
    assert load_instrument(tmp_path).spec.channels == 1


@pytest.mark.parametrize("channels", [0, 9, "two"])
def test_a_number_of_channels_that_is_none_is_refused(channels):
    with pytest.raises(ValueError, match="channels"):
        ModelSpec(synthesiser=TexEnv(), sliders=(), sample_rate=RATE, channels=channels)


def test_a_synthesiser_of_one_channel_is_not_loaded_with_two():
    with pytest.raises(ValueError, match='type "mtcrnn" does not play 2'):
        ModelSpec(synthesiser=Mtcrnn(), sliders=(), sample_rate=RATE, channels=2)


def test_white_noise_and_silence_are_noticed_in_stereo():
    noise = 0.1 * np.random.default_rng(0).standard_normal((RATE, 2))
    assert flatness(noise) == pytest.approx(flatness(noise[:, 0]), abs=0.01)
    assert "white noise" in str(quality_warning(noise, None))
    assert quality_warning(np.zeros((RATE, 2)), None) == "is silence"
    tone = 0.1 * np.sin(np.arange(RATE) / 10)
    # Interleaved, two tones would be another sound.
    assert flatness(np.stack([tone, tone], axis=1)) == pytest.approx(flatness(tone))
    assert level_dbfs(np.stack([tone, tone], axis=1)) == pytest.approx(level_dbfs(tone))


def test_a_balanced_set_keeps_its_channels_and_an_export_is_mono(config, command, tmp_path):
    words = ["--set", f"labelled={tmp_path / 'stereo'}"]
    assert command("balance", config, *words, "--set", "balance.bins=2")[0] == 0
    balanced = read_dataset(tmp_path / "out" / "balanced")
    assert balanced.n_channels == 2
    assert balanced.clip(0).shape == (SAMPLES, 2)

    assert command("export", config, *words, "--workers", "1")[0] == 0
    exported = sorted((tmp_path / "out" / "mtcrnn").glob("*.wav"))
    assert len(exported) == len(balanced)
    info = soundfile.info(exported[0])
    assert (info.samplerate, info.channels, info.frames) == (16000, 1, 1600)


def test_sounds_with_labels_beyond_their_sliders_are_refused_before_clips_are_read(
    config, command, stereo
):
    table = pd.read_csv(stereo / "metadata.csv")
    table.loc[0, "loud"] = -0.1
    table.to_csv(stereo / "metadata.csv", index=False)
    (stereo / "audio" / "0.wav").unlink()
    status, _, errors = command("train", config)
    assert status == 1
    assert "row 2: loud is -0.1; a synthesiser learns controls from 0 to 1" in errors
