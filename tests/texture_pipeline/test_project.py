"""A project of one's own is made by one command, and tells what has become of it."""

import json

import numpy as np
import pytest

from texture_pipeline.stages import STAGES, plan_jobs
from texturelib.audio import write_wav
from texturelib.config import load_config


@pytest.fixture
def recordings(tmp_path):
    folder = tmp_path / "field recordings"
    folder.mkdir()
    noise = 0.1 * np.random.default_rng(0).standard_normal(8000)
    write_wav(folder / "river.wav", noise, 8000)
    return folder


@pytest.mark.parametrize("sound", ["none", "liquid", "rain", "fire", "wind"])
def test_a_new_project_can_be_run_as_it_is(command, tmp_path, recordings, sound):
    project = tmp_path / "water"
    status, out, err = command(
        "new", project, "--recordings", recordings, "--sound", sound, "--rate", "48000", "--stereo"
    )
    assert (status, err) == (0, "")
    assert out.splitlines()[-1].startswith("next: texture-pipeline ")

    jobs, results = plan_jobs(project, [], None, None)
    assert results == project / "results"
    of = {job.stage.name: job.config for job in jobs}
    assert of["real"].source.path == recordings
    assert (of["real"].sample_rate, of["real"].channels) == (48000, 2)
    assert ("synthetic" in of) == (sound != "none")
    if sound != "none":
        assert of["synthetic"].engine.type == sound
        assert of["synthetic"].sample_rate == 48000
        assert of["synthetic"].file_name.startswith(("water", sound))
    assert not list(project.rglob("results"))


def test_every_key_of_a_new_config_has_a_comment_and_a_schema_that_is_there(
    command, tmp_path, recordings
):
    project = tmp_path / "water"
    assert command("new", project, "--recordings", recordings)[0] == 0
    found = {path.stem: json.loads(path.read_text()) for path in project.glob("*.json")}
    for name, content in found.items():
        assert (project / content["$schema"]).is_file()
        described = [key for key in content if not key.startswith(("//", "$"))]
        assert all(f"// {key}" in content for key in described if key != "train"), name
    assert found["real"]["// sample_rate"] == "Sample rate of the segments, in Hz."
    assert "// size" in found["grains"]["augment"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--recordings", "nowhere"], "nowhere: should be a folder that holds sound files"),
        (["--recordings", "FIELD", "--sound", "sea"], "'sea' is not one of 'none', 'liquid'"),
        (["--recordings", "FIELD", "--rate", "4000"], "greater than or equal to 8000"),
        ([], "Missing option '--recordings'"),
    ],
)
def test_what_a_project_cannot_be_made_of_is_one_sentence_and_nothing_is_written(
    command, tmp_path, recordings, arguments, expected
):
    words = [recordings if word == "FIELD" else word for word in arguments]
    status, out, err = command("new", tmp_path / "water", *words)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert expected in err
    assert not (tmp_path / "water").exists()


def test_a_folder_that_holds_something_is_no_new_project(command, tmp_path, recordings):
    (tmp_path / "water").mkdir()
    (tmp_path / "water" / "thesis.docx").write_text("three years of work")
    status, _, err = command("new", tmp_path / "water", "--recordings", recordings)
    assert status == 2
    assert "is there already; name a folder that is new or empty" in err
    assert [path.name for path in (tmp_path / "water").iterdir()] == ["thesis.docx"]


def test_the_status_of_a_new_project_says_what_to_run(command, tmp_path, recordings):
    project = tmp_path / "water"
    command("new", project, "--recordings", recordings)
    status, out, err = command("status", project)
    assert (status, err) == (0, "")
    *rows, _, following = out.splitlines()
    assert rows[0].split() == ["real", "build", "not", "yet", "made"]
    assert all(row.endswith("not yet made") for row in rows)
    assert following.startswith("next: texture-pipeline ")


def test_the_status_of_what_is_made_gives_sizes_and_figures(command, whole_way):
    status, out, err = command("status", whole_way.configs)
    assert (status, err) == (0, "")
    rows = {" ".join(line.split()[:2]): line for line in out.splitlines() if "made" in line}
    assert all(" MB" in row for row in rows.values())
    assert rows["synthetic generate"].endswith(" clips")
    assert "error 0." in rows["adaptation train-extractor"]
    assert "avgRate" in rows["instrument evaluate"]
    assert out.splitlines()[-1].endswith("page/index.html")


def test_the_status_names_what_is_out_of_date_and_the_command_that_mends_it(command, whole_way):
    change = "instrument.linearise.values=4"
    status, out, _ = command("status", whole_way.configs, "--set", change)
    assert status == 0
    [row] = [line for line in out.splitlines() if line.startswith("instrument linearise")]
    assert "out of date" in row
    assert "linearise.values 3 -> 4" in row
    assert out.splitlines()[-1].startswith("next: texture-pipeline ")
    assert out.splitlines()[-1].endswith(f"--set {change}")


def test_the_status_of_a_wrong_config_is_its_sentence(command, tmp_path, recordings):
    project = tmp_path / "water"
    command("new", project, "--recordings", recordings)
    content = json.loads((project / "real.json").read_text())
    (project / "real.json").write_text(json.dumps(content | {"secnds": 1}))
    status, _, err = command("status", project)
    assert status == 2
    assert 'real.json: secnds: no such key (did you mean "seconds"?' in err


def test_comments_change_nothing(command, tmp_path, recordings):
    project = tmp_path / "water"
    command("new", project, "--recordings", recordings)
    [stage] = [stage for stage in STAGES if stage.name == "real"]
    path = project / "real.json"
    before = load_config(path, stage.config_model)
    content = json.loads(path.read_text())
    plain = {key: value for key, value in content.items() if not key.startswith("//")}
    path.write_text(json.dumps(plain))
    assert load_config(path, stage.config_model) == before
