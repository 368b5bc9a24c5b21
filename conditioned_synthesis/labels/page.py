"""The analysis page, one static page on the labels of a dataset. It needs no network, no server and
no scripts."""

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from conditioned_synthesis.labels.table import physical
from texturelib.controls import Control, three_figures
from texturelib.pages import write_page

if TYPE_CHECKING:
    import pandas as pd

_MOST_CORRELATED = 40  # of a thousand controls the table would have a million cells
# A deviation is none of the control's values.
_IN_UNIT = ("min", "quartile_1", "median", "quartile_3", "max", "mean")


def write_analysis_page(
    path: Path,
    statistics: Mapping[str, Any],
    correlations: "pd.DataFrame",
    controls: Sequence[Control],
    *,
    source: str,
    seconds: float,
) -> None:
    """Write the analysis page.

    statistics: what statistics.json holds. correlations: a row and a column per control. source:
    the labelled set, in words. seconds: length of each of its clips. The page shows histograms.png,
    which must lie beside it.
    """
    shown = correlations.index[:_MOST_CORRELATED]
    write_page(
        path,
        "conditioned_synthesis",
        "analysis.html",
        statistics=statistics,
        hours=statistics["n_clips"] * seconds / 3600,
        seconds=seconds,
        source=source,
        rows=[_row(control, statistics) for control in controls],
        constant=[
            name for name, found in statistics["controls"].items() if found["min"] == found["max"]
        ],
        correlations=[
            (name, [_coloured(value) for value in correlations.loc[name, shown]]) for name in shown
        ],
        n_not_shown=len(correlations) - len(shown),
        strongest=_strongest(correlations),
    )


def _row(control: Control, statistics: Mapping[str, Any]) -> dict[str, Any]:
    """Return the page's table row of a control.

    in_unit: some of the numbers in the control's unit.
    """
    found = statistics["controls"][control.name]
    # Without a unit, or on a scale that is 0..1 itself, a label says all there is.
    has_unit = control.unit and (control.low, control.high) != (0, 1)
    values = {key: float(physical(control, found[key])) for key in _IN_UNIT} if has_unit else {}
    return {
        "control": control,
        "found": found,
        "in_unit": {
            key: three_figures(value) for key, value in values.items() if math.isfinite(value)
        },
        "is_recommended": control.name == statistics["recommended_control"],
        "places": _places(found, statistics["controls"].values()),
    }


def _places(found: Mapping[str, float], of_all: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Return where 0, 1 and the quartiles lie on a line as long as all labels and 0..1 need, in
    percent of it."""
    lows, highs = zip(*((each["min"], each["max"]) for each in of_all), strict=True)
    low, high = min(0.0, *lows), max(1.0, *highs)
    marks = {"zero": 0.0, "one": 1.0} | {
        key: found[key] for key in ("min", "quartile_1", "median", "quartile_3", "max")
    }
    return {key: round(100 * (value - low) / (high - low), 2) for key, value in marks.items()}


def _coloured(correlation: float) -> dict[str, str]:
    """Return a correlation as text, and the colours of its cell: blue where both rise together,
    orange where one falls, stronger the closer.

    Where a control does not vary there is no number.
    """
    if not math.isfinite(correlation):
        return {"text": "–", "background": "#edf2f7", "colour": "#4a5568"}
    red_green_blue = "43, 108, 176" if correlation >= 0 else "221, 107, 32"
    is_dark = abs(correlation) > 0.6
    return {
        "text": _signed(correlation),
        "background": f"rgba({red_green_blue}, {abs(correlation):.2f})",
        "colour": "white" if is_dark else "inherit",
    }


def _strongest(correlations: "pd.DataFrame") -> dict[str, str] | None:
    """Return the two controls with the strongest correlation, and it in words; None when no two
    vary."""
    values = correlations.to_numpy(float)
    strengths = np.where(np.triu(np.isfinite(values), k=1), abs(values), -1.0)
    one, other = np.unravel_index(int(strengths.argmax()), strengths.shape)
    if strengths[one, other] < 0:
        return None
    return {
        "one": correlations.index[one],
        "other": correlations.columns[other],
        "text": _signed(float(values[one, other])),
    }


def _signed(correlation: float) -> str:
    """Return a correlation with its sign and two decimals, as text.

    >>> _signed(0.123), _signed(-0.5), _signed(-0.001)
    ('+0.12', '−0.50', '0.00')
    """
    text = f"{correlation:+.2f}".replace("-", "−")
    return "0.00" if text[1:] == "0.00" else text
