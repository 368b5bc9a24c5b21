"""Progress bars: on a terminal, and only for what takes longer than two seconds."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")


def progress(items: Iterable[Item], label: str, total: int | None = None, unit: str = "file", initial: int = 0) -> Iterator[Item]:
    """Iterate with a bar on stderr. total: how many there are in all; initial: how many were done by an earlier run."""
    yield from tqdm(items, desc=label, total=total, unit=unit, initial=initial, disable=None, delay=2, dynamic_ncols=True)
