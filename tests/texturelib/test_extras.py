"""A package that is missing is named with the extra that brings it, whichever command needs it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from texturelib.extras import needed, not_importable

CONFIGS = Path(__file__).parents[2] / "configs" / "demo"
CASES = [  # the command, what is not installed, and what is said
    (
        "synthetic_datasets",
        f"generate {CONFIGS}/synthetic.json --workers 1 --set output=out --set distribution.n_clips=1",
        "numba",
        "numba",
        "synthetic",
    ),
    (
        "domain_adaptation",
        "label --model . --audio . --output a.csv",
        "torch",
        "torch",
        "adaptation",
    ),
    ("conditioned_synthesis", "generate --model . --output a.wav", "torch", "torch", "synthesis"),
]
# Each in a process forked from one that has none of them yet.
RUN = """
import importlib, json, os, sys
for package, words, module in json.loads(sys.argv[1]):
    print("==", flush=True)
    if (child := os.fork()) == 0:
        os.dup2(1, 2)
        sys.modules[module] = None
        sys.argv = [package, *words.split()]
        importlib.import_module(f"{package}.cli").main()
    os.waitpid(child, 0)
"""


@pytest.mark.slow
def test_a_missing_package_is_answered_with_the_extra_that_brings_it(tmp_path: Path) -> None:
    cases = json.dumps([case[:3] for case in CASES])
    done = subprocess.run(
        [sys.executable, "-c", RUN, cases],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    said = [text.strip().splitlines()[-1] for text in done.stdout.split("==\n")[1:]]
    assert len(said) == len(CASES), done.stderr
    for (*_, package, extra), sentence in zip(CASES, said, strict=True):
        assert (
            sentence
            == f'{package} is not installed; the extra "{extra}" brings it: pip install "texture-toolkit[{extra}]"'
        )


def test_a_library_that_is_there_and_does_not_load_is_not_called_missing() -> None:
    error = ImportError(
        "libc10_cuda.so: cannot open shared object file", name="torchaudio", path="/x/torchaudio.so"
    )
    assert (
        not_importable(error)
        == "torchaudio is installed but does not load (libc10_cuda.so: cannot open shared object file)"
    )


@pytest.mark.parametrize("name", ["texturelib.nothing", "domain_adaptation", "torch.no_such_part"])
def test_a_mistake_of_ours_is_not_called_a_missing_package(name: str) -> None:
    assert not_importable(ModuleNotFoundError(f"No module named {name!r}", name=name)) is None


def test_what_the_whole_toolkit_needs_is_brought_by_no_extra() -> None:
    sentence = not_importable(ModuleNotFoundError("No module named 'pandas'", name="pandas"))
    assert (
        sentence == 'pandas is not installed; the toolkit needs it: pip install "texture-toolkit"'
    )
    assert "torch" in {each.name for each in needed(["adaptation"])}
