"""An instrument as TorchScript, called as nn~ does it, plays what the player in Python plays."""

import subprocess
import sys
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from conditioned_synthesis.exporters.nn_tilde import as_torchscript
from conditioned_synthesis.exporters.nn_tilde_module import NnTildeTexEnv
from conditioned_synthesis.instrument.instrument import (
    Instrument,
    ModelSpec,
    new_instrument,
    save_instrument,
)
from conditioned_synthesis.portable.make import portable_of
from conditioned_synthesis.portable.player import PortablePlayer
from conditioned_synthesis.synthesisers.grains.settings import Grains
from conditioned_synthesis.synthesisers.texenv.settings import TexEnv

from .live_parts import make_instrument
from .same_sound import snr_db

RATE = 44100  # a frame is 176.4 samples
# A program that knows nothing of the toolkit, and does with a file what nn~ does.
PROGRAM = """
import sys
import numpy as np
import torch
model = torch.jit.load(sys.argv[1]).eval()
assert "conditioned_synthesis" not in sys.modules
[n_inlets, ratio, n_outlets, _] = model.forward_params.tolist()
signals = torch.linspace(0, 1, 4096).repeat(n_inlets, 1)
given = signals.reshape(n_inlets, 1, -1, ratio).select(-1, -1).permute(1, 0, 2)
with torch.inference_mode():
    sound = model.forward(given)
np.save(sys.argv[2], sound.numpy())
"""


@pytest.fixture(scope="module", params=[1, 2], ids=["mono", "stereo"])
def instrument(request: pytest.FixtureRequest) -> Instrument:
    if request.param == 1:
        return make_instrument()
    settings = TexEnv(n_bands=12, channels=16, n_layers=3, stereo=True)
    sliders = make_instrument().spec.sliders
    spec = ModelSpec(synthesiser=settings, sliders=sliders, sample_rate=16000, channels=2)
    return new_instrument(spec, seed=3)


def as_nn_tilde(model: Any, signals: np.ndarray) -> np.ndarray:
    """Return what nn~ plays when these signals are in its inlets for one buffer.

    As `Backend::perform` does it (acids-ircam/nn_tilde, src/backend/backend.cpp). signals: [inlets,
    buffer] -> [buffer, 2].
    """
    n_inlets, ratio, n_outlets, out_ratio = model.forward_params.tolist()
    given = torch.from_numpy(signals).reshape(n_inlets, 1, -1, ratio).select(-1, -1)
    with torch.inference_mode():
        sound = model.forward(given.permute(1, 0, 2))
    sound = sound.repeat_interleave(out_ratio).reshape(1, n_outlets, -1)
    assert sound.shape[2] == signals.shape[1]
    assert sound.dtype == torch.float32
    return sound[0].numpy().T.copy()


