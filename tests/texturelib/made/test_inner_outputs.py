"""An output within another is not removed with it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from texturelib.errors import UsageError
from texturelib.files import write_json
from texturelib.locks import BeingWrittenError, Lock
from texturelib.made import (
    LIST,
)
from texturelib.outputs import Output

Look = Callable[..., Output]
Files = Callable[[Path], set[str]]
OTHER: dict[str, Any] = {"changes": {"seed": 4}, "overwrite": True}
FIRST = {"run.json", "config.json", LIST}


def test_an_output_that_holds_another_is_not_emptied_and_the_other_is_named(
    look: Look, finished: Path, files: Files
) -> None:
    run = {
        "command": "texture spoil",
        "settings": {},
        "inputs": {},
        "fingerprint": "abc",
        "finished": False,
    }
    write_json(finished / "takes" / "real" / "run.json", run)
    before = files(finished)

    said = r'results holds another output, \S*results/takes/real, which "texture spoil" made; move it out'
    with pytest.raises(UsageError, match=said):
        look(**OTHER)
    assert "would be refused: output: " in look({"seed": 4}, dry_run=True).why

    assert files(finished) == before
    assert look().is_done


def test_an_output_in_which_another_run_writes_is_not_emptied(
    look: Look, finished: Path, files: Files
) -> None:
    late = look(**OTHER)
    (finished / "inner").mkdir()
    held = Lock(finished / "inner")
    held.take("texture spoil")
    # As if it were another process, which alone keeps a lock from this one.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("texturelib.locks._of_this_process", {})
        for attempt in (late.begin, lambda: look(**OTHER)):
            with pytest.raises(
                BeingWrittenError, match=r'results/inner: is being written by "texture spoil"'
            ):
                attempt()
    held.release()
    assert files(finished) == FIRST | {"audio/1.wav", "audio/2.wav", "metadata.csv"}
