"""Let processes end soon after the one that started them; else they would go on, and write where
the next run writes."""

import os
import threading
import time
from functools import cache

_SECONDS = 0.1
_PARENT = "TEXTURE_PARENT"


@cache
def end_with(parent: int) -> None:
    """Let this process end soon after `parent`, which has started it; at once if that has
    already ended."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_SECONDS)
        os._exit(1)

    if os.getppid() != parent:
        os._exit(1)
    threading.Thread(target=watch, daemon=True).start()


def environment_of_child() -> dict[str, str]:
    """Return the environment for a command of this toolkit that should end with this process."""
    return os.environ | {_PARENT: str(os.getpid())}


def end_with_parent() -> None:
    """End with the parent process if the environment asks for it."""
    if parent := os.environ.pop(_PARENT, None):
        end_with(int(parent))
