"""Render a plan into a dataset folder."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from synthetic_datasets.colour import noise_below
from synthetic_datasets.config import SyntheticConfig
from synthetic_datasets.engines import Render
from synthetic_datasets.level import volume_to_gain
from synthetic_datasets.plan import make_plan, sample_evenly
from synthetic_datasets.rendering import render_all
from texturelib.audio import level_dbfs, write_wav
from texturelib.dataset import versions, write_dataset
from texturelib.errors import Rejected
from texturelib.jobs import rejected_of, write_rejected
from texturelib.outputs import Output

_FULL_SCALE = 1 - 2**-15


def generate(
    config: SyntheticConfig,
    output: Output,
    *,
    sample: int | None = None,
    workers: int | None = None,
) -> int:
    """Render every clip of the plan, or `sample` of them, into `output`. -> how many clips there
    are then.

    Clip i depends on (seed, i) alone: not on the other clips, the workers, or where an earlier run
    was stopped.
    """
    plan = sample_evenly(make_plan(config), sample)
    rows = {
        row["file_name"]: {"index": index, **row} for index, row in plan.to_dict("index").items()
    }
    work = partial(render_clip, config, output.folder)
    outcomes, made_by = render_all(config, output, rows, work, label="rendering", workers=workers)

    rejected = rejected_of(outcomes)
    write_rejected(output.folder, rejected, len(outcomes), config.max_rejected)
    metadata = plan[~plan["file_name"].isin(list(rejected))].copy()
    for column in next((outcomes[name] for name in metadata["file_name"]), {}):
        metadata[column] = [outcomes[name][column] for name in metadata["file_name"]]
    metadata["file_name"] = "audio/" + metadata["file_name"]
    write_dataset(
        output.folder,
        metadata,
        sample_rate=config.sample_rate,
        seconds=config.seconds,
        controls=describe_controls(config),
        seed=config.seed,
        n_planned=config.distribution.n_planned,
        n_rejected=len(rejected),
        provenance={
            "kind": "synthetic",
            "engine": config.as_written(output.folder)["engine"],
            **versions(),
            **made_by,
        },
    )
    output.finish(discard=("journal.jsonl",))
    return len(metadata)


def render_clip(
    config: SyntheticConfig, folder: Path, render: Render, row: dict[str, Any]
) -> dict[str, float]:
    """Write one clip of the plan. -> further columns of its row, by name."""
    rng, samples, redraws = _draw_until_audible(config, render, row)
    columns: dict[str, float] = {}
    peak = float(np.abs(samples).max(initial=0.0))
    # Without the volume: only so can clips be added as loud as they are beside each other.
    if peak > 0:
        columns["peak_db"] = round(20 * float(np.log10(peak / volume_to_gain(row["volume"]))), 3)
    if config.noise:
        columns["noise_db"] = round(float(rng.uniform(*config.noise.level_db)), 2)
        slope = rng.uniform(*config.noise.slope_db_per_octave)
        samples = samples + noise_below(
            samples, columns["noise_db"], slope, config.sample_rate, rng
        )
    excess = max(1.0, float(np.abs(samples).max(initial=0.0)) / _FULL_SCALE)
    write_wav(folder / "audio" / row["file_name"], samples / excess, config.sample_rate)
    return {**columns, "lowered_db": round(20 * float(np.log10(excess)), 2), "redraws": redraws}


def _draw_until_audible(
    config: SyntheticConfig, render: Render, row: dict[str, Any]
) -> tuple[np.random.Generator, np.ndarray, int]:
    """Return the clip's chance, its sound, and how many sounds before it were too quiet."""
    controls = config.held | {name: row[name] for name in (*config.ranges, *config.engine.varied)}
    n_redraws = config.silence.redraws if config.silence else 0
    level = -np.inf
    for redraw in range(n_redraws + 1):
        rng = np.random.default_rng(
            [config.seed, row["index"], redraw] if redraw else [config.seed, row["index"]]
        )
        samples = render(controls, row["volume"], rng)
        level = level_dbfs(samples)
        if not config.silence or level >= config.silence.below_dbfs:
            return rng, samples, redraw
    raise Rejected(
        f"is silent ({level:.0f} dBFS), and so were {n_redraws} more draws of it"
        if n_redraws
        else f"is silent ({level:.0f} dBFS)"
    )


def describe_controls(config: SyntheticConfig) -> list[dict[str, Any]]:
    """Return the entry of each varied control in dataset.json: its slider's range in physical
    units, and the used part."""
    return [
        {**control.describe(), "used": list(config.ranges[control.name])}
        for control in config.engine.available
        if control.name in config.ranges
    ]
