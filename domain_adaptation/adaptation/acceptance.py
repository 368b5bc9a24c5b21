"""Decide whether an adapted extractor is kept, without any label of a real clip.

The rule, fixed before any true control is looked at: an adapted extractor is kept if

1. it still tells real clips apart: the standard deviation of the labels of every control is at
least a quarter of what it was before;
2. where it is meant to read synthetic clips too, or where these were randomised until they stand
for any recording, it still reads them: its error on held-out synthetic clips has not risen by more
than a twentieth;
3. where the engine says how labels move when a sound is played slower: the labels of real clips, on
average, are no further from these laws than before. Where it says nothing, or the features cannot
tell: no more labels lie outside 0..1 than before.

The clips of 3 were not used in adaptation, but come from the same recordings, and `scaling_law` is
trained to keep to these laws: for that method, 3 shows that it learnt them, and `evaluate` shows
whether they hold for other recordings.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from domain_adaptation.adaptation.task import Problem, RealClips
from domain_adaptation.evaluation.laws import can_be_slowed, labels_at_speeds, law_broken_by
from domain_adaptation.evaluation.scores import share_inside
from domain_adaptation.labelling.inference import read_store
from domain_adaptation.models.model_folder import Model
from texturelib.evenly import evenly_spread

_MOST_CLIPS = 512  # that the laws are judged by
_LEAST_DEVIATION, _MOST_ERROR = 0.25, 1.05

Pair = tuple[float, float]
"""The value before adaptation, and after it."""


@dataclass(frozen=True)
class Judgement:
    """The measures by which an adapted extractor is kept or rejected.

    inside: share of labels of real clips within 0..1. relative_deviation: standard deviation of the
    labels of real clips, divided by that before adaptation, of the control that shrank most.
    synthetic_error: mean absolute error on held-out synthetic clips, None where it does not count.
    law_broken: see `law_broken_by`; None without laws.
    """

    is_kept: bool
    why: str
    inside: Pair
    relative_deviation: float
    synthetic_error: Pair | None
    law_broken: Pair | None

    def describe(self) -> dict[str, Any]:
        """Return what metrics.json says of the judgement."""
        return {
            "is_kept": self.is_kept,
            "why": self.why,
            "share_of_labels_within_0_1": _described(self.inside),
            "spread_of_labels": self.relative_deviation,
            "synthetic_error": _described(self.synthetic_error),
            "law_broken_by": _described(self.law_broken),
        }


def judge(before: Model, problem: Problem, reads_both: bool) -> Judgement:
    """Compare the adapted model of `problem` with the model before.

    reads_both: whether the method goes on learning from synthetic clips.
    """
    models = (before, problem.model)
    labels = [read_store(model, problem.real.clips).labels for model in models]
    deviations = [part.std(axis=0) for part in labels]
    relative_deviation = float((deviations[1] / np.maximum(deviations[0], 1e-9)).min())
    inside = (share_inside(labels[0]), share_inside(labels[1]))
    is_randomised = getattr(problem.features, "randomise", None) is not None
    asks = reads_both or is_randomised
    errors = (
        (_synthetic_error(before, problem), _synthetic_error(problem.model, problem))
        if asks
        else None
    )
    broken = _law_broken(before, problem), _law_broken(problem.model, problem)
    law_broken = None if broken[0] is None or broken[1] is None else (broken[0], broken[1])
    is_kept, why = _rule(inside, relative_deviation, errors, law_broken)
    return Judgement(is_kept, why, inside, relative_deviation, errors, law_broken)


def not_attempted(model: Model, real: RealClips, why: str) -> Judgement:
    """Return the judgement where the model is kept without any training."""
    inside = share_inside(read_store(model, real.clips).labels)
    return Judgement(False, why, (inside, inside), 1.0, None, None)


def _synthetic_error(model: Model, problem: Problem) -> float:
    rows = problem.synthetic_split["validation"]
    labels = read_store(model, problem.synthetic, rows, augment_seed=problem.seed).labels
    return float(np.abs(labels - problem.truth[rows]).mean())


def _law_broken(model: Model, problem: Problem) -> float | None:
    if not can_be_slowed(model):
        return None
    rows = np.sort(np.concatenate([problem.real.split["validation"], problem.real.split["test"]]))
    chosen = evenly_spread(len(rows), _MOST_CLIPS)
    return law_broken_by(model.spec, labels_at_speeds(model, problem.real.clips[rows[chosen]]))


def _rule(
    inside: Pair, relative_deviation: float, synthetic_error: Pair | None, law_broken: Pair | None
) -> tuple[bool, str]:
    if relative_deviation < _LEAST_DEVIATION:
        return (
            False,
            f"the labels of some control spread only {relative_deviation:.0%} as far as before: {_KEPT_AS_IT_WAS}",
        )
    if synthetic_error and synthetic_error[1] > _MOST_ERROR * synthetic_error[0]:
        risen = f"the error on synthetic clips rose from {synthetic_error[0]:.4f} to {synthetic_error[1]:.4f}"
        return False, f"{risen}: {_KEPT_AS_IT_WAS}"
    if law_broken:
        words = f"slopes miss the engine's laws by {law_broken[1]:.4f}, before {law_broken[0]:.4f}"
        return (
            (True, words)
            if law_broken[1] <= law_broken[0]
            else (False, f"{words}: {_KEPT_AS_IT_WAS}")
        )
    words = f"labels within 0..1: {inside[1]:.1%}, before {inside[0]:.1%}"
    return (True, words) if inside[1] >= inside[0] else (False, f"{words}: {_KEPT_AS_IT_WAS}")


_KEPT_AS_IT_WAS = "adaptation looks harmful, so the extractor is kept as it was"


def _described(values: Pair | None) -> dict[str, float] | None:
    return values and {"before": values[0], "after": values[1]}
