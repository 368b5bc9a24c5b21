"""`texture-pipeline` refuses what cannot work, in a sentence, and passes options on."""

import subprocess
import sys

import pytest

from .conftest import Over


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["nowhere"], "nowhere: no such folder"),
        (
            ["configs/demo", "--set", "synthetc.seed=5"],
            "adaptation, synthesis, grains, texenv, instrument for STAGE",
        ),
        (
            ["configs/demo", "--set", "synthetic.sede=5"],
            'synthetic.json: sede: no such key (did you mean "seed"?',
        ),
        (
            ["configs/demo", "--recordings", "nowhere"],
            "--recordings: nowhere: should be a folder that holds sound files",
        ),
        (["configs/demo", "--outptu", "x"], "--outptu"),
        (["configs"], "configs: holds no config of a stage; it should have synthetic.json, "),
    ],
)
def test_what_is_wrong_is_one_sentence_and_nothing_is_run(command, tmp_path, arguments, expected):
    output = [] if "--recordings" in arguments else ["--output", tmp_path / "results"]
    status, out, err = command(*arguments, *output)
    assert (status, out) == (2, "")
    assert err.count("\n") == 1
    assert expected in err
    assert not list(tmp_path.iterdir())


def test_the_program_itself_prints_one_sentence_and_no_traceback(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "texture_pipeline", "nowhere"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("nowhere: no such folder; name one with synthetic.json, ")
    assert done.stderr.count("\n") == 1


def test_the_first_stage_that_fails_ends_it_with_its_own_sentence_and_status(command, tmp_path):
    (tmp_path / "results" / "synthetic").mkdir(parents=True)
    (tmp_path / "results" / "synthetic" / "thesis.docx").write_text("three years of work")
    status, out, err = command("configs/demo", "--output", tmp_path / "results")
    assert status == 2
    assert "holds files that this toolkit did not make" in err
    assert err.count("\n") == 1
    assert out.count("$ ") == 1
    assert [path.name for path in (tmp_path / "results").rglob("*")] == ["synthetic", "thesis.docx"]


def test_only_the_generate_of_synthetic_sounds_is_asked_to_agree(monkeypatch, command, tmp_path):
    # Which puts this process's commands in place.
    command("configs/demo", "--output", tmp_path / "results", "--dry-run")
    calls: list[list[str]] = []
    monkeypatch.setattr(
        "texture_pipeline.run.start", lambda *given: calls.append(given[1]) or Over(0)
    )
    from texture_pipeline.cli import app

    words = ["configs/demo", "--output", str(tmp_path / "results"), "--yes", "--dry-run", "--debug"]
    monkeypatch.setattr("sys.argv", ["texture-pipeline", *words])
    app(words, standalone_mode=False)
    assert [words[0] for words in calls if "--yes" in words] == ["generate"]
    assert len(calls) == 21
    assert all({"--overwrite", "--dry-run", "--debug"} <= set(words) for words in calls)
