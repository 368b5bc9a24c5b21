"""An instrument as an ONNX file, played by another runtime in a process that knows nothing of this
toolkit."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from conditioned_synthesis.instrument.automation import Automation, constant
from conditioned_synthesis.instrument.instrument import (
    ModelSpec,
    Slider,
    new_instrument,
    save_instrument,
)
from conditioned_synthesis.synthesisers.mtcrnn.settings import Mtcrnn
from conditioned_synthesis.synthesisers.texenv.settings import TexEnv
from texturelib.controls import Control

RATE = 8000
CURVE = ((0.1, 0.2), (0.5, 0.3), (0.9, 0.9))

# As docs/howto/play.md has it, but for the draws, which are those of `generate`.
PLAY = """
import json, sys
import numpy as np
import onnxruntime

session = onnxruntime.InferenceSession(sys.argv[1])
about = json.loads(session.get_modelmeta().custom_metadata_map["instrument"])
shapes = {each.name: each.shape for each in session.get_inputs()}
rng = np.random.default_rng(5)
kept = {name: np.zeros(shape, np.float32) for name, shape in shapes.items() if name not in ("controls", "noise", "places")}
kept["places"] = rng.integers(2**31, size=shapes["places"])

def play(controls):
    noise = rng.standard_normal((1, len(controls), about["n_noises"]), dtype=np.float32)
    names = [each.name for each in session.get_outputs()]
    found = session.run(names, {"controls": controls[None].astype(np.float32), "noise": noise, **kept})
    for name, value in zip(names[1:], found[1:]):
        kept[name.removesuffix("_after")] = value
    return found[0]

