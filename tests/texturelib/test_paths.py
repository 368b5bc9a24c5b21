"""Paths as people write them, from other machines and shells too."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from texturelib.command_line import make_app
from texturelib.config import load_config
from texturelib.errors import UsageError
from texturelib.paths import local_path


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TAKE", "7")
    monkeypatch.delenv("NOWHERE", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("$HOME/results", "home/results"), ("${HOME}/results", "home/results"), ("~/results", "home/results"),
     ("takes_$TAKE", "takes_7"), ("takes/${TAKE}_wet", "takes/7_wet"), ("plain/50%", "plain/50%"), ("a$(b)", "a$(b)")],
)  # fmt: skip
def test_a_variable_and_a_home_are_what_they_stand_for(
    text: str, expected: str, tmp_path: Path
) -> None:
    assert tmp_path / local_path(text, tmp_path) == tmp_path / expected


REFUSED = [
    ("$NOWHERE/results", "there is no environment variable NOWHERE; set it, or write the path out"),
    ("results/${NOWHERE}", "there is no environment variable NOWHERE"),
    ("C:\\Users\\me\\results", "is a path of Windows"),
    ("D:/results", "is a path of Windows"),
    ("results\\rain", "is a path of Windows"),
    ("\\\\server\\share", "is a path of Windows"),
    (
        "%USERPROFILE%/results",
        "%USERPROFILE% is a variable of Windows; here it would be $USERPROFILE",
    ),
    ("file:///home/me/results", "is an address (file:), not a path"),
    ("s3://bucket/results", "is an address (s3:), not a path"),
    ("~nobody_is_called_so/x", "there is no such home folder"),
]


def read_as_option(text: str) -> None:
    app = make_app("Make textures.")

    @app.command()
    def make(output: Path) -> None:
        raise AssertionError(output)

    app([text], standalone_mode=False)


@pytest.mark.parametrize(("text", "sentence"), REFUSED)
@pytest.mark.parametrize("where", ["config", "--set", "option"])
def test_what_can_only_be_meant_on_another_machine_is_refused_wherever_it_stands(
    text: str, sentence: str, where: str, write_config: Callable[..., Path], example: type[Any]
) -> None:
    read = {
        "config": lambda: load_config(write_config(output=text), example),
        "--set": lambda: load_config(write_config(), example, [f"output={text}"]),
        "option": lambda: read_as_option(text),
    }
    with pytest.raises(UsageError) as caught:
        read[where]()
    assert sentence in str(caught.value)


@pytest.mark.parametrize("name", ["$NOWHERE", "C:", "a\\b", "%TAKE%", "$TAKE"])
def test_a_folder_that_is_there_may_be_called_anything(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    assert local_path(f"{name}/x", tmp_path) == Path(name, "x")


def test_options_of_the_command_line_are_expanded_too(tmp_path: Path, home: Path) -> None:
    """A shell leaves the ~ of --output=~/x as it is."""
    app, found = make_app("Make textures."), []

    @app.command()
    def make(output: Path = typer.Option()) -> None:  # noqa: B008
        found.append(output)

    app(["--output=~/x"], standalone_mode=False)
    assert found == [home / "x"]
