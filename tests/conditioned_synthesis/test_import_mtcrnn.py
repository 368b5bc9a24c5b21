import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from conditioned_synthesis.import_mtcrnn import mean_over
from conditioned_synthesis.mtcrnn import params
from texturelib.audio import write_wav
from texturelib.dataset import read_dataset

QUICK_START = Path(__file__).parents[3] / "shared" / "mtcrnn" / "RegularPopsRandomPitch_16k.zip"
RATE = 16000
LINE = {"times": [0, 0.05, 0.1], "values": [0, 1, 1]}


@pytest.fixture
def folder(tmp_path) -> Path:
    """Two clips of 0.1 s, one in a sub-folder, whose rate rises and stays; numbers as text, no meta, keys of their own."""
    folder = tmp_path / "mtcrnn"
    for stem in ("a", "more/b"):
        write_wav(folder / f"{stem}.wav", np.full(RATE // 10, 0.25), RATE)
        rate = {"times": ["0", "0.05", "0.1"], "values": ["0", "1.0", "1"], "units": "norm", "origMinval": 2, "origMaxval": 5}
        content = {"rate": {**rate, "origUnits": "octaves"}, "depth": LINE}
        (folder / f"{stem}.params").write_text(json.dumps(content))
    return folder


def settings(tmp_path: Path, **export: object) -> Path:
    path = tmp_path / "synthesis.json"
    path.write_text(json.dumps({"output": "out", "labelled": "dataset", "balance": {"bins": 2}, "export": export}))
    return path


@pytest.mark.parametrize(
    ("times", "values", "seconds", "mean"),
    [([0, 1], [0.5, 0.5], 1.0, 0.5), ([0, 1, 2], [0, 1, 1], 2.0, 0.75), ([-1, 3], [0, 4], 2.0, 2.0), ([0, 4], [0, 4], 2.0, 1.0)],
)
def test_the_label_is_the_mean_of_the_line_within_the_clip(times, values, seconds, mean):
    assert mean_over(times, values, seconds) == pytest.approx(mean)


def test_a_folder_of_mtcrnn_becomes_a_dataset_folder(folder, command, tmp_path):
    status, printed, _ = command("import-mtcrnn", folder, "--output", tmp_path / "dataset")
    assert status == 0
    assert "2 clips of 0.1 s at 16000 Hz, controls rate, depth" in printed
    dataset = read_dataset(tmp_path / "dataset")
    assert dataset.metadata["file_name"].tolist() == ["audio/a.wav", "audio/more/b.wav"]
    assert dataset.metadata["rate"].tolist() == [0.75, 0.75]
    assert dataset.clip(1) == pytest.approx(0.25)
    rate, depth = dataset.description["controls"]
    assert (rate["name"], rate["low"], rate["high"], rate["unit"]) == ("rate", 2, 5, "octaves")
    assert (depth["name"], depth["low"], depth["high"], depth["unit"]) == ("depth", 0, 1, "")
    line = json.loads((tmp_path / "dataset" / dataset.metadata["trajectories"][1]).read_text())["rate"]
    assert (line["times"], line["values"], line["origMinval"]) == ([0, 0.05, 0.1], [0, 1, 1], 2)


def test_what_was_imported_goes_back_with_all_that_was_said_of_it(folder, command, tmp_path):
    command("import-mtcrnn", folder, "--output", tmp_path / "dataset")
    path = settings(tmp_path, source="labelled")
    assert command("export", path, "--workers", "1")[0] == 0
    back = tmp_path / "out" / "mtcrnn"
    assert (back / "more_b.wav").read_bytes() == (folder / "more/b.wav").read_bytes()
    content = json.loads((back / "more_b.params").read_text())
    assert content.pop("meta") == {"filename": "more_b.wav"}
    before = json.loads((folder / "more/b.params").read_text())
    assert list(content) == list(before)
    for name, line in before.items():
        assert content[name] == {**line, "times": LINE["times"], "values": LINE["values"]}
    # One control alone, on request.
    assert command("export", path, "--workers", "1", "--overwrite", "--set", 'export.controls=["depth"]')[0] == 0
    assert json.loads((back / "a.params").read_text()).keys() == {"meta", "depth"}


def test_trajectories_go_along_into_a_balanced_subset(folder, command, tmp_path):
    line = {**LINE, "values": [0, 0, 0]}
    (folder / "a.params").write_text(json.dumps({"rate": line, "depth": line}))
    command("import-mtcrnn", folder, "--output", tmp_path / "dataset")
    path = settings(tmp_path)
    assert command("balance", path, "--set", "balance.control=rate")[0] == 0
    assert command("export", path, "--workers", "1")[0] == 0
    assert json.loads((tmp_path / "out/mtcrnn/more_b.params").read_text())["rate"]["values"] == [0, 1, 1]


@pytest.mark.skipif(not QUICK_START.is_file(), reason="MTCRNN's quick-start data is not beside the project")
def test_the_data_that_mtcrnn_is_published_with_goes_there_and_back_unchanged(command, tmp_path):
    with zipfile.ZipFile(QUICK_START) as archive:
        archive.extractall(tmp_path)
    [folder] = tmp_path.glob("Regular*")
    assert command("import-mtcrnn", folder, "--output", tmp_path / "dataset")[0] == 0
    assert command("export", settings(tmp_path, source="labelled"), "--workers", "1")[0] == 0
    back = tmp_path / "out" / "mtcrnn"
    stems = sorted(path.stem for path in folder.glob("*.wav"))
    assert sorted(path.stem for path in back.glob("*.wav")) == stems
    assert len(stems) == 11
    for stem in stems:
        assert (back / f"{stem}.wav").read_bytes() == (folder / f"{stem}.wav").read_bytes()
        contents = [json.loads((place / f"{stem}.params").read_text()) for place in (back, folder)]
        assert contents[0] == contents[1]


def spoiled(folder: Path, text: str) -> None:
    (folder / "a.params").write_text(text)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (
            lambda folder: spoiled(folder, '{"rate": {"times": [0, 1,], "values": [0, 1]}}'),
            "a.params: not JSON (",
        ),
        (lambda folder: spoiled(folder, '{"rate": {"times": [0, 1], "values": [0, NaN]}}'), "a.params: not JSON (it holds NaN)"),
        (lambda folder: spoiled(folder, '{"rate": {"times": [0, 1], "values": ["x", 1]}}'), "rate: 'x' is not a finite number"),
        (lambda folder: spoiled(folder, '{"rate": {"times": [0, 1], "values": ["nan", 1]}}'), "rate: nan is not a finite number"),
        (lambda folder: spoiled(folder, '{"rate": {"times": [0, 0.05], "values": [0, 1]}}'), "times run from 0 to 0.05 s"),
        (lambda folder: spoiled(folder, json.dumps({"rate": LINE})), "a.params: has no depth, but b.params has"),
        (lambda folder: (folder / "a.params").unlink(), "a.params: no such file; MTCRNN needs one for each wav"),
        (lambda folder: write_wav(folder / "more/b.wav", np.zeros(800), RATE), "MTCRNN needs one rate and one length"),
        (lambda folder: write_wav(folder / "a.wav", np.zeros(800), 8000), "MTCRNN needs one rate and one length"),
    ],
)
def test_what_mtcrnn_would_stumble_over_is_one_sentence_and_nothing_is_written(folder, command, tmp_path, spoil, sentence):
    spoil(folder)
    status, _, error = command("import-mtcrnn", folder, "--output", tmp_path / "dataset")
    assert status == 1
    assert sentence in error
    assert error.count("\n") == 1
    assert not (tmp_path / "dataset").exists()


def test_an_import_replaces_another_only_when_told_to_and_nothing_else(folder, command, tmp_path):
    words = ("import-mtcrnn", folder, "--output", tmp_path / "dataset")
    assert command(*words)[0] == 0
    assert command(*words)[0] == 2
    (folder / "a.wav").rename(folder / "z.wav")
    (folder / "a.params").write_text(json.dumps(params("z.wav", {"rate": 0.5, "depth": 0.5}, 0.1)))
    (folder / "a.params").rename(folder / "z.params")
    assert command(*words, "--overwrite")[0] == 0
    assert not (tmp_path / "dataset/audio/a.wav").exists()
    (tmp_path / "mine").mkdir()
    status, _, error = command("import-mtcrnn", folder, "--output", tmp_path / "mine", "--overwrite")
    assert status == 2
    assert "mine is there already; name a new folder" in error
