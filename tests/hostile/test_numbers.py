"""Numbers that nobody means: endless, immense, or not numbers at all."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

CONFIGS = Path(__file__).parents[2] / "configs" / "demo"


@pytest.mark.parametrize(
    "change",
    [
        "distribution.n_clips=1000000000000000000",
        "distribution.n_clips=1e300",
        "distribution.n_clips=-1",
        "seconds=1e300",
        "seconds=1e-300",
        "seconds=1e999",
        "seconds=NaN",
        "sample_rate=100000000000000000000",
        "seed=100000000000000000000",
        "seed=" + "9" * 5000,
        "silence.redraws=100000000000",
        "volume.low=-Infinity",
        "file_name={number}\0.wav",
        "file_name=../{number}.wav",
        "seed=" + "[" * 200_000 + "]" * 200_000,
        "output=~nobody_of_this_name/x",
        "output=a\0b",
    ],
    ids=lambda change: ascii(change[:30]),
)
def test_a_set_that_nobody_means_is_one_sentence(run_command: Callable, change: str) -> None:
    from synthetic_datasets.cli import app

    done = run_command(app, "generate", CONFIGS / "synthetic.json", "--dry-run", "--set", change)
    assert (done.status, done.out) == (2, "")
    assert done.err.count("\n") == 1
    assert "unexpected" not in done.err
    assert len(done.err) < 1000


def test_more_clips_than_fit_into_any_plan_are_refused_whatever_their_ratios(
    run_command: Callable,
) -> None:
    from synthetic_datasets.cli import app

    ratios = dict.fromkeys(["avgRate", "minRadius", "maxRadius", "expRadius"], 10**9)
    joint = json.dumps({"type": "uniform_joint", "n_clips": 8, "ratios": ratios})
    done = run_command(
        app, "generate", CONFIGS / "synthetic.json", "--dry-run", "--set", f"distribution={joint}"
    )
    assert done.status == 2
    assert "distribution.ratios: their product is over a hundred million clips" in done.err


@pytest.mark.parametrize(
    "options",
    [["--seconds", "inf"], ["--seconds", "nan"], ["--seconds", "1e300"], ["--seed", "9" * 40]],
)
def test_a_sound_that_nobody_means_is_one_sentence(
    tmp_path: Path, run_command: Callable, options: list[str]
) -> None:
    from conditioned_synthesis.cli import app

    done = run_command(
        app, "generate", "--model", tmp_path, "--output", tmp_path / "x.wav", *options
    )
    assert done.status == 2
    assert f"Invalid value for '{options[0]}'" in done.err
    assert done.err.count("\n") == 1


def test_a_sound_that_is_too_long_for_a_wav_is_refused_before_it_is_written(tmp_path: Path) -> None:
    from texturelib.audio import write_wav
    from texturelib.errors import TextureError

    endless = np.broadcast_to(np.zeros(1, np.int16), 2**31)  # takes no memory
    with pytest.raises(TextureError, match=r"x\.wav: 4\.3 GB are more than a wav can hold"):
        write_wav(tmp_path / "x.wav", endless, 44100)
    assert not list(tmp_path.iterdir())


def test_what_takes_more_memory_than_there_is_is_one_sentence(run_command: Callable) -> None:
    import torch
    import typer

    def in_numpy() -> None:
        np.zeros(2**55)

    def in_torch() -> None:
        torch.zeros(2**55)

    for command in (in_numpy, in_torch):
        app = typer.Typer()
        app.command()(command)
        done = run_command(app)
        assert done.status == 1
        assert done.err.startswith("not enough memory: ")
        assert done.err.count("\n") == 1


def test_a_state_of_another_kind_is_not_gone_on_with(tmp_path: Path) -> None:
    import torch

    from texturelib.errors import TextureError
    from texturelib.learning.checkpoint import resume
    from texturelib.learning.loop import State

    torch.save({"state": {"step": "many", "history": []}}, tmp_path / "last.ckpt")
    with pytest.raises(
        TextureError, match=r"last\.ckpt: not a checkpoint of this training \(step is a str\)"
    ):
        resume(tmp_path / "last.ckpt", State, {})
