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


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []
