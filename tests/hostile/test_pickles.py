"""A pickle can hold any program. None that comes from outside is run, by no command that may meet
one."""

import io
import json
import os
import pickle
import shutil
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from texturelib.audio import write_wav


class Trap:
    """In a pickle, leaves a mark when it is loaded."""

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch '{self._mark}'",)


def saved(content: object, *, in_zip: bool) -> bytes:
    file = io.BytesIO()
    torch.save(content, file, _use_new_zipfile_serialization=in_zip)
    return file.getvalue()


def packed(trap: Trap) -> bytes:
    """As torch's archives are not: its parts compressed."""
    original, file = saved({"weights": trap}, in_zip=True), io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(original)) as before,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as after,
    ):
        for entry in before.infolist():
            after.writestr(entry.filename, before.read(entry) + bytes(100_000))
    return file.getvalue()


def with_build(mark: Path) -> bytes:
    """A program written by hand, which calls `os.system` by its name in `posix` and then goes on as
    tensors do."""
    return (
        b"\x80\x02cposix\nsystem\nX"
        + struct.pack("<I", len(f"touch {mark}"))
        + f"touch {mark}".encode()
        + b"\x85R."
    )


DISGUISES: dict[str, Callable[[Path], bytes]] = {
    "a plain pickle": lambda mark: pickle.dumps(Trap(mark)),
    "a pickle of protocol 0": lambda mark: pickle.dumps(Trap(mark), protocol=0),
    "a program by hand": with_build,
    "torch's archive": lambda mark: saved(Trap(mark), in_zip=True),
    "among weights, in torch's archive": lambda mark: saved(
        {"i2d.weight": torch.zeros(2, 2), "x": Trap(mark)}, in_zip=True
    ),
    "among weights, as torch saved before": lambda mark: saved(
        {"model_state_dict": {"a": Trap(mark)}}, in_zip=False
    ),
    "as a key": lambda mark: saved(
        {"state": {}, "weights": [Trap(mark)], "optimizer": (Trap(mark),)}, in_zip=True
    ),
    "a whole module": lambda _: saved(nn.Linear(2, 2), in_zip=True),
    "packed": lambda mark: packed(Trap(mark)),
}


@pytest.mark.parametrize("disguise", DISGUISES)
def test_a_program_in_a_checkpoint_is_refused_and_does_not_run(
    tmp_path: Path, run_command: Callable, disguise: str
) -> None:
    from conditioned_synthesis.cli import app as synthesis
    from domain_adaptation.cli import app as adaptation
    from texturelib.errors import TextureError
    from texturelib.learning.checkpoint import resume

    mark = tmp_path / "mark"
    content = DISGUISES[disguise](mark)

    (tmp_path / "model.pkl").write_bytes(content)
    done = run_command(
        synthesis,
        "import-model",
        tmp_path / "model.pkl",
        "--output",
        tmp_path / "imported",
        "--control",
        "a",
    )
    assert (done.status, done.err.count("\n")) == (1, 1)
    assert "model.pkl: not a checkpoint that holds tensors alone" in done.err

    published = tmp_path / "published"
    published.mkdir()
    (published / "n_ConfigDict.json").write_text("{}")
    (published / "n.pth").write_bytes(content)
    done = run_command(adaptation, "import-thesis", published, "--output", tmp_path / "models")
    assert (done.status, done.err.count("\n")) == (1, 1)
    assert "n.pth: " in done.err

    (tmp_path / "last.ckpt").write_bytes(content)
    with pytest.raises(
        TextureError,
        match=r"last\.ckpt: not a checkpoint of this training \(.*\); remove it to start anew",
    ):
        resume(tmp_path / "last.ckpt", dict, {"weights": nn.Linear(2, 2)})

    # Wherever weights of ours are expected, which are no pickles at all.
    model = tmp_path / "model"
    model.mkdir()
    (model / "model.safetensors").write_bytes(content)
    for app, words in (
        (synthesis, ["generate", "--model", model, "--output", tmp_path / "x.wav"]),
        (synthesis, ["export-onnx", "--model", model, "--output", tmp_path / "x.onnx"]),
        (
            adaptation,
            ["label", "--model", model, "--audio", published, "--output", tmp_path / "x.csv"],
        ),
    ):
        done = run_command(app, *words)
        assert (done.status, done.err.count("\n")) == (1, 1)
        assert "model.safetensors: not a model of this toolkit that fits here" in done.err
    assert not mark.exists()


def test_a_trap_goes_off_where_it_is_not_refused(tmp_path: Path) -> None:
    """So that the others are known to test something."""
    pickle.loads(pickle.dumps(Trap(tmp_path / "mark")))
    assert (tmp_path / "mark").exists()
    pickle.loads(with_build(tmp_path / "other"))
    assert (tmp_path / "other").exists()


