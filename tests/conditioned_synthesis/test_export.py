import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from conditioned_synthesis.data.export import Clip, Form, export_clip, flat_stems
from texturelib.audio import read_mono, write_wav
from texturelib.controls import Control
from texturelib.dataset import read_dataset
from texturelib.files import write_text

FORM = Form(16000, 1600, [Control("rate", 1.0, 50.0, "drops/s")])


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
    assert (
        {path.stem for path in folder.glob("*.wav")}
        == {path.stem for path in folder.glob("*.params")}
        == stems
    )
    for wav in folder.glob("*.wav"):
        header = soundfile.info(wav)
        # 0.1 s at 16 kHz
        assert (header.samplerate, header.channels, header.frames, header.subtype) == (
            16000,
            1,
            1600,
            "PCM_16",
        )


def test_a_params_file_holds_the_label_as_a_share_of_the_whole_sets_range(
    balanced, command, tmp_path, labelled
):
    command("export", balanced, "--workers", "1")
    name = pd.read_csv(tmp_path / "out" / "balanced" / "metadata.csv")["file_name"].iloc[4]
    stem = name.removeprefix("audio/").removesuffix(".wav")
    labels = pd.read_csv(labelled / "metadata.csv").set_index("file_name")
    content = json.loads((tmp_path / "out" / "mtcrnn" / f"{stem}.params").read_text())
    assert content.pop("meta") == {"filename": f"{stem}.wav"}
    assert list(content) == ["rate", "radius"]
    # What 0 and 1 stand for: 1.2 * (100000 / 1.2) ** label bubbles/s, and 0.5 + 149.5 * label mm
    # (conftest.py).
    rates, radii = labels["rate"], labels["radius"]
    originals = {
        "rate": {
            "origMinval": pytest.approx(1.2 * (100000 / 1.2) ** rates.min()),
            "origMaxval": pytest.approx(1.2 * (100000 / 1.2) ** rates.max()),
            "origUnits": "bubbles/s",
            "origCurve": "exponential",
            "origOffset": 0.0,
        },
        "radius": {
            "origMinval": pytest.approx(0.5 + 149.5 * radii.min()),
            "origMaxval": pytest.approx(0.5 + 149.5 * radii.max()),
            "origUnits": "mm",
        },
    }
    for control, found in content.items():
        low, high = labels[control].min(), labels[control].max()
        expected = (labels[control][name] - low) / (high - low)
        assert found == {
            "times": [0, 0.1],
            "values": [pytest.approx(expected)] * 2,
            "units": "norm",
            "nvals": 0,
            "minval": 0,
            "maxval": 1,
            **originals[control],
        }


def test_values_can_be_turned_back_into_labels(balanced, command, tmp_path):
    command("export", balanced, "--workers", "1")
    folder = tmp_path / "out" / "mtcrnn"
    ranges = json.loads((folder / "normalisation.json").read_text())
    metadata = pd.read_csv(tmp_path / "out" / "balanced" / "metadata.csv")
    for name, label in zip(metadata["file_name"], metadata["rate"], strict=True):
        stem = name.removeprefix("audio/").removesuffix(".wav")
        value = json.loads((folder / f"{stem}.params").read_text())["rate"]["values"][0]
        assert ranges["rate"]["min"] + value * (
            ranges["rate"]["max"] - ranges["rate"]["min"]
        ) == pytest.approx(label)


def test_exported_clips_that_are_imported_mean_the_same_in_the_controls_unit(
    balanced, command, tmp_path
):
    command("export", balanced, "--workers", "1")
    assert command("import-mtcrnn", tmp_path / "out/mtcrnn", "--output", tmp_path / "back")[0] == 0
    before, back = read_dataset(tmp_path / "out/balanced"), read_dataset(tmp_path / "back")
    for name in ("rate", "radius"):
        physical = []
        for dataset in (before, back):
            [described] = [
                control for control in dataset.description["controls"] if control["name"] == name
            ]
            labels = dataset.metadata.sort_values("file_name")[name].to_numpy()
            physical.append(Control.from_description(described).to_physical(labels))
        # An imported label has six digits, and a slider of 11 nepers makes a millionth a
        # hundred-thousandth.
        assert physical[1] == pytest.approx(physical[0], rel=2e-5)


def test_labels_that_mean_no_number_in_the_controls_unit_are_exported_without_it(
    tmp_path, command, config, labelled, spoil
):
    spoil(labelled, 0, "rate", 1e4)  # 83333 to that power is no float
    assert command("export", config, "--workers", "1", "--set", "export.source=labelled")[0] == 0
    content = json.loads((tmp_path / "out/mtcrnn/river_0.params").read_text())
    assert content["rate"]["values"] == [1.0, 1.0]
    assert "origMaxval" not in content["rate"]
    assert "origMaxval" in content["radius"]


