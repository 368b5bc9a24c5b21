"""Model folders and checkpoints, whatever is in them."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import strategies as st
from mangling import mangled, mangled_json
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from texturelib.errors import TextureError
from texturelib.files import shown

Fuzz = Callable[..., None]


def pickled(content: object, *, in_zip: bool = True) -> bytes:
    file = io.BytesIO()
    torch.save(content, file, _use_new_zipfile_serialization=in_zip)
    return file.getvalue()


def inside_the_zip(original: bytes) -> st.SearchStrategy[bytes]:
    """The archive as torch writes it, but with another pickle in it."""
    with zipfile.ZipFile(io.BytesIO(original)) as archive:
        entries = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    [pickle] = [name for name in entries if name.endswith("/data.pkl")]

    def packed(other: bytes) -> bytes:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            for name, content in entries.items():
                archive.writestr(name, other if name == pickle else content)
        return file.getvalue()

    return mangled([entries[pickle]]).map(packed)


def any_of(content: object) -> st.SearchStrategy[bytes]:
    originals = [pickled(content), pickled(content, in_zip=False)]
    return st.one_of(mangled(originals), inside_the_zip(originals[0]))


@pytest.mark.parametrize("is_old", [False, True])
def test_a_checkpoint_is_resumed_from_or_refused_whatever_is_in_it(
    fuzz: Fuzz, tmp_path: Path, is_old: bool
) -> None:
    network = nn.Linear(2, 2)
    optimizer = torch.optim.Adam(network.parameters())
    network(torch.zeros(1, 2)).sum().backward()
    optimizer.step()
    state = {"step": 3, "history": [{"step": 3, "train_loss": 0.5, "validation_loss": 0.5}]}
    if is_old:
        state |= {"carried": torch.zeros(1, 2), "losses": []}
    optimizer_name = "optimizer" if is_old else "optimizer of network"
    content = {
        "state": state,
        "weights": network.state_dict(),
        optimizer_name: optimizer.state_dict(),
    }
    fuzz("checkpoint", any_of(content), tmp_path / "last.ckpt")


class Theirs(nn.Module):
    """MTCRNN's audio network, as small as it may be."""

    def __init__(self) -> None:
        super().__init__()
        self.i2d = nn.Linear(3, 4)
        self.gru = nn.GRU(4, 4, batch_first=True)
        self.h2o = nn.Linear(4, 256)


def test_a_checkpoint_of_mtcrnns_is_imported_or_refused_whatever_is_in_it(
    fuzz: Fuzz, tmp_path: Path
) -> None:
    fuzz("mtcrnn_checkpoint", any_of(Theirs().state_dict()), tmp_path / "model.pkl")


@pytest.fixture
def models(tmp_path: Path) -> dict[str, Path]:
    """Return a model folder of each kind."""
    from conditioned_synthesis.instrument.instrument import (
        ModelSpec,
        Slider,
        new_instrument,
        save_instrument,
    )
    from conditioned_synthesis.synthesisers.mtcrnn.settings import Mtcrnn
    from domain_adaptation.features.mel import Mel
    from domain_adaptation.models.extractor import make_classifier
    from domain_adaptation.models.model_folder import ModelSpec as ExtractorSpec
    from domain_adaptation.models.model_folder import new_model, save_classifier, save_model
    from domain_adaptation.networks.cnn import Cnn

    folders = {kind: tmp_path / kind for kind in ("instrument", "extractor", "classifier")}
    for folder in folders.values():
        folder.mkdir()
    control = {
        "name": "rate",
        "low": 1.0,
        "high": 9.0,
        "unit": "1/s",
        "curve": "linear",
        "laws": {"mixing": 1.0},
    }
    slider = Slider(
        control=control,
        low=0.1,
        high=0.9,
        curve=((0.1, 0.2), (0.9, 0.8)),
        loudness=((0.1, 3.0), (0.9, 4.0)),
    )
    spec = ModelSpec(
        synthesiser=Mtcrnn(hidden_size=4), sliders=(slider,), sample_rate=8000, level_dbfs=-20.0
    )
    save_instrument(folders["instrument"], new_instrument(spec, 0))
    extractor_spec = ExtractorSpec(
        network=Cnn(n_blocks=1, first_channels=2),
        features=Mel(sample_rate=8000, n_mels=8),
        input_shape=(1, 8, 5),
        controls=(control,),
        sample_rate=8000,
        seconds=0.1,
        interval=(1.5,),
    )
    save_model(folders["extractor"], new_model(extractor_spec))
    save_classifier(folders["classifier"], make_classifier(2, 0.5, 4), 2, 0.5, 4)
    return folders


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("kind", ["instrument", "extractor", "classifier"])
def test_weights_that_are_not_finite_are_refused_by_the_name_of_their_tensor(
    models: dict[str, Path], kind: str, value: float
) -> None:
    from conditioned_synthesis.instrument.instrument import load_instrument
    from domain_adaptation.models.model_folder import load_classifier, load_model

    load = {"instrument": load_instrument, "extractor": load_model, "classifier": load_classifier}[
        kind
    ]
    load(models[kind])
    path = models[kind] / "model.safetensors"
    with safe_open(path, framework="pt") as file:
        spec, weights = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    name = sorted(weights)[-1]
    weights[name].view(-1)[0] = value
    save_file(weights, path, metadata=spec)
    with pytest.raises(TextureError) as refused:
        load(models[kind])
    told = f"{shown(path)}: {name}: 1 of its {weights[name].numel()} numbers are NaN or infinite; it is damaged"
    assert str(refused.value).startswith(told)


def with_header(
    original: bytes, mangle: Callable[..., st.SearchStrategy[bytes]]
) -> st.SearchStrategy[bytes]:
    """safetensors with another header of the right length, and what that says of the model
    changed."""
    size = int.from_bytes(original[:8], "little")
    header, weights = original[8 : 8 + size], original[8 + size :]
    spec = json.loads(json.loads(header)["__metadata__"]["about"])

    def with_about(text: bytes) -> bytes:
        content = json.loads(header)
        content["__metadata__"]["about"] = text.decode(errors="replace")
        return json.dumps(content).encode()

    headers = st.one_of(mangle([header]), mangle([json.dumps(spec).encode()]).map(with_about))
    return headers.map(lambda text: len(text).to_bytes(8, "little") + text + weights)


@pytest.mark.parametrize("kind", ["instrument", "extractor", "classifier"])
def test_a_model_folder_is_loaded_or_refused_whatever_is_in_it(
    fuzz: Fuzz, models: dict[str, Path], kind: str
) -> None:
    path = models[kind] / "model.safetensors"
    original = path.read_bytes()
    fuzz(
        kind,
        st.one_of(mangled([original]), with_header(original, mangled_json)),
        path,
        models[kind],
    )
