"""Results of evaluate and linearise, for their tables, pages and plots."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from conditioned_synthesis.evaluation.control_metrics import Following
from texturelib.controls import Control
from texturelib.markdown import plain


@dataclass(frozen=True)
class Measured:
    """The results of one row of the tables; NaN where a number does not apply to it.

    following: by control. held_out: by control, the mean error of what is measured in sounds with
    the held-out clips' controls. Distances are in the unit of `TextureStatistics.paired_distance`:
    paired: between each held-out clip and the sound with its controls; of_sets: between all of
    both. diversity: between sounds that differ in nothing but their seed. louder: than each
    held-out clip the sound with its controls is, in dB.
    """

    name: str
    following: dict[str, Following] = field(default_factory=dict)
    held_out: dict[str, float] = field(default_factory=dict)
    paired: float = math.nan
    of_sets: float = math.nan
    diversity: float = math.nan
    louder: float = math.nan
    real_time_factor: float = math.nan


@dataclass(frozen=True)
class Evaluation:
    """The results of an evaluation.

    controls: those that vary; all values are on their sliders. points: target and measured values
    by control and synthesiser.
    """

    controls: tuple[Control, ...]
    measured: list[Measured]
    points: dict[str, dict[str, tuple[np.ndarray, np.ndarray]]]
    n_clips: int
    clip_seconds: float
    notes: list[str]

    def rows(self) -> list[dict[str, Any]]:
        """Return a row per synthesiser and control, of numbers and None."""
        return [
            {
                "synthesiser": each.name,
                "control": control.name,
                **_following_row(each.following.get(control.name)),
                "held_out_error": each.held_out.get(control.name, math.nan),
                "paired_distance": each.paired,
                "set_distance": each.of_sets,
                "diversity": each.diversity,
                "louder_db": each.louder,
                "real_time_factor": each.real_time_factor,
            }
            for each in self.measured
            for control in self.controls
        ]

    def markdown(self) -> str:
        """Return the table as Markdown."""
        of_sounds = [
            "held-out error",
            "paired distance",
            "set distance",
            "diversity",
            "louder, dB",
            "x real time",
        ]
        head = ["synthesiser", "control", "signed rho", "error", "R2", "leakage", *of_sounds]
        lines = [" | ".join(head), " | ".join(["---"] * 2 + ["--:"] * (len(head) - 2))]
        for row in self.rows():
            values = [
                value
                for key, value in row.items()
                if key not in ("synthesiser", "control", "leaks_into")
            ]
            signed = f"{values[0]:+.2f}" if math.isfinite(values[0]) else ""
            numbers = ["" if not math.isfinite(value) else f"{value:.2f}" for value in values[1:]]
            lines.append(" | ".join([row["synthesiser"], plain(row["control"]), signed, *numbers]))
        return "\n".join(f"| {line} |" for line in lines)


def _following_row(found: Following | None) -> dict[str, Any]:
    return (found or Following(math.nan, math.nan, math.nan, math.nan, ""))._asdict()


@dataclass(frozen=True)
class Response:
    """How the measured value of a control depends on its slider.

    target, measured: [sounds], positions of the slider, NaN where a sound could not be measured.
    fitted: [sounds], the smooth curve through them. curve: see `Slider`; None where the control is not
    followed. rho: rank correlation of target and measured values.
    """

    target: np.ndarray
    measured: np.ndarray
    fitted: np.ndarray
    curve: tuple[tuple[float, float], ...] | None
    rho: float

    @property
    def is_backwards(self) -> bool:
        return self.curve is not None and self.rho < 0
