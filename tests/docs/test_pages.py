"""What the pages say of files, configs and keys is so."""

import importlib
import json
import re
from pathlib import Path

import pandas as pd
import pytest
from typer.main import get_command

from texture_pipeline.command_reference import command_page
from texture_pipeline.config_reference import config_pages
from texture_pipeline.schemas import schemas
from texture_pipeline.stages import STAGES
from texturelib.config import load_config

ROOT = Path(__file__).parents[2]
MADE = {
    "reference/commands.md",
    "benchmarks.md",
    *(f"reference/config/{name}" for name in config_pages()),
}

# Files that a reader is to make.
_EXAMPLES = (
    "configs/yours",
    "configs/stream",
    "synthetic_datasets/engines/surf.py",
    "domain_adaptation/networks/band_means.py",
)

_PROGRAMS = {stage.program: stage.package for stage in STAGES}


def spans(page):
    """Return what stands in `backticks` on a page."""
    return re.findall(r"`([^`\n]+)`", page.prose)


def test_every_link_leads_to_a_file(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.prose):
        path = target.partition("#")[0]
        if not path or re.match(r"https?://", path):
            continue
        there = (page.path.parent / path).resolve()
        inside_docs = (
            there.relative_to(ROOT / "docs").as_posix()
            if there.is_relative_to(ROOT / "docs")
            else ""
        )
        assert there.exists() or (inside_docs in MADE and page.name != "README.md"), target


def test_no_line_of_the_benchmarks_is_too_long_to_be_read(results_page):
    too_long = [line for line in results_page.text.splitlines() if len(line) > 130]
    assert not too_long


def test_every_file_of_ours_that_is_named_is_there(page):
    packages = [path.name for path in ROOT.iterdir() if (path / "__init__.py").exists()]
    begin = tuple(f"{name}/" for name in (*packages, "tests", "benchmarks", "configs"))
    for name in spans(page):
        if name.startswith(begin) and re.fullmatch(r"[\w/.]+", name):
            assert (ROOT / name).exists() or name.startswith(_EXAMPLES), name


def test_every_whole_config_loads(page, tmp_path):
    models = {stage.name: stage.config_model for stage in STAGES}
    for fence in page.fences:
        if fence.language == "json" and fence.text.startswith("{"):
            name = fence.title or json.loads(fence.text)["output"]
            path = tmp_path / "config.json"
            path.write_text(fence.text)
            load_config(path, models[Path(name).stem])


def test_every_other_block_of_json_is_json(page):
    for fence in page.fences:
        if fence.language == "json" and not fence.text.startswith("{"):
            json.loads("{" + fence.text.strip().rstrip(",").replace("{...}", "{}") + "}")


@pytest.fixture(scope="module")
def key_paths():
    """Those of all configs."""
    return set(re.findall(r"`([\w.]+)`", "".join(config_pages().values())))


@pytest.fixture(scope="module")
def first_keys():
    return {key for schema in schemas().values() for key in schema["properties"]}


def test_every_key_path_that_is_named_exists(page, key_paths, first_keys):
    for name in spans(page):
        first, dot, rest = name.partition(".")
        if (
            dot
            and first in first_keys
            and re.fullmatch(r"\w+(\.\w+)*", rest)
            and rest not in ("json", "csv", "py", "md", "png")
        ):
            assert name in key_paths or rest == "type" or first == "engine", name


def test_every_command_and_option_in_the_text_exists(page):
    options = set(re.findall(r"`(--[\w-]+)", command_page())) | {"--help"}
    for name in spans(page):
        program, _, rest = name.partition(" ")
        if program in _PROGRAMS and rest:
            known = get_command(importlib.import_module(f"{_PROGRAMS[program]}.cli").app).commands  # type: ignore[attr-defined]
            assert rest.split()[0] in known, name
        for option in re.findall(r"(?<!\w)--[a-z][\w-]*", name):
            assert option in options, name


