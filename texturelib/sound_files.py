"""Which files of a folder are sounds, by their names: the same for every command."""

import os
from collections.abc import Iterator
from pathlib import Path

SUFFIXES = frozenset({".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".caf", ".w64", ".au"})
"""What `find_audio` takes for a recording (lower-case); soundfile reads all of these."""

_FOLDERS_OF_SYSTEMS = frozenset(
    {
        "__macosx",  # in archives made on a Mac: resource forks, called ._a.wav
        "@eadir",  # of a Synology, which puts thumbnails there
        "#recycle",
        "$recycle.bin",
        "system volume information",
        "lost+found",
    }
)


def find_audio(folder: Path) -> list[Path]:
    """-> the audio files under `folder`, in an order that does not depend on the file system.

    A suffix counts in upper and lower case. Links that lead nowhere and pipes are taken too: whoever called them so meant a
    sound, and hears from whoever reads it what is wrong. Errors: as `find_files`.
    """
    return sorted(path for path in find_files(folder) if path.suffix.lower() in SUFFIXES)


def find_files(folder: Path) -> Iterator[Path]:
    """Yield everything under `folder` but folders and what a system or a program keeps there for itself.

    Left out are hidden files (.DS_Store, ._a.wav) and what lies in hidden folders (.ipynb_checkpoints) or in those of a system
    (__MACOSX); links to folders are not followed. Errors: OSError, naming a folder that cannot be read.
    """
    for place, folders, files in os.walk(folder, onerror=_raise):
        folders[:] = [name for name in folders if not is_kept_aside(name)]
        yield from (Path(place, name) for name in files if not is_kept_aside(name))


def is_kept_aside(name: str) -> bool:
    """-> whether a file or folder of this name is hidden, or of a system."""
    return name.startswith(".") or name.lower() in _FOLDERS_OF_SYSTEMS


def _raise(error: OSError) -> None:
    raise error
