"""Measure how much noise representations can bear: a table and one picture."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

from conditioned_synthesis.config import SynthesisConfig
from conditioned_synthesis.data.clips import read_sounds
from conditioned_synthesis.robustness.noise import ALL, parts_of, with_noise
from conditioned_synthesis.robustness.plots import plot_robustness
from conditioned_synthesis.robustness.quality import HIGHER_IS_BETTER, quality_by
from conditioned_synthesis.robustness.settings import Robustness
from texturelib.evenly import evenly_spread
from texturelib.files import write_table, write_text
from texturelib.jobs import run_jobs
from texturelib.learning.one_thread import one_thread
from texturelib.outputs import Output

_JOURNAL = "journal.jsonl"
COLUMNS = ("representation", "part", "snr_db", "measure", "mean", "deviation")


@dataclass(frozen=True)
class _Point:
    """A point of the graph. number: its place among all, which its noise depends on."""

    representation: str
    part: str
    channels: tuple[int, ...]
    snr_db: float
    number: int


def measure_robustness(
    config: SynthesisConfig, output: Output, workers: int | None = None
) -> tuple[str, list[str]]:
    """Write robustness.csv, robustness.md and robustness.png into `output`. Returns the table in
    Markdown, and notes about what does not fall with noise.

    Errors: UsageError when the clips are too short for a measure.
    """
    import pandas as pd

    settings = config.wanted_robustness()
    sounds = read_sounds(config.sounds_folder, config.train.controls, lambda _: 1)
    rows = evenly_spread(len(sounds), settings.clips)
    audio = torch.from_numpy(sounds.samples(rows))
    for measure in settings.measures:  # an error now is better than one after the output has begun
        quality_by(measure, sounds.sample_rate, sounds.n_samples)
    points = list(_points(settings, sounds.sample_rate))
    output.begin()
    work = partial(_measure, settings, audio, sounds.sample_rate)
    found = run_jobs(
        {f"{each.representation} {each.part} {each.snr_db:g}": each for each in points},
        work,
        output.folder / _JOURNAL,
        label="noise",
        executor=config.executor,
        workers=workers,
        unit="point",
    )
    lines = [
        (point.representation, point.part, point.snr_db, measure, *numbers)
        for point, of_point in zip(points, found.values(), strict=True)
        for measure, numbers in of_point.items()
    ]
    table = pd.DataFrame(lines, columns=COLUMNS)
    write_table(output.folder / "robustness.csv", table)
    markdown = in_markdown(table)
    write_text(output.folder / "robustness.md", markdown)
    plot_robustness(output.folder / "robustness.png", table)
    output.finish(discard=(_JOURNAL,))
    return markdown, rising(table)


def _points(settings: Robustness, sample_rate: int) -> "list[_Point]":
    points: list[_Point] = []
    for name, representation in settings.representations.items():
        for part, channels in parts_of(representation.transform(sample_rate)):
            for snr_db in settings.snr_db:
                points.append(_Point(name, part, channels, snr_db, len(points)))
    return points


def _measure(
    settings: Robustness, audio: torch.Tensor, sample_rate: int, point: _Point
) -> Mapping[str, Any]:
    """Return, by measure, the mean quality and its standard deviation over the repeats."""
    with one_thread():
        transform = settings.representations[point.representation].transform(sample_rate)
        transform.learn([audio])
        qualities = {
            measure: quality_by(measure, sample_rate, audio.shape[1])
            for measure in settings.measures
        }
        scores: dict[str, list[float]] = {measure: [] for measure in qualities}
        for repeat in range(settings.repeats):
            seed = (settings.seed * 1_000_003 + point.number) * 10_007 + repeat
            generator = torch.Generator().manual_seed(seed)
            noisy = with_noise(transform, audio, point.channels, point.snr_db, generator)
            for measure, quality in qualities.items():
                scores[measure].append(quality(noisy, audio))
    return {
        measure: (float(np.mean(values)), float(np.std(values)))
        for measure, values in scores.items()
    }


def in_markdown(table: Any) -> str:
    """Return the means, a row per curve, a column per signal-to-noise ratio. table: of COLUMNS."""
    ratios = sorted(set(table["snr_db"]))
    lines = [
        "| representation | noise on | quality | "
        + " | ".join(f"{each:g} dB" for each in ratios)
        + " |",
        "|---|---|---|" + "--:|" * len(ratios),
    ]
    for (name, part, measure), rows in table.groupby(
        ["representation", "part", "measure"], sort=False
    ):
        means = " | ".join(f"{value:.2f}" for value in rows.sort_values("snr_db")["mean"])
        lines.append(f"| {name} | {part} | {measure} | {means} |")
    return "\n".join(lines) + "\n"


def rising(table: Any) -> list[str]:
    """Return a note for each curve whose quality somewhere rises with more noise, by more than the
    two points' standard deviations together. table: of COLUMNS."""
    notes = []
    for (name, part, measure), rows in table.groupby(
        ["representation", "part", "measure"], sort=False
    ):
        ordered = rows.sort_values("snr_db")
        steps = np.diff(ordered["mean"]) * (1 if HIGHER_IS_BETTER[measure] else -1)
        by_chance = ordered["deviation"].to_numpy()
        wrong = np.flatnonzero(steps < -(by_chance[1:] + by_chance[:-1]))
        if len(wrong):
            ratios = ordered["snr_db"].to_numpy()
            words = "" if part == ALL else f", noise on {part}"
            notes.append(
                f"{name}{words}: {measure} is worse at {ratios[wrong[0] + 1]:g} dB than at {ratios[wrong[0]]:g} dB"
            )
    return notes
