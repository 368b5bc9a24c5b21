import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from conditioned_synthesis.data.import_dataset import import_mtcrnn, mean_over
from conditioned_synthesis.data.mtcrnn_format import params
from conditioned_synthesis.instrument.automation import constant
from texturelib.audio import write_wav
from texturelib.controls import Control
from texturelib.dataset import read_dataset

QUICK_START = Path(__file__).parents[3] / "shared" / "mtcrnn" / "RegularPopsRandomPitch_16k.zip"
RATE = 16000
LINE = {"times": [0, 0.05, 0.1], "values": [0, 1, 1]}
CONTROLS = [Control(name, 0.0, 1.0, "") for name in ("rate", "depth")]


@pytest.fixture
def folder(tmp_path) -> Path:
    """Two clips of 0.1 s, one in a sub-folder, whose rate rises and stays; numbers as text, no
    meta, keys of their own."""
    folder = tmp_path / "mtcrnn"
    for stem in ("a", "more/b"):
        write_wav(folder / f"{stem}.wav", np.full(RATE // 10, 0.25), RATE)
        rate = {
            "times": ["0", "0.05", "0.1"],
            "values": ["0", "1.0", "1"],
            "units": "norm",
            "origMinval": 2,
            "origMaxval": 5,
        }
        content = {"rate": {**rate, "origUnits": "octaves"}, "depth": LINE}
        (folder / f"{stem}.params").write_text(json.dumps(content))
    return folder


def settings(tmp_path: Path, **export: object) -> Path:
    path = tmp_path / "synthesis.json"
    path.write_text(
        json.dumps(
            {"output": "out", "labelled": "dataset", "balance": {"bins": 2}, "export": export}
        )
    )
    return path


@pytest.mark.parametrize(
    ("times", "values", "seconds", "mean"),
    [
        ([0, 1], [0.5, 0.5], 1.0, 0.5),
        ([0, 1, 2], [0, 1, 1], 2.0, 0.75),
        ([-1, 3], [0, 4], 2.0, 2.0),
        ([0, 4], [0, 4], 2.0, 1.0),
    ],
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
    line = json.loads((tmp_path / "dataset" / dataset.metadata["trajectories"][1]).read_text())[
        "rate"
    ]
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
    assert (
        command(
            "export", path, "--workers", "1", "--overwrite", "--set", 'export.controls=["depth"]'
        )[0]
        == 0
    )
    assert json.loads((back / "a.params").read_text()).keys() == {"meta", "depth"}


@pytest.mark.parametrize(
    ("original", "low", "high", "unit", "curve"),
    [
        ({"origMinval": 1, "origMaxval": 9, "origUnits": "Hz"}, 1, 9, "Hz", "linear"),
        (
            {
                "origMinval": 1,
                "origMaxval": 9,
                "origUnits": "Hz",
                "origCurve": "exponential",
                "origOffset": 0,
            },
            1,
            9,
            "Hz",
            "exponential",
        ),
        # An offset that the smallest value does not exceed leaves no logarithm to take.
        (
            {"origMinval": 1, "origMaxval": 9, "origCurve": "exponential", "origOffset": 1},
            1,
            9,
            "",
            "linear",
        ),
        (
            {"origMinval": 9, "origMaxval": 1, "origUnits": "Hz", "units": "norm"},
            0,
            1,
            "norm",
            "linear",
        ),
        ({"origMinval": "1", "origMaxval": 9, "origUnits": "Hz"}, 0, 1, "", "linear"),
        ({"origMinval": 1, "origMaxval": 1e999, "origUnits": "Hz"}, 0, 1, "", "linear"),
    ],
)
def test_what_a_file_says_of_the_values_before_they_were_0_to_1(
    folder, command, tmp_path, original, low, high, unit, curve
):
    for path in folder.rglob("*.params"):
        path.write_text(json.dumps({"rate": LINE | original}).replace("Infinity", "1e999"))
    assert command("import-mtcrnn", folder, "--output", tmp_path / "dataset")[0] == 0
    [described] = read_dataset(tmp_path / "dataset").description["controls"]
    assert [described[key] for key in ("low", "high", "unit", "curve")] == [low, high, unit, curve]
    # Every number that is said of it is one: a picture can be drawn.
    assert np.isfinite(Control.from_description(described).to_physical(np.array([0.0, 1.0]))).all()


def test_trajectories_go_along_into_a_balanced_subset(folder, command, tmp_path):
    line = {**LINE, "values": [0, 0, 0]}
    (folder / "a.params").write_text(json.dumps({"rate": line, "depth": line}))
    command("import-mtcrnn", folder, "--output", tmp_path / "dataset")
    path = settings(tmp_path)
    assert command("balance", path, "--set", "balance.control=rate")[0] == 0
    assert command("export", path, "--workers", "1")[0] == 0
    assert json.loads((tmp_path / "out/mtcrnn/more_b.params").read_text())["rate"]["values"] == [
        0,
        1,
        1,
    ]


@pytest.mark.parametrize(
    "place", ["../secret.json", "trajectories/../../secret.json", "/secret.json", "audio/a.wav", ""]
)
def test_trajectories_outside_of_their_folder_are_refused(folder, command, tmp_path, spoil, place):
    command("import-mtcrnn", folder, "--output", tmp_path / "dataset")
    (tmp_path / "secret.json").write_text("{}")
    spoil(tmp_path / "dataset", 1, "trajectories", place)
    path = settings(tmp_path, source="labelled")
    for name in ("balance", "export"):
        status, _, error = command(name, path)
        assert status == 1
        assert "metadata.csv: row 3: trajectories: " in error
        assert "is not a file in the dataset's folder trajectories" in error
    assert not (tmp_path / "out").exists()


def test_missing_trajectories_are_named_before_anything_is_written(folder, command, tmp_path):
    command("import-mtcrnn", folder, "--output", tmp_path / "dataset")
    (tmp_path / "dataset/trajectories/more/b.json").unlink()
    status, _, error = command("export", settings(tmp_path, source="labelled"))
    assert status == 1
    assert "trajectories/more/b.json: no such file, but metadata.csv names it" in error
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(
    not QUICK_START.is_file(), reason="MTCRNN's quick-start data is not beside the project"
)
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
        (
            lambda folder: spoiled(folder, '{"rate": {"times": [0, 1], "values": [0, NaN]}}'),
            "a.params: not JSON (it holds NaN)",
        ),
        (
            lambda folder: spoiled(folder, '{"rate": {"times": [0, 1], "values": ["x", 1]}}'),
            "rate: 'x' is not a finite number",
        ),
        (
            lambda folder: spoiled(folder, '{"rate": {"times": [0, 1], "values": ["nan", 1]}}'),
            "rate: nan is not a finite number",
        ),
        (
            lambda folder: spoiled(folder, '{"rate": {"times": [0], "values": [0]}}'),
            "rate: has 1 point(s); it takes two or more",
        ),
        (
            lambda folder: spoiled(folder, '{"rate": {"times": [0, 0.05], "values": [0, 1]}}'),
            "times run from 0 to 0.05 s",
        ),
        (
            lambda folder: spoiled(folder, json.dumps({"rate": LINE})),
            "a.params: has no depth, but b.params has",
        ),
        (
            lambda folder: (folder / "a.params").unlink(),
            "a.params: no such file; MTCRNN needs one for each wav",
        ),
        (
            lambda folder: write_wav(folder / "more/b.wav", np.zeros(800), RATE),
            "MTCRNN needs one rate and one length",
        ),
        (
            lambda folder: write_wav(folder / "a.wav", np.zeros(800), 8000),
            "MTCRNN needs one rate and one length",
        ),
    ],
)
def test_what_mtcrnn_would_stumble_over_is_one_sentence_and_nothing_is_written(
    folder, command, tmp_path, spoil, sentence
):
    spoil(folder)
    status, _, error = command("import-mtcrnn", folder, "--output", tmp_path / "dataset")
    assert status == 1
    assert sentence in error
    assert error.count("\n") == 1
    assert not (tmp_path / "dataset").exists()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (
            "file_name",
            "a.params: control 'file_name': metadata.csv keeps a column of this name for something else",
        ),
        (
            "trajectories",
            "a.params: control 'trajectories': metadata.csv keeps a column of this name",
        ),
        ("source", "a.params: control 'source': metadata.csv keeps a column of this name"),
        ("", "a.params: control '': not a name that can be printed; rename the control"),
        ("ra\nte", "a.params: control 'ra\\nte': not a name that can be printed"),
        ("\ud800", "a.params: control '\\ud800': not a name that can be printed"),
    ],
)
def test_a_control_whose_name_no_table_can_have_is_refused(
    folder, command, tmp_path, name, sentence
):
    for path in folder.rglob("*.params"):
        path.write_text(json.dumps({name: LINE}))
    status, _, error = command("import-mtcrnn", folder, "--output", tmp_path / "dataset")
    assert status == 1
    assert sentence in error
    assert error.count("\n") == 1
    assert not (tmp_path / "dataset").exists()


