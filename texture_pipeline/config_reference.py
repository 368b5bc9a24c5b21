"""The documentation pages on the configs, in Markdown: every key, from the schemas that editors
check them with."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from synthetic_datasets.engines import engines
from texture_pipeline.schemas import schemas
from texture_pipeline.stages import STAGES, Stage
from texturelib.config import StageConfig
from texturelib.controls import Control, three_figures

Schema = Mapping[str, Any]

_TYPES = {
    "integer": "whole number",
    "number": "number",
    "string": "text",
    "boolean": "`true` or `false`",
    "null": "`null`",
}
_HEAD = "| key | type | default | |\n|---|---|---|---|"


def config_pages() -> dict[str, str]:
    """Return a page on each kind of config, by file name. Stages whose configs have the same
    keys share one."""
    shared: dict[type[StageConfig], list[Stage]] = {}
    for stage in STAGES:
        shared.setdefault(stage.config_model, []).append(stage)
    every = schemas()
    return {
        f"{stages[0].name}.md": _page(stages, every[f"{stages[0].name}.json"])
        for stages in shared.values()
    }


def _page(stages: list[Stage], schema: Schema) -> str:
    names = [f"`{stage.name}.json`" for stage in stages]
    page = _Page(schema)
    commands = ", ".join(f"`{stages[0].program} {name}`" for name in stages[0].names)
    parts = [
        f"# {', '.join(names)}",
        f"Read by {commands}. An example: `configs/demo/{stages[0].name}.json`. The schema, for editors: "
        f"`configs/schemas/{stages[0].name}.json`.",
        _in_markdown(schema["description"]),
        "Relative paths are relative to the file; in `--set`, to the current folder.",
        "## All keys",
        f"{_HEAD}\n{page.rows(schema)}",
        *page.sections(schema),
    ]
    return "\n\n".join(parts) + "\n"


class _Page:
    """The page on one kind of config. schema: of a whole config, with the definitions that its
    parts refer to."""

    def __init__(self, schema: Schema) -> None:
        self._definitions: Mapping[str, Schema] = schema.get("$defs", {})
        self._families = {
            _members(inner): key
            for key, value in schema["properties"].items()
            if (inner := _one(value)).get("discriminator")
        }

    def rows(self, schema: Schema) -> str:
        """Return a row for each key of the file; an object gets a section of its own."""
        return "\n".join(
            self._row(key, value, schema, link=self._is_section(value))
            for key, value in schema["properties"].items()
            if key != "$schema"
        )

    def sections(self, schema: Schema) -> Iterator[str]:
        for key, value in schema["properties"].items():
            inner = _one(value)
            if "discriminator" in inner:
                words = ", ".join(
                    f"[`{word}`](#{_anchor(key, word)})"
                    for word in inner["discriminator"]["mapping"]
                )
                yield f"## {key}\n\n`{key}.type` is one of {words}. The other keys are those of its type."
                for word, reference in inner["discriminator"]["mapping"].items():
                    yield self._member(key, word, self._resolved({"$ref": reference}))
            elif self._is_section(value):
                definition = self._resolved(inner)
                yield (
                    f"## {key}\n\n{_in_markdown(definition.get('description', ''))}\n\n{_HEAD}\n"
                    + "\n".join(self._nested(key, definition))
                )

    def _member(self, key: str, word: str, definition: Schema) -> str:
        parts = [
            f'### {key}: "{word}" {{ #{_anchor(key, word)} }}',
            _in_markdown(definition.get("description", "")),
        ]
        if key == "engine" and (table := _controls_of(word)):
            parts += [table]
        rows = list(self._nested(key, definition))
        parts += [f"{_HEAD}\n" + "\n".join(rows)] if rows else ["It has no other keys."]
        return "\n\n".join(parts)

    def _nested(self, prefix: str, definition: Schema) -> Iterator[str]:
        """Return a row for each key of an object, and for the keys of objects in it."""
        for key, value in definition["properties"].items():
            if key == "type" and "const" in value:
                continue
            path = f"{prefix}.{key}"
            yield self._row(path, value, definition)
            inner = _one(value)
            of_any_name = inner.get("additionalProperties")
            if isinstance(of_any_name, dict) and "$ref" in of_any_name:
                yield from self._nested(f"{path}.NAME", self._resolved(of_any_name))
            elif "$ref" in inner:
                yield from self._nested(path, self._resolved(inner))
            # The keys of every type.
            for reference in inner.get("discriminator", {}).get("mapping", {}).values():
                yield from self._nested(path, self._resolved({"$ref": reference}))

    def _row(self, path: str, value: Schema, parent: Schema, link: bool = False) -> str:
        key = path.rsplit(".", 1)[-1]
        default = "required" if key in parent.get("required", ()) else f"`{self._default(value)}`"
        shown = f"[`{path}`](#{path})" if link else f"`{path}`"
        text = value.get("description") or (
            "" if link else self._resolved(_one(value)).get("description", "")
        )
        return f"| {shown} | {_in_cell(self._type(value))} | {_in_cell(default)} | {_in_cell(_in_markdown(text))} |"

    def _default(self, value: Schema) -> str:
        default = value.get("default")
        definition = self._resolved(_one(value))
        if isinstance(default, dict) and "properties" in definition:
            own = {key: inner.get("default") for key, inner in definition["properties"].items()}
            # Where it equals an empty object's value, its own rows show the defaults.
            return (
                "{}" if default == own and not definition.get("required") else json.dumps(default)
            )
        return json.dumps(default, ensure_ascii=False)

    def _type(self, value: Schema) -> str:
        """Return the type in words, with the range."""
        if "discriminator" in value:
            return "object with a `type`"
        if choices := value.get("anyOf") or value.get("oneOf"):
            return " or ".join(self._type(each) for each in choices)
        if "$ref" in value:
            return "object"
        if "const" in value:
            return f"`{json.dumps(value['const'])}`"
        if "enum" in value:
            return ", ".join(f"`{json.dumps(word)}`" for word in value["enum"])
        if value.get("format") == "path":
            return "path"
        if value["type"] == "array":
            return self._list(value)
        if value["type"] == "object":
            of_any_name = value.get("additionalProperties")
            return (
                f"object: name to {self._type(of_any_name)}"
                if isinstance(of_any_name, dict)
                else "object"
            )
        return " ".join(filter(None, [_TYPES[value["type"]], _range(value)]))

    def _list(self, value: Schema) -> str:
        if "prefixItems" in value:
            return "[" + ", ".join(self._type(each) for each in value["prefixItems"]) + "]"
        least = f", at least {value['minItems']}" if value.get("minItems") else ""
        return f"list of: {self._type(value['items'])}{least}"

    def _is_section(self, value: Schema) -> bool:
        inner = _one(value)
        return "discriminator" in inner or "$ref" in inner

    def _resolved(self, value: Schema) -> Schema:
        return self._definitions[value["$ref"].rsplit("/", 1)[-1]] if "$ref" in value else value


def _one(value: Schema) -> Schema:
    """Return what a value may be besides null, where that is one thing."""
    others = [each for each in value.get("anyOf", ()) if each.get("type") != "null"]
    return others[0] if len(others) == 1 else value


def _members(value: Schema) -> tuple[str, ...]:
    return tuple(value["discriminator"]["mapping"])


def _anchor(key: str, word: str) -> str:
    return f"{key}-{word}"


def _range(value: Schema) -> str:
    low, high = value.get("minimum"), value.get("maximum")
    above, below = value.get("exclusiveMinimum"), value.get("exclusiveMaximum")
    if low is not None and high is not None:
        return f"{low:g} to {high:g}"
    words = (("from", low), ("above", above), ("up to", high), ("below", below))
    return ", ".join(f"{word} {number:g}" for word, number in words if number is not None)


def _controls_of(engine: str) -> str | None:
    """Return a table of the controls of an engine that has its own; None for one that plays a
    patch."""
    [model] = [model for model in engines.models if model.model_fields["type"].default == engine]
    controls = getattr(model, "available", None)
    if not isinstance(controls, tuple):
        return None
    rows = [
        f"| `{control.name}` | {_end(control, 0)} | {_end(control, 1)} | {control.unit} | {control.curve} | {_laws(control)} "
        f"| {control.description} |"
        for control in controls
    ]
    head = "| control | 0 is | 1 is | unit | slider | laws | |\n|---|---|---|---|---|---|---|"
    return "\n".join(["Its controls, each a slider from 0 to 1:\n", head, *rows])


def _end(control: Control, place: float) -> str:
    return three_figures(float(control.to_physical(place)))


def _laws(control: Control) -> str:
    return ", ".join(f"`{name}` {exponent:g}" for name, exponent in control.laws.items())


def _in_markdown(text: str) -> str:
    """Return a docstring's text as Markdown, so that [a list] is no link and a * no emphasis."""
    lines = [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]
    return "\n\n".join(lines).replace("*", r"\*").replace("<", "&lt;")


def _in_cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|")
