"""Registered classes are found by one word, and their keys are checked like any others."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

SHAPES = {
    "__init__.py": """
from typing import Protocol
from texturelib.registry import Registry
shapes = Registry("shapes")
class Shape(Protocol): ...
""",
    "circle.py": """
from typing import Literal
from texturelib.config import Config
from shapes import shapes
@shapes.register
class Circle(Config):
    type: Literal["circle"] = "circle"
    radius: float
""",
    "square.py": """
from typing import Literal
from texturelib.config import Config
from shapes import shapes
@shapes.register
class Square(Config):
    type: Literal["square"] = "square"
    side: float
""",
    "_compiled.py": "raise RuntimeError('a private module is a part of another, and is not imported for its own sake')",
}
SCRIPT = """
import sys
from pathlib import Path
from typing import Annotated
from shapes import Shape, shapes
from texturelib.config import Config, load_config
from texturelib.errors import UsageError
class Drawing(Config):
    shape: Annotated[Shape, shapes]
    spare: Annotated[Shape, shapes] | None = None
    others: list[Annotated[Shape, shapes]] = []
for path in sys.argv[1:]:
    try:
        print(load_config(Path(path), Drawing))
    except UsageError as error:
        print(error)
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drawing")
    (folder / "shapes").mkdir()
    for name, text in SHAPES.items():
        (folder / "shapes" / name).write_text(text)
    return folder


DRAWINGS = [
    (
        {"shape": {"type": "circle", "radius": 2}, "others": [{"type": "square", "side": 1}]},
        "Square(type='square', side=1.0)",
    ),
    (
        {"shape": {"type": "circel", "radius": 2}},
        'shape.type: there is no "circel" (did you mean "circle"? there are circle, square)',
    ),
    ({"shape": {"radius": 2}}, "shape.type: is missing"),
    (
        {"shape": {"type": "circle", "raduis": 2}},
        'shape.raduis: no such key (did you mean "radius"? there are type, radius)',
    ),
    (
        {"shape": {"type": "circle", "radius": 2}, "spare": {"type": "square", "sied": 1}},
        'spare.sied: no such key (did you mean "side"? there are type, side)',
    ),
    (
        {"shape": {"type": "circle", "radius": 2}, "others": [{"type": "square", "side": "x"}]},
        'others.0.side: "x": should be a valid number',
    ),
]


@pytest.fixture(scope="module")
def answers(project: Path) -> list[str]:
    """Return what is said of each drawing. In one process, but not this one: a registry is filled
    by imports, which last."""
    names = [f"{number}.json" for number in range(len(DRAWINGS))]
    for name, (drawing, _) in zip(names, DRAWINGS, strict=True):
        (project / name).write_text(json.dumps(drawing))
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, *names],
        cwd=project,
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout.splitlines()


@pytest.mark.parametrize("number", range(len(DRAWINGS)))
def test_a_member_is_chosen_by_its_type_word_and_its_own_keys_are_checked(
    answers: list[str], number: int
) -> None:
    assert len(answers) == len(DRAWINGS)
    assert DRAWINGS[number][1] in answers[number]


PLUG_INS = {
    "texture_star/__init__.py": """
from typing import Literal
from texturelib.config import Config
class Star(Config):
    type: Literal["star"] = "star"
    points: int
class Other(Config):
    type: Literal["circle"] = "circle"
""",
    "texture_star/broken.py": "import a_package_that_is_not_installed",
    "texture_star-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: texture-star\nVersion: 1.0\n",
}


@pytest.fixture
def plugged(project: Path, tmp_path: Path) -> Callable[..., str]:
    """Return how a drawing is read where a package with such entry points is installed."""

    def read(drawing: object, **entries: str) -> str:
        lines = "\n".join(f"{name} = {value}" for name, value in entries.items())
        files = PLUG_INS | {
            "texture_star-1.0.dist-info/entry_points.txt": f"[texture_toolkit.shapes]\n{lines}\n"
        }
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(text)
        (tmp_path / "drawing.json").write_text(json.dumps(drawing))
        path = os.pathsep.join([str(project), str(tmp_path), os.environ.get("PYTHONPATH", "")])
        run = subprocess.run(
            [sys.executable, "-c", SCRIPT, "drawing.json"],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": path},
            capture_output=True,
            text=True,
        )
        assert run.returncode == 0, run.stderr
        return run.stdout + run.stderr

    return read


def test_an_installed_package_adds_a_member(plugged: Callable[..., str]) -> None:
    star = {"shape": {"type": "star", "points": 5}}
    assert "Star(type='star', points=5)" in plugged(star, star="texture_star:Star")
    star["shape"]["pionts"] = star["shape"].pop("points")
    assert 'shape.pionts: no such key (did you mean "points"?' in plugged(
        star, star="texture_star:Star"
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (
            "texture_star.broken:Star",
            "ModuleNotFoundError: No module named 'a_package_that_is_not_installed'",
        ),
        ("texture_star:Comet", "AttributeError: module 'texture_star' has no attribute 'Comet'"),
        ("texture_star:Literal", "TypeError: typing.Literal should be a pydantic model"),
        ("texture_star:Other", 'TypeError: its field type should be Literal["star"] = "star"'),
    ],
)
def test_a_plug_in_that_cannot_be_used_is_named_where_its_word_is_used_and_nowhere_else(
    plugged: Callable[..., str], value: str, reason: str
) -> None:
    printed = plugged({"shape": {"type": "star", "points": 5}}, star=value)
    assert f'shape.type: the plug-in "star" of texture-star 1.0 cannot be used ({reason}' in printed
    assert plugged({"shape": {"type": "circle", "radius": 2}}, star=value).startswith(
        "shape=Circle"
    )


def test_a_plug_in_does_not_take_the_place_of_a_member(plugged: Callable[..., str]) -> None:
    printed = plugged({"shape": {"type": "circle", "radius": 2}}, circle="texture_star:Other")
    assert "Circle(type='circle', radius=2.0)" in printed
    assert (
        'the plug-in texture_star:Other of texture-star 1.0 is left out (ValueError: "circle" is the word for Circle'
        in printed
    )
