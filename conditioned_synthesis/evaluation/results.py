"""Results of evaluate and linearise, for their tables, pages and plots."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from conditioned_synthesis.evaluation.control_metrics import Following
from conditioned_synthesis.evaluation.law_labeller import BY_LAW
from conditioned_synthesis.evaluation.realism import Real
from texturelib.controls import Control
from texturelib.markdown import plain

Points = dict[str, dict[str, tuple[np.ndarray, np.ndarray]]]
"""By control and synthesiser, target and measured values."""

NOT_REAL = Real()
NOTHING = Following(math.nan, math.nan, math.nan, math.nan, "")


@dataclass(frozen=True)
class Measured:
    """The results of one row of the tables; NaN where a number does not apply to it.

    following: by reader and control. held_out: by reader and control, the mean error of what is read
    from sounds with the held-out clips' controls. louder: than each held-out clip the sound with its
    controls is, in dB. level_off: by control, how much louder the sounds are than clips of that
    value, at the value where it is most, in dB.
    """

    name: str
    following: dict[str, dict[str, Following]] = field(default_factory=dict)
    held_out: dict[str, dict[str, float]] = field(default_factory=dict)
    real: Real = NOT_REAL
    louder: float = math.nan
    level_off: dict[str, float] = field(default_factory=dict)
    real_time_factor: float = math.nan


@dataclass(frozen=True)
class Evaluation:
    """The results of an evaluation.

    controls: those that vary; all values are on their sliders. points: as the first reader read
    them. read_by: the names of the readers: the labeller, the law, or both.
    """

    controls: tuple[Control, ...]
    measured: list[Measured]
    points: Points
    n_clips: int
    clip_seconds: float
    notes: list[str]
    read_by: tuple[str, ...]

    @property
    def law(self) -> str | None:
        """The law's name as a reader, None where it read nothing."""
        return BY_LAW if BY_LAW in self.read_by else None

    def rows(self) -> list[dict[str, Any]]:
        """Return a row per synthesiser and control, of numbers and None."""
        return [
            {
                "synthesiser": each.name,
                "control": control.name,
                **self._read(each, control.name, self.read_by[0], ""),
                **self._read(each, control.name, BY_LAW, "law_"),
                "paired_distance": each.real.paired,
                "set_distance": each.real.of_sets,
                "diversity": each.real.diversity,
                "embedding_mmd": each.real.embedding,
                "copying": each.real.copying,
                "louder_db": each.louder,
                "level_off_db": each.level_off.get(control.name, math.nan),
                "real_time_factor": each.real_time_factor,
            }
            for each in self.measured
            for control in self.controls
        ]

    def markdown(self) -> str:
        """Return the table as Markdown; without the law's columns where it is the only reader, and
        without that of the embedding where none was asked."""
        columns = dict(_COLUMNS)
        if len(self.read_by) < 2:
            columns = {key: head for key, head in columns.items() if not key.startswith("law_")}
        rows = self.rows()
        if not any(math.isfinite(row["embedding_mmd"]) for row in rows):
            del columns["embedding_mmd"]
        head = ["synthesiser", "control", *columns.values()]
        lines = [" | ".join(head), " | ".join(["---"] * 2 + ["--:"] * (len(head) - 2))]
        for row in rows:
            cells = [_cell(row[key], is_signed=key in _SIGNED) for key in columns]
            lines.append(" | ".join([row["synthesiser"], plain(row["control"]), *cells]))
        return "\n".join(f"| {line} |" for line in lines)

    @staticmethod
    def _read(each: Measured, control: str, reader: str, prefix: str) -> dict[str, Any]:
        found = each.following.get(reader, {}).get(control) or NOTHING
        error = each.held_out.get(reader, {}).get(control, math.nan)
        values = found._asdict() | {"held_out_error": error}
        return {f"{prefix}{key}": value for key, value in values.items()}


_COLUMNS = {
    "rho": "signed rho",
    "error": "error",
    "r2": "R2",
    "leakage": "leakage",
    "held_out_error": "held-out error",
    "law_rho": "by the law: rho",
    "law_error": "error",
    "law_leakage": "leakage",
    "paired_distance": "paired distance",
    "set_distance": "set distance",
    "diversity": "diversity",
    "embedding_mmd": "embedding MMD",
    "copying": "copying",
    "louder_db": "louder, dB",
    "level_off_db": "level off by, dB",
    "real_time_factor": "x real time",
}
_SIGNED = ("rho", "law_rho", "louder_db", "level_off_db")


def _cell(value: float, *, is_signed: bool) -> str:
    if not math.isfinite(value):
        return ""
    return f"{value:+.2f}" if is_signed else f"{value:.2f}"


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
