"""Say of an augmented set which of its controls can be heard in which recording, before anything
learns from it."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from conditioned_synthesis.laws.heard import Heard, heard_in_dataset, plot_heard, table
from texturelib.dataset import Dataset
from texturelib.errors import UsageError
from texturelib.evenly import evenly_spread
from texturelib.files import write_table

_MOST_RECORDINGS = 40
"""The largest number of recordings that are listened to; of more, so many, spread evenly."""


@dataclass(frozen=True)
class WhatIsHeard:
    """rows: of the table, for dataset.json. notes: a sentence for each control that is weak or not
    heard somewhere."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def what_is_heard(dataset: Dataset, folder: Path) -> WhatIsHeard:
    """Write heard.csv and heard.png, and return what they say.

    Of recordings with too few clips, nothing is said.
    """
    sources = dataset.metadata["source"].drop_duplicates()
    chosen = sources.iloc[evenly_spread(len(sources), _MOST_RECORDINGS)]
    rows = dataset.metadata[dataset.metadata["source"].isin(chosen)].reset_index(drop=True)
    try:
        found = heard_in_dataset(replace(dataset, metadata=rows))
    except UsageError as error:
        return WhatIsHeard(notes=[f"what can be heard of the controls is not known: {error}"])
    if not found:
        return WhatIsHeard()
    write_table(folder / "heard.csv", table(found))
    plot_heard(folder / "heard.png", found)
    return WhatIsHeard([asdict(each) for each in found], list(_notes(found)))


def _notes(found: Sequence[Heard]) -> Iterator[str]:
    for control in dict.fromkeys(each.control for each in found):
        of_control = [each for each in found if each.control == control]
        for word in ("not heard", "weak"):
            these = [each for each in of_control if each.word == word]
            if these:
                first, others = these[0], f" (and {len(these) - 1} more)" if these[1:] else ""
                yield f"{control}: {word} in {first.source}{others}: {first.reason}"
