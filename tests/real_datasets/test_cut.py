"""What a set keeps of each recording: overlap, fades, clipping, duplicates, at most so many, and
little memory for any length."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from hypothesis import example, given
from hypothesis import strategies as st

from real_datasets.build import build
from real_datasets.config import RealConfig
from real_datasets.cut import CutRecording, Segment, _keep_most
from texturelib.config import load_config
from texturelib.dataset import read_dataset
from texturelib.outputs import check_output

N_SAMPLES = 4410  # of a segment
Fixture = Callable[..., Path]


def table(dataset: Path) -> pd.DataFrame:
    return pd.read_csv(dataset / "metadata.csv", keep_default_na=False)


def reasons(dataset: Path) -> dict[str, str]:
    return dict(pd.read_csv(dataset / "rejected.csv").itertuples(index=False))


def samples_of(path: Path) -> np.ndarray:
    return soundfile.read(path, dtype="int16")[0]


def in_16_bits(samples: np.ndarray) -> np.ndarray:
    return np.rint(samples * 2**15).astype(np.int16)


@pytest.mark.parametrize(
    ("hop_seconds", "starts"), [(0.05, 0.05 * np.arange(5)), (0.15, [0, 0.15]), (0.2, [0, 0.2])]
)
def test_segments_overlap_or_lie_apart_by_the_hop(record, cut, noise, hop_seconds, starts) -> None:
    path = record("river.wav", noise(3, n_more=400))
    recording = samples_of(path)
    dataset = cut(f"hop_seconds={hop_seconds}")
    found = table(dataset)
    np.testing.assert_allclose(found["start_seconds"], starts, atol=0.5 / 44100)
    for row in found.itertuples():
        start = round(row.start_seconds * 44100)
        assert (samples_of(dataset / row.file_name) == recording[start : start + N_SAMPLES]).all()


def test_a_fade_is_as_long_as_the_config_says_and_leaves_the_rest_of_the_segment_as_it_was(
    record, cut, square
) -> None:
    record("hum.wav", square(0.5))
    [path] = (cut("fade_ms=10") / "audio").iterdir()
    faded = np.abs(samples_of(path).astype(int))
    assert (faded[441:-441] == 2**14).all()  # 10 ms are 441 samples
    assert (np.diff(faded[:441]) >= 0).all()
    # Half a cosine, half way up in its middle.
    assert faded[[0, 220, 440]].tolist() == [0, 2**13, 2**14]
    assert (faded == faded[::-1]).all()


def test_a_segment_whose_only_sound_is_faded_away_is_silent(record, cut, noise) -> None:
    click = np.zeros(N_SAMPLES)
    click[0] = 0.9  # the fade's first sample is 0.9 x sin^2(pi/4 / 441), a tenth of a 16-bit step
    record("river.wav", np.concatenate([click, noise(1)]))
    assert table(cut("fade_ms=10", "silence=null"))["start_seconds"].tolist() == [0.1]


def test_the_table_has_each_segments_level(record, cut, noise, square) -> None:
    record("river.wav", np.concatenate([square(0.5), noise(1, -40)]))
    first, second = table(cut())["level_dbfs"]
    assert first == -6.02  # half of full scale
    assert second == pytest.approx(-40, abs=0.2)  # noise of 4410 samples strays by 0.1 dB


@pytest.fixture
def too_loud(record, noise) -> list[int]:
    """A recording in which the first segment is fine, the second has 3 clipped samples and the
    third 5. -> the three numbers."""
    samples = noise(3)
    samples[4] = 1.0  # alone: no clipping
    samples[2 * N_SAMPLES - 3 : 2 * N_SAMPLES + 5] = 1.0  # across the two segments' border
    record("loud.wav", samples, subtype="FLOAT")
    return [0, 3, 5]


@pytest.mark.parametrize("most", [None, 0, 2, 3, 4, 5])
def test_segments_with_more_clipped_samples_than_allowed_are_left_out(too_loud, cut, most) -> None:
    dataset = cut(f"clipping.most={json.dumps(most)}")
    kept = [number for number in too_loud if most is None or number <= most]
    found = table(dataset)
    assert found["n_clipped"].tolist() == kept
    assert found["file_name"].tolist() == [
        f"audio/loud_{index + 1}.wav" for index in range(len(kept))
    ]
    assert read_dataset(dataset).description["n_clipped_segments"] == 3 - len(kept)


def test_how_long_a_run_is_and_how_near_to_full_scale_is_in_the_config(
    too_loud, cut, tmp_path
) -> None:
    assert table(cut("clipping.run=9"))["n_clipped"].tolist() == [0, 0, 0]
    other = f"output={tmp_path / 'other'}"
    cut("clipping.run=1", other)
    assert table(tmp_path / "other")["n_clipped"].tolist() == [1, 3, 5]


def test_what_is_clipped_where_one_segment_ends_and_the_next_begins_is_counted_once(
    record, cut, noise
) -> None:
    samples = noise(4)
    # At 0.3 s, which is less than 0.2 + 0.1 to a computer.
    samples[3 * N_SAMPLES : 3 * N_SAMPLES + 7] = 1.0
    record("loud.wav", samples, subtype="FLOAT")
    assert table(cut())["n_clipped"].tolist() == [0, 0, 0, 7]


def test_clipping_is_counted_before_resampling_in_the_segment_where_it_sounds(
    record, cut, noise
) -> None:
    samples = noise(4) * 0.5
    places = np.concatenate(
        [np.arange(start, start + 40) for start in (100, 4790, 4840, 9590, 14_000)]
    )
    samples[places] = 1.0
    record("loud.wav", samples, 48000, subtype="FLOAT")  # a segment of 0.1 s has 4800 samples there
    found = table(cut())
    assert found["n_clipped"].tolist() == [
        np.count_nonzero(places // 4800 == index) for index in range(len(found))
    ]
    # The resampler makes other samples of them: 1.0 is not in the segments any more, or in other
    # places.
    assert sum(found["n_clipped"]) == len(places)


def test_a_recording_that_is_clipped_and_silent_throughout_says_how_much_of_each(
    record, cut, noise, square
) -> None:
    record("fine.wav", noise(1))
    record(
        "loud.wav",
        np.concatenate([np.repeat(square(1.0), 9)[:N_SAMPLES], np.zeros(2 * N_SAMPLES)]),
        subtype="FLOAT",
    )
    dataset = cut("clipping.most=0")
    assert reasons(dataset) == {"loud.wav": "all of its 3 segments are silent (2) or clipped (1)"}
    assert {path.name for path in (dataset / "audio").iterdir()} == {"fine_1.wav"}


def test_a_channel_can_be_chosen_and_a_recording_that_lacks_it_is_rejected(
    record, cut, noise
) -> None:
    stereo = np.stack([noise(1), noise(1)], axis=1)
    record("stereo.wav", stereo)
    record("mono.wav", noise(1))
    dataset = cut("channel=2")
    assert reasons(dataset) == {"mono.wav": "has 1 channel(s), and channel 2 is asked for"}
    [path] = (dataset / "audio").iterdir()
    # Soundfile rounds down when it writes.
    assert np.abs(samples_of(path) - in_16_bits(stereo[:, 1])).max() <= 1


@pytest.mark.parametrize("name", ["twin.wav", "a/river.wav", "z.flac"])
def test_a_recording_that_is_there_twice_is_cut_once(record, cut, noise, name) -> None:
    samples = in_16_bits(noise(2))
    record("river.wav", samples)
    record(name, samples)
    record("other.wav", noise(1))
    dataset = cut()
    first, second = sorted(["river.wav", name])
    found = table(dataset)
    assert found["source"].value_counts().to_dict() == {first: 2, "other.wav": 1}
    assert reasons(dataset) == {second: "all of its 2 segments are in others too"}
    assert read_dataset(dataset).description["n_duplicate_segments"] == 2
    assert {f"audio/{path.name}" for path in (dataset / "audio").iterdir()} == set(
        found["file_name"]
    )


def test_a_stretch_that_a_recording_repeats_is_kept_once(record, cut, noise) -> None:
    loop = noise(1)
    path = record("loop.wav", np.concatenate([loop, noise(1), loop, loop]))
    dataset = cut()
    assert table(dataset)["start_seconds"].tolist() == [0.0, 0.1]
    assert reasons(dataset) == {}
    assert (samples_of(dataset / "audio" / "loop_1.wav") == samples_of(path)[:N_SAMPLES]).all()


def test_what_is_not_the_same_to_the_sample_is_no_duplicate(record, cut, noise) -> None:
    samples = in_16_bits(noise(1))
    record("river.wav", samples)
    samples[-1] ^= 1
    record("almost.wav", samples)
    assert len(table(cut())) == 2


def test_duplicates_are_kept_when_the_config_says_so(record, cut, noise) -> None:
    loop = noise(1)
    record("loop.wav", np.concatenate([loop, loop]))
    record("twin.wav", np.concatenate([loop, loop]))
    dataset = cut("drop_duplicates=false")
    assert table(dataset)["source"].tolist() == ["loop.wav"] * 2 + ["twin.wav"] * 2
    assert reasons(dataset) == {}


@pytest.mark.parametrize(
    ("most", "starts"),
    [
        (2, [0.2, 0.8]),
        (3, [0.1, 0.5, 0.9]),
        (6, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (11, np.arange(11) / 10),
        (99, np.arange(11) / 10),
    ],
)
def test_of_a_long_recording_so_many_segments_are_kept_spread_evenly(
    record, cut, noise, most, starts
) -> None:
    path = record("long.wav", noise(11))
    record("short.wav", noise(2))
    recording = samples_of(path)
    dataset = cut(f"most_per_recording={most}")
    found = table(dataset)
    of_long = found[found["source"] == "long.wav"]
    np.testing.assert_allclose(of_long["start_seconds"], starts)
    assert (found["source"] == "short.wav").sum() == 2
    assert read_dataset(dataset).description["n_segments_beyond_most"] == 11 - len(starts)
    assert {f"audio/{path.name}" for path in (dataset / "audio").iterdir()} == set(
        found["file_name"]
    )
    for row in of_long.itertuples():
        start = round(row.start_seconds * 44100)
        assert (samples_of(dataset / row.file_name) == recording[start : start + N_SAMPLES]).all()


@given(n_segments=st.integers(1, 200), most=st.integers(1, 200))
@example(n_segments=4, most=3)  # 1.5 lies between two
def test_the_kept_segments_are_as_many_as_asked_for_and_no_gap_is_much_wider_than_another(
    n_segments: int, most: int
) -> None:
    segments = [
        Segment(f"{index}.wav", float(index), -20.0, 0, str(index)) for index in range(n_segments)
    ]
    found = CutRecording(float(n_segments), segments, 0, 0, 0, 0)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("real_datasets.cut.remove_ours", lambda _: None)
        _keep_most(most, found, Path("any"))
    kept = [round(segment.start_seconds) for segment in found.segments]
    assert len(kept) == min(most, n_segments)
    assert len(kept) + found.n_beyond_most == n_segments
    if len(kept) > 1:
        # As much is left at one end as at the other.
        assert abs(kept[0] - (n_segments - 1 - kept[-1])) <= 1
        assert max(np.diff(kept)) - min(np.diff(kept)) <= 1


def test_names_are_the_same_whether_or_not_a_source_could_bring_every_recording(
    record, config, noise, tmp_path
) -> None:
    # Else a run that goes on after a download that failed at first would call the finished ones'
    # segments otherwise.
    record("a/rain.wav", noise(1))
    record("b/rain.wav", noise(1))
    settings = load_config(config, RealConfig)

    class Unreliable(type(settings.source)):
        def fetch(self, recordings):
            return {recordings[1].name: "could not be downloaded"}

    settings = settings.model_copy(update={"source": Unreliable(path=settings.source.path)})
    build(settings, check_output(settings, "real-datasets build"), workers=1)
    assert table(tmp_path / "real")["file_name"].tolist() == ["audio/a__rain_1.wav"]
    assert reasons(tmp_path / "real") == {"b/rain.wav": "could not be downloaded"}


_CUT_AND_TELL_MEMORY = """
import re, sys
from pathlib import Path
from real_datasets.config import RealConfig
from real_datasets.cut import cut_recording
from real_datasets.sources import Recording