def test_only_the_controls_that_are_asked_for_in_their_order(balanced, command, tmp_path):
    command(
        "export",
        balanced,
        "--workers",
        "1",
        "--set",
        'export.controls=["radius"]',
        "--set",
        "export.sample_rate=8000",
    )
    folder = tmp_path / "out" / "mtcrnn"
    [*_, any_params] = folder.glob("*.params")
    assert list(json.loads(any_params.read_text())) == ["meta", "radius"]
    assert list(json.loads((folder / "normalisation.json").read_text())) == ["radius"]
    assert soundfile.info(any_params.with_suffix(".wav")).frames == 800


def test_a_control_whose_labels_are_all_the_same_is_0_throughout(
    tmp_path, command, config, labelled
):
    table = pd.read_csv(labelled / "metadata.csv").assign(rate=0.4)
    table.to_csv(labelled / "metadata.csv", index=False)
    assert command("balance", config)[0] == 0
    assert command("export", config, "--workers", "1")[0] == 0
    values = [
        json.loads(path.read_text())["rate"]["values"]
        for path in (tmp_path / "out" / "mtcrnn").glob("*.params")
    ]
    assert len(values) == 60  # 6 in each of the 10 bins of radius
    assert values == [[0.0, 0.0]] * 60
    assert json.loads((tmp_path / "out" / "mtcrnn" / "normalisation.json").read_text())["rate"] == {
        "min": 0.4,
        "max": 0.4,
    }


def test_a_tone_keeps_its_pitch_and_level(tmp_path):
    seconds, rate = np.arange(4410) / 44100, 44100
    write_wav(tmp_path / "tone.wav", 0.5 * np.sin(2 * np.pi * 1000 * seconds), rate)
    export_clip(tmp_path / "out", FORM, Clip(tmp_path / "tone.wav", "tone", {"rate": 0.5}))
    samples = read_mono(tmp_path / "out" / "tone.wav", 16000)
    expected = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(1600) / 16000)
    # Away from the ends, where the resampler's filter reaches beyond the clip; 16 bits and the
    # filter's ripple.
    assert np.abs(samples - expected)[200:-200].max() < 1e-3


def test_a_clip_at_full_scale_is_not_wrapped_around(tmp_path):
    square = np.sign(np.sin(2 * np.pi * 300 * np.arange(4410) / 44100) + 1e-9) * 0.9999
    write_wav(tmp_path / "square.wav", square, 44100)
    export_clip(tmp_path / "out", FORM, Clip(tmp_path / "square.wav", "square", {"rate": 0.5}))
    samples = read_mono(tmp_path / "out" / "square.wav", 16000)
    # Resampling overshoots at each flank; a sample that wrapped would have the other sign in the
    # middle of a half period.
    middles = (np.arange(2, 50) + 0.5) * 16000 / 600
    assert (np.sign(samples[middles.astype(int)]) == np.tile([1, -1], 24)).all()


def test_a_stereo_clip_becomes_the_mean_of_its_channels(tmp_path):
    soundfile.write(tmp_path / "stereo.wav", np.tile([[0.5, 0.25]], (1600, 1)), 16000)
    export_clip(tmp_path / "out", FORM, Clip(tmp_path / "stereo.wav", "stereo", {"rate": 0.5}))
    header = soundfile.info(tmp_path / "out" / "stereo.wav")
    assert (header.channels, header.frames) == (1, 1600)
    assert read_mono(tmp_path / "out" / "stereo.wav", 16000) == pytest.approx(0.375)


def test_clips_of_several_rates_all_get_the_rate_of_the_export_and_one_length(
    labelled, command, config, tmp_path
):
    # 0.1 s at 44.1 kHz; and a clip whose 1103 samples at 11025 Hz are 1600.7 at 16 kHz.
    write_wav(labelled / "audio/river_1.wav", np.full(4410, 0.25), 44100)
    write_wav(labelled / "audio/river_2.wav", np.full(1103, 0.25), 11025)
    status, printed, _ = command(
        "export", config, "--workers", "1", "--set", "export.source=labelled"
    )
    assert status == 0
    assert "60 clips of 0.1 s at 16000 Hz" in printed
    for name in ("river_1", "river_2"):
        samples = read_mono(tmp_path / "out/mtcrnn" / f"{name}.wav", 16000)
        # Away from the ends, as of the tone.
        assert samples[200:-200] == pytest.approx(0.25, abs=1e-3)


NAMES = st.lists(st.text("aB_2", min_size=1, max_size=4), min_size=1, max_size=3).map(
    lambda parts: "/".join(["audio", *parts]) + ".wav"
)


@given(st.sets(NAMES, max_size=30))
def test_stems_stay_unique_when_folders_are_flattened(names):
    stems = flat_stems(names)
    assert set(stems) == names
    assert len({stem.casefold() for stem in stems.values()}) == len(names)
    assert not any("/" in stem for stem in stems.values())


def test_clips_of_the_same_name_in_two_folders_are_both_exported(
    tmp_path, config, command, make_labelled
):
    make_labelled(
        tmp_path / "labels",
        file_name=lambda index: f"audio/{'dev' if index % 2 else 'eval'}/{index // 2}.wav",
    )
    command("balance", config)
    command("export", config, "--workers", "1")
    names = {path.name for path in (tmp_path / "out" / "mtcrnn").glob("*.wav")}
    assert len(names) == 60
    assert {"dev_0.wav", "eval_0.wav"} <= names


