"""The pages that are made from the code say all that the code says."""

import importlib
import re

import pytest

from synthetic_datasets.engines import engines
from texture_pipeline.command_reference import command_page
from texture_pipeline.config_reference import config_pages
from texture_pipeline.schemas import schemas


def key_paths(schema, definitions, prefix=""):
    """Return every key of a schema, with those of all that its parts may be, as `--set` would name
    it."""
    for key, value in schema["properties"].items():
        if key != "$schema" and "const" not in value:
            yield f"{prefix}{key}"
            for name in re.findall(
                r"'#/\$defs/(\w+)'",
                str({k: v for k, v in value.items() if k not in ("items", "discriminator")}),
            ):
                if "additionalProperties" not in value or value["additionalProperties"] is False:
                    yield from key_paths(definitions[name], definitions, f"{prefix}{key}.")


@pytest.mark.parametrize("name", sorted(config_pages()))
def test_a_page_has_a_row_for_every_key(name):
    schema = schemas()[name.replace(".md", ".json")]
    rows = set(re.findall(r"^\| \[?`([\w.]+)`", config_pages()[name], re.MULTILINE))
    missing = set(key_paths(schema, schema["$defs"])) - rows
    assert not missing


def test_a_row_says_type_range_default_and_meaning():
    page = config_pages()["synthetic.md"]
    assert "| `seconds` | number 0.01 to 86400 | `1.0` | Length of each clip, in seconds. |" in page
    assert "| `engine.energy_exponent` | number above 1, up to 4 | `2.2` | " in page
    assert "| [`noise`](#noise) | object or `null` | `null` | " in page
    assert "| `distribution.ratios` | object: name to whole number above 0 | required | " in page


def test_every_engine_of_ours_shows_its_controls_in_their_units():
    page = config_pages()["synthetic.md"]
    for model in engines.models:
        controls = getattr(model, "available", ())
        for control in controls if isinstance(controls, tuple) else ():
            assert re.search(
                rf"\| `{control.name}` \| \S+ \| \S+ \| {control.unit} \| {control.curve} \|", page
            ), control.name


def test_every_page_has_rows_of_as_many_cells_as_its_heads():
    for page in (command_page(), *config_pages().values()):
        for table in re.findall(r"(?:^\|.*\n)+", page, re.MULTILINE):
            assert len({len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}) == 1, (
                table
            )


@pytest.mark.parametrize("package", ["synthetic_datasets", "conditioned_synthesis"])
def test_every_command_that_help_lists_has_its_options_on_the_page(package, run_command):
    def help_of(*words):
        done = run_command(importlib.import_module(f"{package}.cli").app, *words, "--help")
        assert done.status == 0
        return done.out

    page = command_page()
    commands = re.findall(r"^  ([a-z][\w-]+) ", help_of().partition("Commands:")[2], re.MULTILINE)
    assert len(commands) > 2
    for command in commands:
        section = page.partition(f"### {package.replace('_', '-')} {command}\n")[2].partition(
            "\n#"
        )[0]
        assert section
        options = set(re.findall(r"^  (--[\w-]+)", help_of(command), re.MULTILINE)) - {"--help"}
        assert options == set(re.findall(r"^\| `(--[\w-]+)", section, re.MULTILINE))