controls = np.load(sys.argv[2])[:: about["hop"]]
places = kept["places"]
play(np.repeat(controls[:1], about["frames_to_begin_with"], axis=0))
kept["places"] = places
np.save(sys.argv[3], np.concatenate([play(controls[:1]), play(controls[1:20]), play(controls[20:])]))
assert not {"torch", "conditioned_synthesis", "texturelib"} & set(sys.modules)
"""


@pytest.fixture
def model(tmp_path: Path, request):
    """A model folder and its instrument; of as many channels as a test parametrises it with, else
    one."""
    channels = getattr(request, "param", 1)
    settings = TexEnv(n_bands=6, low_hz=60, channels=8, n_layers=2, stereo=channels == 2)
    sliders = tuple(
        Slider(
            control=Control(name, 1.0, 9.0, "Hz").describe(),
            low=0.1,
            high=0.9,
            curve=curve,
            loudness=((0.1, 3.0), (0.9, 3.0)),
        )
        for name, curve in (("a", CURVE), ("b", None))
    )
    instrument = new_instrument(
        ModelSpec(synthesiser=settings, sliders=sliders, sample_rate=RATE, channels=channels),
        seed=1,
    )
    torch.nn.init.normal_(instrument.network.levels.weight)
    instrument.network.eval()
    (tmp_path / "model").mkdir()
    save_instrument(tmp_path / "model", instrument)
    return instrument


@pytest.mark.parametrize("model", [1, 2], ids=["mono", "stereo"], indirect=True)
@pytest.mark.slow
@pytest.mark.parametrize(
    ("moves", "loudness", "tolerance"),
    [
        (True, ((0.1, 3.0), (0.9, 3.0)), 1e-5),
        (False, ((0.1, 3.0), (0.6, 5.0), (0.9, 4.0)), 1e-5),
        # The gain is the same for the whole of a frame.
        (True, ((0.1, 3.0), (0.6, 5.0), (0.9, 4.0)), 0.05),
    ],
)
def test_another_runtime_plays_the_same_sound(model, command, tmp_path, moves, loudness, tolerance):
    pytest.importorskip("onnxruntime")
    sliders = tuple(
        slider.model_copy(update={"loudness": loudness}) for slider in model.spec.sliders
    )
    model = replace(model, spec=model.spec.model_copy(update={"sliders": sliders}))
    save_instrument(tmp_path / "model", model)
    status, printed, errors = command(
        "export-onnx", "--model", tmp_path / "model", "--output", tmp_path / "a.onnx"
    )
    assert status == 0, errors
    assert "2 sliders" in printed
    n_samples = 40 * model.network.hop
    lines = {
        "a": Automation(np.array([0.0, n_samples / RATE]), np.array([0.1, 0.9])),
        "b": Automation(np.array([0.0, n_samples / RATE]), np.array([0.8, 0.2])),
    }
    if not moves:
        lines = {"a": constant(0.7), "b": constant(0.3)}
    places = np.stack([lines[name].at(np.arange(n_samples) / RATE) for name in ("a", "b")], axis=1)
    np.save(tmp_path / "controls.npy", places)
    words = [
        sys.executable,
        "-c",
        PLAY,
        tmp_path / "a.onnx",
        tmp_path / "controls.npy",
        tmp_path / "sound.npy",
    ]
    subprocess.run(words, check=True, cwd=tmp_path)
    expected = model.play(lines, n_samples / RATE, seed=5)
    assert np.abs(expected).max() > 1e-3
    np.testing.assert_allclose(
        np.load(tmp_path / "sound.npy"), expected, atol=tolerance * np.abs(expected).max()
    )


@pytest.mark.slow
def test_the_file_says_what_it_is_and_not_where_it_was_made(model, command, tmp_path):
    onnx = pytest.importorskip("onnx")
    assert (
        command("export-onnx", "--model", tmp_path / "model", "--output", tmp_path / "a.onnx")[0]
        == 0
    )
    loaded = onnx.load(tmp_path / "a.onnx")
    onnx.checker.check_model(loaded)
    content = (tmp_path / "a.onnx").read_bytes()
    for word in (b".py", str(Path.cwd()).encode(), b"stack_trace"):
        assert word not in content
    spec = json.loads(
        next(each.value for each in loaded.metadata_props if each.key == "instrument")
    )
    # By hand: onnxruntime 1.15.1, the oldest for Python 3.11, and 1.16.3 play it; they know no IR
    # version above 9. Neither goes beside numpy 2, so the test looks at the numbers. All runtimes
    # that know opset 18 know IR version 8.
    (opset,) = (each.version for each in loaded.opset_import if each.domain == "")
    assert (loaded.ir_version, opset) == (spec["ir_version"], spec["opset"]) == (8, 18)
    assert spec["sample_rate"] == RATE
    assert [slider["control"]["name"] for slider in spec["sliders"]] == ["a", "b"]
    assert spec["sliders"][0]["low"] == 0.1


@pytest.mark.parametrize(
    "words",
    [["export-onnx", "a.onnx"], ["generate", "a.wav", "--seconds", "0.1"]],
    ids=lambda words: words[0],
)
def test_an_instrument_whose_weights_are_not_finite_is_refused_and_nothing_written(
    model, command, tmp_path, words
):
    model.network.levels.weight.data[0, 0] = float("nan")
    save_instrument(tmp_path / "model", model)
    verb, name, *others = words
    status, _, errors = command(
        verb, "--model", tmp_path / "model", "--output", tmp_path / name, *others
    )
    assert status == 1
    assert "model.safetensors: levels.weight: 1 of its " in errors
    assert not (tmp_path / name).exists()


def test_what_cannot_be_written_is_a_sentence(model, command, tmp_path):
    words = ("export-onnx", "--model", tmp_path / "model", "--output")
    status, _, errors = command(*words, tmp_path / "a.wav")
    assert status == 2
    assert "should end in .onnx" in errors
    (tmp_path / "a.onnx").write_bytes(b"mine")
    status, _, errors = command(*words, tmp_path / "a.onnx")
    assert status == 2
    assert "--overwrite replaces it" in errors
    spec = ModelSpec(
        synthesiser=Mtcrnn(hidden_size=8), sliders=model.spec.sliders, sample_rate=RATE
    )
    save_instrument(tmp_path / "model", new_instrument(spec, seed=1))
    status, _, errors = command(*words, tmp_path / "b.onnx")
    assert status == 2
    assert '"texenv" is one' in errors
    assert not (tmp_path / "b.onnx").exists()


def test_without_the_package_that_writes_it_the_sentence_says_which(
    model, command, tmp_path, monkeypatch
):
    monkeypatch.setattr("importlib.util.find_spec", lambda *_: None)
    status, _, errors = command(
        "export-onnx", "--model", tmp_path / "model", "--output", tmp_path / "a.onnx"
    )
    assert status == 2
    assert "takes the package onnxscript" in errors
