"""The packages of the extra `live`, imported when they are needed."""

import importlib
from typing import Any

from texturelib.errors import UsageError

_PACKAGE_OF = {
    "sounddevice": "sounddevice",
    "pythonosc": "python-osc",
    "mido": "mido",
    "rtmidi": "python-rtmidi",
    "rich": "rich",
}


def live_module(name: str) -> Any:
    """Return an imported module of a package of the extra, such as "pythonosc.dispatcher".

    Errors: UsageError where the package is not installed.
    """
    package = _PACKAGE_OF[name.partition(".")[0]]
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        raise UsageError(
            f"play: takes the package {package}, which is not installed: pip install 'texture-toolkit[live]'"
        ) from None
