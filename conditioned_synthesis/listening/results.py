"""What the answers to a listening test say, with confidence intervals."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from conditioned_synthesis.listening.answers import Choice, Listener, read_answers
from texturelib.files import write_table
from texturelib.pages import write_page

RESULTS = "results"
_CONFIDENCE = 0.95


def write_results(folder: Path) -> str:
    """Write results/ beside the test: ratings.csv, choices.csv and index.html; return them in words.

    Errors: TextureError when there are no answers, or they do not fit the key.
    """
    import pandas as pd

    listeners = read_answers(folder)
    reliable = [each for each in listeners if each.is_reliable]
    left_out = [each.name for each in listeners if not each.is_reliable]
    ratings = pd.DataFrame(rating_rows(reliable), columns=_RATING_COLUMNS)
    choices = pd.DataFrame(choice_rows(reliable), columns=_CHOICE_COLUMNS)
    results = folder / RESULTS
    write_table(results / "ratings.csv", ratings)
    write_table(results / "choices.csv", choices)
    write_page(
        results / "index.html",
        "conditioned_synthesis",
        "listening_results.html",
        ratings=ratings.to_dict("records"),
        choices=choices.to_dict("records"),
        n_listeners=len(reliable),
        left_out=left_out,
    )
    words = [f"{len(reliable)} listener{'' if len(reliable) == 1 else 's'}"]
    if left_out:
        words.append(f"{len(left_out)} left out who did not find the hidden reference")
    words += [f"{row[0]} {row[3]:.0f} ({row[4]:.0f} to {row[5]:.0f})" for row in ratings.values]
    return ", ".join(words)


_RATING_COLUMNS = ("system", "n_listeners", "n_ratings", "mean", "low", "high")
_CHOICE_COLUMNS = ("question", "model", "control", "n", "right", "share", "low", "high", "p")


def rating_rows(listeners: Sequence[Listener]) -> list[tuple[str, int, int, float, float, float]]:
    """Return a row of _RATING_COLUMNS for each system, the best first.

    The interval is Student's, of 95 %, over the listeners' means; of a single listener, over the
    ratings.
    """
    rows = []
    for name in dict.fromkeys(name for each in listeners for name in each.ratings):
        own = [np.array(each.ratings[name]) for each in listeners if name in each.ratings]
        means = np.array([each.mean() for each in own])
        low, high = _interval(means if len(means) > 1 else own[0])
        rows.append((name, len(own), sum(map(len, own)), float(means.mean()), low, high))
    return sorted(rows, key=lambda row: -row[3])


def choice_rows(
    listeners: Sequence[Listener],
) -> list[tuple[str, str, str, int, int, float, float, float, float]]:
    """Return a row of _CHOICE_COLUMNS for each model of ABX, and for each model and control of the
    pairs.

    The interval is that of C. Clopper and E. Pearson, 1934, of 95 %; p is the chance that guessing
    is right as often, or more.
    """
    from scipy.stats import binomtest

    rows = []
    for question in ("abx", "more"):
        answers: list[Choice] = [choice for each in listeners for choice in getattr(each, question)]
        for model, control in dict.fromkeys((each.model, each.control) for each in answers):
            own = [
                each.is_right for each in answers if (each.model, each.control) == (model, control)
            ]
            test = binomtest(sum(own), len(own), 0.5, "greater")
            both = binomtest(sum(own), len(own)).proportion_ci(_CONFIDENCE, "exact")
            numbers = (float(both.low), float(both.high), float(test.pvalue))
            rows.append(
                (question, model, control, len(own), sum(own), sum(own) / len(own), *numbers)
            )
    return rows


def _interval(values: np.ndarray) -> tuple[float, float]:
    """Return the interval of the mean, within 0..100; all of it where there is one value."""
    from scipy.stats import t

    if len(values) < 2:
        return 0.0, 100.0
    half = float(t.ppf((1 + _CONFIDENCE) / 2, len(values) - 1)) * float(
        values.std(ddof=1) / math.sqrt(len(values))
    )
    mean = float(values.mean())
    return max(0.0, mean - half), min(100.0, mean + half)
