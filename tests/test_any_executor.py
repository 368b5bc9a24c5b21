"""Every job leaves the same bytes on a cluster as on this machine."""

import importlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from domain_adaptation.data.clip_store import clip_store
from domain_adaptation.features.mel import Mel
from domain_adaptation.models.model_folder import ModelSpec, new_model, save_model
from domain_adaptation.networks.cnn import Cnn
from texturelib.audio import write_wav
from texturelib.dataset import read_dataset, write_dataset
from texturelib.executors import Executor, executor_named

from .conftest import Done

RATE, SECONDS, N_CLIPS = 8000, 0.5, 150  # three batches of clips, the last one not full
CONTROL = {
    "name": "pitch",
    "unit": "Hz",
    "low": 100.0,
    "high": 3000.0,
    "curve": "exponential",
    "offset": 0.0,
}


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.slow) for name in ("dask", "ray")])
def cluster(request: pytest.FixtureRequest) -> str:
    return f"{request.param}={request.getfixturevalue(f'{request.param}_address')}"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """recordings/; labelled/, a dataset folder; models/extractor and models/adapted, which have
    learnt nothing."""
    import torch

    folder = tmp_path_factory.mktemp("made")
    rng = np.random.default_rng(0)
    for index in range(6):
        write_wav(folder / "recordings" / f"{index}.wav", rng.uniform(-0.5, 0.5, 4 * RATE), RATE)
    (folder / "recordings" / "broken.wav").write_bytes(b"RIFF")
    names = [f"audio/{index}.wav" for index in range(N_CLIPS)]
    for name in names:
        write_wav(folder / "labelled" / name, rng.uniform(-0.5, 0.5, round(RATE * SECONDS)), RATE)
    table = pd.DataFrame({"file_name": names, "pitch": np.linspace(0, 1, N_CLIPS)})
    write_dataset(
        folder / "labelled",
        table,
        sample_rate=RATE,
        seconds=SECONDS,
        controls=[CONTROL],
        provenance={"kind": "test"},
    )
    features = Mel(sample_rate=4000, n_mels=24)
    shape = tuple(features.compute(torch.randn(1, round(4000 * SECONDS))).shape[1:])
    spec = ModelSpec(
        network=Cnn(n_blocks=2, first_channels=4),
        features=features,
        input_shape=shape,
        controls=(CONTROL,),
        sample_rate=RATE,
        seconds=SECONDS,
    )
    for seed, name in enumerate(("extractor", "adapted")):
        torch.manual_seed(seed)
        save_model(folder / "models" / name, new_model(spec))
    return folder


def configs(made: Path) -> dict[tuple[str, str], dict[str, object]]:
    """Return the config of each command, by package and command."""
    low = {name: [0.5, 0.75] for name in ("avgRate", "minRadius", "maxRadius", "expRadius")}
    liquid = {"type": "liquid", "controls": low}
    return {
        ("synthetic_datasets", "generate"): {
            "sample_rate": RATE,
            "seconds": SECONDS,
            "engine": liquid,
            "distribution": {"type": "random_uniform", "n_clips": 40},
            "noise": {},
        },
        ("synthetic_datasets", "simulate-recordings"): {
            "sample_rate": RATE,
            "seconds": SECONDS,
            "n_locations": 2,
            "takes_per_location": 5,
            "engine": liquid,
        },
        ("real_datasets", "build"): {
            "sample_rate": RATE,
            "seconds": SECONDS,
            "source": {"type": "folder", "path": str(made / "recordings")},
            "max_rejected": 0.5,
        },
        ("conditioned_synthesis", "export"): {
            "labelled": str(made / "labelled"),
            "balance": {"control": "pitch", "bins": 5},
            "export": {"sample_rate": 16000, "source": "labelled"},
        },
        ("conditioned_synthesis", "augment"): {
            "labelled": str(made / "labelled"),
            # Its clips are recordings of their own, and no longer than that.
            "augment": {"n_clips": 20, "size": [1, 2], "density": [1, 2], "seconds": SECONDS / 2},
        },
        ("domain_adaptation", "label"): {
            "synthetic": str(made / "labelled"),
            "real": str(made / "labelled"),
            "features": {"type": "mel", "sample_rate": 4000, "n_mels": 24},
            "network": {"type": "cnn", "n_blocks": 2, "first_channels": 4},
            "adaptation": {"type": "none"},
        },
    }


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def run(
    place: Path,
    made: Path,
    package: str,
    command: str,
    executor: str,
    run_command: Callable[..., Done],
) -> dict[str, bytes]:
    """Return every file that the command leaves in a folder of `place`, which ends with the same
    name for all."""
    output = place / "out"
    if command == "label":
        shutil.copytree(made / "models", output)
    name, _, address = executor.partition("=")
    settings = {"type": name} | ({"address": address} if address else {"workers": 1})
    config = place / "config.json"
    place.mkdir(exist_ok=True)
    config.write_text(
        json.dumps({"output": "out", "executor": settings, **configs(made)[package, command]})
    )
    done = run_command(importlib.import_module(f"{package}.cli").app, command, config)
    assert (done.status, done.err) == (0, "")
    return files(output)


@pytest.mark.parametrize(
    ("package", "command"),
    [
        pytest.param("synthetic_datasets", "generate", marks=pytest.mark.slow),
        pytest.param("synthetic_datasets", "simulate-recordings", marks=pytest.mark.slow),
        ("real_datasets", "build"),
        pytest.param("domain_adaptation", "label", marks=pytest.mark.slow),
        pytest.param("conditioned_synthesis", "export", marks=pytest.mark.slow),
        pytest.param("conditioned_synthesis", "augment", marks=pytest.mark.slow),
    ],
)
def test_a_command_leaves_the_same_bytes(
    package: str,
    command: str,
    cluster: str,
    made: Path,
    tmp_path: Path,
    run_command: Callable[..., Done],
) -> None:
    there = run(tmp_path / "there", made, package, command, cluster, run_command)
    here = run(tmp_path / "here", made, package, command, "local", run_command)
    assert len(here) > 5
    assert there.keys() == here.keys()
    assert [name for name in here if here[name] != there[name]] == []


def test_a_folder_gets_the_same_labels(
    cluster: str, made: Path, tmp_path: Path, run_command: Callable[..., Done]
) -> None:
    app = importlib.import_module("domain_adaptation.cli").app
    for place, executor in (("there", cluster), ("here", "local")):
        options = {
            "model": made / "models/adapted",
            "audio": made / "recordings",
            "output": tmp_path / place / "labels.csv",
        }
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        done = run_command(app, "label", *words, "--executor", executor)
        assert done.status == 0, done.err
        assert "broken.wav" in done.err
    assert len(pd.read_csv(tmp_path / "here/labels.csv")) == 6 * 8  # segments of 0.5 s
    assert files(tmp_path / "here") == files(tmp_path / "there")


def test_a_store_of_clips_holds_the_same_bytes(cluster: str, made: Path, tmp_path: Path) -> None:
    dataset = read_dataset(made / "labelled")
    stores = {}
    for name in (cluster, "local"):
        executor: Executor = executor_named(name)
        stores[name] = clip_store(
            dataset, 4000, tmp_path / executor.type, executor
        ).path.read_bytes()
    assert len(stores["local"]) == N_CLIPS * 2000 * 2
    assert stores[cluster] == stores["local"]
    assert sorted(path.name for path in (tmp_path / executor_named(cluster).type).iterdir()) == [
        "clips.s16",
        "config.json",
        "inputs.json",
        "made.jsonl",
        "run.json",
    ]
