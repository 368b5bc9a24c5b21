"""The errors of the labels of simulated recordings: after all training, they are compared with
the controls that made the recordings."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from texturelib.dataset import read_dataset
from texturelib.errors import TextureError
from texturelib.files import read_table, shown


@dataclass(frozen=True)
class HiddenTruth:
    """The true controls and the labels of simulated recordings.

    truth, before, after: [clips, controls], 0..1: the true controls, and the labels without and
    with adaptation.

    half_widths: [clips, controls], of the intervals around the labels after adaptation; None where
    they are not known.
    """

    controls: list[str]
    truth: np.ndarray
    before: np.ndarray
    after: np.ndarray
    half_widths: np.ndarray | None = None

    def errors(self) -> list[dict[str, float | str]]:
        """Return, per control and for all together ("mean"), the mean absolute error before and
        after adaptation, and of always answering the mean of the truth; "inside", where
        intervals are known: the share of truths in their label's interval."""
        table: list[dict[str, float | str]] = []
        is_inside = (
            None
            if self.half_widths is None
            else np.abs(self.after - self.truth) <= self.half_widths
        )
        for index, name in enumerate(self.controls):
            true = self.truth[:, index]
            table.append(
                {
                    "control": name,
                    "before": float(np.abs(self.before[:, index] - true).mean()),
                    "after": float(np.abs(self.after[:, index] - true).mean()),
                    "always_the_mean": float(np.abs(true - true.mean()).mean()),
                    **({} if is_inside is None else {"inside": float(is_inside[:, index].mean())}),
                }
            )
        columns = ["before", "after", "always_the_mean", *([] if is_inside is None else ["inside"])]
        means = {column: float(np.mean([row[column] for row in table])) for column in columns}  # type: ignore[misc]
        return [*table, {"control": "mean", **means}]


def hidden_truth(labels: Path, recordings: Path) -> HiddenTruth:
    """Return the truth and the labels of the simulated recordings. labels: the folder of
    `domain-adaptation label`. recordings: the folder of `simulate-recordings`.

    Errors: TextureError when a labelled clip was not cut from one of these recordings.
    """
    dataset = read_dataset(labels)
    hidden = read_table(recordings / "hidden_controls.csv")
    if "file_name" not in hidden or hidden["file_name"].duplicated().any():
        raise TextureError(
            f"{shown(recordings / 'hidden_controls.csv')}: should have a column file_name, each name once"
        )
    hidden = hidden.set_index("file_name")
    unknown = set(dataset.metadata["source"]) - set(hidden.index)
    if unknown:
        raise TextureError(
            f"{shown(recordings / 'hidden_controls.csv')}: has no row for {min(unknown)}"
        )
    controls = [name for name in dataset.controls if name in hidden.columns]
    before = (
        read_table(labels / "labels_before.csv")
        .set_index("file_name")
        .loc[dataset.metadata["file_name"], controls]
    )
    intervals = [f"{name}_interval" for name in controls]
    return HiddenTruth(
        controls,
        hidden.loc[dataset.metadata["source"], controls].to_numpy(),
        before.to_numpy(),
        dataset.metadata[controls].to_numpy(),
        dataset.metadata[intervals].to_numpy() if set(intervals) <= set(dataset.metadata) else None,
    )
