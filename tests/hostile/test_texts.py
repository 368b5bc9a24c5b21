"""Configs, dataset folders, run.json and journals: whatever is in them."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import strategies as st
from mangling import mangled, mangled_json, mangled_table

from texturelib.audio import write_wav
from texturelib.dataset import write_dataset

Fuzz = Callable[..., None]

CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.mark.parametrize(
    ("reader", "stage"),
    [
        ("synthetic_config", "synthetic"),
        ("recordings_config", "recordings"),
        ("real_config", "real"),
        ("adaptation_config", "adaptation"),
        ("synthesis_config", "synthesis"),
        ("synthesis_config", "instrument"),
    ],
)
def test_a_config_is_read_or_refused_whatever_is_in_it(
    fuzz: Fuzz, tmp_path: Path, reader: str, stage: str
) -> None:
    originals = [path.read_bytes() for path in sorted(CONFIGS.glob(f"*/{stage}.json"))]
    fuzz(reader, mangled_json(originals), tmp_path / f"{stage}.json")


OPTIONS = [
    b"seed=1",
    b'engine.controls.avgRate=[0.2, "0.75"]',
    b"output=~/x",
    b"distribution.n_clips=12",
    b"volume.low=0.5",
    b"noise={}",
]


def test_a_set_option_is_read_or_refused_whatever_is_typed(fuzz: Fuzz, tmp_path: Path) -> None:
    (tmp_path / "synthetic.json").write_bytes((CONFIGS / "demo" / "synthetic.json").read_bytes())
    literals = mangled_json([b'{"a": 1}'])
    typed = st.one_of(
        mangled(OPTIONS),
        st.tuples(
            st.sampled_from(
                [b"seed=", b"output=", b"engine=", b"engine.controls.avgRate=", b"=", b""]
            ),
            literals,
        ).map(b"".join),
    )
    fuzz("set_option", typed, tmp_path / "option", names=False)


CONTROLS = [
    {
        "name": "rate",
        "unit": "bubbles/s",
        "low": 1.2,
        "high": 100000.0,
        "curve": "exponential",
        "offset": 0.0,
    },
    {
        "name": "radius",
        "unit": "mm",
        "low": 0.5,
        "high": 150.0,
        "curve": "linear",
        "laws": {"slow_down": 1.0},
    },
]


@pytest.fixture
def a_set(tmp_path: Path) -> Path:
    """Return a labelled dataset of a few clips."""
    folder = tmp_path / "set"
    names = [f"audio/{number}.wav" for number in range(1, 6)]
    for name in names:
        write_wav(folder / name, np.full(400, 0.25), 8000)
    labels = np.linspace(0.1, 0.9, 5)
    table = pd.DataFrame(
        {"file_name": names, "rate": labels, "radius": labels**2, "source": "river.wav"}
    )
    write_dataset(
        folder,
        table,
        sample_rate=8000,
        seconds=0.05,
        controls=CONTROLS,
        provenance={"kind": "test"},
    )
    return folder


@pytest.mark.parametrize("reader", ["dataset", "labelled"])
def test_a_metadata_table_is_read_or_refused_whatever_is_in_it(
    fuzz: Fuzz, a_set: Path, reader: str
) -> None:
    table = a_set / "metadata.csv"
    # Where labels are all the same, the config is asked for another control.
    fuzz(reader, mangled_table([table.read_bytes()]), table, a_set, names=reader == "dataset")


@pytest.mark.parametrize("reader", ["dataset", "labelled"])
def test_a_datasets_description_is_read_or_refused_whatever_is_in_it(
    fuzz: Fuzz, a_set: Path, reader: str
) -> None:
    description = a_set / "dataset.json"
    fuzz(reader, mangled_json([description.read_bytes()]), description, a_set)


def test_a_run_json_is_read_or_refused_whatever_is_in_it(fuzz: Fuzz, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    run = {
        "command": "test",
        "settings": {"output": ".", "seed": 0, "engine": {"type": "x", "controls": {"a": [0, 1]}}},
        "inputs": {"real": "0123456789abcdef"},
        "fingerprint": "0123456789abcdef",
        "finished": True,
    }
    originals = [
        json.dumps(run).encode(),
        json.dumps(run | {"finished": False, "fingerprint": None}).encode(),
    ]
    fuzz("run_json", mangled_json(originals), folder / "run.json", folder)


def test_a_journal_is_read_or_refused_whatever_is_in_it(fuzz: Fuzz, tmp_path: Path) -> None:
    lines = [
        b'["a", {"result": {"n": 1}}]\n["b", {"rejected": "is empty (0 bytes)"}]\n',
        b'["b", {"result": {"n": 2}}]\n["a", {"res',
    ]
    first_line = mangled_json([lines[1].splitlines()[0]]).map(lambda line: line + b"\n")
    fuzz("journal", st.one_of(mangled(lines), first_line), tmp_path / "journal.jsonl")
