"""JSON configs: loading, one-line errors, `--set`, and paths relative to the config file.

A key that begins with "//" is a comment, in any object.
"""

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    PlainSerializer,
    SerializationInfo,
    ValidationError,
    ValidationInfo,
)

from texturelib._config_base import COMMENT, Config
from texturelib._config_errors import sentence, sentences
from texturelib.errors import ConfigError, TextureError, UsageError, first_line
from texturelib.executors import Executor, Local, executors
from texturelib.files import read_text, shown
from texturelib.json_text import NotJsonError, parse
from texturelib.paths import local_path


class _FromCommandLine(str):
    """Text given by `--set`: a relative path in it is relative to the current folder, not to the
    config file."""


def _as_written_here(value: Any, info: ValidationInfo) -> Any:
    """Return a path for this machine, relative to where it was written. Errors: ValueError, as
    `local_path`."""
    if not isinstance(value, str):
        return value
    base = Path.cwd() if isinstance(value, _FromCommandLine) else _folder(info)
    return base / local_path(value, base)


def _folder(info: ValidationInfo) -> Path:
    return Path((info.context or {}).get("folder", Path.cwd()))


def _mark_command_line(value: Any) -> Any:
    """Mark every text in `value`, however deep, as given on the command line."""
    if isinstance(value, str):
        return _FromCommandLine(value)
    if isinstance(value, list):
        return [_mark_command_line(item) for item in value]
    return (
        {key: _mark_command_line(item) for key, item in value.items()}
        if isinstance(value, dict)
        else value
    )


def _resolve(path: Path, info: ValidationInfo) -> Path:
    # Not Path.resolve(): a link in a results tree stays the link that the user chose.
    return Path(os.path.normpath(_folder(info) / path))


def _relative(path: Path, info: SerializationInfo) -> str:
    folder = (info.context or {}).get("folder")
    return Path(os.path.relpath(path, folder)).as_posix() if folder else str(path)


ConfigPath = Annotated[
    Path,
    BeforeValidator(_as_written_here),
    AfterValidator(_resolve),
    PlainSerializer(_relative, return_type=str),
]
"""A path in a config; relative to the config's folder when read, relative to the written config's
folder when dumped."""


Share = Annotated[float, Field(ge=0, le=1)]
"""A share of a whole, 0..1."""


Seed = Annotated[int, Field(ge=0, lt=2**32)]
"""A seed of the random generators, 0 to 2^32 - 1."""


class StageConfig(Config):
    """The base class of a whole config file."""

    schema_: str | None = Field(default=None, alias="$schema")
    output: ConfigPath
    """The folder that the command writes."""
    executor: Annotated[Executor, executors] = Local()
    """What runs the work: processes of this machine, or a cluster. It does not change the
    results."""

    def as_written(self, folder: Path) -> dict[str, Any]:
        """Return the content of `folder/config.json`: every value including defaults, with paths
        relative to `folder`. The executor is left out, since the result does not depend on it."""
        return self.model_dump(
            mode="json", by_alias=True, exclude={"schema_", "executor"}, context={"folder": folder}
        )


AnyConfig = TypeVar("AnyConfig", bound=Config)


def load_config(path: Path, model: type[AnyConfig], overrides: Sequence[str] = ()) -> AnyConfig:
    """Load `path` as `model`, with `overrides` ("a.b=value", the value as JSON or else as text)
    applied.

    Errors: UsageError with one sentence that names the file, the key path, the value and what is
    allowed; ConfigError, with a sentence for each problem, where there may be several.
    """
    content = _read(path)
    for override in overrides:
        _apply(content, override)
    try:
        return model.model_validate(content, context={"folder": path.absolute().parent})
    except ValidationError as error:
        every = [f"{shown(path)}: {each}" for each in sentences(error, model)]
        raise ConfigError(f"{shown(path)}: {sentence(error, model)}", every) from None
    except UnicodeEncodeError as error:
        raise UsageError(f"{shown(path)}: {error.object[:60]!a}: holds half a character") from None


def paths_in(config: BaseModel, prefix: str = "") -> Iterator[tuple[str, Path]]:
    """Return the (key path, absolute path) of every path in `config`; key paths as for `--set`."""
    for name in type(config).model_fields:
        value = getattr(config, name)
        if isinstance(value, Path):
            yield prefix + name, value
        elif isinstance(value, BaseModel):
            yield from paths_in(value, f"{prefix}{name}.")
        elif isinstance(value, dict):
            yield from (
                (f"{prefix}{name}.{key}", path)
                for key, path in value.items()
                if isinstance(path, Path)
            )


def _read(path: Path) -> dict[str, Any]:
    try:
        content = parse(read_text(path), allow_nan=True, pairs_hook=_object)
    except FileNotFoundError:
        raise UsageError(f"{shown(path)}: no such file") from None
    except IsADirectoryError:
        raise UsageError(f"{shown(path)}: is a folder; name the JSON file in it") from None
    except OSError as error:
        raise UsageError(f"{shown(path)}: cannot be read ({error.strerror})") from None
    except NotJsonError as error:
        what, line, column, excerpt = error.flaw
        raise UsageError(
            f"{shown(path)}: line {line}: not valid JSON: {what} (column {column}: {excerpt})"
        ) from None
    except UnicodeDecodeError:
        raise UsageError(f"{shown(path)}: not a text file in UTF-8") from None
    except _DuplicateKey as error:
        raise UsageError(f'{shown(path)}: "{error}" stands twice in one object; keep one') from None
    except RecursionError:
        raise UsageError(f"{shown(path)}: its lists or objects are nested too deep") from None
    except ValueError as error:  # a number with thousands of digits
        raise UsageError(f"{shown(path)}: not valid JSON: {first_line(error)}") from None
    except TextureError as error:
        raise UsageError(str(error)) from None
    if not isinstance(content, dict):
        raise UsageError(
            f"{shown(path)}: holds a {type(content).__name__}; a config is a JSON object {{...}}"
        )
    return content


class _DuplicateKey(Exception):  # noqa: N818 (it ends here, as a sentence)
    pass


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object without its comments. Errors: _DuplicateKey."""
    content: dict[str, Any] = {}
    for key, value in pairs:
        if key.startswith(COMMENT):
            continue
        if key in content:
            raise _DuplicateKey(key)
        content[key] = value
    return content


def _apply(content: dict[str, Any], override: str) -> None:
    key_path, equals, text = override.partition("=")
    if not equals or not key_path:
        raise UsageError(f'--set {override}: should look like key.key=value, as in "--set seed=1"')
    try:
        value = json.loads(text)
    # Also digits or brackets without end, which no key will take for text.
    except (ValueError, RecursionError):
        value = text
    place: Any = content
    *parents, last = key_path.split(".")
    for key in parents:
        place = place.setdefault(key, {})
        if not isinstance(place, dict):
            raise UsageError(
                f'--set {override}: "{key}" is not an object in this config, so nothing can be set inside it'
            )
    place[last] = _mark_command_line(value)
