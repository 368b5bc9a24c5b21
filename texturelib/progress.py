"""Progress bars: on a terminal, and only for work that takes longer than two seconds."""

from collections.abc import Iterable
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")


def progress(
    items: Iterable[Item],
    label: str,
    total: int | None = None,
    unit: str = "file",
    initial: int = 0,
) -> "tqdm[Item]":
    """Yield the items, with a bar on stderr. total: how many there are in all; initial: how many
    an earlier run has done."""
    return tqdm(
        items,
        desc=label,
        total=total,
        unit=unit,
        initial=initial,
        disable=None,
        delay=2,
        dynamic_ncols=True,
    )
