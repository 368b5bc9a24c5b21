"""The configs that come with the project are right, and their schemas are those of the code."""

import json
from pathlib import Path

import pytest

from texture_pipeline.schemas import main as write_schemas
from texture_pipeline.schemas import schemas
from texture_pipeline.stages import STAGES
from texturelib.config import load_config

CONFIGS = Path(__file__).parents[2] / "configs"
SHIPPED = sorted(path for path in CONFIGS.glob("*/*.json") if path.parent.name != "schemas")
SOUNDS = sorted({path.parent.name for path in SHIPPED})


def named(path: Path) -> str:
    return path.relative_to(CONFIGS).as_posix()


@pytest.mark.parametrize("path", SHIPPED, ids=named)
def test_every_shipped_config_loads(path):
    [stage] = [stage for stage in STAGES if stage.name == path.stem]
    config = load_config(path, stage.config_model)
    assert config.output == CONFIGS.parent / "results" / path.parent.name / path.stem


@pytest.mark.parametrize("path", SHIPPED, ids=named)
def test_every_shipped_config_names_its_own_schema(path):
    schema = (path.parent / json.loads(path.read_text())["$schema"]).resolve()
    assert schema == CONFIGS / "schemas" / path.name
    assert schema.is_file()


def test_the_demo_and_the_thesis_are_there():
    assert {"demo", "thesis_waterflow"} <= set(SOUNDS)


@pytest.mark.parametrize("name", sorted(schemas()))
def test_the_schemas_are_those_of_the_code(name):
    is_up_to_date = json.loads((CONFIGS / "schemas" / name).read_text()) == schemas()[name]
    assert is_up_to_date, (
        f"configs/schemas/{name} is not what the code says now: run `make schemas`"
    )


def test_there_is_no_schema_of_a_stage_that_is_gone():
    assert {path.name for path in (CONFIGS / "schemas").iterdir()} == set(schemas())


def test_make_schemas_writes_them(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["schemas", str(tmp_path / "schemas")])
    write_schemas()
    assert {
        path.name: json.loads(path.read_text()) for path in (tmp_path / "schemas").iterdir()
    } == schemas()
    assert len(capsys.readouterr().out.splitlines()) == len(STAGES)
