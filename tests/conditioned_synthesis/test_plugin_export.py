"""Plugins for DAWs, built of an instrument, and played by hosts without windows."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from conditioned_synthesis.exporters.plugin import parameters_of
from conditioned_synthesis.instrument.instrument import (
    ModelSpec,
    Slider,
    new_instrument,
    save_instrument,
)
from conditioned_synthesis.portable.make import portable_of
from conditioned_synthesis.portable.player import PortablePlayer
from conditioned_synthesis.synthesisers.texenv.settings import TexEnv
from texturelib.controls import Control

from .same_sound import snr_db

HOSTS = Path(__file__).parent / "hosts"
DISTRHO = Path("/usr/share/dpf/distrho")
CONTROLS = (
    Control("size", 0.5, 2.0, "x", "exponential"),
    Control('how "dense"', 1.0, 8.0, "layers/s"),
)


def make_instrument(controls: tuple[Control, ...] = CONTROLS):
    settings = TexEnv(n_bands=12, channels=16, n_layers=3)
    sliders = tuple(Slider(control=each.describe(), low=0.0, high=1.0) for each in controls)
    spec = ModelSpec(synthesiser=settings, sliders=sliders, sample_rate=16000)
    instrument = new_instrument(spec, seed=3)
    with torch.no_grad():
        instrument.network.levels.weight.normal_(0.0, 0.3)  # type: ignore[union-attr,operator]
    return instrument


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "model").mkdir()
    save_instrument(tmp_path / "model", make_instrument())
    return tmp_path / "model"


@pytest.fixture
def build(model, command, tmp_path):
    """Build the plugin of a kind. Skips where the tools are missing."""
    if not (shutil.which("g++") and DISTRHO.exists()):
        pytest.skip("g++ or dpf-source is not installed")

    def run(kind: str) -> Path:
        output = tmp_path / "built" / f"My water.{kind}"
        status, printed, errors = command(
            "export-plugin", "--model", model, "--output", output, "--precision", "float32"
        )
        assert status == 0, errors
        assert "2 sliders" in printed
        return output

    return run


def hosted(kind: str, plugin: Path, folder: Path) -> tuple[np.ndarray, str]:
    """Play a plugin in a host. Returns the sound, [19200, 2], and what the host prints."""
    words = ["gcc", "-std=gnu11", f"-I{DISTRHO / 'src' / kind}", HOSTS / f"{kind}_host.c"]
    subprocess.run([*words, "-o", folder / "host", "-ldl"], check=True)
    done = subprocess.run(
        [folder / "host", plugin, folder / "sound.f32"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return np.fromfile(folder / "sound.f32", dtype="<f4").reshape(-1, 2), done.stdout


def expected() -> np.ndarray:
    """Return what the hosts should hear: variation 5, and size 1.8 after half of the sound."""
    player = PortablePlayer(portable_of(make_instrument(), "float32"), 48000, seed=5)
    first = player.render(9600)
    player.set("size", float(CONTROLS[0].to_slider(1.8)))
    return np.concatenate([first, player.render(9600)])


@pytest.mark.slow
def test_an_lv2_plugin_plays_the_same(build, tmp_path):
    bundle = build("lv2")
    found, _ = hosted("lv2", bundle / "My water.so", tmp_path)
    assert snr_db(expected(), found) > 90
    if shutil.which("lv2_validate") and shutil.which("sord_validate"):
        files = sorted(bundle.glob("*.ttl"))
        done = subprocess.run(["lv2_validate", *files], capture_output=True, text=True, check=False)
        assert "Found 0 errors" in done.stdout + done.stderr


@pytest.mark.slow
def test_a_clap_plugin_plays_the_same_and_restores_its_state(build, tmp_path):
    found, printed = hosted("clap", build("clap"), tmp_path)
    assert snr_db(expected(), found) > 90
    assert [float(line) for line in printed.split()] == pytest.approx([1.8, 4.5, 5.0], abs=1e-3)


@pytest.mark.slow
def test_a_vst3_plugin_is_a_bundle(build):
    bundle = build("vst3")
    [library] = [path for path in bundle.rglob("*") if path.is_file()]
    assert library.relative_to(bundle).as_posix() == "Contents/x86_64-linux/My water.so"
    symbols = subprocess.run(["nm", "-D", library], capture_output=True, text=True, check=True)
    assert "GetPluginFactory" in symbols.stdout


@pytest.mark.slow
def test_a_vst3_plugin_plays_in_pedalboard_and_restores_its_state(build):
    """A host that others have written; that of JUCE, which many DAWs are built on."""
    pedalboard = pytest.importorskip("pedalboard")
    path = str(build("vst3"))

    def render(plugin: Any) -> np.ndarray:
        sound = plugin([], duration=0.5, sample_rate=48000, num_channels=2, buffer_size=256)
        assert sound.shape == (2, 24000)
        assert sound.std() > 0
        return sound

    first, second = (pedalboard.load_plugin(path) for _ in range(2))
    assert first.is_instrument
    for plugin in (first, second):
        plugin.variation = 5
    np.testing.assert_array_equal(render(first), render(second))
    second.size_x = 1.8
    assert snr_db(render(first), render(second)) < 60  # as little as this slider does
    third = pedalboard.load_plugin(path)
    assert third.size_x == pytest.approx(1.0, abs=0.01)
    third.raw_state = second.raw_state
    assert third.size_x == pytest.approx(1.8, abs=0.01)
    np.testing.assert_array_equal(render(third), render(second))


def test_parameters_have_units_and_symbols_of_their_own():
    controls = (
        Control("rate", 1.0, 9.0, "/s"),
        Control("variation", 1.0, 9.0, ""),
        Control("7th", 10.0, 2.0, "mm", "exponential"),
        Control("7th!", 0.0, 2.0, ""),
    )
    header = portable_of(make_instrument(controls), "float16").header
    found = parameters_of(header)
    assert [each.symbol for each in found] == [
        "rate",
        "slider_1_variation",
        "slider_2_7th",
        "slider_3_7th",
    ]
    assert (found[2].low, found[2].high, found[2].is_logarithmic) == (2.0, 10.0, True)
    assert found[2].default == pytest.approx(20**0.5)


def test_what_is_missing_is_a_sentence(model, command, tmp_path, monkeypatch):
    output = tmp_path / "a.lv2"
    status, _, errors = command("export-plugin", "--model", model, "--output", tmp_path / "a.dll")
    assert status == 2
    assert ".lv2, .vst3 or .clap" in errors
    monkeypatch.setattr("conditioned_synthesis.exporters.plugin._DPF", (str(tmp_path),))
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    status, _, errors = command("export-plugin", "--model", model, "--output", output)
    assert status == 2
    assert "apt-get install dpf-source" in errors
    monkeypatch.setattr("shutil.which", lambda _: None)
    status, _, errors = command("export-plugin", "--model", model, "--output", output)
    assert status == 2
    assert "apt-get install g++" in errors
