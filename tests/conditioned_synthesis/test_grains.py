"""Grains: units of clips, chosen and moved to have the controls asked for, joined without a seam."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from conditioned_synthesis.data.clips import Sounds, read_sounds
from conditioned_synthesis.data.moments import Moments
from conditioned_synthesis.data.mtcrnn_format import params
from conditioned_synthesis.data.split import SplitSounds
from conditioned_synthesis.instrument.automation import Automation, constant
from conditioned_synthesis.instrument.instrument import (
    Instrument,
    ModelSpec,
    Slider,
    load_instrument,
    save_instrument,
)
from conditioned_synthesis.synthesisers.grains import Grains
from conditioned_synthesis.synthesisers.grains.laws import (
    change_to,
    last_layer,
    law_tables,
    set_places,
)
from conditioned_synthesis.synthesisers.grains.sizes import TICK
from conditioned_synthesis.synthesisers.grains.state import SLOT
from texturelib.audio import write_wav
from texturelib.controls import Control
from texturelib.dataset import write_dataset
from texturelib.errors import TextureError, UsageError

RATE = 8000
SMALL = Grains(seconds=0.1, overlap=0.02, no_repeat_seconds=0.5, search_ms=4)
SIZE = Control("size", 0.5, 2.0, "x", "exponential", laws={"slow_down": 1.0, "mixing": 0.0})
DENSITY = Control("density", 1.0, 8.0, "x", "exponential", laws={"slow_down": 0.0, "mixing": 1.0})


def noise(n_clips: int, seconds: float = 0.5) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.normal(0, 3000, (n_clips, round(seconds * RATE))).astype(np.int16)


def sounds_of(clips: np.ndarray, values: np.ndarray, *controls: Control) -> Sounds:
    """values: [clips, controls]"""
    return Sounds(RATE, clips, [[constant(float(v)) for v in row] for row in values], controls)


def made(sounds: Sounds, settings: Grains = SMALL) -> Instrument:
    """An instrument of all these sounds."""
    sliders = tuple(
        Slider(control=control.describe(), low=low, high=high)
        for control, (low, high) in zip(sounds.controls, sounds.ranges(), strict=True)
    )
    network = settings.network(len(sliders), RATE)
    rows = np.arange(len(sounds))
    settings.training(network, SplitSounds(sounds, rows, rows[:1]), 0)
    return Instrument(network, ModelSpec(synthesiser=settings, sliders=sliders, sample_rate=RATE))


@pytest.fixture(scope="module")
def instrument() -> Instrument:
    values = np.random.default_rng(1).random((30, 2))
    return made(sounds_of(noise(30), values, SIZE, DENSITY))


def hertz(sound: np.ndarray) -> float:
    """The frequency of a tone."""
    power = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 2**17))
    return float(power.argmax() * RATE / 2**17)


# Sounds. --------------------------------------------------------------------------------------------------------------


def test_a_sound_is_the_same_however_it_is_divided(instrument):
    lines = {"size": Automation(np.array([0.0, 1.0]), np.array([0.0, 1.0]))}
    whole = np.concatenate([*instrument.stream(lines, 1.0, 5, block=RATE)])
    for block in (1, 37, 2048):
        parts = [*instrument.stream(lines, 1.0, 5, block=block)]
        assert {len(part) for part in parts[:-1]} == {block}
        # Controls of a tick are those of its first sample, wherever a call begins.
        assert np.array_equal(np.concatenate(parts), whole)


def test_a_seed_is_a_sound_and_another_seed_another(instrument):
    sounds = [instrument.play({}, 2.0, seed) for seed in (1, 1, 2, 2**40)]
    assert np.array_equal(sounds[0], sounds[1])
    assert not np.array_equal(sounds[0], sounds[2])
    assert not np.array_equal(sounds[0], sounds[3])


def test_no_unit_comes_again_in_a_short_while():
    plain = made(sounds_of(noise(30), np.full((30, 1), 0.5), Control("plain", 0, 1, "")))
    sound = plain.play({}, 4.0, 1)
    n = int(0.5 * RATE)
    windows = np.lib.stride_tricks.sliding_window_view(sound, 400)
    for start in range(0, len(sound) - n - 400, 800):
        near = windows[start + 400 : start + n]
        alike = near @ sound[start : start + 400] / np.linalg.norm(near, axis=1)
        # Noise of 400 samples correlates by 0.05; the same unit again by up to 1.
        assert alike.max() / np.linalg.norm(sound[start : start + 400]) < 0.4


def first_seconds(instrument: Instrument, moments: Moments, n_grains: int) -> list[list[float]]:
    """Where in the recording the layers of the first grains begin."""
    player, found = instrument.network.player(3), []
    n_starts = instrument.network.places.shape[1]
    while len(found) < n_grains:
        begun = player.n_grains
        player.play(np.full((TICK, 1), 0.5, np.float32))
        if player.n_grains > begun:
            state = player._state
            slot = state.counts[SLOT]
            clips, starts = np.divmod(state.unit[slot, : state.n_layers[slot]], n_starts)
            seconds = (
                moments.begins[clips]
                + (starts * instrument.network.sizes.hop / RATE)[:, None]
                * moments.speeds[clips, None]
            )
            found.append(seconds[moments.begins[clips] >= 0].tolist())
    return found


def test_no_moment_comes_again_in_another_clip_in_a_short_while():
    """Clips at double and half speed of one recording, so each moment is in many of them."""
    rng = np.random.default_rng(4)
    speeds = np.repeat([0.5, 2.0], 60)
    begins = rng.uniform(0, 20, (120, 1))
    sounds = sounds_of(noise(120), np.full((120, 1), 0.5), Control("plain", 0, 1, ""))
    of_one = Moments(begins, speeds, np.full(120, 20.0))
    apart = {}
    for moments in (None, of_one):
        heard = first_seconds(made(replace(sounds, moments=moments)), of_one, 200)
        # In half a second begin four or five units.
        apart[moments is None] = min(
            abs(heard[index][0] - earlier[0])
            for index in range(len(heard))
            for earlier in heard[max(0, index - 4) : index]
        )
    assert apart[True] < 0.03
    assert apart[False] > 0.9 * 0.1 * 0.5, "at half speed, a unit is 0.05 s of the recording"


def test_a_moment_that_is_one_of_many_layers_is_no_repeat():
    """Each clip is of eight layers, and shares one or two with many others."""
    rng = np.random.default_rng(5)
    sounds = sounds_of(noise(20), rng.random((20, 1)), Control("plain", 0, 1, ""))
    moments = Moments(rng.uniform(0, 40, (20, 8)), np.ones(20), np.full(20, 40.5))
    played = [
        made(replace(sounds, moments=each)).network.player(1).play(np.full((RATE, 1), 0.5, "f4"))
        for each in (None, moments)
    ]
    assert np.array_equal(*played)


def test_the_moments_of_an_augmented_set_are_those_of_its_table(tmp_path: Path):
    for name in "abc":
        write_wav(tmp_path / f"{name}.wav", noise(1)[0], RATE)
    table = pd.DataFrame(
        {
            "file_name": ["a.wav", "b.wav", "c.wav"],
            "size": [0.1, 0.2, 0.3],
            "source": ["river", "river", "rain"],
            "start_seconds": [3.0, 1.0, 0.0],
            "slow_down": [2.0, 1.0, 0.5],
            "layers_start_seconds": ["3;1.5", "1", "0"],
        }
    )
    write_dataset(tmp_path, table, sample_rate=RATE, seconds=0.5, controls=[SIZE.describe()])
    moments = read_sounds(tmp_path, None).moments
    assert moments is not None
    assert moments.begins[:2].tolist() == [[2.0, 0.5], [0.0, -1.0]]
    assert moments.begins[2, 0] > 3
    assert moments.speeds.tolist() == [0.5, 1.0, 2.0]
    assert moments.recorded.tolist() == [2.25, 2.25, 1.0]
    write_dataset(
        tmp_path,
        table.drop(columns="start_seconds"),
        sample_rate=RATE,
        seconds=0.5,
        controls=[SIZE.describe()],
    )
    assert read_sounds(tmp_path, None).moments is None


def test_a_folder_from_before_moments_were_known_plays_as_it_did(instrument):
    buffers = dict(instrument.network.named_buffers())
    for name in ("begins", "speeds", "recorded"):
        del buffers[name]
    older = SMALL.network(2, RATE)
    older.load_state_dict(buffers)
    controls = np.full((RATE, 2), 0.5, np.float32)
    assert np.array_equal(
        older.player(1).play(controls), instrument.network.player(1).play(controls)
    )


def test_joins_neither_dip_nor_click():
    clips = noise(40)
    plain = made(sounds_of(clips, np.full((40, 1), 0.5), Control("plain", 0, 1, "")))
    player = plain.network.player(3)
    powers, at_joins, since, begun = [], [], 99, 0
    for _ in range(40 * RATE // TICK):
        tick = player.play(np.full((TICK, 1), 0.5, np.float32))
        since = 0 if player.n_grains > begun else since + 1
        begun = player.n_grains
        powers.append(float(np.mean(tick**2)))
        at_joins.append(since < 3)  # a crossfade lasts for 192 samples
    powers, at_joins = np.array(powers[8:]), np.array(at_joins[8:])
    # 900 ticks at joins: the mean power of so many is known within 0.6 % (standard deviation).
    assert powers[at_joins].mean() == pytest.approx(powers[~at_joins].mean(), rel=0.03)
    assert powers.mean() == pytest.approx(np.mean((clips / 32768) ** 2), rel=0.03)


def test_a_tone_runs_on_through_the_joins():
    """Where a join is searched, a tone finds its phase: its level never falls."""
    times = np.arange(4000) / RATE
    phases = np.random.default_rng(2).random((12, 1)) * 2 * np.pi
    clips = (10000 * np.sin(2 * np.pi * 600 * times + phases)).astype(np.int16)
    plain = made(sounds_of(clips, np.full((12, 1), 0.5), Control("plain", 0, 1, "")))
    sound = plain.play({}, 4.0, 1)
    levels = np.sqrt(np.mean(sound.reshape(-1, 160) ** 2, axis=1)) * 32768
    assert levels.min() > 0.95 * 10000 / np.sqrt(2)
    assert levels.max() < 1.05 * 10000 / np.sqrt(2)


def test_channels_stay_together():
    """Two channels, the second the first with another sign and half as loud."""
    mono = noise(12)
    clips = np.stack([mono, -mono // 2], axis=-1)
    sounds = sounds_of(clips, np.random.default_rng(0).random((12, 1)), SIZE)
    network = SMALL.network(1, RATE, SMALL.channels_learnt(2))
    SMALL.training(network, SplitSounds(sounds, np.arange(12), np.arange(1)), 0)
    played = network.player(1).play(np.linspace(0, 1, 2 * RATE, dtype=np.float32)[:, None])
    assert played.shape == (2 * RATE, 2)
    assert np.allclose(played[:, 1], -played[:, 0] / 2, atol=2 / 32768)
    parts = network.player(1)
    again = [parts.play(np.zeros((n, 1), np.float32)) for n in (3, 100)]
    assert [each.shape for each in again] == [(3, 2), (100, 2)]


# Controls. ------------------------------------------------------------------------------------------------------------


def test_size_moves_by_its_law_from_one_size_alone():
    times = np.arange(4000) / RATE
    clips = np.tile((10000 * np.sin(2 * np.pi * 600 * times)).astype(np.int16), (6, 1))
    values = np.array([[0.4], [0.5], [0.5], [0.5], [0.5], [0.6]])
    settings = SMALL.model_copy(update={"most_ratio": 2.0, "tolerance": 0.0})
    only = made(sounds_of(clips, values, SIZE), settings)
    for position in (0.0, 0.3, 0.5, 0.9):
        # A tone of another size than its label: the unit that is nearest may be any of the three.
        controls = np.full((RATE, 1), position, np.float32)
        heard = hertz(only.network.player(1).play(controls)[RATE // 2 :])
        own = [600 * 4.0 ** (label - position) for label in (0.4, 0.5, 0.6)]
        assert min(abs(np.log2(heard / each)) for each in own) < 0.02


def test_density_adds_units_and_keeps_the_level():
    """Clips of single clicks, a hundred a second: eight times as many make them far more even."""
    rng = np.random.default_rng(3)
    clips = np.zeros((60, 4000), np.int16)
    for clip in clips:
        clip[rng.choice(4000, 10, replace=False)] = rng.choice([-15000, 15000], 10)
    values = np.zeros((60, 1))
    values[0] = 0.001
    settings = SMALL.model_copy(update={"most_layers": 8})
    played = made(sounds_of(clips, values, DENSITY), settings).network
    found = {}
    for position in (0.0, 1 / 3, 1.0):
        sound = played.player(1).play(np.full((20 * RATE, 1), position, np.float32))
        found[position] = (
            float(np.mean(sound**2)),
            float(np.mean(sound**4) / np.mean(sound**2) ** 2),
        )
    levels = [level for level, _ in found.values()]
    assert max(levels) < 1.15 * min(levels)
    # The excess of the kurtosis of a sum of n is 1/n of that of one.
    assert found[1 / 3][1] / found[0.0][1] == pytest.approx(1 / 2, rel=0.2)
    assert found[1.0][1] / found[0.0][1] == pytest.approx(1 / 8, rel=0.3)


def test_a_control_that_jumps_is_followed_within_two_crossfades(instrument):
    """Clips of low tones at 0, of high ones at 1, and no law that could move them."""
    times = np.arange(4000) / RATE
    tones = [
        10000 * np.sin(2 * np.pi * hz * times + phase)
        for hz in (300, 2000)
        for phase in np.linspace(0, 6, 10)
    ]
    values = np.repeat([[0.0], [1.0]], 10, axis=0)
    sounds = sounds_of(np.array(tones).astype(np.int16), values, Control("pitch", 0, 1, ""))
    player = made(sounds).network.player(1)
    player.play(np.zeros((RATE, 1), np.float32))
    after = player.play(np.ones((RATE, 1), np.float32))
    assert hertz(after[2 * 160 + TICK :]) == pytest.approx(2000, abs=10)
    assert hertz(after[2 * 160 + TICK : 2 * 160 + TICK + 800]) == pytest.approx(2000, abs=20)


def test_controls_that_are_no_numbers_are_refused(instrument):
    player = instrument.network.player(1)
    with pytest.raises(ValueError, match="not all are finite"):
        player.play(np.full((10, 2), np.nan, np.float32))
    with pytest.raises(ValueError, match=r"should be \[samples, 2\]"):
        player.play(np.zeros((10, 3), np.float32))


# Laws. ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "control",
    [
        SIZE,
        Control("rate", 2.0, 200.0, "1/s", "linear", laws={"slow_down": -1.0, "mixing": 1.0}),
        Control("rate", 2.0, 200.0, "1/s", "exponential", 1.5, laws={"slow_down": -1.0}),
    ],
)
@pytest.mark.parametrize("slow_down", [0.8, 1.25])
def test_a_law_moves_a_place_as_it_moves_the_slider(control, slow_down):
    shapes, exponents = law_tables([control])
    before, after = np.zeros(1), np.zeros(1)
    set_places(shapes, np.array([0.5]), before)
    set_places(shapes, control.moved("slow_down", slow_down, np.array([0.5])), after)
    assert after[0] - before[0] == pytest.approx(exponents[0, 0] * np.log(slow_down))


def test_a_control_without_a_law_stays_where_its_unit_is():
    controls = [SIZE, Control("plain", 0, 1, ""), Control("zero", 0, 1, "", laws={"mixing": 1.0})]
    _, exponents = law_tables(controls)
    assert not exponents[1:].any()
    change, left = np.zeros(3), np.zeros(3)
    limits = np.full(3, 0.2)
    off = change_to(
        exponents, np.array([1.0, 0.3, 0]), np.array([0.9, 0, 0]), -limits, limits, change, left
    )
    assert change.tolist() == pytest.approx([0.1 * np.log(4), 0, 0])
    assert off == pytest.approx(0.3)


def test_laws_that_share_a_control_share_the_way_within_their_limits():
    _, exponents = law_tables(
        [Control("r", 1, 100, "", "exponential", laws={"slow_down": -1, "mixing": 1})]
    )
    change, left = np.zeros(3), np.zeros(3)
    low, high = np.array([-0.2, 0, 0]), np.array([0.2, 2, 0])
    off = change_to(exponents, np.ones(1), np.array([0.8]), low, high, change, left)
    assert off == pytest.approx(0, abs=1e-9)
    assert change[1] - change[0] == pytest.approx(0.2 * np.log(100))
    assert change[0] == pytest.approx(-0.2)


def test_fractions_of_layers_are_as_dense_as_they_say():
    for factor in np.linspace(1.01, 8, 50):
        n, power = last_layer(factor)
        assert 0 <= power <= 1 + 1e-9
        assert (n - 1 + power) ** 2 / (n - 1 + power**2) == pytest.approx(factor)


# Files and commands. --------------------------------------------------------------------------------------------------


def test_a_saved_one_plays_the_same(instrument, tmp_path: Path):
    save_instrument(tmp_path, instrument)
    assert np.array_equal(load_instrument(tmp_path).play({}, 0.5, 3), instrument.play({}, 0.5, 3))


def test_a_file_whose_buffers_do_not_fit_is_refused(instrument, tmp_path: Path):
    spec = instrument.spec.model_copy(
        update={"synthesiser": SMALL.model_copy(update={"seconds": 0.2})}
    )
    save_instrument(tmp_path, replace(instrument, spec=spec))
    with pytest.raises(TextureError, match="its weights do not fit its network"):
        load_instrument(tmp_path)


@pytest.mark.parametrize(
    ("name", "number", "words"),
    [
        ("shapes", 7.0, "a row that no control has"),
        ("places", float("nan"), "numbers beyond"),
        ("exponents", 1e300, "numbers beyond"),
    ],
)
def test_numbers_that_would_lead_out_of_a_clip_are_refused(instrument, name, number, words):
    buffers = {key: each.clone() for key, each in instrument.network.named_buffers()}
    buffers[name].flatten()[0] = number
    with pytest.raises(RuntimeError, match=words):
        SMALL.network(2, RATE).load_state_dict(buffers)


def test_without_clips_it_is_silent():
    silent = SMALL.network(1, RATE).player(0).play(np.zeros((100, 1), np.float32))
    assert silent.tolist() == [0] * 100


def test_clips_shorter_than_a_unit_are_refused():
    with pytest.raises(
        UsageError,
        match=r"a unit with its joins takes 0\.132 s of a clip, but the clips have 0\.1 s",
    ):
        made(sounds_of(noise(3, 0.1), np.zeros((3, 1)), SIZE))


def test_the_folder_holds_no_more_than_is_allowed():
    few = made(
        sounds_of(noise(30), np.random.default_rng(0).random((30, 1)), SIZE),
        SMALL.model_copy(update={"most_seconds": 2.0}),
    )
    assert len(few.network.sounds) == 4


@pytest.fixture
def trained(command, tmp_path: Path) -> Path:
    """The config of a trained instrument."""
    rng = np.random.default_rng(0)
    for index, clip in enumerate(noise(12, 1.0)):
        write_wav(tmp_path / f"{index}.wav", clip, RATE)
        lines = {"size": constant(rng.random()), "density": constant(rng.random())}
        content = params(f"{index}.wav", lines, 1.0, [SIZE, DENSITY])
        (tmp_path / f"{index}.params").write_text(json.dumps(content))
    config = {
        "output": "out",
        "labelled": "none",
        "synthesiser": SMALL.model_dump(mode="json"),
        "train": {"sounds": "."},
        "generate": {"values": 2, "seconds": 0.2, "sweep_seconds": 0.4},
    }
    path = tmp_path / "synthesis.json"
    path.write_text(json.dumps(config))
    status, output, errors = command("train", path)
    assert status == 0, errors
    assert "which it holds" in output
    return path


def test_training_writes_a_model_folder_and_generate_plays_it(command, trained: Path):
    folder = trained.parent / "out" / "synthesiser"
    metrics = json.loads((folder / "metrics.json").read_text())
    # 11 clips of 1 s of 16 bits, and their index.
    assert 0.176 < metrics["megabytes"] < 0.25
    assert metrics["n_parameters"] == 0
    assert metrics["validation_loss"] > 0
    assert (folder / "history.csv").read_text().startswith("step,validation_loss\n1,")
    assert "Made of 11 clips" in (folder / "README.md").read_text()
    assert command("generate", trained)[0] == 0
    assert len([*(trained.parent / "out" / "examples").glob("*.wav")]) == 6


def test_it_has_no_graph_and_no_keys_of_a_training(command, trained: Path, tmp_path: Path):
    status, _, errors = command(
        "export-onnx", "--model", tmp_path / "out" / "synthesiser", "--output", tmp_path / "x.onnx"
    )
    assert status == 2
    assert 'a synthesiser of type "grains" is no network' in errors
    status, _, errors = command("train", trained, "--set", "synthesiser.num_steps=5")
    assert status == 2
    assert "synthesiser.num_steps: no such key" in errors
