"""Render a few clips and cut a few recordings, and measure what each takes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import joblib
import pandas as pd

from real_datasets.channels import channels_of_set
from real_datasets.cut import cut_recording
from real_datasets.sources import Recording
from synthetic_datasets.engines import Render
from synthetic_datasets.generate import describe_controls, render_clip
from synthetic_datasets.plan import make_plan, sample_evenly
from synthetic_datasets.recordings import record_take
from texture_pipeline.doctor.plan import Step
from texture_pipeline.doctor.scratch import FEW, Each, Scratch, seconds_of_each
from texturelib.dataset import write_dataset
from texturelib.errors import Rejected, TextureError
from texturelib.evenly import evenly_spread
from texturelib.sound_files import find_audio

Item = TypeVar("Item")

_MOST_SECONDS = 2.5  # of each rehearsal
# Longest recording, in seconds, that is cut for the measurement if there are shorter ones.
_LONGEST = 300.0
_MOST_SOUND = 1200.0  # seconds of all recordings that are cut
_MOST_CLIPS = 200


@dataclass(frozen=True)
class Rehearsed:
    """The time of rendering or cutting. each: per clip, or per second of recordings. at_once:
    how many are made in parallel. left_out: reasons, by name."""

    each: Each
    at_once: int
    left_out: Mapping[str, str]


def rehearse_rendering(step: Step, scratch: Scratch) -> Rehearsed:
    """Measure `generate`. Errors: TextureError when the engine does not sound, or every clip is
    silent."""
    config: Any = step.job.config
    folder = scratch.new(step.job.stage.name)
    left_out: dict[str, str] = {}
    rows: list[dict[str, Any]] = []

    def work(render: Render, row: dict[str, Any]) -> None:
        try:
            columns = render_clip(config, folder, render, row)
        except Rejected as reason:
            left_out[row["file_name"]] = str(reason)
            return
        rows.append({**row, **columns, "file_name": f"audio/{row['file_name']}"})

    plan = sample_evenly(make_plan(config), FEW)
    each, at_once = _played(
        config, [{"index": index, **row} for index, row in plan.to_dict("index").items()], work
    )
    if not rows:
        name, reason = next(iter(left_out.items()))
        raise TextureError(
            f"{step.job.path.name}: none of {len(left_out)} clips came out (the first: {name}: {reason})"
        )
    table = pd.DataFrame(rows).drop(columns="index")
    write_dataset(
        folder,
        table,
        sample_rate=config.sample_rate,
        seconds=config.seconds,
        controls=describe_controls(config),
        seed=config.seed,
    )
    scratch.put(step.folder, folder)
    return Rehearsed(each, at_once, left_out)


def rehearse_recording(step: Step, scratch: Scratch) -> Rehearsed:
    """Measure `simulate-recordings`. Errors: TextureError when the engine does not sound."""
    config: Any = step.job.config
    folder = scratch.new(step.job.stage.name)
    takes = [
        (place, take)
        for take in range(1, 1 + config.takes_per_location)
        for place in range(1, 1 + config.n_locations)
    ]
    each, at_once = _played(
        config, takes[:FEW], lambda render, take: record_take(config, folder, render, take)
    )
    scratch.put(step.folder / "recordings", folder / "recordings")
    return Rehearsed(each, at_once, {})


def _played(
    config: Any, items: Sequence[Item], work: Callable[[Render, Item], Any]
) -> tuple[Each, int]:
    """Return what each sound takes, and how many are made in parallel."""
    # Started for two, though one will do: so it says whether it is good for more than one at a
    # time.
    with config.engine.started(config.seconds, config.sample_rate, 2) as engine:
        at_once = 1 if engine.n_workers == 1 else joblib.cpu_count()
        return seconds_of_each(
            items, lambda item: work(engine.render, item), _MOST_SECONDS
        ), at_once


def rehearse_cutting(step: Step, survey: Any, scratch: Scratch) -> Rehearsed | None:
    """Measure the cutting of recordings; None where there are no recordings at all. survey: of
    the recordings that exist, None where they are yet to be made."""
    config: Any = step.job.config
    recordings = _recordings(step, survey, scratch)
    if not recordings:
        return None
    folder = scratch.new("real")
    n_channels = channels_of_set(config, recordings)
    left_out: dict[str, str] = {}
    rows: list[dict[str, Any]] = []
    seconds: list[float] = []

    def work(numbered: tuple[int, Recording]) -> None:
        number, recording = numbered
        try:
            found = cut_recording(config, n_channels, folder, (recording, f"recording_{number}"))
        except Rejected as reason:
            left_out[recording.name] = str(reason)
            seconds.append(0.0)
            return
        seconds.append(found["seconds"])
        names = [f"audio/{segment['file_name']}" for segment in found["segments"][:_MOST_CLIPS]]
        rows.extend({"file_name": name, "source": recording.name} for name in names)

    each = seconds_of_each(enumerate(recordings), work, _MOST_SECONDS)
    if rows:
        table = pd.DataFrame(rows[:_MOST_CLIPS])
        write_dataset(
            folder,
            table,
            sample_rate=config.sample_rate,
            seconds=config.seconds,
            n_channels=n_channels,
            controls=[],
        )
        scratch.put(step.folder, folder)
    counted = seconds[1:] or seconds
    mean = sum(counted) / len(counted)
    return Rehearsed(Each(each.seconds / max(mean, 1e-3), each.n), joblib.cpu_count(), left_out)


def _recordings(step: Step, survey: Any, scratch: Scratch) -> list[Recording]:
    """Return a few recordings, spread over all."""
    if survey is None:
        stand_ins = (scratch.stand_in(path) for path in step.inputs.values())
        return [
            Recording(path.name, path)
            for folder in stand_ins
            if folder
            for path in find_audio(folder)
        ]
    short = {
        recording: header
        for recording, header in survey.headers.items()
        if header.seconds <= _LONGEST
    }
    if not short and survey.headers:
        shortest = min(survey.headers, key=lambda recording: survey.headers[recording].seconds)
        return [shortest]
    names = list(short)
    chosen, total = [], 0.0
    for recording in (names[index] for index in evenly_spread(len(names), FEW)):
        total += short[recording].seconds
        chosen.append(recording)
        if total > _MOST_SOUND:
            break
    return chosen
