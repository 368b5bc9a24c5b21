"""`label --model`: any folder of sounds, with nothing but a model folder."""

import json
from functools import partial

import numpy as np
import pandas as pd
import pytest
import soundfile

from domain_adaptation.cli import app
from domain_adaptation.labelling.inference import read_waveforms, read_waveforms_of
from domain_adaptation.models.model_folder import Model, load_model, save_model
from texturelib.audio import write_wav
from texturelib.dataset import read_dataset

from .conftest import make_config, make_set

RATE, SAMPLES = 16000, 4000  # of the clips that the model reads: a quarter of a second


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("labelled")
    make_set(folder / "synthetic", 60, is_real=False)
    make_set(folder / "real", 40, is_real=True)
    make_config(folder)
    app(["train-extractor", str(folder / "adaptation.json")], standalone_mode=False)
    return folder / "models/extractor"


@pytest.fixture
def sounds(tmp_path):
    (tmp_path / "sounds").mkdir()
    return tmp_path / "sounds"


@pytest.fixture
def label(run_command, model_folder, sounds, tmp_path):
    """Label the sounds. -> status, output, errors."""
    return partial(
        run_command,
        app,
        "label",
        "--model",
        model_folder,
        "--audio",
        sounds,
        "--output",
        tmp_path / "labels.csv",
    )


def noise(n_samples: int, seed: int = 0) -> np.ndarray:
    return np.clip(0.2 * np.random.default_rng(seed).standard_normal(n_samples), -1, 1)


def tones(n_samples: int, sample_rate: int, brightness: float = 0.3) -> np.ndarray:
    seconds = np.arange(n_samples) / sample_rate
    return 0.3 * (
        (1 - brightness) * np.sin(2 * np.pi * 440 * seconds)
        + brightness * np.sin(2 * np.pi * 3000 * seconds)
    )


def test_clips_get_the_labels_that_the_config_would_give_them(run_command, model_folder, tmp_path):
    real = read_dataset(model_folder.parent.parent / "real")
    done = run_command(
        app,
        "label",
        "--model",
        model_folder,
        "--audio",
        real.folder,
        "--output",
        tmp_path / "t/labels.csv",
    )
    assert done.status == 0, done.err
    assert "40 clips labelled, 0 files left out" in done.out
    table = pd.read_csv(tmp_path / "t/labels.csv").set_index("file_name")
    assert list(table.columns) == ["brightness", "brightness_interval"]
    model = load_model(model_folder)
    reading = read_waveforms(model, read_waveforms_of(model, real, np.arange(len(real))))
    expected = pd.Series(reading.labels[:, 0], real.metadata["file_name"])
    # Six decimals are written.
    np.testing.assert_allclose(table["brightness"], expected[table.index], atol=2e-6)
    widths = pd.Series(model.half_widths(reading.scale)[:, 0], real.metadata["file_name"])
    np.testing.assert_allclose(table["brightness_interval"], widths[table.index], atol=2e-6)


def test_json_says_what_the_table_says(label, sounds, tmp_path):
    for index in range(3):
        write_wav(sounds / f"{index}.wav", noise(SAMPLES, index), RATE)
    assert label().status == 0
    table = pd.read_csv(tmp_path / "labels.csv")
    content = json.loads((tmp_path / "labels.json").read_text(), parse_constant=pytest.fail)
    assert content == {row.pop("file_name"): row for row in table.to_dict("records")}
    write_wav(sounds / "long.wav", noise(2 * SAMPLES), RATE)
    assert label("--overwrite").status == 0
    content = json.loads((tmp_path / "labels.json").read_text(), parse_constant=pytest.fail)
    assert content == pd.read_csv(tmp_path / "labels.csv").to_dict("records")


