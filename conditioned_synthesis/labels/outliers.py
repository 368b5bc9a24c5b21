"""Treat labels outside 0..1, which a network may give: keep them, clip them, or drop their
clips."""

from typing import TYPE_CHECKING, Literal

from texturelib.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

Outliers = Literal["keep", "clip", "drop"]


def treat_outliers(
    metadata: "pd.DataFrame", controls: list[str], outliers: Outliers
) -> "tuple[pd.DataFrame, int]":
    """Treat the labels that lie outside 0..1.

    Args:
        metadata: a row per clip, with a column per control.
        controls: the names of these columns.
        outliers: "keep" leaves the labels as they are, "clip" brings them to 0 or 1, "drop" leaves
            out the clip.

    Returns: the table, and how many clips had such a label.

    Errors: UsageError when no clip is left.
    """
    is_outlier = ~metadata.filter(items=controls).apply(lambda labels: labels.between(0, 1)).all(
        axis=1
    )
    if outliers == "clip":
        metadata = metadata.assign(**{name: metadata[name].clip(0.0, 1.0) for name in controls})
    elif outliers == "drop":
        metadata = metadata.loc[~is_outlier].reset_index(drop=True)
        if metadata.empty:
            raise UsageError(
                'balance.outliers: every clip has a label outside 0..1, so "drop" leaves none'
            )
    return metadata, int(is_outlier.sum())
