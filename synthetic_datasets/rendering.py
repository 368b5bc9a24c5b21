"""Many sounds from one engine, whatever kind of engine it is."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

import joblib

from synthetic_datasets.config import RecordingsConfig, SyntheticConfig
from synthetic_datasets.engines import Render
from texturelib.jobs import run_jobs
from texturelib.outputs import Output

Item = TypeVar("Item")


def render_all(
    config: SyntheticConfig | RecordingsConfig,
    output: Output,
    items: Mapping[str, Item],
    work: Callable[[Render, Item], Any],
    *,
    label: str,
    workers: int | None,
) -> tuple[dict[str, Any], dict[str, str]]:
    """Start the engine, make the output ready, and do `work` on every item. -> as `run_jobs`; versions of what made the sound.

    The journal, `output.folder / "journal.jsonl"`, is left there.
    """
    workers = min(workers or joblib.cpu_count(), len(items))
    with config.engine.started(config.seconds, config.sample_rate, workers) as engine:
        output.begin()  # only now: a patch that is not open should not cost the set that is there
        outcomes = run_jobs(
            items,
            partial(work, engine.render),
            output.folder / "journal.jsonl",
            label=label,
            workers=engine.n_workers or workers,
            in_threads=engine.in_threads,
        )
    return outcomes, dict(engine.versions)
