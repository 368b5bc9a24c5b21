"""A folder of recordings becomes a dataset folder of equal, audible segments."""

import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from real_datasets.build import build
from real_datasets.config import RealConfig
from texturelib.config import load_config
from texturelib.dataset import read_dataset
from texturelib.errors import TextureError
from texturelib.files import write_text
from texturelib.outputs import check_output

N_SAMPLES = 4410  # of a segment


def table(dataset):
    """Return metadata.csv, as a person would read it."""
    return pd.read_csv(dataset / "metadata.csv")


def reasons(dataset):
    return dict(pd.read_csv(dataset / "rejected.csv").itertuples(index=False))


def test_segments_count_from_1_over_the_kept_ones_and_know_where_they_come_from(record, cut, noise):
    record("river.wav", np.concatenate([noise(2), np.zeros(2 * N_SAMPLES), noise(1)]))
    found = table(cut())
    assert found.columns.tolist() == [
        "file_name", "source", "start_seconds", "level_dbfs", "n_clipped", "tags", "split", "origin", "licence", "author",
        "gen_ai_preference",
    ]  # fmt: skip
    assert found["file_name"].tolist() == [
        "audio/river_1.wav",
        "audio/river_2.wav",
        "audio/river_3.wav",
    ]
    assert found["start_seconds"].tolist() == [0.0, 0.1, 0.4]
    assert set(found["source"]) == {"river.wav"}


def test_a_segment_is_the_sound_at_its_start_time(record, cut, noise):
    path = record("river.wav", np.concatenate([noise(1), np.zeros(N_SAMPLES), noise(2, -30)]))
    dataset = cut()
    recording, _ = soundfile.read(path, dtype="int16")
    for row in table(dataset).itertuples():
        start = round(row.start_seconds * 44100)
        segment, _ = soundfile.read(dataset / row.file_name, dtype="int16")
        assert (segment == recording[start : start + N_SAMPLES]).all()


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        ("silence=null", [-70, -50]),
        ("silence.level_dbfs=-60", [-50]),
        ("silence.level_dbfs=-80", [-70, -50]),
        # Uniform noise peaks 4.8 dB above its level.
        ('silence={"level_dbfs": null, "peak_dbfs": -60}', [-50]),
        ('silence={"level_dbfs": null, "peak_dbfs": -70}', [-70, -50]),
    ],
)
def test_what_counts_as_silent_is_in_the_config(record, cut, noise, change, kept):
    record("river.wav", np.concatenate([np.zeros(N_SAMPLES), noise(1, -70), noise(1, -50)]))
    dataset = cut(change)
    starts = {-70: 0.1, -50: 0.2}
    assert table(dataset)["start_seconds"].tolist() == [starts[level] for level in kept]
    assert read_dataset(dataset).description["n_silent_segments"] == 3 - len(kept)


def test_a_segment_so_quiet_that_16_bits_hold_only_zeros_of_it_is_silent_whatever_the_limit(
    record, cut, noise
):
    # 0.5 steps of 16 bits: there in the float file, all zeros in the segment, and a network could make nothing of it.
    record(
        "river.wav", np.concatenate([np.full(N_SAMPLES, 0.5 / 2**15), noise(1)]), subtype="FLOAT"
    )
    assert table(cut("silence=null"))["start_seconds"].tolist() == [0.1]


def test_what_is_left_at_the_end_is_not_used(record, cut, noise):
    record("whole.wav", noise(2))
    record("more.wav", noise(2, n_more=N_SAMPLES - 1))
    record("less.wav", noise(2, n_more=-1))
    assert table(cut())["source"].value_counts().to_dict() == {
        "whole.wav": 2,
        "more.wav": 2,
        "less.wav": 1,
    }


