"""Keep the memory that networks free, instead of returning it to the system at every step."""

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # of glibc's malloc.h
_LARGEST_BLOCK = 1 << 30


def keep_freed_memory() -> None:
    """Ask glibc to reuse large blocks; elsewhere do nothing.

    By default it maps every tensor of over 128 kB afresh and the kernel clears its pages each time.
    With the small networks used here that was half of a training step's time. All threads share one
    heap, since other threads' own are too small for large blocks; so this should be asked for
    before they start.
    """
    if sys.platform != "linux":
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:  # another C library, such as musl
        return
    mallopt(_M_MMAP_THRESHOLD, _LARGEST_BLOCK)
    mallopt(_M_TRIM_THRESHOLD, _LARGEST_BLOCK)
    mallopt(_M_ARENA_MAX, 1)