def test_the_result_does_not_depend_on_the_number_of_workers_or_on_a_stop(
    balanced, command, tmp_path
):
    folder = tmp_path / "out" / "mtcrnn"
    command("export", balanced, "--workers", "1")
    alone = {path.name: path.read_bytes() for path in folder.iterdir()}
    # As a kill leaves it: some clips are in the journal, others are not there.
    run = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(run | {"finished": False}))
    names = pd.read_csv(tmp_path / "out" / "balanced" / "metadata.csv")["file_name"]
    write_text(
        folder / "journal.jsonl",
        "".join(json.dumps([name, {"result": None}]) + "\n" for name in names[:15]),
    )
    for name in names[15:]:
        (folder / f"{name.removeprefix('audio/')}").unlink()
    assert command("export", balanced, "--workers", "2")[0] == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == alone


def cut_off(wav: Path) -> None:
    content = wav.read_bytes()
    wav.unlink()  # the labelled set's own clip has the same bytes
    wav.write_bytes(content[: len(content) // 2])


def empty(wav: Path) -> None:
    wav.unlink()
    wav.touch()


def shorten(wav: Path) -> None:
    write_wav(wav, np.full(1000, 0.25), 16000)


@pytest.mark.parametrize(
    ("spoil_wav", "reason"),
    [
        (cut_off, "cut off after"),
        (empty, "is empty (0 bytes)"),
        (shorten, "lasts 0.0625 s, but the dataset's clips last 0.1 s"),
    ],
)
def test_a_clip_that_cannot_be_used_is_noted_and_ends_the_job_unless_that_is_allowed(
    balanced, command, tmp_path, spoil_wav, reason
):
    audio = tmp_path / "out" / "balanced" / "audio"
    [first, *_] = sorted(audio.iterdir())
    spoil_wav(first)
    status, _, error = command("export", balanced, "--workers", "1")
    assert status == 1
    assert "1 of 20 files were left out, more than export.max_rejected = 0 allows" in error
    assert error.rstrip().endswith(
        "mend them, or set export.max_rejected to 0.05 to take the other 19"
    )
    folder = tmp_path / "out" / "mtcrnn"
    [row] = pd.read_csv(folder / "rejected.csv").to_dict("records")
    assert row["file"] == f"audio/{first.name}"
    assert row["reason"].startswith(reason)
    assert error.count("\n") == 1
    allowed = ("--set", "export.max_rejected=0.1", "--overwrite")
    status, printed, _ = command("export", balanced, "--workers", "1", *allowed)
    assert status == 0
    assert "19 clips" in printed


def test_an_export_that_failed_goes_on_once_the_clip_is_mended(balanced, command, tmp_path):
    [first, *_] = sorted((tmp_path / "out" / "balanced" / "audio").iterdir())
    whole = first.read_bytes()
    empty(first)
    assert command("export", balanced, "--workers", "1")[0] == 1
    first.write_bytes(whole)
    status, printed, _ = command("export", balanced, "--workers", "1")
    assert status == 0
    assert "20 clips" in printed


def test_a_missing_sound_is_named_before_anything_is_written(balanced, command, tmp_path):
    [first, *_] = sorted((tmp_path / "out" / "balanced" / "audio").iterdir())
    first.unlink()
    status, _, error = command("export", balanced, "--workers", "1")
    assert status == 1
    assert f"audio/{first.name}: no such file, but metadata.csv names it" in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out" / "mtcrnn").exists()


def test_export_says_to_balance_first(config, command):
    status, _, error = command("export", config)
    assert status == 1
    assert error.endswith(
        'out/balanced: no such folder; run "conditioned-synthesis balance" first\n'
    )
    assert "waits" in command("export", config, "--dry-run")[1]


def test_an_unknown_control_is_one_sentence_and_changes_nothing(balanced, command, tmp_path):
    status, _, error = command("export", balanced, "--set", 'export.controls=["rates"]')
    assert status == 2
    assert (
        error
        == 'export.controls: no control "rates" (did you mean "rate"? there are rate, radius)\n'
    )
    assert not (tmp_path / "out" / "mtcrnn").exists()


def test_a_dry_run_says_how_much_it_would_write(balanced, command, tmp_path):
    status, printed, _ = command("export", balanced, "--dry-run")
    assert status == 0
    # 20 x 0.1 s x 16000 x 2 bytes = 64 kB.
    assert "20 clips of 0.1 s, 0.00 h, 0.1 MB (first run)" in printed
    assert not (tmp_path / "out" / "mtcrnn").exists()


def test_the_program_itself_prints_one_sentence_and_no_traceback(config):
    command = [sys.executable, "-m", "conditioned_synthesis", "export", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert 'run "conditioned-synthesis balance" first' in done.stderr