@settings(max_examples=25)
@given(length=st.integers(441, 3000), seed=st.integers(0, 3))
def test_every_sample_of_a_16_bit_recording_at_the_sets_rate_is_found_again(length, seed):
    samples = np.random.default_rng(seed).integers(-(2**15), 2**15, length, dtype=np.int16)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "recordings").mkdir()
        soundfile.write(folder / "recordings" / "river.wav", samples, 44100, subtype="PCM_16")
        config = RealConfig.model_validate(
            {
                "output": folder / "real",
                "source": {"type": "folder", "path": folder / "recordings"},
                "seconds": 0.01,
            }
        )
        with pytest.MonkeyPatch.context() as patched:
            # It would take most of the time.
            patched.setattr("real_datasets.build.overview_picture", lambda *_: None)
            build(config, check_output(config, "real-datasets build"), workers=1)
        segments = [
            soundfile.read(folder / "real" / path, dtype="int16")[0]
            for path in table(folder / "real")["file_name"]
        ]
    # 0.01 s are 441 samples.
    assert (np.concatenate(segments) == samples[: length // 441 * 441]).all()


@pytest.mark.parametrize(
    ("name", "sample_rate", "format_", "tolerance"),
    [
        ("tone.wav", 48000, {"subtype": "FLOAT"}, 0.001),
        ("tone.wav", 48000, {"subtype": "PCM_24"}, 0.001),
        ("tone.flac", 24000, {"subtype": "PCM_16"}, 0.001),
        ("tone.ogg", 48000, {}, 0.05),  # lossy: half a decibel
        ("tone.mp3", 48000, {}, 0.05),
    ],
)
def test_stereo_of_any_rate_and_format_becomes_mono_16_bit_of_exact_length(
    record, cut, name, sample_rate, format_, tolerance
):
    seconds = np.arange(sample_rate) / sample_rate
    tone = 0.5 * np.sin(2 * np.pi * 1000 * seconds)
    record(name, np.stack([tone, 0.5 * tone], axis=1), sample_rate, **format_)
    dataset = cut()
    paths = [dataset / path for path in table(dataset)["file_name"]]
    assert len(paths) == 10  # one second
    for path in paths:
        header = soundfile.info(path)
        assert (header.samplerate, header.channels, header.subtype, header.frames) == (
            44100,
            1,
            "PCM_16",
            N_SAMPLES,
        )
    for path in paths[1:-1]:  # away from the ends, where filters start and stop
        segment, _ = soundfile.read(path)
        # 100 periods: all of the tone is in one bin. The mean of the channels has an amplitude of 0.75 x 0.5.
        spectrum = np.abs(np.fft.rfft(segment)) * 2 / N_SAMPLES
        assert np.argmax(spectrum) == 100
        assert spectrum[100] == pytest.approx(0.375, rel=tolerance)


def test_recordings_in_sub_folders_with_the_same_names_keep_their_own_segments(record, cut, noise):
    # rain_1 could be taken for the first segment of rain.
    names = {
        "rain.wav": -20,
        "rain_1.wav": -23,
        "rain.flac": -26,
        "a/rain.wav": -29,
        "b/c/rain.wav": -32,
        "b/fire.wav": -35,
    }
    for name, level in names.items():
        record(name, noise(2, level))
    dataset = cut()
    found = table(dataset)
    assert found["file_name"].is_unique
    assert found["source"].value_counts().to_dict() == dict.fromkeys(names, 2)
    assert {f"audio/{path.name}" for path in (dataset / "audio").iterdir()} == set(
        found["file_name"]
    )
    for row in found.itertuples():
        samples, _ = soundfile.read(dataset / row.file_name)
        # 3 dB apart; the noise of 4410 samples strays by 0.1 dB
        assert 10 * np.log10(np.mean(samples**2)) == pytest.approx(names[row.source], abs=0.5)


@pytest.mark.pictures
@pytest.mark.parametrize(
    "name",
    [
        "<b>&.wav",
        'a, "b".wav',
        "two words.wav",
        "two\nlines.wav",
        "Fluß 水.wav",
        "007.wav",
        "NA.wav",
        "水" * 80 + ".wav",
    ],
)
def test_a_recording_may_be_called_anything(record, cut, noise, name):
    record(name, noise(1))
    dataset = read_dataset(cut())
    assert dataset.metadata["source"].tolist() == [name]
    assert len(dataset.clip(0)) == N_SAMPLES


@pytest.mark.pictures
def test_a_name_that_is_not_utf_8_does_not_end_the_job_and_makes_tables_that_are(
    record, cut, noise
):
    river = record("river.wav", noise(1))
    # "bäch.wav" in Latin-1, as old discs have it.
    shutil.copy(river, river.with_name("b\udce4ch.wav"))
    dataset = cut()
    assert {*table(dataset)["source"], *reasons(dataset)} == {"river.wav", r"b\xe4ch.wav"}


def test_hidden_files_and_folders_are_left_alone(record, cut, noise):
    record("river.wav", noise(1))
    record("._river.wav", b"left by another computer's file browser")
    record(".trash/old.wav", noise(1))
    record("notes.txt", b"recorded by the bridge")
    dataset = cut()
    assert table(dataset)["source"].tolist() == ["river.wav"]
    assert reasons(dataset) == {}


@pytest.fixture
def mixed(record, noise):
    """Seven recordings of which one is fine."""
    fine = record("fine.wav", noise(3))
    record("cut.wav", fine.read_bytes()[: fine.stat().st_size // 2])
    record("text.wav", b"Dear diary, today I recorded a river.\n" * 20)
    record("empty.wav", b"")
    record("nan.wav", np.where(np.arange(3 * N_SAMPLES) == 700, np.nan, noise(3)), subtype="FLOAT")
    record("short.wav", noise(0.5))
    record("silent.wav", np.zeros(3 * N_SAMPLES))


def test_a_bad_recording_is_noted_with_its_reason_and_the_others_are_cut(mixed, cut):
    dataset = cut("max_rejected=0.9")  # 6 of 7 are 0.86
    assert reasons(dataset) == {
        "cut.wav": "cut off after 0.1 of 0.3 s",
        "empty.wav": "is empty (0 bytes)",
        "nan.wav": "holds values that are not numbers (NaN or infinite)",
        "short.wav": "is 0.05 s long, shorter than one segment of 0.1 s",
        "silent.wav": "all of its 3 segments are silent",
        "text.wav": "cannot be read as audio (Format not recognised)",
    }
    assert table(dataset)["file_name"].tolist() == [
        "audio/fine_1.wav",
        "audio/fine_2.wav",
        "audio/fine_3.wav",
    ]
    assert {path.name for path in (dataset / "audio").iterdir()} == {
        "fine_1.wav",
        "fine_2.wav",
        "fine_3.wav",
    }
    description = read_dataset(dataset).description
    assert (description["n_recordings"], description["n_rejected"], description["n_clips"]) == (
        7,
        6,
        3,
    )


def test_too_many_bad_recordings_leave_no_dataset_but_the_reasons(mixed, cut, tmp_path):
    with pytest.raises(
        TextureError, match=r"6 of 7 files were left out, more than max_rejected = 0\.8 allows"
    ):
        cut("max_rejected=0.8")
    assert len(reasons(tmp_path / "real")) == 6
    with pytest.raises(TextureError, match="not a finished dataset folder"):
        read_dataset(tmp_path / "real")


def test_not_one_usable_recording_is_a_failure_whatever_share_may_be_bad(record, cut, tmp_path):
    record("silent.wav", np.zeros(N_SAMPLES))
    record("text.wav", b"Dear diary")
    with pytest.raises(
        TextureError,
        match=r"none of the 2 recordings can be used .* silent\.wav: all of its 1 segments",
    ):
        cut("max_rejected=1")
    assert set(reasons(tmp_path / "real")) == {"silent.wav", "text.wav"}


def test_a_recording_that_goes_while_the_job_runs_is_noted(record, config, noise, tmp_path):
    record("river.wav", noise(1))
    fleeting = record("a.wav", noise(1))
    settings_ = load_config(config, RealConfig)
    output = check_output(settings_, "real-datasets build", inputs=settings_.source.inputs)
    listed = settings_.source.recordings()

    class Listed(type(settings_.source)):
        def recordings(self):
            fleeting.unlink()
            return listed

    build(
        settings_.model_copy(update={"source": Listed(path=settings_.source.path)}),
        output,
        workers=1,
    )
    assert reasons(tmp_path / "real")["a.wav"].endswith("a.wav is gone")


def test_the_result_does_not_depend_on_the_number_of_workers_or_on_a_stop(
    mixed, record, noise, cut, contents, tmp_path
):
    for index in range(4):
        record(f"more_{index}.wav", noise(1 + index))
    dataset = tmp_path / "real"
    with pytest.raises(TextureError):
        cut("max_rejected=0.1")  # the work is done, so the journal is there to be looked at
    journal = (dataset / "journal.jsonl").read_text().splitlines(keepends=True)
    assert len(journal) == 11
    shutil.rmtree(dataset)
    cut("max_rejected=0.9")
    alone = contents("real")
    assert not any("journal" in name or ".part-" in name for name in alone)

    # As a kill leaves it: five recordings are done, in whatever order they came; of the others
    # there are parts.
    done, others = journal[4:9], journal[:4] + journal[9:]
    for line in others:
        for path in (dataset / "audio").glob(f"{json.loads(line)[0].removesuffix('.wav')}_*.wav"):
            path.rename(path.with_name(f".part-7-{path.name}"))
    for name in ("metadata.csv", "dataset.json", "rejected.csv"):
        (dataset / name).unlink()
    run = json.loads((dataset / "run.json").read_text())
    (dataset / "run.json").write_text(json.dumps(run | {"finished": False}))
    write_text(dataset / "journal.jsonl", "".join(reversed(done)) + others[0][:20])
    cut("max_rejected=0.9", workers=2)
    assert contents("real") == alone

    shutil.rmtree(dataset)
    cut("max_rejected=0.9", workers=2)
    assert contents("real") == alone


@pytest.mark.pictures
def test_the_description_has_levels_durations_and_counts_of_the_kept_segments(
    record, cut, noise, square, tmp_path
):
    record("a.wav", np.concatenate([square(0.5), np.zeros(N_SAMPLES), square(0.25)]))
    record("b.wav", noise(36))
    record("silent.wav", np.zeros(N_SAMPLES))
    rows = [
        "file_name,tags,split,licence",
        "a.wav,rain;wind,dev,CC0",
        "b.wav,rain,dev,",
        "silent.wav,snow,eval,CC0",
    ]
    (tmp_path / "tags.csv").write_text("\n".join(rows))
    dataset = read_dataset(cut(f"source.tags_from={tmp_path / 'tags.csv'}"))
    found = dataset.description["statistics"]
    assert (found["level_dbfs"]["min"], found["level_dbfs"]["max"]) == (
        pytest.approx(-20, abs=0.3),
        -6.02,
    )
    assert found["level_dbfs"]["median"] == pytest.approx(-20, abs=0.1)
    assert found["recorded_hours"] == 0.0011  # 3.9 s: 0.3 and 3.6
    assert found["n_used_recordings"] == 2
    assert found["n_segments_by_tag"] == {"rain": 38, "wind": 2}
    assert found["n_segments_by_split"] == {"dev": 38}
    assert found["n_segments_by_licence"] == {"CC0": 2}
    assert soundfile.info(dataset.path(0)).frames == N_SAMPLES
    assert (dataset.folder / "overview.png").read_bytes().startswith(b"\x89PNG")


def test_recordings_as_people_have_them_are_all_cut(real_recordings, tmp_path):
    names = [
        "droplets.mp3",
        "fireplace.ogg",
        "light-rain.mp3",
        "rain.ogg",
        "river.mp3",
        "waterfall.mp3",
        "wind.ogg",
    ]
    missing = [name for name in names if not (real_recordings / name).exists()]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")
    config = RealConfig.model_validate(
        {"output": tmp_path / "real", "source": {"type": "folder", "path": real_recordings}}
    )
    build(
        config, check_output(config, "real-datasets build", inputs=config.source.inputs), workers=2
    )
    found = table(tmp_path / "real")
    n_segments = found["source"].value_counts().to_dict()
    for name in names:
        # 15 to 150 s each, of which some may be silent
        assert 5 <= n_segments[name] <= soundfile.info(real_recordings / name).duration
    for path in found["file_name"]:
        header = soundfile.info(tmp_path / "real" / path)
        assert (header.samplerate, header.channels, header.subtype, header.frames) == (
            44100,
            1,
            "PCM_16",
            44100,
        )
