"""Estimate how long the whole run will take."""

import math
from collections.abc import Iterator
from typing import Any

from texture_pipeline.doctor.findings import Finding
from texture_pipeline.doctor.flow import Flow
from texture_pipeline.doctor.plan import Plan
from texturelib.costs import Measured

_AREA = "time"


def estimate(
    plan: Plan, flow: Flow, measured: Measured, details: dict[str, Any]
) -> Iterator[Finding]:
    """Estimate the time of each command. details: receives, for programs and by command, [low,
    high] in seconds, and what they were measured from."""
    estimates = {step.name: step.costs.takes(step, flow, measured) for step in plan.running()}
    for name, found in estimates.items():
        if found is None:
            details[name] = None
            yield Finding(
                _AREA, "note", f"{name}: not known; there is nothing yet to measure it with"
            )
            continue
        details[name] = {
            "seconds": [round(found.low, 1), round(found.high, 1)],
            "measured": found.measured,
        }
        most = "at most " if found.is_at_most else ""
        yield Finding(
            _AREA, "ok", f"{name}: {most}{in_words(found.low, found.high)}: {found.measured}"
        )
    known = [found for found in estimates.values() if found]
    if len(known) > 1:
        page = ", and the page some seconds more" if plan.is_whole else ""
        words = f"all of these: {in_words(sum(each.low for each in known), sum(each.high for each in known))}{page}"
        yield Finding(_AREA, "ok", words)


def in_words(low: float, high: float) -> str:
    """Format a range of seconds for people.

    >>> in_words(4, 9), in_words(130, 290), in_words(4000, 9000)
    ('4 to 9 s', '2 to 5 min', '1.1 to 2.5 h')
    """
    if high < 120:
        return f"{math.floor(low)} to {math.ceil(high)} s"
    if high < 6000:
        return f"{math.floor(low / 60)} to {math.ceil(high / 60)} min"
    return f"{low / 3600:.1f} to {high / 3600:.1f} h"
