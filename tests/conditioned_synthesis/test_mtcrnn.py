"""Each rule has its own way of breaking it, from a folder that keeps them all."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from conditioned_synthesis.data.mtcrnn_format import check_folder, params
from conditioned_synthesis.instrument.automation import constant
from texturelib.audio import write_wav
from texturelib.controls import Control
from texturelib.errors import TextureError

QUICK_START = Path(__file__).parents[3] / "shared" / "mtcrnn" / "RegularPopsRandomPitch_16k.zip"
RATE = 16000
CONTROLS = [Control("rate", 1.0, 50.0, "drops/s"), Control("radius", 1.0, 8.0, "mm")]


@pytest.fixture
def folder(tmp_path) -> Path:
    """Three clips of 0.1 s with two controls."""
    for stem in "abc":
        write_wav(tmp_path / f"{stem}.wav", np.zeros(RATE // 10), RATE)
        content = params(
            f"{stem}.wav", {"rate": constant(0.25), "radius": constant(1.0)}, 0.1, CONTROLS
        )
        (tmp_path / f"{stem}.params").write_text(json.dumps(content))
    return tmp_path


def edit(folder: Path, **rate) -> None:
    """Change what b.params says of the control `rate`."""
    content = json.loads((folder / "b.params").read_text())
    content["rate"].update(rate)
    (folder / "b.params").write_text(json.dumps(content))


def refuses(folder: Path, sentence: str) -> None:
    with pytest.raises(TextureError) as caught:
        check_folder(folder)
    assert sentence in str(caught.value)


def test_a_folder_that_keeps_the_rules_is_described(folder):
    found = check_folder(folder)
    assert (found.n_clips, found.sample_rate, found.seconds, found.controls) == (
        3,
        RATE,
        0.1,
        ("rate", "radius"),
    )
    assert str(found) == "3 clips of 0.1 s at 16000 Hz, controls rate, radius"


@pytest.mark.skipif(
    not QUICK_START.is_file(), reason="MTCRNN's quick-start data is not beside the project"
)
def test_the_data_that_mtcrnn_is_published_with_keeps_the_rules(tmp_path):
    with zipfile.ZipFile(QUICK_START) as archive:
        archive.extractall(tmp_path)
    found = check_folder(tmp_path)
    assert (found.n_clips, found.sample_rate, found.seconds, found.controls) == (
        11,
        RATE,
        10,
        ("rate",),
    )


def test_clips_in_sub_folders_are_checked_too(folder):
    (folder / "more").mkdir()
    write_wav(folder / "more" / "d.wav", np.zeros(RATE // 10), RATE)
    refuses(folder, "more/d.params: no such file; MTCRNN needs one for each wav")


def test_a_folder_without_sounds(folder):
    for wav in folder.glob("*.wav"):
        wav.rename(wav.with_name(f"._{wav.name}"))  # hidden, as a Mac leaves them
    refuses(folder, "holds no sound files")


def test_another_rate(folder):
    write_wav(folder / "b.wav", np.zeros(RATE // 10), 44100)
    refuses(
        folder,
        "b.wav: 1600 samples at 44100 Hz, but a.wav has 1600 at 16000 Hz; MTCRNN needs one rate and one length",
    )


def test_another_length(folder):
    write_wav(folder / "c.wav", np.zeros(RATE // 10 + 1), RATE)
    refuses(folder, "c.wav: 1601 samples at 16000 Hz, but a.wav has 1600")


def test_stereo(folder):
    soundfile.write(folder / "b.wav", np.zeros((RATE // 10, 2)), RATE)
    refuses(folder, "b.wav: has 2 channels; MTCRNN needs mono")


def test_a_file_that_is_not_sound(folder):
    (folder / "b.wav").write_bytes(b"not a wav")
    refuses(folder, "b.wav: cannot be read as audio")


def test_a_missing_params_file(folder):
    (folder / "b.params").unlink()
    refuses(folder, "b.params: no such file")


def test_a_trailing_comma_which_is_not_json(folder):
    (folder / "b.params").write_text('{"rate": {"times": [0, 1], "values": [0, 1],}}')
    refuses(folder, "b.params: not JSON")


@pytest.mark.parametrize("content", ["[]", "{}", '{"meta": {"filename": "b.wav"}}'])
def test_a_params_file_without_controls(folder, content):
    (folder / "b.params").write_text(content)
    refuses(folder, "b.params: names no control")


@pytest.mark.parametrize("stem", ["a", "b"])  # the first file sets what the others should have
def test_a_control_that_one_file_lacks(folder, stem):
    content = json.loads((folder / f"{stem}.params").read_text())
    del content["radius"]
    (folder / f"{stem}.params").write_text(json.dumps(content))
    refuses(folder, f"{stem}.params: has no radius, but {'b' if stem == 'a' else 'a'}.params has")


def test_a_value_that_is_not_a_number(folder):
    edit(folder, values=[0.5, float("nan")])
    refuses(folder, "b.params: not JSON (it holds NaN)")
    edit(folder, values=[0.5, "0.5"])
    refuses(folder, "b.params: rate: '0.5' is not a finite number")
    (folder / "b.params").write_text((folder / "b.params").read_text().replace('"0.5"', "1e999"))
    refuses(folder, "b.params: rate: inf is not a finite number")
    edit(folder, values=[0.5, 10**400])  # a whole number in JSON, and no float
    refuses(folder, f"b.params: rate: {10**400} is not a finite number")


def test_a_control_without_lists(folder):
    edit(folder, values=0.5)
    refuses(folder, "b.params: rate: should hold lists of times and values")


def test_as_many_values_as_times(folder):
    edit(folder, values=[0.5])
    refuses(folder, "b.params: rate: has 2 times but 1 values")


def test_a_single_point(folder):
    edit(folder, times=[0], values=[0.5])
    refuses(folder, "b.params: rate: has 1 point(s); it takes two or more to draw a line")


def test_times_that_do_not_rise(folder):
    edit(folder, times=[0, 0.1, 0.1], values=[0, 0, 0])
    refuses(folder, "b.params: rate: its times do not rise")


@pytest.mark.parametrize("times", [[0, 0.0999], [0.01, 0.1]])
def test_times_that_do_not_cover_the_clip(folder, times):
    edit(folder, times=times)  # MTCRNN would carry the line on beyond its ends
    refuses(
        folder,
        f"b.params: rate: its times run from {times[0]:g} to {times[1]:g} s, but the clip from 0 to 0.1 s",
    )