def test_an_import_that_stops_leaves_what_was_there_before_and_no_more(
    folder, command, tmp_path, monkeypatch
):
    words = ("import-mtcrnn", folder, "--output", tmp_path / "dataset")
    command(*words)
    before = {
        path: path.read_bytes() for path in (tmp_path / "dataset").rglob("*") if path.is_file()
    }

    def disk_is_full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("conditioned_synthesis.data.import_dataset.write_dataset", disk_is_full)
        for output in (tmp_path / "dataset", tmp_path / "another"):
            with pytest.raises(OSError, match="No space left"):
                import_mtcrnn(folder, folder, output)
    assert {
        path: path.read_bytes() for path in (tmp_path / "dataset").rglob("*") if path.is_file()
    } == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dataset", "mtcrnn"]
    # A kill leaves more, which the next import does away with.
    (tmp_path / ".part-new-dataset/audio").mkdir(parents=True)
    assert command(*words, "--overwrite")[0] == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dataset", "mtcrnn"]


def test_a_link_to_a_dataset_on_another_disk_stays_a_link(folder, command, tmp_path):
    words = ("import-mtcrnn", folder, "--output", tmp_path / "dataset")
    (tmp_path / "disk").mkdir()
    command("import-mtcrnn", folder, "--output", tmp_path / "disk/dataset")
    (tmp_path / "dataset").symlink_to(tmp_path / "disk/dataset")
    assert command(*words, "--overwrite")[0] == 0
    assert (tmp_path / "dataset").is_symlink()
    assert len(read_dataset(tmp_path / "dataset")) == 2


