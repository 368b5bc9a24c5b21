"""Gan: its chunks and their joins, its critics, trainings that fail, and trainings that are stopped."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from conditioned_synthesis.data.clips import Sounds
from conditioned_synthesis.data.split import SplitSounds
from conditioned_synthesis.instrument.automation import Automation, constant
from conditioned_synthesis.instrument.instrument import (
    Instrument,
    ModelSpec,
    Slider,
    load_instrument,
    new_instrument,
    save_instrument,
)
from conditioned_synthesis.synthesisers.gan.network import GanNetwork
from conditioned_synthesis.synthesisers.gan.player import crossfaded
from conditioned_synthesis.synthesisers.gan.settings import Gan
from conditioned_synthesis.synthesisers.gan.training import GanTraining
from texturelib.controls import Control
from texturelib.errors import TextureError, UsageError
from texturelib.learning.compute import ComputeConfig, start_fabric
from texturelib.learning.loop import Plan, State, train

RATE = 8000
TINY: dict[str, Any] = {
    "type": "gan",
    "representation": {"type": "log_magnitude", "n_fft": 64, "hop_length": 16},
    "seconds": 0.064,
    "history": 0.032,
    "overlap": 0.016,
    "widths": (12, 8, 6),
    "latent": 6,
    "batch_size": 4,
    "num_steps": 4,
    "checkpoint": 2,
}
SPECTRA = {"type": "stft", "n_fft": 64, "hop_length": 16}
SLIDERS = tuple(
    Slider(control=Control(name, 0.0, 1.0, "").describe(), low=0.0, high=1.0) for name in ("a", "b")
)


def tiny(**more: Any) -> Gan:
    return Gan.model_validate(TINY | more)


def clips(n_clips: int = 12, n_samples: int = 1600) -> SplitSounds:
    """Noise as loud as its first control says."""
    rng = np.random.default_rng(0)
    values = rng.random((n_clips, 2))
    noise = rng.normal(0, 1, (n_clips, n_samples)) * (500 + 5000 * values[:, :1])
    lines = [[constant(float(value)) for value in row] for row in values]
    controls = (Control("a", 0, 1, ""), Control("b", 0, 1, ""))
    sounds = Sounds(RATE, noise.astype(np.int16), lines, controls)
    return SplitSounds(sounds, np.arange(n_clips - 3), np.arange(n_clips - 3, n_clips))


def instrument_of(settings: Gan) -> Instrument:
    made = new_instrument(ModelSpec(synthesiser=settings, sliders=SLIDERS, sample_rate=RATE), 3)
    GanTraining(made.network, clips(), 0, settings)  # type: ignore[arg-type]
    made.network.eval()
    return made


@pytest.fixture(scope="module")
def instrument() -> Instrument:
    return instrument_of(tiny())


# Sounds. --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"frequency": "axis"},
        {"history": 0},
        {"film": False, "noise": False, "bounded": True},
        {"representation": {"type": "waveform"}, "kernel": 9, "stride": 4},
        {"representation": {**SPECTRA, "type": "instantaneous_frequency"}},
        {"representation": {"type": "mel", "n_fft": 64, "hop_length": 16, "n_mels": 12}},
        {"step": 0.02},
    ],
)
def test_a_sound_of_any_length_is_the_same_however_it_is_divided(more):
    made = instrument_of(tiny(**more))
    lines = {"a": Automation(np.array([0.0, 0.5]), np.array([0.0, 1.0]))}
    whole = made.play(lines, 0.4321, 5)
    assert whole.shape == (round(0.4321 * RATE),)
    assert np.isfinite(whole).all()
    assert whole.std() > 0
    for block in (1, 37, 2048):
        parts = [*made.stream(lines, 0.4321, 5, block=block)]
        assert np.array_equal(np.concatenate(parts), whole)


def test_a_seed_is_a_sound_and_another_seed_another(instrument):
    first, again, other = (instrument.play({}, 0.3, seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_controls_that_move_are_heard_from_the_next_chunk_on(instrument):
    """With the same seed, sounds are the same until a control moves, and not after."""
    n_step = instrument.network.n_step
    still, moved = (
        np.full((4 * n_step, 2), 0.2, np.float32),
        np.full((4 * n_step, 2), 0.2, np.float32),
    )
    moved[2 * n_step :] = 0.9
    sounds = [instrument.network.player(1).play(each) for each in (still, moved)]
    same = sounds[0] == sounds[1]
    assert same[: 2 * n_step].all()
    assert not same[2 * n_step :].all()


def test_a_chunk_depends_on_what_was_played_before(instrument):
    network: GanNetwork = instrument.network
    draw = network.generator.draw(1, torch.Generator().manual_seed(0))
    controls = torch.full((1, network.generator.n_frames, 2), 0.5)
    before = torch.randn(2, 1, 1, 32, network.n_history // 16)
    made = [network.generator(draw, controls, each) for each in before]
    assert not torch.allclose(made[0], made[1])


@pytest.mark.parametrize("share", [0.0, 0.7, 1.0])
def test_joins_keep_the_power(share):
    """Of two noises that have `share` of their power in common."""
    rng = np.random.default_rng(1)
    both, first, second = rng.normal(0, 1, (3, 20000))
    ends, begins = (math.sqrt(share) * both + math.sqrt(1 - share) * own for own in (first, second))
    found = crossfaded(ends, begins).reshape(20, -1).var(axis=1)
    assert found.min() > 0.85  # 1000 samples each: 4 % by chance
    assert found.max() < 1.15


def test_a_saved_one_plays_the_same(instrument, tmp_path: Path):
    save_instrument(tmp_path, instrument)
    assert np.array_equal(load_instrument(tmp_path).play({}, 0.3, 3), instrument.play({}, 0.3, 3))


def test_it_has_no_graph(instrument):
    with pytest.raises(UsageError, match='a synthesiser of type "gan" finds phases'):
        instrument.network.graph()


# Settings. ------------------------------------------------------------------------------------------------------------


def test_a_preset_fills_in_what_is_not_given():
    published = Gan(preset="specgan", batch_size=8)
    assert published.widths == (1024, 512, 256, 128, 64)
    assert (published.critic_steps, published.control_penalty, published.batch_size) == (5, 10, 8)
    assert Gan.model_validate(published.model_dump(mode="json")) == published


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["wavegan", "specgan"])
def test_the_published_sizes_fit_together(preset):
    """One pass through generator and critic: 2^14 samples at 16 kHz."""
    network = GanNetwork(Gan(preset=preset), 2, 16000)
    assert network.n_chunk == 2**14
    controls = torch.rand(2, network.n_samples, 2)
    audio = 0.1 * torch.randn(2, network.n_samples)
    losses = network.critic_losses("critic", audio, controls)
    assert set(losses) == {"critic", "critic_penalty", "critic_control_penalty"}
    assert all(bool(value.isfinite()) for value in losses.values())
    with torch.no_grad():
        assert network.made(audio, controls)[1].isfinite().all()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"critics": {"generator": {}}}, "a word of small letters other than"),
        ({"critics": {"sound": {"representation": {"type": "waveform"}}}}, "has no gradient"),
    ],
)
def test_critics_that_cannot_be_are_refused(more, words):
    with pytest.raises(ValueError, match=words):
        tiny(**more)


def test_bins_that_layers_cannot_make_are_refused():
    settings = tiny(representation={"type": "mel", "n_fft": 64, "n_mels": 9, "hop_length": 16})
    with pytest.raises(UsageError, match="its 9 bins are no multiple of 8"):
        settings.model_copy(update={"frequency": "axis"}).network(2, RATE)


# Trainings. -----------------------------------------------------------------------------------------------------------


def trained(settings: Gan, folder: Path, **more: Any) -> tuple[GanNetwork, State]:
    torch.manual_seed(0)
    network = settings.network(2, RATE)
    training = settings.training(network, clips(), 0)
    folder.mkdir(exist_ok=True)
    plan = Plan(folder, "training", *settings.steps(), learning_rate="synthesiser.lr", **more)
    return network, train(training, plan, start_fabric(ComputeConfig()))


def test_each_critic_has_its_turns_and_its_losses(tmp_path: Path):
    two = {
        "spectra": {},
        "levels": {"representation": SPECTRA | {"type": "log_magnitude"}, "weight": 1e-3},
    }
    settings = tiny(representation=SPECTRA, critics=two, matching=1.0, control_penalty=10.0)
    _, state = trained(settings, tmp_path / "run")
    assert [row["step"] for row in state.history] == [2, 4]
    wanted = {
        "spectra", "spectra_penalty", "spectra_control_penalty", "levels", "levels_penalty",
        "levels_control_penalty", "generator", "matching",
    }  # fmt: skip
    names = {name for name in state.history[-1] if name.startswith("train_")}
    assert names == {f"train_{name}_loss" for name in wanted}
    assert {"validation_loss", "validation_spread_loss"} <= set(state.history[-1])
    assert all(math.isfinite(value) for value in state.history[-1].values())


class _StoppedError(Exception):
    """Stops a training, as a kill would."""


@pytest.mark.parametrize("at", [1, 3])
def test_a_stopped_training_ends_with_the_same_numbers(at, tmp_path: Path):
    settings = tiny()
    whole, state = trained(settings, tmp_path / "whole")

    def stop(step: int) -> None:
        if step == at:
            raise _StoppedError

    with pytest.raises(_StoppedError):
        trained(settings, tmp_path / "stopped", after_step=stop)
    again, resumed = trained(settings, tmp_path / "stopped")
    assert resumed.history == state.history
    for (name, first), (_, second) in zip(
        whole.state_dict().items(), again.state_dict().items(), strict=True
    ):
        assert torch.equal(first, second), name


def test_a_training_that_explodes_is_named(tmp_path: Path):
    settings = tiny(num_steps=40, checkpoint=40, lr=3.0, gradient_norm=1e9)
    with pytest.raises(
        TextureError, match=r"it explodes: at step \d+ the critic \"critic\"|no longer a number"
    ):
        trained(settings, tmp_path / "run")


def test_an_explosion_is_noticed_by_what_a_critic_says():
    settings = tiny()
    network = settings.network(2, RATE)
    training = settings.training(network, clips(), 0)
    training.after_step(20)
    with torch.no_grad():
        network.critics["critic"].hear.leave.weight.mul_(1e9)
    with pytest.raises(TextureError, match='it explodes: at step 40 the critic "critic" says'):
        training.after_step(40)


@pytest.mark.parametrize("is_collapsed", [True, False])
def test_a_collapse_is_noticed_and_named(is_collapsed, capsys):
    torch.manual_seed(0)
    settings = tiny(noise=False)
    network = settings.network(2, RATE)
    training = settings.training(network, clips(), 0)
    with torch.no_grad():
        # What comes of random numbers, and of the history.
        network.average.enter.weight[:, : settings.latent].mul_(0 if is_collapsed else 100)
    network.eval()
    [batch] = training.validation(slice(None))
    with torch.no_grad():
        losses = training.losses(network, batch, "generator")
    said = capsys.readouterr().out
    assert ("note: collapsed: sounds with the same controls differ by" in said) == is_collapsed
    assert (float(losses["spread"]) < 0.1) == is_collapsed


def test_a_critic_learns_to_tell_and_its_slope_nears_1():
    """Of a generator that stands still, it learns to rate clips higher."""
    settings = tiny(lr=0.01, history=0)
    torch.manual_seed(0)
    network = settings.network(2, RATE)
    training = settings.training(network, clips(), 0)
    optimizer = training.groups()["critic"].optimizer
    rated = []
    for number in range(60):
        losses = network.critic_losses("critic", *training.batch(number, slice(None)))
        optimizer.zero_grad()
        torch.stack(list(losses.values())).sum().backward()
        optimizer.step()
        rated.append({name: float(value.detach()) for name, value in losses.items()})
    assert np.mean([row["critic"] for row in rated[-10:]]) < rated[0]["critic"] - 0.2
    assert np.mean([row["critic_penalty"] for row in rated[-10:]]) < rated[0]["critic_penalty"]


def test_clips_too_short_for_a_chunk_and_its_history_are_refused():
    settings = tiny(seconds=1.0)
    with pytest.raises(UsageError, match="let it read fewer"):
        settings.training(settings.network(2, RATE), clips(), 0)


def test_the_average_follows_the_generator():
    network = tiny(average=0.5).network(2, RATE)
    with torch.no_grad():
        network.generator.leave.bias.fill_(1.0)
        network.average.leave.bias.fill_(0.0)
    network.keep_average()
    assert network.average.leave.bias.tolist() == pytest.approx([0.5] * 32)
    assert not any(each.requires_grad for each in network.average.parameters())


@pytest.mark.slow
def test_training_by_command_writes_a_model_folder_that_plays(command, tmp_path: Path):
    from conditioned_synthesis.data.mtcrnn_format import params
    from texturelib.audio import write_wav

    sounds = clips().sounds
    for index, (clip, lines) in enumerate(zip(sounds.clips, sounds.automations, strict=True)):
        write_wav(tmp_path / f"{index}.wav", clip, RATE)
        named = dict(zip("ab", lines, strict=True))
        content = params(f"{index}.wav", named, sounds.n_samples / RATE, sounds.controls)
        (tmp_path / f"{index}.params").write_text(json.dumps(content))
    config = {
        "output": "out",
        "labelled": "none",
        "synthesiser": tiny().model_dump(mode="json"),
        "train": {"sounds": "."},
    }
    (tmp_path / "synthesis.json").write_text(json.dumps(config))
    status, _, errors = command("train", tmp_path / "synthesis.json")
    assert status == 0, errors
    assert {"README.md", "metrics.json", "history.csv"} <= {
        path.name for path in (tmp_path / "out" / "synthesiser").iterdir()
    }
    words = ("--model", tmp_path / "out" / "synthesiser", "--output", tmp_path / "x.wav")
    assert command("generate", *words, "--seconds", "1", "--control", "a=0:0,1:1")[0] == 0
