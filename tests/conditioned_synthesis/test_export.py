import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from conditioned_synthesis.export import Clip, export_clip, flat_stems
from texturelib.audio import read_mono, write_wav


@pytest.fixture
def balanced(config, command):
    """The config, once `balance` has run: 2 clips in each of the 10 bins of radius."""
    assert command("balance", config, "--set", "balance.clips_per_bin=2")[0] == 0
    return config


def test_every_clip_becomes_a_wav_and_a_params_file(balanced, command, tmp_path):
    status, printed, _ = command("export", balanced, "--workers", "1")
    assert status == 0
    assert "20 clips of 0.1 s at 16000 Hz, controls rate, radius" in printed
    folder = tmp_path / "out" / "mtcrnn"
    names = pd.read_csv(tmp_path / "out" / "balanced" / "metadata.csv")["file_name"]
    stems = {name.removeprefix("audio/").removesuffix(".wav") for name in names}
    assert {path.stem for path in folder.glob("*.wav")} == {path.stem for path in folder.glob("*.params")} == stems
    for wav in folder.glob("*.wav"):
        header = soundfile.info(wav)
        # 0.1 s at 16 kHz
        assert (header.samplerate, header.channels, header.frames, header.subtype) == (16000, 1, 1600, "PCM_16")


def test_a_params_file_holds_the_label_as_a_share_of_the_whole_sets_range(balanced, command, tmp_path, labelled):
    command("export", balanced, "--workers", "1")
    name = pd.read_csv(tmp_path / "out" / "balanced" / "metadata.csv")["file_name"].iloc[4]
    stem = name.removeprefix("audio/").removesuffix(".wav")
    labels = pd.read_csv(labelled / "metadata.csv").set_index("file_name")
    content = json.loads((tmp_path / "out" / "mtcrnn" / f"{stem}.params").read_text())
    assert content.pop("meta") == {"filename": f"{stem}.wav"}
    assert list(content) == ["rate", "radius"]
    for control, found in content.items():
        low, high = labels[control].min(), labels[control].max()
        expected = (labels[control][name] - low) / (high - low)
        assert found == {
            "times": [0, 0.1],
            "values": [pytest.approx(expected)] * 2,
            "units": "norm",
            "nvals": 11,
            "minval": 0,
            "maxval": 1,
        }


def test_values_can_be_turned_back_into_labels(balanced, command, tmp_path):
    command("export", balanced, "--workers", "1")
    folder = tmp_path / "out" / "mtcrnn"
    ranges = json.loads((folder / "normalisation.json").read_text())
    metadata = pd.read_csv(tmp_path / "out" / "balanced" / "metadata.csv")
    for name, label in zip(metadata["file_name"], metadata["rate"], strict=True):
        stem = name.removeprefix("audio/").removesuffix(".wav")
        value = json.loads((folder / f"{stem}.params").read_text())["rate"]["values"][0]
        assert ranges["rate"]["min"] + value * (ranges["rate"]["max"] - ranges["rate"]["min"]) == pytest.approx(label)


def test_only_the_controls_that_are_asked_for_in_their_order(balanced, command, tmp_path):
    command("export", balanced, "--workers", "1", "--set", 'export.controls=["radius"]', "--set", "export.sample_rate=8000")
    folder = tmp_path / "out" / "mtcrnn"
    [*_, any_params] = folder.glob("*.params")
    assert list(json.loads(any_params.read_text())) == ["meta", "radius"]
    assert list(json.loads((folder / "normalisation.json").read_text())) == ["radius"]
    assert soundfile.info(any_params.with_suffix(".wav")).frames == 800


def test_a_control_whose_labels_are_all_the_same_is_0_throughout(tmp_path, command, config, labelled):
    table = pd.read_csv(labelled / "metadata.csv").assign(rate=0.4)
    table.to_csv(labelled / "metadata.csv", index=False)
    assert command("balance", config)[0] == 0
    assert command("export", config, "--workers", "1")[0] == 0
    values = [json.loads(path.read_text())["rate"]["values"] for path in (tmp_path / "out" / "mtcrnn").glob("*.params")]
    assert len(values) == 60  # 6 in each of the 10 bins of radius
    assert values == [[0.0, 0.0]] * 60
    assert json.loads((tmp_path / "out" / "mtcrnn" / "normalisation.json").read_text())["rate"] == {"min": 0.4, "max": 0.4}


def test_a_tone_keeps_its_pitch_and_level(tmp_path):
    seconds, rate = np.arange(4410) / 44100, 44100
    write_wav(tmp_path / "tone.wav", 0.5 * np.sin(2 * np.pi * 1000 * seconds), rate)
    export_clip(tmp_path / "out", 16000, Clip(tmp_path / "tone.wav", "tone", {"rate": 0.5}))
    samples = read_mono(tmp_path / "out" / "tone.wav", 16000)
    expected = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(1600) / 16000)
    # Away from the ends, where the resampler's filter reaches beyond the clip; 16 bits and the filter's ripple.
    assert np.abs(samples - expected)[200:-200].max() < 1e-3


