"""The commands of stage 1 at a shell."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from texturelib.files import shown

Command = Callable[..., tuple[int, str, str]]

# 2 x 2 x 2 x 2 values are 16 clips, 3 x 3 x 3 x 3 are 81: 40 asked are nearer to 16.
JOINT = {
    "type": "uniform_joint",
    "n_clips": 40,
    "ratios": dict.fromkeys(("avgRate", "minRadius", "maxRadius", "expRadius"), 1),
}


def loaded_modules(statements: str, cwd: Path) -> set[str]:
    """Return which of the heavy packages a Python process has loaded after some statements."""
    heavy = ("numpy", "pandas", "torch", "numba", "scipy", "soundfile", "pydantic", "joblib")
    script = f"{statements}\nimport sys, json\nprint(json.dumps([name for name in {heavy} if name in sys.modules]))"
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=cwd
    )
    return set(json.loads(run.stdout.splitlines()[-1]))


def test_help_needs_none_of_the_heavy_packages(tmp_path: Path) -> None:
    assert loaded_modules("import synthetic_datasets.cli", tmp_path) == set()


def test_a_plan_needs_no_compiler(write_config: Callable[..., Path], tmp_path: Path) -> None:
    statements = f"""
import sys
from synthetic_datasets.cli import main
sys.argv = ["synthetic-datasets", "plan", {str(write_config())!r}, "--output", "table.csv"]
try:
    main()
except SystemExit as end:
    assert end.code == 0"""

    assert not loaded_modules(statements, tmp_path) & {"numba", "torch", "scipy"}
    assert (tmp_path / "table.csv").exists()


def test_a_misspelt_key_at_a_shell_is_one_line_on_stderr_and_exit_2(
    write_config: Callable[..., Path], tmp_path: Path
) -> None:
    config = write_config(distributoin=3)

    run = subprocess.run(
        [sys.executable, "-m", "synthetic_datasets", "generate", config.name],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )

    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith(
        'config.json: distributoin: no such key (did you mean "distribution"? there are '
    )
    assert len(run.stderr.splitlines()) == 1
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("subcommand", ["generate", "simulate-recordings"])
@pytest.mark.parametrize("config", ["nowhere.json", "."])
def test_a_missing_config_is_a_sentence_and_exit_2(
    command: Command, subcommand: str, config: str
) -> None:
    status, out, err = command(subcommand, config)

    assert (status, out) == (2, "")
    assert err.startswith(f"{config}: ")
    assert len(err.splitlines()) == 1


def test_another_number_of_clips_than_asked_for_needs_to_be_agreed_to(
    command: Command, write_config: Callable[..., Path], tmp_path: Path
) -> None:
    config = write_config(distribution=JOINT)

    status, _, err = command("generate", config)
    assert status == 2
    assert (
        err
        == "the distribution makes 16 clips, not 40; agree with --yes, or change distribution.n_clips\n"
    )
    assert not (tmp_path / "results").exists()

    assert command("generate", config, "--yes", "--workers", 1)[0] == 0
    assert len(list((tmp_path / "results" / "audio").iterdir())) == 16


def test_a_dry_run_needs_no_agreement_and_shows_the_real_number(
    command: Command, write_config: Callable[..., Path]
) -> None:
    status, out, _ = command("generate", write_config(distribution=JOINT), "--dry-run")

    assert status == 0
    assert "16 clips" in out


@pytest.mark.parametrize("agrees", [True, False])
def test_at_a_terminal_the_agreement_is_asked_for(
    command: Command,
    write_config: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    agrees: bool,
) -> None:
    questions: list[Any] = []

    class Terminal:
        def isatty(self) -> bool:
            return True

    def answer(question: str) -> bool:
        questions.append(question)
        return agrees

    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("typer.confirm", answer)

    status, _, _ = command(
        "generate", write_config(distribution=JOINT), "--sample", 2, "--workers", 1
    )

    assert questions == ["the distribution makes 16 clips, not 40; go on?"]
    assert status == (0 if agrees else 2)
    assert (tmp_path / "results").exists() == agrees


def test_a_strangers_folder_as_output_is_refused(
    command: Command, write_config: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "thesis.docx").write_text("three years of work")

    status, out, err = command("generate", write_config(), "--overwrite")

    assert (status, out) == (2, "")
    assert "holds files that this toolkit did not make" in err
    assert [path.name for path in (tmp_path / "results").iterdir()] == ["thesis.docx"]


def test_a_plan_in_the_place_of_a_folder_is_refused_in_a_sentence(
    command: Command, write_config: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "plans.csv").mkdir()

    status, _, err = command("plan", write_config(), "--output", tmp_path / "plans.csv")

    assert (status, err) == (
        2,
        f"--output: {shown(tmp_path / 'plans.csv')} is a folder; name a file\n",
    )


GIGABYTES = 2**30


@pytest.fixture
def free_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with 8 GiB free."""
    monkeypatch.setattr(
        "synthetic_datasets.clip_memory.memory", lambda: (16 * GIGABYTES, 8 * GIGABYTES)
    )


@pytest.mark.usefixtures("free_memory")
def test_clips_that_do_not_fit_into_memory_are_refused_before_anything_is_made(
    command: Command, write_config: Callable[..., Path], tmp_path: Path
) -> None:
    # 60 bytes for each of 86400 x 44100 samples are 212.9 GiB.
    config = write_config(seconds=86400, sample_rate=44100)
    sentence = (
        "config.json: seconds: 86400: rendering a clip takes 212.9 GiB of memory, "
        "and 8.0 GiB are free; take shorter clips\n"
    )

    status, out, err = command("generate", config)
    assert (status, out) == (2, "")
    assert err.endswith(sentence)

    status, out, err = command("generate", config, "--dry-run")
    assert (status, err) == (0, "")
    assert out.splitlines(keepends=True)[-1].startswith("note: ")
    assert out.endswith(sentence)
    assert not (tmp_path / "results").exists()


@pytest.mark.usefixtures("free_memory")
def test_where_fewer_workers_would_fit_their_number_is_said(
    command: Command, write_config: Callable[..., Path]
) -> None:
    # An hour at 8 kHz takes 60 x 3600 x 8000 bytes, 1.6 GiB: four of them fit.
    config = write_config(seconds=3600)

    assert command("generate", config, "--dry-run", "--workers", "4")[1].count("\n") == 1
    said = command("generate", config, "--dry-run", "--workers", "5")[1]

    assert (
        "takes 1.6 GiB of memory for each of 5 workers, and 8.0 GiB are free; take --workers 4, or shorter clips"
        in said
    )


def test_a_plan_of_many_controls_is_drawn_of_the_first_ones(
    command: Command,
    write_config: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("synthetic_datasets.plan_picture._MOST_CONTROLS", 2)

    assert command("plan", write_config(), "--output", tmp_path / "table.csv")[0] == 0
    assert (tmp_path / "table.png").is_file()
