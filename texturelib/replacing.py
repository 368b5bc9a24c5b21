"""Output folders of commands without a config, such as imports: what the toolkit made there is
replaced, and nothing else."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from texturelib.errors import TextureError, UsageError
from texturelib.files import remove_parts, shown
from texturelib.locks import Lock, check_free
from texturelib.made import (
    LIST,
    begin_list,
    begin_list_anew,
    finish_list,
    is_listed_folder,
    place_of,
    remove_all_ours,
)
from texturelib.output_contents import (
    check_none_apart,
    is_empty,
    look_through_output,
    names_of,
    not_ours,
    read_run,
)

NamesOfOlder = Callable[[Path], set[str]]
"""Returns the names of what the command made in a folder without a list, judged by the files'
content."""


def check_replaceable(folder: Path, overwrite: bool, names_of_older: NamesOfOlder) -> None:
    """Check that a folder may be written.

    Errors: UsageError unless the folder is new or empty, or `overwrite` is set and the toolkit made
    it; BeingWrittenError when another run is writing it.
    """
    place_of(folder / LIST)  # no link within an output leads there
    if folder.is_file():
        raise UsageError(f"--output: {shown(folder)} is a file; name a folder")
    if not folder.exists() or is_empty(folder):
        return
    check_free(folder)
    if not overwrite:
        raise UsageError(f"--output: {shown(folder)} is there already; --overwrite replaces it")
    ours = _ours(folder, names_of_older)
    found = look_through_output(folder, ours)
    if not found.n_ours:
        raise UsageError(
            f"--output: {shown(folder)} holds files that this toolkit did not make ({not_ours(found.strangers)}); name an empty "
            "or a new folder"
        )
    check_none_apart(folder, found)


@contextmanager
def replaced(
    folder: Path, command: str, names_of_older: NamesOfOlder, expected: tuple[str, ...] = ()
) -> Iterator[None]:
    """Remove what the toolkit made in the folder, and hold its lock while this block fills it.

    command: the command that writes. expected: names of files that the block will write; no file of
    others may have them. Errors: as in `check_replaceable`; TextureError when a file is in the way.
    """
    place_of(folder / LIST)
    folder.mkdir(parents=True, exist_ok=True)
    with Lock(folder).held(command):
        ours = _ours(folder, names_of_older)
        found = look_through_output(folder, ours)
        check_none_apart(folder, found)
        for name in found.strangers:
            if name in expected:
                raise TextureError(
                    f"{shown(folder / name)}: is in the way, and this toolkit did not make it; move it away"
                )
        begin_list(folder, ours)
        remove_parts(folder)
        remove_all_ours(folder, keep=(LIST,))
        begin_list_anew(folder, ())
        yield
        finish_list(folder)


def _ours(folder: Path, names_of_older: NamesOfOlder) -> set[str]:
    before = read_run(folder)
    return (
        names_of(folder, before) if before or is_listed_folder(folder) else names_of_older(folder)
    )