def test_a_clip_at_full_scale_is_not_wrapped_around(tmp_path):
    square = np.sign(np.sin(2 * np.pi * 300 * np.arange(4410) / 44100) + 1e-9) * 0.9999
    write_wav(tmp_path / "square.wav", square, 44100)
    export_clip(tmp_path / "out", 16000, Clip(tmp_path / "square.wav", "square", {"rate": 0.5}))
    samples = read_mono(tmp_path / "out" / "square.wav", 16000)
    # Resampling overshoots at each flank; a sample that wrapped would have the other sign in the middle of a half period.
    middles = (np.arange(2, 50) + 0.5) * 16000 / 600
    assert (np.sign(samples[middles.astype(int)]) == np.tile([1, -1], 24)).all()


NAMES = st.lists(st.text("aB_2", min_size=1, max_size=4), min_size=1, max_size=3).map(
    lambda parts: "/".join(["audio", *parts]) + ".wav"
)


@given(st.sets(NAMES, max_size=30))
def test_stems_stay_unique_when_folders_are_flattened(names):
    stems = flat_stems(names)
    assert set(stems) == names
    assert len({stem.casefold() for stem in stems.values()}) == len(names)
    assert not any("/" in stem for stem in stems.values())


def test_clips_of_the_same_name_in_two_folders_are_both_exported(tmp_path, config, command, make_labelled):
    make_labelled(tmp_path / "labels", file_name=lambda index: f"audio/{'dev' if index % 2 else 'eval'}/{index // 2}.wav")
    command("balance", config)
    command("export", config, "--workers", "1")
    names = {path.name for path in (tmp_path / "out" / "mtcrnn").glob("*.wav")}
    assert len(names) == 60
    assert {"dev_0.wav", "eval_0.wav"} <= names


def test_the_result_does_not_depend_on_the_number_of_workers_or_on_a_stop(balanced, command, tmp_path):
    folder = tmp_path / "out" / "mtcrnn"
    command("export", balanced, "--workers", "1")
    alone = {path.name: path.read_bytes() for path in folder.iterdir()}
    # As a kill leaves it: some clips are in the journal, others are not there.
    run = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(run | {"finished": False}))
    names = pd.read_csv(tmp_path / "out" / "balanced" / "metadata.csv")["file_name"]
    (folder / "journal.jsonl").write_text("".join(json.dumps([name, {"result": None}]) + "\n" for name in names[:15]))
    for name in names[15:]:
        (folder / f"{name.removeprefix('audio/')}").unlink()
    assert command("export", balanced, "--workers", "2")[0] == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == alone


def test_a_clip_that_was_cut_off_is_noted_and_ends_the_job_unless_that_is_allowed(balanced, command, tmp_path):
    audio = tmp_path / "out" / "balanced" / "audio"
    [first, *_] = sorted(audio.iterdir())
    content = first.read_bytes()
    first.unlink()
    first.write_bytes(content[: len(content) // 2])
    status, _, error = command("export", balanced, "--workers", "1")
    assert status == 1
    assert "1 of 20 files were left out, more than max_rejected = 0 allows" in error
    folder = tmp_path / "out" / "mtcrnn"
    [row] = pd.read_csv(folder / "rejected.csv").to_dict("records")
    assert row["file"] == f"audio/{first.name}"
    assert row["reason"].startswith("cut off after")
    allowed = ("--set", "export.max_rejected=0.1", "--overwrite")
    status, printed, _ = command("export", balanced, "--workers", "1", *allowed)
    assert status == 0
    assert "19 clips" in printed


def test_export_says_to_balance_first(config, command):
    status, _, error = command("export", config)
    assert status == 1
    assert error.endswith('out/balanced: no such folder; run "conditioned-synthesis balance" first\n')
    assert "waits" in command("export", config, "--dry-run")[1]


def test_an_unknown_control_is_one_sentence_and_changes_nothing(balanced, command, tmp_path):
    status, _, error = command("export", balanced, "--set", 'export.controls=["rates"]')
    assert status == 2
    assert error == 'export.controls: no control "rates" (did you mean "rate"? there are rate, radius)\n'
    assert not (tmp_path / "out" / "mtcrnn").exists()


def test_a_dry_run_says_how_much_it_would_write(balanced, command, tmp_path):
    status, printed, _ = command("export", balanced, "--dry-run")
    assert status == 0
    assert "20 clips of 0.1 s, 0.00 h, 0.1 MB: first run" in printed  # 20 x 0.1 s x 16000 x 2 bytes = 64 kB
    assert not (tmp_path / "out" / "mtcrnn").exists()


def test_the_program_itself_prints_one_sentence_and_no_traceback(config):
    command = [sys.executable, "-m", "conditioned_synthesis", "export", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert 'run "conditioned-synthesis balance" first' in done.stderr
