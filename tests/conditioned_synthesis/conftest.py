"""A small labelled set, as stage 3 leaves one, and the command line in this process."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from conditioned_synthesis.cli import app
from conditioned_synthesis.data.mtcrnn_format import params
from conditioned_synthesis.evaluation.labeller import Labeller
from conditioned_synthesis.instrument.automation import constant
from conditioned_synthesis.synthesisers.mtcrnn.network import ConditionalGru
from conditioned_synthesis.synthesisers.mtcrnn.settings import Mtcrnn
from texturelib.audio import read_mono, write_wav
from texturelib.controls import Control
from texturelib.dataset import write_dataset

SAMPLE_RATE, SECONDS = 22050, 0.1
CONTROLS = [
    {
        "name": "rate",
        "unit": "bubbles/s",
        "low": 1.2,
        "high": 100000.0,
        "curve": "exponential",
        "offset": 0.0,
    },
    {"name": "radius", "unit": "mm", "low": 0.5, "high": 150.0, "curve": "linear", "offset": 0.0},
]


def _make_labelled(
    folder: Path, n_clips: int = 60, file_name: Callable[[int], str] = "audio/river_{}.wav".format
) -> Path:
    """Noise with bell-shaped `rate` labels and even `radius` labels, one of each beyond 0..1, as a
    network gives them."""
    rng = np.random.default_rng(0)
    metadata = pd.DataFrame({"file_name": [file_name(index) for index in range(n_clips)]})
    metadata["rate"] = np.append(np.clip(rng.normal(0.5, 0.1, n_clips - 1), 0.2, 0.8), -0.05)
    metadata["radius"] = np.linspace(0.1, 1.02, n_clips)
    metadata["source"] = "river.mp3"
    metadata["start_seconds"] = np.arange(n_clips) * SECONDS
    for name in metadata["file_name"]:
        write_wav(folder / name, rng.uniform(-0.5, 0.5, round(SAMPLE_RATE * SECONDS)), SAMPLE_RATE)
    write_dataset(
        folder,
        metadata,
        sample_rate=SAMPLE_RATE,
        seconds=SECONDS,
        controls=CONTROLS,
        provenance={"kind": "recordings"},
    )
    return folder


def _spoil(labelled: Path, row: int, column: str, value: object) -> None:
    """Change one cell of metadata.csv."""
    table = pd.read_csv(labelled / "metadata.csv", dtype=object)
    table.loc[row, column] = value
    table.to_csv(labelled / "metadata.csv", index=False)


@pytest.fixture
def make_labelled() -> Callable[..., Path]:
    return _make_labelled


@pytest.fixture
def spoil() -> Callable[[Path, int, str, object], None]:
    return _spoil


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    return _make_labelled(tmp_path / "labels")


@pytest.fixture
def config(tmp_path: Path, labelled: Path) -> Path:
    """A config file of this labelled set, everything else as it comes; its output is tmp_path /
    "out"."""
    path = tmp_path / "synthesis.json"
    path.write_text(json.dumps({"output": "out", "labelled": "labels"}))
    return path


@pytest.fixture
def command(
    run_command: Callable[..., tuple[int, str, str]],
) -> Callable[..., tuple[int, str, str]]:
    """Run a command line. -> exit status, what it printed, and its errors."""
    return partial(run_command, app)


ASKED = (Control("rate", 10.0, 50.0, "drops/s"), Control("size", 1.0, 16.0, "mm", "exponential"))
READ = (Control("size", 1.0, 256.0, "mm", "exponential"), Control("rate", 0.0, 100.0, "drops/s"))
N_CLIPS = 20


class Plain(ConditionalGru):
    """Whatever its weights are, it plays its first control as the level of every other sample, its
    second as that of the others, all with a little noise."""

    def player(self, seed: int, **_: object) -> "Plain":  # type: ignore[override]
        self._rng = np.random.default_rng(seed)
        return self

    def play(self, controls: np.ndarray) -> np.ndarray:
        return _plain_sound(controls, self._rng)


def _plain_sound(controls: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """controls: [samples, 2] -> [samples]"""
    samples = 0.9 * controls[np.arange(len(controls)), np.arange(len(controls)) % 2]
    return (samples + rng.normal(0, 0.003, len(controls))).astype(np.float32)


def _heard(folder: Path, responses: Mapping[str, Callable[[float], float]]) -> pd.DataFrame:
    """What a labeller would read from such sounds; of silent ones nothing. responses: by control,
    its place -> what is read."""
    rows = {}
    for path in sorted(folder.rglob("*.wav")):
        samples = read_mono(path, 16000)
        places = {"rate": samples[::2].mean() / 0.9, "size": samples[1::2].mean() / 0.9}
        if samples.any():
            rows[path.relative_to(folder).as_posix()] = {
                name: responses[name](place) for name, place in places.items()
            }
    table = pd.DataFrame.from_dict(rows, orient="index")
    for asked in ASKED:
        [own] = [control for control in READ if control.name == asked.name]
        table[asked.name] = own.to_slider(asked.to_physical(table[asked.name].to_numpy()))
    return table


@pytest.fixture
def listen(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Put a labeller in place of that of the config, which reads plain sounds; by control, what it
    makes of its place."""

    def install(
        controls: tuple[Control, ...] = READ, **responses: Callable[[float], float]
    ) -> None:
        def read(folder: Path) -> pd.DataFrame:
            table = _heard(
                folder, {"rate": lambda place: place, "size": lambda place: place} | responses
            )
            return table[[control.name for control in controls]]

        monkeypatch.setattr(
            "conditioned_synthesis.evaluation.labeller.load_labeller",
            lambda _: Labeller(controls, 0.1, read),
        )

    return install