def test_a_longer_file_gives_a_row_for_each_segment_and_what_is_left_over_gives_none(
    label, sounds, tmp_path, model_folder
):
    long = noise(int(3.6 * SAMPLES))
    write_wav(sounds / "long.wav", long, RATE)
    write_wav(sounds / "short/second.wav", long[SAMPLES : 2 * SAMPLES], RATE)
    assert label().status == 0
    table = pd.read_csv(tmp_path / "labels.csv")
    assert table["file_name"].tolist() == ["long.wav"] * 3 + ["short/second.wav"]
    assert table["start_seconds"].tolist() == [0, 0.25, 0.5, 0]
    # The segment alone is labelled as the segment within the file.
    assert table["brightness"][1] == pytest.approx(table["brightness"][3], abs=2e-6)


def test_segments_beyond_one_batch_keep_their_rows(label, sounds, tmp_path):
    long = np.concatenate(
        [tones(SAMPLES, RATE, brightness) for brightness in np.linspace(0, 1, 150)]
    )
    write_wav(sounds / "long.wav", long, RATE)
    write_wav(sounds / "z.wav", long[149 * SAMPLES :], RATE)
    assert label().status == 0
    table = pd.read_csv(tmp_path / "labels.csv")
    assert len(table) == 151  # more than two batches of 64
    assert table["start_seconds"][149] == 149 * 0.25
    assert table["brightness"][149] == pytest.approx(table["brightness"][150], abs=2e-6)


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000, 96000])
def test_a_clip_of_the_models_length_is_one_clip_at_any_rate(label, sounds, tmp_path, rate):
    write_wav(sounds / "here.wav", tones(SAMPLES, RATE), RATE)
    write_wav(sounds / "there.wav", tones(round(rate * 0.25), rate), rate)
    done = label()
    assert done.status == 0
    assert "2 clips labelled, 0 files left out" in done.out, done.err
    labels = pd.read_csv(tmp_path / "labels.csv")["brightness"]
    if rate > 8000:  # which has no room for all of a tone at 3000 Hz and what its ends spread
        # A resampler's ends, and noise of 16 bits in bands 80 dB down, that are not there in both:
        # a twentieth of the slider.
        assert labels[0] == pytest.approx(labels[1], abs=0.05)


def test_channels_are_mixed_and_other_formats_read(label, sounds, tmp_path):
    clip = noise(SAMPLES)
    write_wav(sounds / "mono.wav", clip, RATE)
    soundfile.write(sounds / "stereo.flac", np.stack([clip, clip], axis=1), RATE, subtype="PCM_16")
    assert label().status == 0
    labels = pd.read_csv(tmp_path / "labels.csv")["brightness"]
    assert labels[0] == pytest.approx(labels[1], abs=1e-3)  # libsndfile rounds 16 bits another way