def test_an_import_replaces_another_only_when_told_to_and_nothing_else(folder, command, tmp_path):
    words = ("import-mtcrnn", folder, "--output", tmp_path / "dataset")
    assert command(*words)[0] == 0
    assert command(*words)[0] == 2
    (folder / "a.wav").rename(folder / "z.wav")
    (folder / "a.params").write_text(
        json.dumps(params("z.wav", {"rate": constant(0.5), "depth": constant(0.5)}, 0.1, CONTROLS))
    )
    (folder / "a.params").rename(folder / "z.params")
    assert command(*words, "--overwrite")[0] == 0
    assert not (tmp_path / "dataset/audio/a.wav").exists()
    # A person's own folder, though its folders have the same names.
    (tmp_path / "mine/trajectories").mkdir(parents=True)
    status, _, error = command(
        "import-mtcrnn", folder, "--output", tmp_path / "mine", "--overwrite"
    )
    assert status == 2
    assert "mine is there already; name a new folder" in error


def test_sounds_are_found_as_elsewhere_whatever_the_case_of_a_suffix_and_what_a_mac_leaves(
    folder, command, tmp_path
):
    """One .WAV among .wav was dropped without a word, and ._a.wav, which is no sound, ended the
    import."""
    (folder / "more/b.wav").rename(folder / "more/b.WAV")
    (folder / "more/b.params").rename(folder / "more/b.PARAMS")
    for name in (
        "._a.wav",
        "__MACOSX/._a.wav",
        "__MACOSX/c.wav",
        ".ipynb_checkpoints/a-checkpoint.wav",
    ):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"\0\5\26\7")
    assert command("import-mtcrnn", folder, "--output", tmp_path / "dataset")[0] == 0
    assert read_dataset(tmp_path / "dataset").metadata["file_name"].tolist() == [
        "audio/a.wav",
        "audio/more/b.WAV",
    ]
