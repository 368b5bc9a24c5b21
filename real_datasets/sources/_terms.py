"""Author and licence of each clip of a dataset, from the dataset's own files."""

import csv
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from texturelib.errors import TextureError
from texturelib.files import check_file, printable, shown


@dataclass(frozen=True)
class Terms:
    """Licence, author and title of one clip; "" where unknown."""

    licence: str = ""
    author: str = ""
    title: str = ""


@dataclass(frozen=True)
class TermsFile:
    """The file of a dataset that gives the terms of its clips, and how it is read.

    names: what the file is called, below the dataset's folder; the first that is there is read.
    read: from its lines, what each clip goes by in it, and its terms. clip: from the name of a
    clip's file, what it goes by. tells: for people.
    """

    names: Sequence[str]
    read: Callable[[Iterable[str]], Iterator[tuple[str, Terms]]]
    clip: Callable[[str], str]
    tells: str


def _read_esc50(lines: Iterable[str]) -> Iterator[tuple[str, Terms]]:
    """`- [1-100032-A.ogg]: clip derived from rose_bark.wav (http://...) by nfrae [CC0]`"""
    line_of_a_clip = re.compile(
        r"- \[([^\]]+)\.\w+\]:\s*clip derived from (.*?) ?\(https?://[^\s()]*\) by (.+) \[([^\[\]]+)\]\s*"
    )
    for line in lines:
        if found := line_of_a_clip.fullmatch(line):
            clip, title, author, licence = found.groups()
            yield clip, Terms(licence, author, _unescaped(title))


def _read_urbansound8k(lines: Iterable[str]) -> Iterator[tuple[str, Terms]]:
    """`100852 by edbles`, the number being Freesound's"""
    for line in lines:
        if found := re.fullmatch(r"(\d+) by (.+?)\s*", line):
            yield found[1], Terms(author=found[2])


def _read_fsdnoisy18k(lines: Iterable[str]) -> Iterator[tuple[str, Terms]]:
    """A table of file names and addresses of licences; some files stand there twice."""
    for row in csv.reader(lines):
        if len(row) >= 2 and row[0] != "fname":
            yield row[0], Terms(row[1])


_FILES: Mapping[str, TermsFile] = {
    "esc50": TermsFile(
        names=("LICENSE", "LICENSE.txt"),
        read=_read_esc50,
        # Without the class: 1-100032-A-0.wav is 1-100032-A there.
        clip=lambda name: PurePath(name).stem.rpartition("-")[0],
        tells="author and licence",
    ),
    "urbansound8k": TermsFile(
        names=("FREESOUNDCREDITS.txt",),
        read=_read_urbansound8k,
        clip=lambda name: name.partition("-")[0],
        tells="author",
    ),
    "fsdnoisy18k": TermsFile(
        names=("FSDnoisy18k.doc/LICENSE-INDIVIDUAL-CLIPS.csv",),
        read=_read_fsdnoisy18k,
        clip=lambda name: name,
        tells="licence",
    ),
}


def terms_of_clips(dataset: str, folder: Path, clips: Iterable[str]) -> dict[str, Terms]:
    """Return each clip's licence, author and title, as far as the dataset tells them. dataset: as
    soundata calls it. clips: names of sound files.

    Where it should say more than it does, a note on stderr says that.
    Errors: TextureError when its file cannot be read.
    """
    file = _FILES.get(dataset)
    if file is None:
        return {clip: Terms() for clip in clips}
    path = next((folder / name for name in file.names if (folder / name).is_file()), None)
    if path is None:
        _note(
            f"{shown(folder)} has no {file.names[0]}, which tells {file.tells} of each clip of {dataset}: put it there"
        )
        return {clip: Terms() for clip in clips}
    told = dict(file.read(_lines(path)))
    terms = {clip: told.get(file.clip(clip), Terms()) for clip in clips}
    if untold := [clip for clip in terms if file.clip(clip) not in told]:
        _note(
            f"{shown(path)} does not tell {file.tells} of {len(untold)} of {len(terms)} clips (the first: {untold[0]})"
        )
    return terms


def _lines(path: Path) -> list[str]:
    try:
        check_file(path)
        return path.read_text(encoding="utf-8-sig", errors="backslashreplace").splitlines()
    except OSError as error:
        raise TextureError(
            f"source.path: {shown(path)}: cannot be read ({error.strerror})"
        ) from None


def _unescaped(text: str) -> str:
    r"""Return the text with letters in place of ESC-50's escapes, such as `\xf6`."""
    return re.sub(
        r"\\x([0-9a-f]{2})|\\u([0-9a-f]{4})", lambda found: chr(int(found[1] or found[2], 16)), text
    )


def _note(what: str) -> None:
    print(printable(f"note: source.path: {what}"), file=sys.stderr)
