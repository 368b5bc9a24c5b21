"""Many sounds from one engine, whatever kind of engine it is."""

import warnings
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

import joblib
import numpy as np

from synthetic_datasets.config import RecordingsConfig, SyntheticConfig
from synthetic_datasets.engines import Render
from texturelib.errors import Rejected
from texturelib.executors import Local
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
    """Start the engine, make the output ready, and do `work` on every item. -> as `run_jobs`;
    versions of what made the sound.

    What `work` is given to render with raises Rejected where the engine gives values that are not
    numbers. An engine that plays something on this machine is not shared out to others, whatever
    the executor.

    The journal, `output.folder / "journal.jsonl"`, is left there.
    """
    executor = config.executor
    n_players = min(workers or executor.workers or joblib.cpu_count(), len(items))
    with config.engine.started(config.seconds, config.sample_rate, n_players) as engine:
        if engine.in_threads and not isinstance(executor, Local):
            warnings.warn(
                f'the engine "{config.engine.type}" plays on this machine, not on "{executor.type}"',
                stacklevel=2,
            )
            executor = Local()
        output.begin()  # only now: a patch that is not open should not cost the set that is there
        outcomes = run_jobs(
            items,
            partial(work, partial(_numbers, engine.render)),
            output.folder / "journal.jsonl",
            label=label,
            executor=executor,
            workers=engine.n_workers or workers,
            in_threads=engine.in_threads,
        )
    return outcomes, dict(engine.versions)


def _numbers(
    render: Render, controls: Mapping[str, float], volume: float, rng: np.random.Generator
) -> np.ndarray:
    samples = render(controls, volume, rng)
    if not np.isfinite(samples).all():
        raise Rejected("the engine gave values that are not numbers")
    return samples
