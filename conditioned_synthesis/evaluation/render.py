"""Sets of sounds that an instrument plays to be measured."""

import time
from collections.abc import Mapping
from contextlib import redirect_stderr
from dataclasses import dataclass
from functools import partial
from io import StringIO
from pathlib import Path

import numpy as np

from conditioned_synthesis.instrument.automation import Automation, constant
from conditioned_synthesis.instrument.instrument import Instrument, ModelSpec
from texturelib.audio import write_wav
from texturelib.executors import Executor
from texturelib.jobs import run_jobs
from texturelib.learning.one_thread import one_thread


@dataclass(frozen=True)
class Target:
    """A sound to be played.

    automations: by control; other controls stay in their middle.
    """

    automations: Mapping[str, Automation]
    seconds: float
    seed: int


@dataclass(frozen=True)
class Place:
    """A value of a control in a grid of sounds, and one of its seeds.

    value: position on the slider.
    """

    control: str
    value: float
    seed: int


def grid(spec: ModelSpec, values: int, seeds: int) -> dict[str, Place]:
    """Return the sounds of a grid, by name: `values` positions of each control that varies, evenly
    spaced, with each seed."""
    return {
        f"grid_{number}_{step}_{seed}": Place(slider.name, float(value), seed)
        for number, slider in enumerate(spec.sliders)
        if slider.low < slider.high
        for step, value in enumerate(np.linspace(slider.low, slider.high, values))
        for seed in range(1, seeds + 1)
    }


def targets_at(place: Place, seconds: float) -> Target:
    """Return the sound at a place of the grid."""
    return Target({place.control: constant(place.value)}, seconds, place.seed)


def play_set(
    instrument: Instrument,
    targets: Mapping[str, Target],
    folder: Path,
    label: str,
    executor: Executor,
    workers: int | None,
) -> None:
    """Play every sound into `folder/NAME.wav`, except those that an earlier run has left there.

    A name may contain folders. workers: how many, in place of the executor's own number; each
    computes on one core.
    """
    folder.mkdir(parents=True, exist_ok=True)
    named = {name: (name, each) for name, each in targets.items()}
    work = partial(_play, instrument, folder)
    run_jobs(named, work, folder / "journal.jsonl", label=label, executor=executor, workers=workers)


def _play(instrument: Instrument, folder: Path, named: tuple[str, Target]) -> None:
    name, target = named
    # Sounds that are made side by side would each draw a bar of their own on the same line.
    with one_thread(), redirect_stderr(StringIO()):
        samples = instrument.play(target.automations, target.seconds, target.seed)
    write_wav(folder / f"{name}.wav", samples, instrument.spec.sample_rate)


def real_time_factor(instrument: Instrument, seconds: float) -> float:
    """Return the seconds of sound per second of computing, on one core, all controls in their
    middle."""
    with one_thread():
        instrument.play({}, seconds, seed=0)  # the first sound compiles, and fills caches
        began = time.perf_counter()
        instrument.play({}, seconds, seed=1)
        return seconds / (time.perf_counter() - began)
