"""Which recordings a person wants, by the tags that their source gives them."""

import difflib
import graphlib
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, TypeAdapter, ValidationError, model_validator

from real_datasets.sources import Recording
from texturelib.config import Config, ConfigPath
from texturelib.errors import TextureError, UsageError
from texturelib.files import read_json, shown
from texturelib.nearest import did_you_mean

_LARGEST_ONTOLOGY = 16_000_000  # bytes; AudioSet's has 342,779
_MOST_LISTED = 12  # known tags in one sentence; of more, only those near to what was written


class TagPolicy(Config):
    """Which recordings to take, by their tags. Case, spaces, `_`, `-`, commas, brackets and "and"
    do not count in a tag."""

    policy: Literal[
        "ignore",
        "exactly",
        "at_least_all",
        "at_least_all_and_none_of",
        "at_least_one",
        "at_least_one_and_none_of",
    ] = "ignore"
    """Which recordings are taken: those with `at_least_all` or `at_least_one` of the `wanted` tags,
    or with all of them and no other tag (`exactly`); with `and_none_of`, only those without the
    `excluded` tags. `ignore` takes every recording."""
    wanted: tuple[str, ...] = ()
    """Tags that recordings should have, as `policy` says."""
    excluded: tuple[str, ...] = ()
    """Tags that recordings should not have, where `policy` ends in `and_none_of`."""
    ontology: ConfigPath | None = None
    """AudioSet's ontology.json: with it, a tag stands for all that lie below it too (Water for
    Stream)."""

    @model_validator(mode="after")
    def _keys_belong_to_the_policy(self) -> "TagPolicy":
        for key, tags in {"wanted": self.wanted, "excluded": self.excluded}.items():
            is_read = (
                self.policy != "ignore" if key == "wanted" else self.policy.endswith("none_of")
            )
            if is_read and not tags:
                raise ValueError(
                    f'{key}: is empty; the policy "{self.policy}" needs at least one tag'
                )
            if tags and not is_read:
                raise ValueError(f'{key}: the policy "{self.policy}" does not look at it')
            for tag in tags:
                if not re.search(r"\w", tag.replace("_", "")):
                    raise ValueError(f'{key}: "{tag}" is not a tag: it has no letter and no digit')
        if self.ontology and self.policy == "ignore":
            raise ValueError('ontology: the policy "ignore" does not look at it')
        wanted = {fold(tag) for tag in self.wanted}
        for tag in self.excluded:
            if fold(tag) in wanted:
                raise ValueError(f'excluded: "{tag}" is wanted too')
        return self

    @property
    def inputs(self) -> Mapping[str, Path]:
        """The files that are read, by name: a change in one makes the output outdated."""
        return {"tags.ontology": self.ontology} if self.ontology else {}

    def choose(
        self, recordings: Sequence[Recording], has_open_vocabulary: bool = False
    ) -> tuple[list[Recording], dict[str, str]]:
        """Return the recordings to take, and by the name of each other one, why not ("lacks
        Stream").

        has_open_vocabulary: then a tag to exclude may be on no recording at all. Errors: UsageError
        for a tag that is neither among those of the recordings nor in the ontology; TextureError
        when the ontology cannot be read.
        """
        known_tags = [tag for recording in recordings for tag in recording.tags]
        why_not = self.chooser([*known_tags, *self.excluded] if has_open_vocabulary else known_tags)
        reasons = {recording.name: why_not(recording.tags) for recording in recordings}
        kept = [recording for recording in recordings if reasons[recording.name] is None]
        return kept, {name: reason for name, reason in reasons.items() if reason is not None}

    def chooser(self, known_tags: Iterable[str]) -> Callable[[Collection[str]], str | None]:
        """Return a function from a recording's tags to the reason not to take it, or None.
        known_tags: all that the source has.

        >>> stream_without_rain = TagPolicy(policy="at_least_all_and_none_of", wanted=["Stream"], excluded=["Rain"])
        >>> why_not = stream_without_rain.chooser(["Water", "Stream", "Rain"])
        >>> why_not(["Water", "Rain"]), why_not(["Water"]), why_not(["water", "stream"])
        ('has Rain, which is excluded', 'lacks Stream', None)

        Errors: as of `choose`.
        """
        if self.policy == "ignore":
            return lambda _: None
        includes = self._includes(known_tags)
        included = frozenset().union(*(includes[tag] for tag in self.wanted))

        def why_not(tags: Collection[str]) -> str | None:
            found = {fold(tag): tag for tag in tags}
            for excluded in self.excluded:
                if hits := [folded for folded in found if folded in includes[excluded]]:
                    with_what = "" if hits[0] == fold(excluded) else f" with {excluded}"
                    return f"has {found[hits[0]]}, which is excluded{with_what}"
            missing = [tag for tag in self.wanted if includes[tag].isdisjoint(found)]
            if self.policy.startswith("at_least_one"):
                return (
                    None
                    if len(missing) < len(self.wanted)
                    else f"has none of {', '.join(self.wanted)}"
                )
            if missing:
                return f"lacks {', '.join(missing)}"
            if self.policy == "exactly" and (
                more := [tag for folded, tag in found.items() if folded not in included]
            ):
                return f"also has {', '.join(more)}"
            return None

        return why_not

    def _includes(self, known_tags: Iterable[str]) -> dict[str, frozenset[str]]:
        """Return the tags that each tag of this policy stands for, folded."""
        known = {fold(tag): tag for tag in known_tags}
        ontology = _Ontology(self.ontology) if self.ontology else None
        if ontology:
            known = ontology.names | known
        includes: dict[str, frozenset[str]] = {}
        for key, tags in {"wanted": self.wanted, "excluded": self.excluded}.items():
            for tag in tags:
                if fold(tag) not in known:
                    where = ", nor does the ontology" if ontology else ""
                    raise UsageError(
                        f'tags.{key}: no recording has the tag "{tag}"{where} {_nearest(tag, known)}'
                    )
                includes[tag] = ontology.below(fold(tag)) if ontology else frozenset([fold(tag)])
        for excluded in self.excluded:
            for wanted in self.wanted:
                if fold(wanted) in includes[excluded]:
                    raise UsageError(
                        f'tags.excluded: by the ontology, "{excluded}" stands for "{wanted}" too, which is wanted'
                    )
        return includes


