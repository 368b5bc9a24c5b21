"""The package that docs/howto/plugin.md builds, installed into an environment of its own, is used
from a config."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from .conftest import ROOT, read_page

RATE = 8000
# One process for both commands, as each would import torch.
BOTH = """
from conditioned_synthesis.cli import app
for command in ("train", "generate"):
    app([command, "synthesis.json"], standalone_mode=False)
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of packages with the plug-in in it."""
    folder = tmp_path_factory.mktemp("plugin")
    for fence in read_page(ROOT / "docs" / "howto" / "plugin.md").fences:
        if fence.title:
            (folder / fence.title).parent.mkdir(parents=True, exist_ok=True)
            (folder / fence.title).write_text(fence.text + "\n")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "install",
            *options,
            "--target",
            folder / "packages",
            folder / "texture-pink",
        ],
        check=True,
    )
    return folder / "packages"


def in_environment(
    environment: Path, folder: Path, script: str
) -> "subprocess.CompletedProcess[str]":
    path = os.pathsep.join([str(environment), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
    )


def write_sounds(folder: Path) -> None:
    """Noise of -40 dBFS at `loud` 0, of -20 dBFS at 1."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number, loud in enumerate(np.linspace(0, 1, 12)):
        noise = 10 ** ((20 * loud - 40) / 20) * rng.standard_normal(RATE // 2)
        soundfile.write(folder / f"noise_{number}.wav", noise, RATE)
        params = {
            "meta": {"filename": f"noise_{number}.wav"},
            "loud": {
                "times": [0.0, 0.5],
                "values": [loud, loud],
                "units": "norm",
                "nvals": 2,
                "minval": 0,
                "maxval": 1,
            },
        }
        (folder / f"noise_{number}.params").write_text(json.dumps(params))


@pytest.mark.slow
def test_the_plug_in_of_the_page_is_trained_and_played_from_a_config(
    environment: Path, tmp_path: Path
) -> None:
    write_sounds(tmp_path / "sounds")
    config = {
        "output": "out",
        "labelled": "nothing",
        "train": {"sounds": "sounds"},
        "synthesiser": {"type": "pink", "num_steps": 400, "checkpoint": 200, "lr": 0.02},
        "generate": {"values": 2, "seconds": 1.0, "sweep_seconds": 1.0},
    }
    (tmp_path / "synthesis.json").write_text(json.dumps(config))

    done = in_environment(environment, tmp_path, BOTH)

    assert done.returncode == 0, done.stderr
    sounds = sorted((tmp_path / "out" / "examples").glob("**/*.wav"))
    levels = {path.name: 10 * np.log10(np.mean(soundfile.read(path)[0] ** 2)) for path in sounds}
    quiet, loud = (level for name, level in sorted(levels.items()) if "sweep" not in name)
    assert quiet == pytest.approx(-40, abs=3)
    assert loud == pytest.approx(-20, abs=3)


def test_a_wrong_key_of_the_plug_in_is_answered_like_any_other(
    environment: Path, tmp_path: Path
) -> None:
    script = """
from typing import Annotated
from pydantic import TypeAdapter
from conditioned_synthesis.synthesisers import Synthesiser, synthesisers
from texturelib.config import Config, load_config
from pathlib import Path
class Only(Config):
    synthesiser: Annotated[Synthesiser, synthesisers]
try:
    load_config(Path("c.json"), Only)
except Exception as error:
    print(error)
"""
    (tmp_path / "c.json").write_text(
        json.dumps({"synthesiser": {"type": "pink", "part_second": 1}})
    )
    done = in_environment(environment, tmp_path, script)
    assert 'synthesiser.part_second: no such key (did you mean "part_seconds"?' in done.stdout, (
        done.stderr
    )
