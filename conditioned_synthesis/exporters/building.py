"""What exporters share that build a program in C, or write several files."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from texturelib.errors import TextureError
from texturelib.files import whole_file
from texturelib.made import named_by_the_user

C_FOLDER = Path(__file__).parents[1] / "c"
C_COMPILERS, CPP_COMPILERS = ("cc", "gcc", "clang"), ("c++", "g++", "clang++")


def first_program(names: Sequence[str]) -> str | None:
    """Return the path of the first of these programs that is installed, None where none is."""
    return next(filter(None, map(shutil.which, names)), None)


def compile_with(words: Sequence[Any], what: str) -> None:
    """Run a compiler. words: its command line. what: the sentence's beginning where it fails.

    Errors: TextureError with its first error.
    """
    command = [str(word) for word in words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["it says nothing"]
        problem = next((line for line in lines if "error" in line), lines[0])
        raise TextureError(f"{what}: {command[0]} failed: {problem.strip()[:300]}")


def copy_whole(source: Path, target: Path) -> None:
    """Copy a file to a place that the user named, whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with named_by_the_user(), whole_file(target, is_durable=True) as part:
        shutil.copyfile(source, part)
