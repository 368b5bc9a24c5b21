"""Whether adaptation did good or harm, judged without any label of a real clip.

The rule, written down before any truth is looked at:

1. An adapted extractor that no longer tells real clips apart (the labels of some control spread less than a tenth of what
   they did) is not kept.
2. Where the engine says how labels move when a sound is played slower: the adapted extractor is kept if the labels of
   real clips break these laws less than before.
3. Where it says nothing: it is kept if no more labels leave the range that was trained on than before.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from domain_adaptation.laws import labels_at_speeds, law_broken_by
from domain_adaptation.model_folder import Model
from domain_adaptation.problem import Problem
from domain_adaptation.reading import Labels, read_store
from domain_adaptation.scores import share_inside

_MOST_CLIPS = 512  # that are judged by


@dataclass(frozen=True)
class Judgement:
    """Before and after adaptation, on the real clips: the share of labels within 0..1; how far labels are from moving as
    the laws say, mean absolute over controls, clips and speeds, None without laws; the labels' standard deviation."""

    is_kept: bool
    why: str
    inside: tuple[float, float]
    law_broken: tuple[float, float] | None

    def describe(self) -> dict[str, Any]:
        """-> what metrics.json says of it."""
        return {
            "is_kept": self.is_kept,
            "why": self.why,
            "share_of_labels_within_0_1": _pair(self.inside),
            "law_broken_by": _pair(self.law_broken) if self.law_broken else None,
        }


def judge(before: Model, problem: Problem) -> Judgement:
    """problem: its model is the adapted one."""
    models = (before, problem.model)
    all_clips = [read_store(model, problem.real.clips) for model in models]
    inside = tuple(share_inside(labels.labels) for labels in all_clips)
    rows = np.sort(np.concatenate([problem.real.split["validation"], problem.real.split["test"]]))
    chosen = np.linspace(0, len(rows) - 1, min(len(rows), _MOST_CLIPS)).round().astype(int)
    clips = problem.real.clips[rows[chosen]]
    broken = tuple(law_broken_by(model.about, labels_at_speeds(model, clips)) for model in models)
    is_kept, why = _rule(all_clips, broken, inside)
    return Judgement(is_kept, why, inside, None if None in broken else broken)  # type: ignore[arg-type]


def _rule(all_clips: "list[Labels]", broken: tuple[float | None, ...], inside: tuple[float, ...]) -> tuple[bool, str]:
    spread = [labels.labels.std(axis=0) for labels in all_clips]
    if (spread[1] < 0.1 * spread[0]).any():
        return False, "adaptation made the labels of real clips all alike, so the extractor is kept as it was"
    if broken[0] is not None and broken[1] is not None:
        words = f"labels miss the engine's laws by {broken[1]:.4f}, before {broken[0]:.4f}"
        if broken[1] <= broken[0]:
            return True, words
        return False, f"{words}: adaptation looks harmful, so the extractor is kept as it was"
    words = f"labels within 0..1: {inside[1]:.1%}, before {inside[0]:.1%}"
    if inside[1] >= inside[0]:
        return True, words
    return False, f"{words}: adaptation looks harmful, so the extractor is kept as it was"


def _pair(values: tuple[float, float]) -> dict[str, float]:
    return {"before": values[0], "after": values[1]}
