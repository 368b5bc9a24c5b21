"""The documentation page on the commands, in Markdown, made from what `--help` says."""

import importlib
from collections.abc import Iterator
from typing import Any

from texture_pipeline.stages import STAGES

_PROGRAMS = {
    "texture-pipeline": "texture_pipeline",
    "texture-doctor": "texture_pipeline.doctor",
} | {stage.program: stage.package for stage in STAGES}
"""The package of each program, by the program's name."""

_TITLE = """# Commands

Each program is also `python -m PACKAGE`, with underscores: `python -m synthetic_datasets` (the doctor: `python -m
texture_pipeline.doctor`). `--help` says the same as this page, and
`--version` which version it is.

Exit status: 0 done, 1 failed, 2 wrong usage or config, 130 stopped with Ctrl-C. Errors go to stderr, as one sentence."""


def command_page() -> str:
    """Return a page with every program, its commands, and their arguments and options."""
    parts = [_TITLE]
    for name, package in _PROGRAMS.items():
        parts += _program(name, package)
    return "\n\n".join(parts) + "\n"


def _program(name: str, package: str) -> Iterator[str]:
    from typer.main import get_command

    app = importlib.import_module(f"{package}.cli").app
    command: Any = get_command(app)
    yield f"## {name}\n\n{app.info.help}"
    if hasattr(command, "commands"):
        for word, inner in command.commands.items():
            yield f"### {name} {word}\n\n{_command(f'{name} {word}', inner)}"
    else:
        yield _command(name, command)


def _command(name: str, command: Any) -> str:
    """Return the section on a command. command: click's."""
    arguments = [param for param in command.params if param.param_type_name == "argument"]
    options = [param for param in command.params if param.param_type_name == "option"]
    usage = " ".join([name, *(_argument(param) for param in arguments), "[OPTIONS]"])
    rows = [f"| `{_in_cell(_argument(param))}` | | {_in_cell(param.help)} |" for param in arguments]
    rows += [
        f"| {_option(param)} | {_default(param)} | {_in_cell(param.help)} |" for param in options
    ]
    table = "\n".join(["| | default | |", "|---|---|---|", *rows])
    return f"{command.help}\n\n```text\n{usage}\n```\n\n{table}"


def _argument(param: Any) -> str:
    name = param.metavar or param.name.upper()
    return name if param.required or name.startswith("[") else f"[{name}]"


def _option(param: Any) -> str:
    """Return how an option is written; for a switch, also the option that turns it off, if there
    is one."""
    name = max(param.opts, key=len)
    if param.is_flag:
        return ", ".join(f"`{word}`" for word in (name, *param.secondary_opts))
    return _in_cell(f"`{name} {param.metavar or 'N'}`")


def _default(param: Any) -> str:
    if param.required:
        return "required"
    return "" if param.is_flag or param.default in (None, []) else f"`{param.default}`"


def _in_cell(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", r"\|").replace("<", "&lt;")
