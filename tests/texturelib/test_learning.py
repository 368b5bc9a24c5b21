"""What a training leaves behind."""

from pathlib import Path

import pandas as pd
import pytest

from texturelib.learning.journal import Journal


def test_a_checkpoint_comes_after_the_history_that_leads_to_it(tmp_path: Path) -> None:
    """Or a training killed between the two, which does not do the step again, would never write its row."""
    (tmp_path / "last.ckpt").mkdir()  # so that it cannot be written
    with Journal(tmp_path, begins_at=0) as journal, pytest.raises(IsADirectoryError):
        journal.write(3, {"step": 3}, [{"step": 3, "train_loss": 0.5}], {})
    assert pd.read_csv(tmp_path / "history.csv").to_dict("records") == [{"step": 3, "train_loss": 0.5}]
