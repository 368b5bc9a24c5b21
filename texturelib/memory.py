"""The memory of this machine."""

import os
from pathlib import Path


def memory() -> tuple[int, int]:
    """Return two numbers of bytes: all that this process may have, and what is free of it."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    free = total
    for line in _lines("/proc/meminfo"):
        if line.startswith("MemAvailable:"):
            free = int(line.split()[1]) * 1024
    for limit, used in (
        ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
        (
            "/sys/fs/cgroup/memory/memory.limit_in_bytes",
            "/sys/fs/cgroup/memory/memory.usage_in_bytes",
        ),
    ):
        most, now = "".join(_lines(limit)).strip(), "".join(_lines(used)).strip()
        if most.isdigit() and now.isdigit() and int(most) < total:  # the container's limit
            total, free = int(most), min(free, int(most) - int(now))
    return total, free


def too_little_memory(
    needs: str, n_bytes: float, free: int, workers: int | None, n_clips: int
) -> str | None:
    """Return a sentence where the clips that are made side by side do not fit in memory, else None.

    Args:
        needs: how the sentence begins: the key of the config, its value, and what takes the memory.
        n_bytes: that a clip takes.
        free: bytes that are free.
        workers: number of clips at a time; None: one for each core.
        n_clips: there are no more.
    """
    import joblib

    n_fit = int(free / n_bytes)
    n_workers = min(workers or joblib.cpu_count(), n_clips)
    if n_workers <= n_fit:
        return None
    needs = f"{needs} takes {n_bytes / 2**30:.1f} GiB of memory"
    is_free = f"{free / 2**30:.1f} GiB are free"
    if n_fit:
        return f"{needs} for each of {n_workers} workers, and {is_free}; take --workers {n_fit}, or shorter clips"
    return f"{needs}, and {is_free}; take shorter clips"


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []
