"""What tests of every package share."""

from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("unhurried", deadline=None)  # a busy machine is not a failure
settings.load_profile("unhurried")

SHARED = Path(__file__).parents[2] / "shared"


@pytest.fixture(scope="session")
def thesis() -> Path:
    """The thesis's published data."""
    folder = SHARED / "thesis"
    if not folder.is_dir():
        pytest.skip("needs the thesis's published data in ../shared/thesis")
    return folder


@pytest.fixture(scope="session")
def thesis_network(thesis: Path) -> Path:
    """The folder of the thesis's trained network; its files begin with the folder's own name."""
    return next(path for path in (thesis / "published").iterdir() if path.is_dir())


@pytest.fixture(scope="session")
def real_recordings() -> Path:
    folder = SHARED / "recordings"
    if not folder.is_dir():
        pytest.skip("needs the recordings in ../shared/recordings")
    return folder