def fold(tag: str) -> str:
    """Return what is left of a tag when its spelling does not count. What stands in brackets does:
    FSD50K has Rattle twice.

    >>> fold("Splash_and_splatter") == fold("splash, splatter")
    True
    >>> fold("Rattle_(instrument)")
    'rattle instrument'
    """
    text = unicodedata.normalize("NFKC", tag).casefold()
    words = [word for word in re.split(r"[\s_,/&()-]+", text) if word and word != "and"]
    return " ".join(words) or text


def _nearest(tag: str, known: Mapping[str, str]) -> str:
    """Return the known tags that a person may have meant, in brackets. known: tags by their folded
    form."""
    if len(known) <= _MOST_LISTED:
        return did_you_mean(tag, known.values())
    near = [
        known[folded] for folded in difflib.get_close_matches(fold(tag), known, n=3, cutoff=0.4)
    ]
    return f"(the nearest of {len(known)} tags: {', '.join(near) or 'none'})"


class _Class(BaseModel):
    """One entry of ontology.json; what else it holds is not needed here."""

    id: str
    name: str
    child_ids: list[str]


class _Ontology:
    """AudioSet's hierarchy of tags, from its ontology.json.

    names: folded -> as it is written.
    Errors: TextureError for a file that is not one: too large, no JSON, a child that is nowhere, a
        tag below itself.
    """

    def __init__(self, path: Path) -> None:
        self.names: dict[str, str] = {}
        # By folded name: nothing forbids that two ids share one.
        self._ids: dict[str, list[str]] = {}
        self._classes: dict[str, _Class] = {}
        for class_ in _read_ontology(path):
            self.names[fold(class_.name)] = class_.name
            self._ids.setdefault(fold(class_.name), []).append(class_.id)
            self._classes[class_.id] = class_
        for class_ in self._classes.values():
            for child in class_.child_ids:
                if child not in self._classes:
                    raise TextureError(
                        f'tags.ontology: {shown(path)}: "{class_.name}" has the child "{child}", which is missing'
                    )
        try:
            graphlib.TopologicalSorter(
                {id_: class_.child_ids for id_, class_ in self._classes.items()}
            ).prepare()
        except graphlib.CycleError as error:
            name = self._classes[error.args[1][0]].name
            raise TextureError(
                f'tags.ontology: {shown(path)}: "{name}" lies below itself'
            ) from None

    def below(self, folded: str) -> frozenset[str]:
        """Return the tag and all below it, folded; the tag alone where the ontology does not know
        it."""
        found, to_do = set[str](), list(self._ids.get(folded, []))
        while to_do:
            id_ = to_do.pop()
            if id_ not in found:
                found.add(id_)
                to_do += self._classes[id_].child_ids
        return frozenset({folded} | {fold(self._classes[id_].name) for id_ in found})


def _read_ontology(path: Path) -> list[_Class]:
    try:
        if (size := path.stat().st_size) > _LARGEST_ONTOLOGY:
            raise TextureError(
                f"{shown(path)}: has {size / 1e6:.0f} MB; AudioSet's ontology.json has 0.3"
            )
        return TypeAdapter(list[_Class]).validate_python(read_json(path))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        problem = (
            f"not AudioSet's ontology.json ({where}: {first['msg']})"
            if where
            else "not AudioSet's ontology.json"
        )
        raise TextureError(f"tags.ontology: {shown(path)}: {problem}") from None
    except TextureError as error:
        raise TextureError(f"tags.ontology: {error}") from None
    except OSError as error:
        raise TextureError(
            f"tags.ontology: {shown(path)}: cannot be read ({error.strerror})"
        ) from None
