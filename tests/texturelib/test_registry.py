"""Registered classes are found by one word, and their keys are checked like any others."""

import json
import subprocess
import sys
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
try:
    print(load_config(Path("drawing.json"), Drawing))
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


@pytest.mark.parametrize(
    ("drawing", "expected"),
    [
        (
            {"shape": {"type": "circle", "radius": 2}, "others": [{"type": "square", "side": 1}]},
            "Square(type='square', side=1.0)",
        ),
        (
            {"shape": {"type": "circel", "radius": 2}},
            'shape.type: there is no "circel" (did you mean "circle"? there are circle, square)',
        ),
        ({"shape": {"radius": 2}}, "shape.type: is missing"),
        ({"shape": {"type": "circle", "raduis": 2}}, 'shape.raduis: no such key (did you mean "radius"? there are type, radius)'),
        (
            {"shape": {"type": "circle", "radius": 2}, "spare": {"type": "square", "sied": 1}},
            'spare.sied: no such key (did you mean "side"? there are type, side)',
        ),
        (
            {"shape": {"type": "circle", "radius": 2}, "others": [{"type": "square", "side": "x"}]},
            'others.0.side: "x": should be a valid number',
        ),
    ],
)
def test_a_member_is_chosen_by_its_type_word_and_its_own_keys_are_checked(project: Path, drawing: object, expected: str) -> None:
    (project / "drawing.json").write_text(json.dumps(drawing))

    # In a process of its own, since a registry is filled by imports, which last.
    run = subprocess.run([sys.executable, "-c", SCRIPT], cwd=project, capture_output=True, text=True, check=True)

    assert expected in run.stdout