def test_papers_on_the_page_of_the_science_are_those_that_the_code_names(pages):
    [page] = [page for page in pages if page.name == "docs/science.md"]
    rows = re.findall(r"^\| `\w+` \|[^|]+\| `([\w.]+)` \| ([^|]+) \|$", page.text, re.MULTILINE)
    assert len(rows) > 9
    for name, source in rows:
        [path] = [
            path
            for folder in ("engines", "methods")
            for path in ROOT.glob(f"*_*/**/{folder}/{name}")
        ]
        code = path.read_text()
        for author in re.findall(r"(?<=[A-Z]\. )(?!and\b)([A-Z][a-z]{3,})(?=[ ,])", source):
            assert author in code, (name, author)
    for year, path in re.findall(r"(\d{4});\s+`([\w/.]+)`", page.text):
        assert year in (ROOT / path).read_text(), path


# Of docs/reference/formats.md


def tables_of_files(page):
    """Return a folder, and the files that a table says are in it."""
    for folder, table in re.findall(r"^In `([\w/]+)`:\n\n((?:\|.*\n)+)", page.text, re.MULTILINE):
        rows = [row.split("|")[1] for row in table.splitlines()[2:]]
        yield folder, [name for row in rows for name in re.findall(r"`([^`]+)`", row)]


@pytest.mark.slow
def test_the_formats_page_names_all_files_and_none_too_many(pages, demo):
    [page] = [page for page in pages if page.name == "docs/reference/formats.md"]
    found = dict(tables_of_files(page))
    assert len(found) > 9
    for folder, names in found.items():
        there = demo.folder / folder
        assert all(list(there.glob(name.rstrip("/"))) for name in names), folder
        unnamed = {
            path.name
            for path in there.iterdir()
            if not any(path.match(name.rstrip("/")) for name in names)
        }
        assert not unnamed - {"last.ckpt"}, folder


@pytest.mark.slow
def test_the_formats_page_names_keys_and_columns_that_are_there(pages, demo):
    [page] = [page for page in pages if page.name == "docs/reference/formats.md"]
    results = demo.folder / "results" / "demo"
    wanted = {
        "run.json": set(json.loads((results / "synthetic" / "run.json").read_text())),
        "dataset.json": set(json.loads((results / "synthetic" / "dataset.json").read_text())),
    }
    for name, keys in wanted.items():
        [table] = re.findall(rf"\| key of `{name}` \| \|\n\|---\|---\|\n((?:\|.*\n)+)", page.text)
        assert {
            key for row in table.splitlines() for key in re.findall(r"`([^`]+)`", row.split("|")[1])
        } == keys
    columns = {
        "synthetic": {*pd.read_csv(results / "synthetic" / "metadata.csv"), "noise_db"},
        "real": {*pd.read_csv(results / "real" / "metadata.csv")},
    }
    tables = re.findall(
        r"\| column of `metadata.csv` \| \|\n\|---\|---\|\n((?:\|.*\n)+)", page.text
    )
    for table, there in zip(tables, columns.values(), strict=True):
        named = {
            name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row.split("|")[1])
        }
        assert named - {"vary"} <= there
    of_controls = set(
        json.loads((results / "synthetic" / "dataset.json").read_text())["controls"][0]
    )
    [table] = re.findall(
        r"Each of `controls`:\n\n\| key \| \|\n\|---\|---\|\n((?:\|.*\n)+)", page.text
    )
    assert {
        key for row in table.splitlines() for key in re.findall(r"`(\w+)`", row.split("|")[1])
    } == of_controls
    of_lines = set(
        json.loads(next((results / "synthesis" / "mtcrnn").glob("*.params")).read_text())["avgRate"]
    )
    [table] = re.findall(
        r"then each control by name:\n\n\| key \| \|\n\|---\|---\|\n((?:\|.*\n)+)", page.text
    )
    assert {
        key for row in table.splitlines() for key in re.findall(r"`(\w+)`", row.split("|")[1])
    } == of_lines


@pytest.mark.slow
def test_the_formats_page_names_what_the_headers_of_networks_say(pages, demo):
    from safetensors import safe_open

    [page] = [page for page in pages if page.name == "docs/reference/formats.md"]
    for folder in ("adaptation/extractor", "synthesis/synthesiser"):
        with safe_open(
            demo.folder / "results" / "demo" / folder / "model.safetensors", framework="pt"
        ) as file:
            spec = json.loads(file.metadata()["about"])
        [row] = re.findall(
            rf"In `results/demo/{folder}`:(?:.|\n)*?\| `model.safetensors` \| (.*)", page.text
        )[:1]
        assert set(spec) == set(re.findall(r"`(\w+)`", row)) - {"about"}