@pytest.fixture
def plain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listen: Callable[..., None]) -> Path:
    """A config of an instrument with two controls that plays plain sounds, and of a labeller that
    reads these rightly."""
    monkeypatch.setattr(
        Mtcrnn,
        "network",
        lambda settings, n_controls, sample_rate, _: Plain(
            n_controls, sample_rate, settings.hidden_size
        ),
    )
    # Here the level is what is read, and as it is played so it should stay.
    monkeypatch.setattr(
        "conditioned_synthesis.training.command.as_loud_as", lambda *words: words[-1]
    )
    rng = np.random.default_rng(1)
    values = np.stack(
        [np.linspace(0, 1, N_CLIPS), rng.permutation(np.linspace(0, 1, N_CLIPS))], axis=1
    )
    for index, place in enumerate(values):
        write_wav(
            tmp_path / "sounds" / f"{index:02}.wav",
            _plain_sound(np.tile(place, (1600, 1)), rng),
            16000,
        )
        lines = {
            control.name: constant(float(value))
            for control, value in zip(ASKED, place, strict=True)
        }
        (tmp_path / "sounds" / f"{index:02}.params").write_text(
            json.dumps(params(f"{index:02}.wav", lines, 0.1, ASKED))
        )
    (tmp_path / "labeller").mkdir()
    (tmp_path / "labeller" / "model.safetensors").write_bytes(b"not read in these tests")
    content = {
        "output": "out",
        "labelled": "labels",
        "labeller": "labeller",
        "synthesiser": {
            "type": "mtcrnn", "hidden_size": 8, "seq_len": 50, "windows_carried": 2, "batch_size": 4, "num_steps": 4,
            "checkpoint": 2, "validation": 0.4,
        },
        "train": {"sounds": "sounds"},
        "generate": {"values": 3, "seconds": 0.1, "sweep_seconds": 0.2},
        "evaluate": {"values": 5, "seeds": 2, "seconds": 0.2, "clips": 6},
    }  # fmt: skip
    path = tmp_path / "synthesis.json"
    path.write_text(json.dumps(content))
    listen()
    return path


@pytest.fixture
def playable(
    plain: Path,
    command: Callable[..., tuple[int, str, str]],
    made_once: Callable[..., None],
    tmp_path: Path,
) -> Path:
    """The same, trained."""

    def train() -> None:
        assert command("train", plain)[0] == 0

    made_once(tmp_path / "out", "playable", train)
    return plain


@pytest.fixture
def embedding_network() -> Callable[..., Path]:
    return _embedding_network


def _embedding_network(
    path: Path, shape: Sequence[int | str], axes: Sequence[int], **metadata: object
) -> Path:
    """Write an ONNX file whose embedding of a sound is the mean square over `axes`, and return its
    path."""
    import onnx
    from onnx import TensorProto, helper

    nodes = [
        helper.make_node("Mul", ["sound", "sound"], ["squared"]),
        helper.make_node("ReduceMean", ["squared"], ["vectors"], axes=axes, keepdims=0),
    ]
    given = helper.make_tensor_value_info("sound", TensorProto.FLOAT, shape)
    found = helper.make_tensor_value_info("vectors", TensorProto.FLOAT, None)
    model = helper.make_model(
        helper.make_graph(nodes, "embedding", [given], [found]),
        opset_imports=[helper.make_opsetid("", 13)],
        ir_version=8,
    )
    helper.set_model_props(model, {key: str(value) for key, value in metadata.items()})
    onnx.save(model, path)
    return path
