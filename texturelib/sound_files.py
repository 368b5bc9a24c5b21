"""Find the sounds of a folder, by their names and their content: the same for every command."""

import os
from collections.abc import Iterator
from pathlib import Path

SUFFIXES = frozenset(
    {
        *(
            ".wav",
            ".wave",
            ".bwf",
            ".amb",
            ".rf64",
            ".w64",
            ".flac",
            ".ogg",
            ".oga",
            ".opus",
            ".mp3",
            ".mp2",
        ),
        *(".aif", ".aiff", ".aifc", ".caf", ".au", ".snd", ".voc"),
    }
)
"""Suffixes (lower case) of files that are taken for recordings; soundfile reads all of these."""

_UNREADABLE_SUFFIXES = frozenset(
    {
        *(
            ".m4a",
            ".m4b",
            ".aac",
            ".wma",
            ".ape",
            ".wv",
            ".tta",
            ".mpc",
            ".ac3",
            ".amr",
            ".dsf",
            ".dff",
            ".ra",
            ".mka",
            ".weba",
        ),
        *(".spx", ".pcm"),
    }
)
"""Suffixes of sounds that soundfile does not read."""

_FOLDERS_OF_SYSTEMS = frozenset(
    {
        "__macosx",  # in archives made on a Mac: resource forks, called ._a.wav
        "@eadir",  # thumbnails on a Synology
        "#recycle",
        "$recycle.bin",
        "system volume information",
        "lost+found",
    }
)


def find_audio(folder: Path) -> list[Path]:
    """Return the audio files under `folder`, in an order that does not depend on the file system.

    Suffixes count in upper and lower case. Broken links, pipes and sounds in formats that cannot be
    read are included, too: their suffix says that they are meant as sounds, and reading them gives
    an error that says what is wrong. Files with other names are included if they hold sound;
    pictures and texts are not. Errors: as in `find_files`.
    """
    return sorted(path for path in find_files(folder) if is_audio(path))


def is_audio(path: Path) -> bool:
    """Whether a file is taken for a sound, by its name or else by its content."""
    return _is_called_a_sound(path) or _holds_sound(path)


def _is_called_a_sound(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES | _UNREADABLE_SUFFIXES


def _holds_sound(path: Path) -> bool:
    from texturelib.audio.kinds import kind_of

    try:
        return path.is_file() and kind_of(path)[0] is not None
    except (OSError, ValueError):  # gone, not readable, or not a valid name
        return False


def find_files(folder: Path) -> Iterator[Path]:
    """Yield everything under `folder` but folders, hidden files and files that a system or a
    program keeps for itself.

    Left out are hidden files (.DS_Store, ._a.wav) and what lies in hidden folders
    (.ipynb_checkpoints) or in those of a system (__MACOSX); links to folders are not followed.
    Errors: OSError, naming a folder that cannot be read.
    """
    for place, folders, files in os.walk(folder, onerror=_raise):
        folders[:] = [name for name in folders if not is_kept_aside(name)]
        yield from (Path(place, name) for name in files if not is_kept_aside(name))


def is_kept_aside(name: str) -> bool:
    """Return whether a file or folder of this name is hidden, or belongs to the system."""
    return name.startswith(".") or name.lower() in _FOLDERS_OF_SYSTEMS


def _raise(error: OSError) -> None:
    raise error
