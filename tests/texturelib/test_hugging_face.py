"""Dataset folders in Hugging Face's own library, offline."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from texturelib.audio import write_wav
from texturelib.dataset import write_dataset

RATE = 8000
# Each of the first four has a word that stands for a split.
NAMES = [
    "rain mic test_1",
    "passing_train_2",
    "dev_3",
    "a-validation-4",
    "plain_5",
    "[odd] é_6",
    "__x/y_7",
    "8.valid.9",
]
CONTROL = {"name": "rate", "low": 1.0, "high": 9.0, "unit": "drops/s"}

# In a process of its own, since it reads its settings when it is imported. Decoding is asked for
# where its decoder loads.
LOAD = """
import json, sys
from datasets import load_dataset
found = {}
for folder in sys.argv[1:]:
    loaded = load_dataset(folder)
    found[folder] = {
        split: {"columns": rows.column_names, "rates": rows["rate"][:], "peak": float(rows[0]["audio"]["array"].max())}
        for split, rows in loaded.items()
    }
print(json.dumps(found))
"""


def write_set(folder: Path, names: list[str], splits: list[str] | None) -> Path:
    for name in names:
        write_wav(folder / "audio" / f"{name}.wav", np.full(RATE // 10, 0.5), RATE)
    table = pd.DataFrame(
        {"file_name": [f"audio/{name}.wav" for name in names], "rate": np.arange(len(names)) / 10}
    )
    table["source"] = "007"
    if splits:
        table["split"] = splits
    write_dataset(folder, table, sample_rate=RATE, seconds=0.1, controls=[CONTROL])
    return folder


@pytest.mark.slow
def test_every_row_and_label_is_loaded_whatever_the_names_and_splits_are_those_of_the_table(
    tmp_path: Path,
) -> None:
    pytest.importorskip("datasets")
    try:
        import torchcodec.encoders  # noqa: F401
    except (ImportError, OSError, RuntimeError):
        pytest.skip("needs FFmpeg's libraries, by which Hugging Face's datasets decode")
    parts = ["train", "train", "test", "test", "validation", "train", "train", "test"]
    folders = {
        "whole": write_set(tmp_path / "whole", NAMES, None),
        "parts": write_set(tmp_path / "parts", NAMES, parts),
        "some": write_set(tmp_path / "some", NAMES, [*parts[:-1], ""]),
        "alone": write_set(tmp_path / "alone", NAMES[:1], ["dev_train"]),
    }
    offline = {"HF_DATASETS_OFFLINE": "1", "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [sys.executable, "-c", LOAD, *map(str, folders.values())],
        env=os.environ | offline,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    loaded = json.loads(done.stdout.splitlines()[-1])
    found = {
        name: {split: rows["rates"] for split, rows in loaded[str(path)].items()}
        for name, path in folders.items()
    }
    rates = [number / 10 for number in range(len(NAMES))]
    assert found["whole"] == found["some"] == {"train": rates}
    assert found["parts"] == {
        split: [rate for rate, part in zip(rates, parts, strict=True) if part == split]
        for split in ("train", "test", "validation")
    }
    assert found["alone"] == {"dev_train": [0.0]}
    rows = loaded[str(folders["whole"])]["train"]
    assert rows["columns"] == ["audio", "rate", "source"]
    assert rows["peak"] == pytest.approx(0.5, abs=1e-3)


def test_what_a_stranger_called_a_control_stays_text_in_the_card(tmp_path: Path) -> None:
    table = pd.DataFrame({"file_name": ["audio/a.wav"], "<script>|": [0.5]})
    control = {"name": "<script>|", "low": 0.0, "high": 1.0, "unit": "](x)"}
    write_dataset(tmp_path, table, sample_rate=RATE, seconds=0.1, controls=[control])
    assert "| \\<script\\>\\| | \\](x) |" in (tmp_path / "README.md").read_text()
