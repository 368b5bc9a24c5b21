"""Instruments of grains outside the toolkit: players in Python, in C and in a browser play the same
samples."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from conditioned_synthesis.data.clips import Sounds
from conditioned_synthesis.data.moments import Moments
from conditioned_synthesis.data.split import SplitSounds
from conditioned_synthesis.instrument.automation import constant
from conditioned_synthesis.instrument.instrument import (
    Instrument,
    ModelSpec,
    Slider,
    save_instrument,
)
from conditioned_synthesis.portable.instrument_file import (
    PortableInstrument,
    read_instrument_file,
    to_bytes,
)
from conditioned_synthesis.portable.make import player_of, portable_of
from conditioned_synthesis.portable.recordings import from_flac, to_flac
from conditioned_synthesis.synthesisers.grains import Grains
from texturelib.controls import Control
from texturelib.errors import TextureError

from ..chromium import Page
from .portable_players import (
    MOVES,
    built_in_c,
    mangled,
    opened_page,
    played,
    run_in_browser,
    run_in_c,
)
from .same_sound import snr_db

RATE = 16000
SETTINGS = Grains(seconds=0.1, overlap=0.02, no_repeat_seconds=0.5, search_ms=4)
SIZE = Control("size", 0.5, 2.0, "x", "exponential", laws={"slow_down": 1.0, "mixing": 0.0})
DENSITY = Control("density", 1.0, 8.0, "x", "exponential", laws={"slow_down": 0.0, "mixing": 1.0})


def clips_of(n_clips: int, n_channels: int) -> np.ndarray:
    """Return noise with a spectrum that falls, whose level comes and goes: [clips, samples] or
    [clips, samples, channels] int16."""
    rng = np.random.default_rng(0)
    shape = (n_clips, RATE // 2, n_channels)
    noise = np.cumsum(rng.normal(0, 1, shape), axis=1)
    noise -= np.cumsum(np.ones(shape), axis=1) * noise[:, -1:] / shape[1]
    swells = 1 + 0.8 * np.sin(np.arange(shape[1]) / 700 + rng.random((n_clips, 1)))[..., None]
    clips = (60 * noise * swells).clip(-32768, 32767).astype(np.int16)
    return clips[..., 0] if n_channels == 1 else clips


def make_instrument(n_channels: int, settings: Grains = SETTINGS) -> Instrument:
    values = np.random.default_rng(1).random((20, 2))
    automations = [[constant(float(value)) for value in row] for row in values]
    # Ten seconds of a recording, of which some clips hold two layers.
    begins = np.stack([np.linspace(0, 9, 20), np.where(np.arange(20) % 3, -1, 4.5)], axis=1)
    moments = (
        Moments(begins, np.linspace(0.8, 1.2, 20), np.full(20, 10.0)) if n_channels > 1 else None
    )
    sounds = Sounds(RATE, clips_of(20, n_channels), automations, (SIZE, DENSITY), moments=moments)
    network = settings.network(2, RATE, n_channels)
    rows = np.arange(len(sounds))
    settings.training(network, SplitSounds(sounds, rows, rows[:1]), 0)
    sliders = (
        Slider(
            control=SIZE.describe(),
            low=0.05,
            high=0.95,
            curve=((0.05, 0.1), (0.5, 0.4), (0.95, 0.9)),
            loudness=((0.0, -3.0), (1.0, 4.0)),
        ),
        Slider(control=DENSITY.describe(), low=0.0, high=1.0),
    )
    spec = ModelSpec(synthesiser=settings, sliders=sliders, sample_rate=RATE, channels=n_channels)
    return Instrument(network, spec)


@pytest.fixture(scope="module", params=[1, 2], ids=["mono", "stereo"])
def instrument(request: pytest.FixtureRequest) -> Instrument:
    return make_instrument(request.param)


@pytest.fixture(scope="module")
def portable(instrument: Instrument) -> PortableInstrument:
    return portable_of(instrument, "float16", "high")


def test_at_its_own_rate_it_plays_what_the_toolkit_plays(instrument):
    found = player_of(portable_of(instrument, "float16", "lossless"), RATE, seed=7).render(RATE)
    expected = instrument.play({}, 1.0, seed=7)
    for channel in range(2):
        one = expected if expected.ndim == 1 else expected[:, channel]
        np.testing.assert_allclose(found[:, channel], one, atol=1e-6)


@pytest.mark.parametrize("rate", [RATE, 44100, 12000.5])
def test_blocks_of_any_size_are_the_same_samples(portable, rate):
    whole = player_of(portable, rate, seed=5).render(5000)
    for size in (1, 63):
        player = player_of(portable, rate, seed=5)
        parts = [player.render(min(size, 1000 - begin)) for begin in range(0, 1000, size)]
        np.testing.assert_array_equal(np.concatenate(parts), whole[:1000])


def test_at_another_rate_it_is_the_same_sound(portable):
    """What the two rates have in common, below 7 kHz."""
    spectra = []
    for times in (1, 3):
        sound = player_of(portable, times * RATE, seed=1).render(times * 2 * RATE)[:, 0]
        spectra.append(np.fft.rfft(sound * np.hanning(len(sound)))[:14000] / times)
    assert snr_db(*(np.fft.irfft(each) for each in spectra)) > 60


@pytest.mark.parametrize("quality", ["lossless", "high", "small"])
def test_a_quality_is_so_far_from_the_recording_at_every_frequency(quality):
    least_db = {"lossless": 200.0, "high": 28.0, "small": 16.0}[quality]
    sounds = clips_of(20, 2).reshape(-1, 2)
    found = from_flac(to_flac(sounds, RATE, quality))
    lost = found.astype(float) - sounds
    for low, high in ((0.0, 0.1), (0.1, 0.4), (0.4, 0.9)):
        ends = slice(int(low * len(sounds) / 2), int(high * len(sounds) / 2))
        powers = [(np.abs(np.fft.rfft(each, axis=0)[ends]) ** 2).sum() for each in (sounds, lost)]
        assert 10 * np.log10(powers[0] / (powers[1] + 1e-12)) > least_db


def test_a_smaller_quality_is_smaller(instrument):
    sizes = [
        len(to_bytes(portable_of(instrument, "float16", quality)))
        for quality in ("lossless", "high", "small")
    ]
    assert sizes[0] > 1.3 * sizes[1] > 1.3 * 1.3 * sizes[2]


def test_a_file_whose_parts_do_not_fit_is_refused(portable, tmp_path):
    header = {**portable.header, "clips": 19}
    path = tmp_path / "a.texinst"
    path.write_bytes(to_bytes(replace(portable, header=header)))
    with pytest.raises(TextureError, match="do not fit together"):
        player_of(read_instrument_file(path), RATE)


# ---- in C and in a browser ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def in_c(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built_in_c(tmp_path_factory.mktemp("in_c"))


@pytest.mark.slow
@pytest.mark.parametrize("quality", ["lossless", "small"])
def test_c_plays_the_same(instrument, in_c, tmp_path, quality):
    portable = portable_of(instrument, "float16", quality)
    parts = [run_in_c(in_c, to_bytes(portable), tmp_path, size) for size in (1, 64, 2048)]
    assert isinstance(parts[0], np.ndarray), parts[0]
    for other in parts[1:]:
        np.testing.assert_array_equal(parts[0], other)
    assert snr_db(played(portable, 48000, 19200, MOVES), parts[0]) > 100


@pytest.mark.slow
def test_c_refuses_mangled_files(portable, in_c, tmp_path):
    rng = np.random.default_rng(0)
    for number in range(60):
        found = run_in_c(in_c, mangled(to_bytes(portable), number, rng), tmp_path, 2048)
        assert isinstance(found, np.ndarray) or "\n" not in found.strip()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, instrument: Instrument) -> Iterator[Page]:
    with opened_page(tmp_path_factory.mktemp("page"), instrument, "float16", "Water") as opened:
        yield opened


@pytest.mark.slow
def test_a_browser_plays_the_same_and_fetches_nothing(page, portable):
    found = run_in_browser(page)
    assert snr_db(played(portable, 48000, 19200, MOVES), found) > 100
    assert page.errors == []
    assert {url.split(":")[0] for url in page.requests} <= {"file", "data"}


@pytest.mark.slow
def test_the_keyboard_alone_plays_it(page):
    page.press(" ", "Space", " ")
    page.until("!!sound.node && document.getElementById('state').textContent == ''")
    page.until("document.getElementById('level').value > -50")
    page.evaluate("document.getElementById('slider-0').focus()")
    before = page.evaluate("positions[0]")
    page.press("ArrowRight")
    assert page.evaluate("positions[0]") > before
    page.press(" ", "Space", " ")
    page.until("sound.context.state == 'suspended'")
    assert page.errors == []


# ---- the commands ---------------------------------------------------------------------------------


@pytest.mark.slow
def test_every_export_takes_grains_and_a_quality(command, tmp_path):
    (tmp_path / "model").mkdir()
    save_instrument(tmp_path / "model", make_instrument(2))
    sizes = {}
    for name, file in (
        ("export-portable", "a.texinst"),
        ("export-page", "a.html"),
        ("export-c", "c/a.texinst"),
        ("export-pd", "pd/a.texinst"),
    ):
        for quality in ("lossless", "small"):
            output = tmp_path / quality / file
            status, printed, errors = command(
                name, "--model", tmp_path / "model", "--output", output, "--quality", quality
            )
            assert status == 0, errors
            assert "2 sliders" in printed
            sizes[name, quality] = output.stat().st_size
        assert sizes[name, "lossless"] > 1.2 * sizes[name, "small"]


@pytest.mark.slow
def test_a_plugin_holds_grains(command, tmp_path):
    if not (shutil.which("g++") and Path("/usr/share/dpf/distrho").exists()):
        pytest.skip("g++ or dpf-source is not installed")
    (tmp_path / "model").mkdir()
    save_instrument(tmp_path / "model", make_instrument(2))
    output = tmp_path / "water.lv2"
    status, _, errors = command("export-plugin", "--model", tmp_path / "model", "--output", output)
    assert status == 0, errors
    flac = portable_of(make_instrument(2), "float16").tensors["sounds"].tobytes()
    assert flac in (output / "water.so").read_bytes()
