"""Turn pydantic's report into readable sentences."""

import json
import re
import types
import typing
from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from texturelib.nearest import did_you_mean

_UNIONS = (typing.Union, types.UnionType)

# A check that looks at several values says `key: what is wrong`, with the key that the person
# should look at.
_NAMES_ITS_KEY = frozenset(
    {"value_error", "assertion_error", "union_tag_invalid", "union_tag_not_found"}
)

_SHOULD_BE = {
    "dict_type": "an object {...}",
    "model_type": "an object {...}",
    "model_attributes_type": "an object {...}",
    "list_type": "a list [...]",
    "tuple_type": "a list [...]",
    "path_type": "a path",
}


def sentence(error: ValidationError, model: type[BaseModel]) -> str:
    """Return `key.path: what is wrong and what would be right` for the most telling of the
    errors.

    A misspelt key comes as two errors (one missing, one unknown); the unknown one shows the slip,
    so it goes first.
    """
    details = _in_order(error)
    first, others = details[0], len(details) - 1
    more = f" (and {others} more)" if others and first["type"] != "extra_forbidden" else ""
    return f"{_sentence(first, model)}{more}"


def sentences(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """Return a sentence for each of the errors, the most telling first."""
    return list(dict.fromkeys(_sentence(detail, model) for detail in _in_order(error)))


def first_problem(error: ValidationError) -> str:
    """Return where the first problem is and what it is, in pydantic's own words. For files that
    a program wrote, where nobody misspells a key."""
    first = error.errors()[0]
    place = "".join(f"{key}: " for key in first["loc"])
    return place + first["msg"].removeprefix("Value error, ").replace("Input should", "should")


def _in_order(error: ValidationError) -> list[ErrorDetails]:
    return sorted(error.errors(), key=lambda detail: detail["type"] != "extra_forbidden")


def _sentence(detail: ErrorDetails, model: type[BaseModel]) -> str:
    key_path, place = _locate(model, detail["loc"])
    text = _problem(detail, place)
    if detail["type"] in _NAMES_ITS_KEY and (named := re.match(r"([\w.]+): ", text)):
        key_path, text = ".".join(filter(None, [key_path, named[1]])), text[named.end() :]
    return f"{key_path}: {text}" if key_path else text


def _problem(detail: ErrorDetails, place: Any) -> str:
    kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        return f"no such key {did_you_mean(str(detail['loc'][-1]), _keys(place))}"
    if kind == "missing":
        return "is missing"
    if kind == "union_tag_invalid":
        known = [name.strip("' ") for name in str(context["expected_tags"]).split(",")]
        return f'type: there is no "{context["tag"]}" {did_you_mean(str(context["tag"]), known)}'
    if kind == "union_tag_not_found":
        return 'type: is missing; it names which one to use, as in {"type": "..."}'
    if kind in ("value_error", "assertion_error"):
        return str(context["error"])
    if kind == "literal_error" and isinstance(value, str):
        known = [
            name.strip("' ") for name in str(context["expected"]).replace(" or ", ",").split(",")
        ]
        return f'"{value}" is not known {did_you_mean(value, known)}'
    if kind in _SHOULD_BE:
        return f"{_as_json(value)}: should be {_SHOULD_BE[kind]}"
    return f"{_as_json(value)}: {detail['msg'].replace('Input should', 'should')}"


def _as_json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _locate(model: type[BaseModel], loc: Sequence[int | str]) -> tuple[str, Any]:
    """Return the key path as the user wrote it (without pydantic's names of union members), and
    the model that has the last key."""
    path: list[str] = []
    place: Any = model
    holder: Any = model
    for part in loc:
        members = [member for member in _models(place) if _tag(member) == part]
        # A family's name is followed by the member's, which may also be a key of another member.
        if members and (_is_family(place) or part not in _keys(place)):
            place = holder = members[0]
            continue
        # A plug-in that cannot be used has no keys.
        if _is_family(place) and part not in _keys(place):
            place = holder = None
            continue
        if len(choices := _choices(place)) > 1 and part not in _keys(place):
            place = holder = next((choice for choice in choices if _label(choice) == part), None)
            continue
        path.append(str(part))
        holder = place
        place = _inside(place, part)
    return ".".join(path), holder


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Return every model that a value of this annotation may be."""
    # In Python 3.10 list[int] passes for a type, and issubclass then fails.
    if (
        isinstance(annotation, type)
        and not typing.get_args(annotation)
        and issubclass(annotation, BaseModel)
    ):
        yield annotation
    elif typing.get_origin(annotation) is typing.Annotated:
        for extra in annotation.__metadata__:
            yield from getattr(extra, "models", ())
        yield from _models(annotation.__origin__)
    elif typing.get_origin(annotation) in _UNIONS:
        for member in typing.get_args(annotation):
            yield from _models(member)


def _choices(annotation: Any) -> list[Any]:
    """Return the types that a value may have besides None: one, unless the annotation is a union
    whose members are not told apart by `type`."""
    if typing.get_origin(annotation) is typing.Annotated:
        return [annotation] if _is_family(annotation) else _choices(annotation.__origin__)
    if typing.get_origin(annotation) in _UNIONS:
        return [member for member in typing.get_args(annotation) if member is not type(None)]
    return [annotation]


def _is_family(annotation: Any) -> bool:
    """Return whether the annotation is a family whose members are told apart by `type`."""
    return typing.get_origin(annotation) is typing.Annotated and any(
        hasattr(extra, "models") for extra in annotation.__metadata__
    )


def _label(annotation: Any) -> str:
    """Return what pydantic calls a member of a union."""
    return str(annotation) if typing.get_args(annotation) else getattr(annotation, "__name__", "")


def _tag(model: type[BaseModel]) -> Any:
    field = model.model_fields.get("type")
    return field.default if field else None


def _keys(place: Any) -> list[str]:
    return [
        field.alias or name
        for model in _models(place)
        for name, field in model.model_fields.items()
    ]


def _inside(place: Any, part: int | str) -> Any:
    for model in _models(place):
        for name, field in model.model_fields.items():
            if part in (name, field.alias):
                return (
                    typing.Annotated[(field.annotation, *field.metadata)]
                    if field.metadata
                    else field.annotation
                )
    arguments = typing.get_args(_choices(place)[0])
    return arguments[-1] if arguments else None
