"""The answers of listeners, read and checked against the key of their test."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conditioned_synthesis.listening.settings import REFERENCE
from texturelib.errors import TextureError
from texturelib.files import read_json, shown

KEY, ANSWERS = "key.json", "answers"
_LOW_REFERENCE, _TOO_OFTEN = 90, 0.15  # ITU-R BS.1534-3, 4.1.2: whom not to count


@dataclass(frozen=True)
class Choice:
    """An answer to a question with two possible answers.

    Attributes:
        model: whose sound it was about.
        control: that was asked for; "" of ABX.
        is_right: whether the answer is the right one.
    """

    model: str
    control: str
    is_right: bool


@dataclass(frozen=True)
class Listener:
    """The answers of one listener.

    Attributes:
        name: the random number that the page drew.
        ratings: by name of what was rated, from 0 to 100, in the order of the screens.
        abx: whether X was told.
        more: whether the sound with more of a control was found.
    """

    name: str
    ratings: Mapping[str, Sequence[float]]
    abx: Sequence[Choice]
    more: Sequence[Choice]

    @property
    def is_reliable(self) -> bool:
        """Did the listener find the hidden reference? False where it was rated below 90 on more than
        15 % of the screens."""
        found = self.ratings.get(REFERENCE, ())
        return sum(each < _LOW_REFERENCE for each in found) <= _TOO_OFTEN * len(found)


def read_answers(folder: Path) -> list[Listener]:
    """Read all answers to a test.

    folder: as `listening-test` wrote it, with the files that listeners handed in in its folder
    "answers".

    Errors: TextureError when there are none, or one does not fit the key.
    """
    key = read_json(folder / KEY)
    paths = sorted((folder / ANSWERS).glob("*.json"))
    if not paths:
        raise TextureError(
            f"{shown(folder / ANSWERS)}: no answers; put the files there that listeners' browsers saved"
        )
    listeners = [_listener(path, key) for path in paths]
    seen: dict[str, Path] = {}
    for path, listener in zip(paths, listeners, strict=True):
        if listener.name in seen:
            raise TextureError(
                f"{shown(path)}: has the answers of {shown(seen[listener.name])} again; remove one"
            )
        seen[listener.name] = path
    return listeners


def _listener(path: Path, key: Mapping[str, Any]) -> Listener:
    content = read_json(path)
    match content:
        case {"test": str(test), "listener": str(name), "answers": dict(answers)}:
            pass
        case _:
            raise TextureError(
                f"{shown(path)}: no answers of a listening test; it should have test, listener and answers"
            )
    if test != key["test"]:
        raise TextureError(
            f"{shown(path)}: answers another test, {test}; the key is that of {key['test']}"
        )
    ratings: dict[str, list[float]] = {}
    choices: dict[str, list[Choice]] = {"abx": [], "more": []}
    for trial, given in answers.items():
        known = key["trials"].get(trial)
        if known is None:
            raise TextureError(f"{shown(path)}: answers.{trial}: no such screen in the key")
        if known["kind"] == "rate":
            for system, rating in _ratings(path, trial, given, known["sounds"]):
                ratings.setdefault(system, []).append(rating)
        else:
            if given not in ("a", "b"):
                raise TextureError(
                    f'{shown(path)}: answers.{trial}: is {given!r}; it should be "a" or "b"'
                )
            choice = Choice(known["model"], known.get("control", ""), given == known["right"])
            choices[known["kind"]].append(choice)
    return Listener(name, ratings, choices["abx"], choices["more"])


def _ratings(
    path: Path, trial: str, given: Any, systems: Mapping[str, str]
) -> Iterator[tuple[str, float]]:
    """Yield what was rated, and how. systems: by code."""
    if not isinstance(given, dict) or set(given) != set(systems):
        raise TextureError(
            f"{shown(path)}: answers.{trial}: should have a rating of each of {', '.join(systems)}"
        )
    for code, rating in given.items():
        if not isinstance(rating, int | float) or not 0 <= rating <= 100:
            raise TextureError(
                f"{shown(path)}: answers.{trial}.{code}: is {rating!r}; it should be a number from 0 to 100"
            )
        yield systems[code], float(rating)
