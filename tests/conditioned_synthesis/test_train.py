"""`conditioned-synthesis train` and `generate`, on clips of a tenth of a second, with a network
that learns nothing much."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from safetensors.torch import load_file

from conditioned_synthesis.data.clips import read_sounds
from conditioned_synthesis.data.mtcrnn_format import params
from conditioned_synthesis.instrument.automation import constant
from conditioned_synthesis.instrument.instrument import (
    Instrument,
    load_instrument,
    save_instrument,
)
from texturelib.audio import write_wav
from texturelib.controls import Control

SETTINGS = {
    "type": "mtcrnn", "hidden_size": 12, "seq_len": 100, "windows_carried": 4, "batch_size": 4, "num_steps": 6, "checkpoint": 3
}  # fmt: skip
RATE = Control("rate", 1.0, 50.0, "drops/s")


def _make_sounds(folder: Path, n_clips: int = 8) -> Path:
    """Clips of 0.1 s at 16 kHz, louder the higher the rate."""
    rng = np.random.default_rng(1)
    for index in range(n_clips):
        value = index / max(n_clips - 1, 1)
        write_wav(folder / f"{index}.wav", rng.normal(0, 0.02 + 0.1 * value, 1600), 16000)
        content = params(f"{index}.wav", {"rate": constant(value)}, 0.1, [RATE])
        (folder / f"{index}.params").write_text(json.dumps(content))
    return folder


@pytest.fixture
def sounds(tmp_path: Path) -> Path:
    return _make_sounds(tmp_path / "sounds")


@pytest.fixture
def config(tmp_path: Path, sounds: Path) -> Path:
    path = tmp_path / "synthesis.json"
    content = {
        "output": "out",
        "labelled": "labels",
        "synthesiser": SETTINGS,
        "train": {"sounds": "sounds"},
        "generate": {"values": 3, "seconds": 0.1, "sweep_seconds": 0.2},
    }
    path.write_text(json.dumps(content))
    return path


@pytest.fixture
def trained(config, command, made_once, tmp_path):
    def train() -> None:
        assert command("train", config)[0] == 0

    made_once(tmp_path / "out", "trained", train)
    return config


def test_a_training_leaves_a_model_its_history_examples_and_pictures(trained, tmp_path):
    folder = tmp_path / "out" / "synthesiser"
    assert pd.read_csv(folder / "history.csv")["step"].tolist() == [3, 6]
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["n_clips"] == {"train": 7, "validation": 1}
    # An untrained network answers nearly evenly among 256 steps: ln 256 nats.
    assert metrics["validation_loss"] == pytest.approx(np.log(256), abs=0.3)
    assert sorted(path.name for path in (folder / "examples").iterdir()) == [
        "step_0000003.png", "step_0000003.wav", "step_0000006.png", "step_0000006.wav"
    ]  # fmt: skip
    assert (folder / "loss.png").exists()
    assert not (folder / "last.ckpt").exists()


def test_a_model_folder_says_what_it_is_and_how_to_play_it(trained, command, tmp_path):
    folder = tmp_path / "out" / "synthesiser"
    card = (folder / "README.md").read_text()
    assert "| rate | drops/s | 1 | 50 | 0.00 to 1.00 |" in card
    assert "Trained for 6 steps on 7 clips" in card
    words = next(
        line for line in card.splitlines() if line.startswith("conditioned-synthesis ")
    ).split()[1:]
    words = [
        {"THIS_FOLDER": folder, "sound.wav": tmp_path / "sound.wav"}.get(word, word)
        for word in words
    ]
    assert command(*words, "--seconds", 0.1)[0] == 0
    assert soundfile.info(tmp_path / "sound.wav").frames == 1600


def test_a_trained_synthesiser_knows_its_own_shape_and_sliders(trained, tmp_path):
    spec = load_instrument(tmp_path / "out" / "synthesiser").spec
    assert (spec.sample_rate, spec.names) == (16000, ["rate"])
    assert spec.sliders[0].control["high"] == 50.0
    # Seven of eight clips are trained on, but what the set spans is known from all.
    assert (spec.sliders[0].low, spec.sliders[0].high) == (0.0, 1.0)


def test_a_training_that_is_done_is_left_alone(trained, command):
    status, printed, _ = command("train", trained)
    assert status == 0
    assert "done and unchanged" in printed


def test_the_state_is_carried_through_a_clip_and_emptied_for_the_next(sounds):
    """What a window begins with is the end of the one before, so the sample before it too."""
    folder = read_sounds(sounds, None)
    audio, controls = folder.batch(np.array([2, 2]), np.array([0, 100]), 100)
    assert audio.shape == (2, 101)
    assert controls.shape == (2, 100, 1)
    assert audio[0, 0] == 0  # silence before a clip's start
    assert audio[1, 0] == audio[0, 100]


def test_examples_show_every_control_over_its_range(trained, command, tmp_path):
    status, printed, _ = command("generate", trained)
    assert status == 0
    assert "4 sounds" in printed
    table = pd.read_csv(tmp_path / "out" / "examples" / "examples.csv")
    assert table["begins_at"].tolist() == [0.0, 0.5, 1.0, 0.0]
    assert table["ends_at"].tolist() == [0.0, 0.5, 1.0, 1.0]
    for name in table["file_name"]:
        assert (tmp_path / "out" / "examples" / name).with_suffix(".png").exists()


@pytest.mark.pictures
def test_examples_of_a_control_with_any_name_stay_in_their_folder(
    config, command, tmp_path, sounds
):
    for path in sounds.glob("*.params"):
        path.write_text(path.read_text().replace('"rate"', '"../../$_rate$"'))
    assert command("train", config)[0] == 0
    assert command("generate", config)[0] == 0
    names = pd.read_csv(tmp_path / "out" / "examples" / "examples.csv")["file_name"]
    assert names.iloc[0] == "1__rate__0.000.wav"
    assert all((tmp_path / "out" / "examples" / name).exists() for name in names)


@pytest.mark.pictures
def test_a_sound_is_written_with_its_controls_and_a_picture(trained, command, tmp_path):
    request = [
        "generate",
        trained,
        "--output",
        tmp_path / "drops.wav",
        "--control",
        "rate=0:0,0.2:1",
        "--seconds",
        "0.2",
    ]
    assert command(*request)[0] == 0
    header = soundfile.info(tmp_path / "drops.wav")
    assert (header.samplerate, header.frames) == (16000, 3200)
    content = json.loads((tmp_path / "drops.params").read_text())
    assert content["rate"]["times"] == [0, 0.2]
    assert content["rate"]["values"] == [0, 1]
    assert content["rate"]["origMaxval"] == 50.0
    assert (tmp_path / "drops.png").exists()


def test_a_seed_is_a_sound_and_another_seed_another(trained, command, tmp_path):
    found = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        request = [
            "generate",
            trained,
            "--output",
            tmp_path / f"{name}.wav",
            "--seconds",
            "0.1",
            "--seed",
            seed,
        ]
        assert command(*request)[0] == 0
        found.append(soundfile.read(tmp_path / f"{name}.wav")[0])
    assert (found[0] == found[1]).all()
    assert (found[0] != found[2]).any()


def test_a_sound_can_go_on_from_another(trained, command, tmp_path, sounds):
    request = ["generate", trained, "--seconds", "0.1", "--output"]
    assert command(*request, tmp_path / "on.wav", "--prime", sounds / "7.wav")[0] == 0
    assert command(*request, tmp_path / "off.wav")[0] == 0
    assert (soundfile.read(tmp_path / "on.wav")[0] != soundfile.read(tmp_path / "off.wav")[0]).any()


def test_a_model_folder_is_played_without_a_config(trained, command, tmp_path):
    request = [
        "generate",
        "--model",
        tmp_path / "out" / "synthesiser",
        "--output",
        tmp_path / "a.wav",
        "--seconds",
        "0.1",
    ]
    assert command(*request)[0] == 0


def test_a_control_beyond_what_was_trained_on_is_held_and_said(trained, command, tmp_path):
    _, printed, _ = command(
        "generate",
        trained,
        "--output",
        tmp_path / "a.wav",
        "--seconds",
        "0.1",
        "--control",
        "rate=1.5",
    )
    assert "rate: 1.5 is held within 0 to 1" in printed
    assert json.loads((tmp_path / "a.params").read_text())["rate"]["values"] == [1, 1]


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--control", "rat=1"], 'no control "rat" (did you mean "rate"'),
        (["--prime", "none.wav"], "--prime: none.wav: no such file"),
        (["--model", "nowhere"], "nowhere/model.safetensors: no such file"),
    ],
)
def test_a_wish_that_cannot_be_met_is_a_sentence_and_writes_nothing(
    trained, command, tmp_path, words, part, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    status, _, errors = command("generate", trained, "--output", tmp_path / "a.wav", *words)
    assert status in (1, 2)
    assert part in errors
    assert not (tmp_path / "a.wav").exists()


def test_a_sound_that_is_there_is_not_replaced_unasked(trained, command, tmp_path):
    (tmp_path / "a.wav").write_bytes(b"mine")
    status, _, errors = command("generate", trained, "--output", tmp_path / "a.wav")
    assert status == 2
    assert "--overwrite replaces it" in errors
    assert (tmp_path / "a.wav").read_bytes() == b"mine"


def test_generating_before_training_says_what_comes_first(config, command):
    status, _, errors = command("generate", config)
    assert status == 1
    assert 'run "conditioned-synthesis train" first' in errors


def test_training_without_a_synthesiser_in_the_config_is_a_sentence(config, command):
    status, _, errors = command("train", config, "--set", "synthesiser=null")
    assert status == 2
    assert 'synthesiser: names none; it should, as {"type": "mtcrnn"}' in errors


def _refused(command, config: Path, *words: str) -> str:
    status, _, errors = command("train", config, *words)
    assert status in (1, 2)
    assert len(errors.strip().splitlines()) == 1
    assert not (config.parent / "out" / "synthesiser" / "run.json").exists()
    return errors


def test_a_stereo_sound_is_refused_before_training(config, command, sounds):
    soundfile.write(sounds / "3.wav", np.zeros((1600, 2)), 16000)
    assert "3.wav: has 2 channels; MTCRNN needs mono" in _refused(command, config)


def test_sounds_of_another_rate_are_refused_before_training(config, command, sounds):
    write_wav(sounds / "3.wav", np.zeros(1600), 8000)
    assert "1600 samples at 8000 Hz, but 0.wav has 1600 at 16000 Hz" in _refused(command, config)


def test_a_sound_without_its_control_is_refused_before_training(config, command, sounds):
    (sounds / "3.params").write_text(json.dumps({"other": {"times": [0, 1], "values": [0, 1]}}))
    assert "0.params: has no other, but 3.params has" in _refused(command, config)


def test_a_control_that_is_not_there_is_refused_before_training(config, command):
    errors = _refused(command, config, "--set", 'train.controls=["rat"]')
    assert 'train.controls: no control "rat" (did you mean "rate"' in errors


def test_values_beyond_0_to_1_are_refused_before_training(config, command, sounds):
    (sounds / "3.params").write_text(json.dumps({"rate": {"times": [0, 1], "values": [0, 7]}}))
    assert "3.params: rate is 7; a synthesiser learns controls from 0 to 1" in _refused(
        command, config
    )


def test_windows_longer_than_the_clips_are_refused_before_training(config, command):
    errors = _refused(command, config, "--set", "synthesiser.seq_len=5000")
    assert "reads 5000 samples, but the clips have 1600" in errors


def test_sounds_that_do_not_differ_in_any_control_are_refused(config, command, sounds):
    for path in sounds.glob("*.params"):
        path.write_text(json.dumps({"rate": {"times": [0, 1], "values": [0.5, 0.5]}}))
    assert "no clip differs from another in rate" in _refused(command, config)


def test_a_single_clip_is_refused(config, command, sounds):
    for index in range(1, 8):
        (sounds / f"{index}.wav").unlink()
    assert "there is one clip; it takes two or more" in _refused(command, config)


def test_a_wrong_key_of_the_synthesiser_names_the_nearest(config, command):
    errors = _refused(command, config, "--set", "synthesiser.hidden=3")
    assert 'did you mean "hidden_size"' in errors


def test_scheduled_sampling_and_one_hot_input_train_too(config, command, tmp_path):
    assert (
        command(
            "train", config, "--set", "synthesiser.tfr=0.5", "--set", "synthesiser.onehot=true"
        )[0]
        == 0
    )
    weights = load_file(tmp_path / "out" / "synthesiser" / "model.safetensors")
    assert weights["i2d.weight"].shape == (12, 257)


def test_where_no_control_varies_there_is_one_sound(trained, command, tmp_path):
    folder = tmp_path / "out" / "synthesiser"
    instrument = load_instrument(folder)
    still = instrument.spec.sliders[0].model_copy(update={"low": 0.5, "high": 0.5})
    spec = instrument.spec.model_copy(update={"sliders": (still,)})
    save_instrument(folder, Instrument(instrument.network, spec))
    status, printed, _ = command("generate", trained)
    assert status == 0
    assert ": 1 sound, in" in printed
    table = pd.read_csv(tmp_path / "out" / "examples" / "examples.csv")
    assert table["file_name"].tolist() == ["sound.wav"]
    assert table[["control", "begins_at", "ends_at"]].isna().all(axis=None)
    assert soundfile.info(tmp_path / "out" / "examples" / "sound.wav").frames == 1600


def test_a_batch_that_has_no_clip_for_some_process_is_refused(config, command):
    n_processes = SETTINGS["batch_size"] + 1
    status, _, error = command("train", config, "--set", f"compute.processes={n_processes}")
    assert status == 2
    assert (
        f"compute.processes: {n_processes} is more than synthesiser.batch_size, {SETTINGS['batch_size']}"
        in error
    )
