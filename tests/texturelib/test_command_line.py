"""Commands end with 0, 1, 2 or 130, and say in a sentence what went wrong."""

import signal
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from texturelib.command_line import ConfigArgument, SetOption, make_app, run_app
from texturelib.config import load_config
from texturelib.errors import TextureError

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(
    example: type[Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Run]:
    """Run an app of one command with some arguments. failure: what its work raises. -> exit status,
    stdout, stderr."""
    sigterm = signal.getsignal(signal.SIGTERM)

    def run_with(*arguments: str, failure: BaseException | None = None) -> tuple[int, str, str]:
        app = make_app("Make textures.")

        @app.command()
        def make(config: ConfigArgument, set_: SetOption = None) -> None:
            settings = load_config(config, example, set_ or [])
            if failure:
                raise failure
            print(f"seed {settings.seed}")

        @app.command()
        def other() -> None: ...

        monkeypatch.setattr(sys, "argv", ["texture", *arguments])
        with pytest.raises(SystemExit) as exit_:
            run_app(app, "texture")
        return int(exit_.value.code or 0), *capsys.readouterr()

    yield run_with
    signal.signal(signal.SIGTERM, sigterm)


def test_a_good_config_runs(run: Run, write_config: Callable[..., Path]) -> None:
    assert run("make", str(write_config()), "--set", "seed=7") == (0, "seed 7\n", "")


@pytest.mark.parametrize(
    "arguments",
    [
        ["make", "CONFIG", "--set", "sede=7"],
        ["make", "CONFIG", "--set", "n_clips=x"],
        ["make", "CONFIG", "--set", "n_clips"],
        ["make", "nowhere.json"],
        ["make", "."],
        ["make", "CONFIG", "--st", "seed=7"],
        ["make"],
        ["mkae", "CONFIG"],
    ],
)
def test_a_wrong_config_or_usage_is_one_line_on_stderr_and_exit_2(
    run: Run, write_config: Callable[..., Path], arguments: list[str]
) -> None:
    config = str(write_config())

    status, out, err = run(
        *(config if argument == "CONFIG" else argument for argument in arguments)
    )

    assert (status, out) == (2, "")
    assert err.endswith("\n")
    assert len(err.splitlines()) == 1
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("failure", "status", "expected"),
    [
        (TextureError("recordings: is empty"), 1, "recordings: is empty\n"),
        (PermissionError(13, "Permission denied", "/disk/b"), 1, "/disk/b: Permission denied\n"),
        (
            OSError(28, "No space left on device", "/disk/a"),
            1,
            "/disk/a: the disk is full; what was finished is kept",
        ),
        (ValueError("3 is\nnot 4"), 1, "unexpected ValueError: 3 is not 4 (--debug shows where)\n"),
        (KeyboardInterrupt(), 130, "\nstopped; the same command goes on from here\n"),
    ],
)
def test_a_failure_is_a_sentence_and_its_own_exit_status(
    run: Run, write_config: Callable[..., Path], failure: BaseException, status: int, expected: str
) -> None:
    found, out, err = run("make", str(write_config()), failure=failure)

    assert (found, out) == (status, "")
    assert err.startswith(expected)
    assert "Traceback" not in err


def test_debug_adds_the_traceback(run: Run, write_config: Callable[..., Path]) -> None:
    status, _, err = run(
        "make", str(write_config()), "--debug", failure=TextureError("recordings: is empty")
    )

    assert status == 1
    assert "Traceback" in err
    assert err.endswith("\nrecordings: is empty\n")


@pytest.mark.parametrize("arguments", [[], ["--help"]])
def test_help_is_printed_whole_and_is_no_failure(run: Run, arguments: list[str]) -> None:
    status, out, err = run(*arguments)

    assert (status, err) == (0, "")
    assert "Make textures." in out.splitlines()[2]
    assert "  make" in out


def test_the_version_is_the_packages(run: Run) -> None:
    assert run("--version") == (0, f"texture {version('texture-toolkit')}\n", "")