def test_files_that_cannot_be_labelled_are_left_out_with_a_sentence_each(label, sounds, tmp_path):
    write_wav(sounds / "good.wav", noise(SAMPLES), RATE)
    write_wav(sounds / "short.wav", noise(SAMPLES // 2), RATE)
    write_wav(sounds / "silent.wav", np.zeros(3 * SAMPLES), RATE)
    write_wav(sounds / "cut.wav", noise(4 * SAMPLES), RATE)
    (sounds / "cut.wav").write_bytes((sounds / "cut.wav").read_bytes()[: 4 * SAMPLES])
    (sounds / "empty.wav").write_bytes(b"")
    (sounds / "text.mp3").write_text("no sound")
    write_wav(sounds / "partly.wav", np.concatenate([np.zeros(SAMPLES), noise(SAMPLES)]), RATE)
    done = label()
    assert done.status == 0
    sentences = dict(line.split(": ", 1) for line in done.err.strip().splitlines())
    assert (
        sentences["short.wav"]
        == "lasts 2000 samples at 16000 Hz; the model reads clips of 4000: left out"
    )
    assert sentences["silent.wav"] == "is silent: left out"
    assert sentences["cut.wav"].startswith("cut off after 0.5 of 1.0 s: left out")
    assert sentences["empty.wav"] == "is empty (0 bytes): left out"
    assert sentences["text.mp3"].endswith(": left out")
    assert len(sentences) == 5
    table = pd.read_csv(tmp_path / "labels.csv")
    assert table["file_name"].tolist() == ["good.wav", "partly.wav"]
    # Of the other, the silent first part is left out.
    assert table["start_seconds"].tolist() == [0, 0.25]
    assert "2 clips labelled, 5 files left out" in done.out


def test_a_link_that_leads_nowhere_is_left_out_too(label, sounds):
    write_wav(sounds / "good.wav", noise(SAMPLES), RATE)
    (sounds / "gone.wav").symlink_to(sounds / "nowhere.wav")
    done = label()
    assert done.status == 0, done.err
    assert "gone.wav: " in done.err
    assert "left out" in done.err


def test_a_sound_with_no_energy_where_the_model_listens_gives_numbers(label, sounds, tmp_path):
    step = np.full(SAMPLES, 0.5)
    step[: SAMPLES // 2] = -0.5
    write_wav(sounds / "step.wav", step, RATE)
    click = np.zeros(SAMPLES)
    click[2000] = 0.9
    write_wav(sounds / "click.wav", click, RATE)
    done = label()
    assert done.status == 0
    assert np.isfinite(pd.read_csv(tmp_path / "labels.csv")["brightness"]).all()


def test_a_sound_that_is_not_read_as_it_stands_is_labelled_and_that_is_said(
    label, sounds, tmp_path
):
    write_wav(sounds / "plain.wav", noise(SAMPLES), RATE)
    soundfile.write(
        sounds / "phase.wav",
        np.stack([noise(SAMPLES), -noise(SAMPLES)], axis=1),
        RATE,
        subtype="PCM_16",
    )
    crashed = bytearray((sounds / "plain.wav").read_bytes())
    crashed[40:44] = (SAMPLES // 2 * 2).to_bytes(4, "little")
    (sounds / "crashed.wav").write_bytes(crashed)
    (sounds / "a.m4a").write_bytes(b"\0\0\0\x20ftypM4A \0\0\0\0")
    soundfile.write(sounds / "flat.wav", np.full(SAMPLES, 0.02), RATE, subtype="PCM_24")

    done = label()

    assert done.status == 0
    sentences = dict(line.split(": ", 1) for line in done.err.splitlines())
    assert (
        sentences["phase.wav"]
        == "has channels that cancel one another when they are mixed: channel 1 was taken alone"
    )
    assert sentences["crashed.wav"].startswith("says that it lasts ")
    assert (
        sentences["a.m4a"]
        == "is MP4 (AAC or ALAC), which cannot be read; convert it to wav or flac: left out"
    )
    assert sentences["flat.wav"] == "is silent: left out"
    assert sentences.keys() == {"phase.wav", "crashed.wav", "a.m4a", "flat.wav"}
    labels = pd.read_csv(tmp_path / "labels.csv").set_index("file_name")["brightness"]
    # The same sound in 16 bits, from a float or rounded down by libsndfile: half a step apart.
    np.testing.assert_allclose(labels[["phase.wav", "crashed.wav"]], labels["plain.wav"], atol=1e-3)


def test_intervals_are_left_out_where_nobody_knows_them(
    run_command, model_folder, sounds, tmp_path
):
    model = load_model(model_folder)
    save_model(
        tmp_path / "unsure",
        Model(model.extractor, model.spec.model_copy(update={"interval": None})),
    )
    write_wav(sounds / "a.wav", noise(SAMPLES), RATE)
    arguments = (
        "--model",
        tmp_path / "unsure",
        "--audio",
        sounds,
        "--output",
        tmp_path / "labels.csv",
    )
    assert run_command(app, "label", *arguments).status == 0
    assert list(pd.read_csv(tmp_path / "labels.csv").columns) == ["file_name", "brightness"]


# Nothing to do, or wrongly asked for. ----------------------------------------------------------------------------------


def test_nothing_that_can_be_labelled_is_a_failure(label, sounds, tmp_path):
    done = label()
    assert (done.status, "sounds: holds no sound files" in done.err) == (1, True)
    write_wav(sounds / "silent.wav", np.zeros(SAMPLES), RATE)
    done = label()
    assert done.status == 1
    assert "none of 1 files can be labelled; silent.wav: is silent" in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert not (tmp_path / "labels.csv").exists()


def test_a_table_that_is_there_is_not_replaced_unasked(label, sounds, tmp_path):
    write_wav(sounds / "a.wav", noise(SAMPLES), RATE)
    (tmp_path / "labels.csv").write_text("mine")
    done = label()
    assert (done.status, "labels.csv is there already; --overwrite replaces it" in done.err) == (
        2,
        True,
    )
    assert (tmp_path / "labels.csv").read_text() == "mine"
    assert label("--overwrite").status == 0
    assert (tmp_path / "labels.csv").read_text() != "mine"


def test_what_lies_where_the_json_would_go_is_not_replaced_unasked(label, sounds, tmp_path):
    write_wav(sounds / "a.wav", noise(SAMPLES), RATE)
    (tmp_path / "labels.json").write_text("mine")
    done = label()
    assert (done.status, "labels.json is there already; --overwrite replaces it" in done.err) == (
        2,
        True,
    )
    assert (tmp_path / "labels.json").read_text() == "mine"


def test_a_dry_run_counts_the_files_and_writes_nothing(label, sounds, tmp_path):
    write_wav(sounds / "a.wav", noise(SAMPLES), RATE)
    done = label("--dry-run")
    assert (done.status, "labels.csv: labels for 1 files" in done.out) == (0, True)
    assert not (tmp_path / "labels.csv").exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ([], "name a config, or all of --model FOLDER, --audio FOLDER and --output TABLE.csv"),
        (
            ["--model", "m", "--audio", "."],
            "name a config, or all of --model FOLDER, --audio FOLDER and --output TABLE.csv",
        ),
        (
            ["config.json", "--model", "m"],
            "give a config, or --model, --audio and --output, not both",
        ),
        (
            ["--model", "m", "--audio", "nowhere", "--output", "t.csv"],
            "--audio: nowhere: should be a folder that holds sound",
        ),
        (
            ["--model", "m", "--audio", ".", "--output", "t.txt"],
            "--output: t.txt should end in .csv",
        ),
        (["--modle", "m"], "--modle"),
    ],
)
def test_wrong_options_are_one_sentence(run_command, tmp_path, monkeypatch, options, sentence):
    monkeypatch.chdir(tmp_path)
    done = run_command(app, "label", *options)
    assert done.status == 2
    assert sentence in done.err
    assert len(done.err.strip().splitlines()) == 1


def test_a_folder_without_a_model_is_named(run_command, sounds, tmp_path):
    write_wav(sounds / "a.wav", noise(SAMPLES), RATE)
    done = run_command(
        app, "label", "--model", tmp_path, "--audio", sounds, "--output", tmp_path / "labels.csv"
    )
    assert done.status == 1
    assert (
        "model.safetensors: no such file; name a model folder, or train that network first"
        in done.err
    )


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (float("nan"), "model.safetensors: {name}: 1 of its "),
        # Finite, but what it makes of a clip is not.
        (3e38, "the network reads NaN or infinity from 2 of 2 clips of a batch"),
    ],
)
def test_labels_that_are_no_numbers_are_an_error_and_no_table(
    run_command, model_folder, sounds, tmp_path, value, sentence
):
    for seed in (0, 1):
        write_wav(sounds / f"{seed}.wav", noise(SAMPLES, seed), RATE)
    model = load_model(model_folder)
    name, weights = next(
        (name, each) for name, each in model.extractor.named_parameters() if name.startswith("head")
    )
    weights.data.view(-1)[0] = value
    if value == 3e38:
        weights.data.fill_(value)
    (tmp_path / "model").mkdir()
    save_model(tmp_path / "model", model)
    done = run_command(
        app,
        "label",
        "--model",
        tmp_path / "model",
        "--audio",
        sounds,
        "--output",
        tmp_path / "labels.csv",
    )
    assert done.status == 1
    assert sentence.format(name=name) in done.err
    assert done.err.count("\n") == 1
    assert not (tmp_path / "labels.csv").exists()