path, output = map(Path, sys.argv[1:])
source = {"type": "folder", "path": path.parent}
config = RealConfig.model_validate({"output": output, "source": source, "sample_rate": 8000, "hop_seconds": 10.0})
found = cut_recording(config, 1, output, (Recording(path.name, path), path.stem))
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]
print(len(found["segments"]), round(found["seconds"]), int(peak) / 1e3)
"""


@pytest.mark.skipif(
    not Path("/proc/self/status").exists(),
    reason="needs Linux's /proc to ask for the peak of memory",
)
def test_a_recording_of_twenty_minutes_takes_hardly_more_memory_than_one_of_a_minute(
    tmp_path,
) -> None:
    minute = np.random.default_rng(0).uniform(-0.5, 0.5, (60 * 16000, 2))
    megabytes = []
    for minutes in (1, 20):
        path = tmp_path / "recordings" / f"{minutes}.wav"
        path.parent.mkdir(exist_ok=True)
        with soundfile.SoundFile(path, "w", samplerate=16000, channels=2, subtype="PCM_16") as file:
            for _ in range(minutes):
                file.write(minute)
        command = [sys.executable, "-c", _CUT_AND_TELL_MEMORY, path, tmp_path / str(minutes)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        n_segments, seconds, peak = done.stdout.split()
        assert (int(n_segments), int(seconds)) == (6 * minutes, 60 * minutes)
        megabytes.append(float(peak))
    # Twenty minutes are 154 MB of float32 in stereo, and 38 MB in mono at 8 kHz; a block of 2^18
    # samples is 2 MB.
    assert megabytes[1] - megabytes[0] < 15