def loaded(path: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return torch.jit.load(path)


@pytest.fixture(scope="module")
def file(instrument: Instrument, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("nn_tilde") / "a.ts"
    path.write_bytes(as_torchscript(NnTildeTexEnv(portable_of(instrument, "float32"), RATE)))
    return path


@pytest.fixture
def scripted(file: Path) -> Any:
    return loaded(file)


@pytest.mark.parametrize("buffer", [64, 4096])
def test_it_plays_what_the_player_in_python_plays(instrument, scripted, buffer):
    scripted.set_seed(5)
    player = PortablePlayer(portable_of(instrument, "float32"), RATE, seed=5)
    expected, found = [], []
    for number in range(3 * 4096 // buffer):
        places = (0.2, 0.7) if number * buffer < 4096 else (0.8, 7.0)
        for name, place in zip(instrument.spec.names, places, strict=True):
            player.set(name, place)
        signals = np.repeat(np.float32(places)[:, None], buffer, axis=1)
        expected.append(player.render(buffer))
        found.append(as_nn_tilde(scripted, signals))
    assert snr_db(np.concatenate(expected), np.concatenate(found)) > 100


def test_a_slider_moves_within_a_buffer(scripted):
    """A buffer may be long, and what comes in half of it is not heard before that."""
    scripted.set_seed(1)
    still = np.full((2, 8192), 0.2, np.float32)
    moved = still.copy()
    moved[:, 4096:] = 0.9
    first = as_nn_tilde(scripted, still)
    scripted.set_seed(1)
    second = as_nn_tilde(scripted, moved)
    np.testing.assert_array_equal(first[:4096], second[:4096])
    assert np.abs(first[4500:] - second[4500:]).max() > 0.01


def test_what_is_no_number_is_a_slider_at_its_lower_end(scripted):
    as_nn_tilde(scripted, np.full((2, 256), np.nan, np.float32))
    sound = as_nn_tilde(scripted, np.full((2, 2048), 0.5, np.float32))
    assert np.isfinite(sound).all()


def test_it_has_what_nn_tilde_asks_for(scripted):
    assert scripted.get_methods() == ["forward"]
    assert scripted.forward_params.tolist() == [2, 64, 2, 1]
    assert scripted.get_attributes() == ["seed"]
    assert scripted.seed_params.tolist() == [1]
    assert scripted.set_seed(7) == 0
    assert scripted.get_seed() == 7
    assert scripted.forward_input_labels[1] == "(signal) how dense: 0..1 is 1..9 layers/s"
    assert scripted.forward_output_labels == ["(signal) left", "(signal) right"]


def test_another_seed_is_another_sound(scripted):
    signals = np.full((2, 8192), 0.5, np.float32)
    sounds = []
    for seed in (1, 2):
        scripted.set_seed(seed)
        sounds.append(as_nn_tilde(scripted, signals)[:, 0])
    assert abs(np.corrcoef(*sounds)[0, 1]) < 0.2


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "model").mkdir()
    save_instrument(tmp_path / "model", make_instrument())
    return tmp_path / "model"


@pytest.mark.slow
def test_a_program_without_the_toolkit_plays_the_file(model, command, tmp_path):
    words = ["export-nn-tilde", "--model", model, "--output", tmp_path / "water.ts"]
    status, printed, errors = command(*words, "--sample-rate", RATE)
    assert status == 0, errors
    path = tmp_path / "water_b64_r44100_z2.ts"
    assert f"{path.name}: 2 sliders" in printed
    with zipfile.ZipFile(path) as file:
        code = [file.read(name) for name in file.namelist() if "/data/" not in name]
    assert not any(str(Path(__file__).parents[2]).encode() in each for each in code)
    found = tmp_path / "sound.npy"
    words = [sys.executable, "-W", "ignore", "-c", PROGRAM, path, found]
    # A process of its own that imports torch: what the toolkit has imported must play no part.
    subprocess.run(words, cwd=tmp_path, check=True)
    sound = np.load(found)
    assert sound.shape == (1, 2, 4096)
    assert sound.std() > 0
    status, _, errors = command("export-nn-tilde", "--model", model, "--output", path)
    assert (status, "--overwrite" in errors) == (0, False)  # of another rate: another name
    status, _, errors = command(
        "export-nn-tilde", "--model", model, "--output", path, "--sample-rate", RATE
    )
    assert status == 2
    assert "--overwrite" in errors


def test_other_kinds_are_refused(command, tmp_path):
    sliders = make_instrument().spec.sliders
    spec = ModelSpec(synthesiser=Grains(), sliders=sliders, sample_rate=16000)
    (tmp_path / "grains").mkdir()
    save_instrument(tmp_path / "grains", new_instrument(spec, seed=0))
    output = tmp_path / "a.ts"
    status, _, errors = command(
        "export-nn-tilde", "--model", tmp_path / "grains", "--output", output
    )
    assert status == 2
    assert 'nn~ plays a "texenv"; a "grains" plays in this toolkit' in errors
    status, _, errors = command(
        "export-nn-tilde", "--model", tmp_path / "grains", "--output", tmp_path / "a.pt"
    )
    assert "should end in .ts" in errors
