"""Render a plan into a dataset folder."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from synthetic_datasets.config import SyntheticConfig, volume_to_gain
from synthetic_datasets.plan import make_plan, sample_evenly
from texturelib.audio import write_wav
from texturelib.dataset import versions, write_dataset
from texturelib.errors import Rejected
from texturelib.jobs import rejected_of, run_jobs, write_rejected
from texturelib.outputs import Output

_FULL_SCALE = 1 - 2**-15


def generate(config: SyntheticConfig, output: Output, *, sample: int | None = None, workers: int | None = None) -> int:
    """Render every clip of the plan, or `sample` of them, into `output`. -> how many clips there are then.

    Clip i depends on (seed, i) alone: not on the other clips, the workers, or where an earlier run was stopped.
    """
    plan = sample_evenly(make_plan(config), sample)
    rows = {row["file_name"]: {"index": index, **row} for index, row in plan.to_dict("index").items()}
    output.begin()
    journal = output.folder / "journal.jsonl"
    outcomes = run_jobs(rows, partial(render_clip, config, output.folder), journal, label="rendering", workers=workers)

    rejected = rejected_of(outcomes)
    write_rejected(output.folder, rejected, len(outcomes), config.max_rejected)
    metadata = plan[~plan["file_name"].isin(list(rejected))].copy()
    metadata["lowered_db"] = [outcomes[name]["lowered_db"] for name in metadata["file_name"]]
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
        provenance={"kind": "synthetic", "engine": config.engine.model_dump(mode="json"), **versions("numba")},  # type: ignore[attr-defined]
    )
    journal.unlink()
    output.finish()
    return len(metadata)


def render_clip(config: SyntheticConfig, folder: Path, row: dict[str, Any]) -> dict[str, float]:
    """Write one clip of the plan. -> lowered_db: by how much its level had to be lowered so that it does not clip."""
    rng = np.random.default_rng([config.seed, row["index"]])
    controls = config.held | {name: row[name] for name in config.ranges}
    samples = config.engine.render(controls, config.seconds, config.sample_rate, rng)
    samples = samples * np.float32(volume_to_gain(row["volume"]))
    if not np.isfinite(samples).all():
        raise Rejected("the engine gave values that are not numbers")
    if float(np.abs(samples).max(initial=0.0)) * 2**15 <= 0.5:  # nothing would be left of it in 16 bits
        raise Rejected("is silent")
    excess = float(np.abs(samples).max(initial=0.0)) / _FULL_SCALE
    write_wav(folder / "audio" / row["file_name"], samples / max(1.0, excess), config.sample_rate)
    return {"lowered_db": round(20 * float(np.log10(max(1.0, excess))), 2)}


def describe_controls(config: SyntheticConfig) -> list[dict[str, Any]]:
    """-> what dataset.json says of each varied control: its slider's range in physical units, and the part that is used."""
    return [
        {**control.describe(), "used": list(config.ranges[control.name])}
        for control in config.engine.available
        if control.name in config.ranges
    ]