def arrays_with(trap: Trap) -> dict[str, bytes]:
    plain, of_objects, several = io.BytesIO(), io.BytesIO(), io.BytesIO()
    pickle.dump(trap, plain)
    np.save(of_objects, np.array([trap], dtype=object), allow_pickle=True)
    np.savez(several, a=np.array([trap], dtype=object))
    return {
        "plain": plain.getvalue(),
        "of objects": of_objects.getvalue(),
        "several": several.getvalue(),
    }


@pytest.mark.parametrize("kind", ["plain", "of objects", "several"])
def test_a_program_in_an_array_is_refused_and_does_not_run(tmp_path: Path, kind: str) -> None:
    from conditioned_synthesis.instrument.instrument import ModelSpec, Slider
    from conditioned_synthesis.instrument.parse import read_automations
    from conditioned_synthesis.synthesisers.mtcrnn.settings import Mtcrnn
    from texturelib.controls import Control
    from texturelib.errors import TextureError

    mark = tmp_path / "mark"
    (tmp_path / "curve.npy").write_bytes(arrays_with(Trap(mark))[kind])
    slider = Slider(control=Control("a", 0.0, 1.0, "").describe(), low=0, high=1)
    spec = ModelSpec(synthesiser=Mtcrnn(), sliders=(slider,), sample_rate=8000)
    for word in (f"a={tmp_path / 'curve.npy'}", str(tmp_path / "curve.npy")):
        with pytest.raises(
            TextureError, match=r"curve\.npy: not an array of numbers that numpy saved"
        ):
            read_automations([word], spec, 1.0)
    assert not mark.exists()


def test_a_program_in_the_checkpoint_of_a_stopped_training_does_not_run(
    tmp_path: Path, run_command: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    from conditioned_synthesis.cli import app

    monkeypatch.chdir(tmp_path)
    for number, value in enumerate((0.1, 0.5, 0.9)):
        write_wav(
            Path(f"sounds/{number}.wav"),
            np.random.default_rng(number).uniform(-0.5, 0.5, 800),
            8000,
        )
        line = {"times": [0, 1], "values": [value, value]}
        Path(f"sounds/{number}.params").write_text(json.dumps({"rate": line}))
    synthesiser = {
        "type": "mtcrnn",
        "hidden_size": 4,
        "seq_len": 50,
        "num_steps": 1,
        "batch_size": 2,
    }
    config = {
        "output": "out",
        "labelled": "x",
        "synthesiser": synthesiser,
        "train": {"sounds": "sounds"},
    }
    Path("synthesis.json").write_text(json.dumps(config | {"compute": {"accelerator": "cpu"}}))
    assert run_command(app, "train", "synthesis.json").status == 0
    run = json.loads(Path("out/synthesiser/run.json").read_text())
    Path("out/synthesiser/run.json").write_text(json.dumps(run | {"finished": False}))
    Path("out/synthesiser/last.ckpt").write_bytes(
        DISGUISES["among weights, in torch's archive"](tmp_path / "mark")
    )
    done = run_command(app, "train", "synthesis.json")
    assert done.status == 1
    assert "last.ckpt: not a checkpoint of this training" in done.err
    assert not (tmp_path / "mark").exists()


def test_an_archive_that_unpacks_to_more_than_its_size_is_refused(tmp_path: Path) -> None:
    from texturelib.learning.tensors import NotTensorsError, load_tensors

    path = tmp_path / "model.pkl"
    torch.save({"a": torch.zeros(1_000_000)}, path)
    assert load_tensors(path)["a"].shape == (1_000_000,)
    with (
        zipfile.ZipFile(path) as before,
        zipfile.ZipFile(tmp_path / "packed", "w", zipfile.ZIP_DEFLATED) as after,
    ):
        for entry in before.infolist():
            after.writestr(entry.filename, before.read(entry))
    shutil.move(tmp_path / "packed", path)
    assert path.stat().st_size < 10_000  # of 4 MB
    with pytest.raises(NotTensorsError, match="it would unpack to more than its size"):
        load_tensors(path)


def test_a_tensor_that_claims_more_than_the_file_holds_is_refused(tmp_path: Path) -> None:
    from texturelib.learning.tensors import NotTensorsError, load_tensors

    torch.save({"a": [torch.zeros(1).expand(2**40)]}, tmp_path / "model.pkl")
    with pytest.raises(
        NotTensorsError, match=r"a tensor of shape \(1099511627776,\) is larger than the file"
    ):
        load_tensors(tmp_path / "model.pkl")
