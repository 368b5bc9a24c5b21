"""Estimated output, disk space and time of the commands of stage 1."""

from collections.abc import Iterable
from pathlib import Path

from texturelib.costs import (
    Clips,
    Estimate,
    Flow,
    Measured,
    Step,
    Written,
    at_once,
    in_words_each,
    written_clips,
)


def makes(step: Step, _: Flow) -> tuple[Path, Clips]:
    config, folder = step.config, _folder(step)
    if step.command == "simulate-recordings":
        return folder, Clips(
            config.n_locations * config.takes_per_location, config.seconds, config.sample_rate
        )
    return folder, Clips(
        config.distribution.n_planned, config.seconds, config.sample_rate, tuple(config.ranges)
    )


def writes(step: Step, flow: Flow, n_parameters: int) -> Iterable[Written]:
    return written_clips(step.folder, flow.at(_folder(step)))


def takes(step: Step, flow: Flow, measured: Measured) -> Estimate | None:
    found, clips = measured.rendering.get(step.config_name), flow.at(_folder(step))
    if found is None or clips is None:
        return None
    # Itself, and its workers.
    seconds = 2 * measured.start + clips.n * found.each.seconds / at_once(
        min(found.at_once, clips.n)
    )
    words = (
        f"{clips.n} clips, {in_words_each(found.each.seconds)} on a core ({found.each.n} rendered)"
    )
    return Estimate(seconds, f"{words}, {found.at_once} at a time")


def _folder(step: Step) -> Path:
    """Return the folder that the command writes its sounds to."""
    return step.folder / "recordings" if step.command == "simulate-recordings" else step.folder
