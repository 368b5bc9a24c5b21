"""Declarations of commands: written once, in a stage's `commands.py`, and read by the command
line, the pipeline, the doctor, the reference and the tests."""

import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from texturelib.errors import TextureError
from texturelib.files import shown

if TYPE_CHECKING:
    from texturelib.config import StageConfig
    from texturelib.outputs import Output


class Input(NamedTuple):
    """A file or folder that a command reads.

    name: what error messages call it; the key of the config where that names the path. maker: the
    command that must have made it, where it is one of ours; they name it when nothing is there.
    is_key: whether `name` is a key of the config.
    """

    name: str
    path: Path
    maker: str | None = None
    is_key: bool = False


@dataclass(frozen=True)
class Command:
    """A command that reads a config and writes one folder.

    Args:
        program, name: As they are typed: `domain-adaptation`, `adapt`.
        help: A sentence for `--help`.
        config: "module:Class" of its config, which is imported when it is needed.
        folder: Config -> the folder that it writes.
        inputs: Config -> what it reads.
        plan: Config -> what it makes, in words; quick, and without an error.
        run: (Config, Output, workers) -> what it made, in words. workers: None where the executor
            decides.
        look_ahead: Config -> as `plan`, for `--dry-run`: it may read what is there, and say more in
            further lines.
        problem: (Config, workers) -> a sentence about a key of the config that this machine is too
            small for, or None.
        keys: Of the config, those that the result depends on; None: all.
        extra: What else the result depends on: options of the command line.
        needs: Keys or properties of the config without which (null) there is nothing to do; for
            each, the config has a method `wanted_KEY` that raises UsageError.
        has_workers: Whether `--workers` divides its work.
    """

    program: str
    name: str
    help: str
    config: str
    folder: Callable[[Any], Path]
    inputs: Callable[[Any], Iterable[Input]]
    plan: Callable[[Any], str]
    run: Callable[[Any, "Output", int | None], str]
    look_ahead: Callable[[Any], str] | None = None
    problem: Callable[[Any, int | None], str | None] | None = None
    keys: frozenset[str] | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    has_workers: bool = False

    @property
    def costs_module(self) -> Any:
        """The stage's module that estimates what the command makes, writes and takes; see
        `texturelib.costs`."""
        return importlib.import_module(f"{self.config.partition('.')[0]}.costs")

    @property
    def config_model(self) -> "type[StageConfig]":
        module, _, name = self.config.partition(":")
        return getattr(importlib.import_module(module), name)

    def paths(self, settings: "StageConfig") -> dict[str, Path]:
        """Return the files and folders that the command reads, by name."""
        return {each.name: each.path for each in self.inputs(settings)}

    def check_output(
        self, settings: "StageConfig", *, overwrite: bool = False, dry_run: bool = False
    ) -> "Output":
        """Compare its output folder with the config, without changing anything.

        Errors: UsageError when the config lacks what the command needs; TextureError when an input
        was never made; else as `check_output`.
        """
        from texturelib.outputs import check_output

        for key in self.needs:
            getattr(settings, f"wanted_{key}")()
        for each in self.inputs(settings):
            if each.maker and not each.path.exists() and not dry_run:
                place = f"{each.name}: " if each.is_key else ""
                raise TextureError(
                    f'{place}{shown(each.path)}: no such folder; run "{each.maker}" first'
                )
        return check_output(
            settings,
            f"{self.program} {self.name}",
            folder=self.folder(settings),
            only=None if self.keys is None else set(self.keys),
            extra=self.extra,
            inputs=self.paths(settings),
            overwrite=overwrite,
            dry_run=dry_run,
        )


def say(output: "Output", what: str) -> None:
    """Print a line about an output folder."""
    print(f"{shown(output.folder)}: {what}")
