"""Estimated output, disk space and time of the command of stage 2."""

from collections.abc import Iterable
from pathlib import Path

from texturelib.costs import (
    PICTURES,
    Clips,
    Estimate,
    Flow,
    Measured,
    Step,
    Written,
    at_once,
    written_clips,
)


def makes(step: Step, flow: Flow) -> tuple[Path, Clips] | None:
    n = flow.n_segments(step)
    if n is None:
        return None
    config = step.config
    return step.folder, Clips(
        n, config.seconds, config.sample_rate, n_channels=flow.n_channels(step)
    )


def writes(step: Step, flow: Flow, n_parameters: int) -> Iterable[Written]:
    return written_clips(step.folder, flow.at(step.folder))


def takes(step: Step, flow: Flow, measured: Measured) -> Estimate | None:
    found, recorded = (
        measured.cutting.get(step.config_name),
        measured.recorded.get(step.config_name),
    )
    if found is None or recorded is None:
        return None
    seconds = measured.start + PICTURES + recorded * found.each.seconds / at_once(found.at_once)
    words = f"{recorded / 3600:.2g} h of recordings, {3600 * found.each.seconds:.1f} s an hour on a core ({found.each.n} cut)"
    return Estimate(seconds, f"{words}, {found.at_once} at a time")
