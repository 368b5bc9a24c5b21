"""Measures by the laws, on sounds for which the answer is known."""

import numpy as np
import pandas as pd
import pytest

from conditioned_synthesis.dsp.equal_loudness import as_heard_db
from conditioned_synthesis.laws.calibration import Calibration
from conditioned_synthesis.laws.direction import Direction
from conditioned_synthesis.laws.heard import heard_in, heard_in_dataset, plot_heard, table
from conditioned_synthesis.laws.measures import gain, mixing, slow_down
from conditioned_synthesis.laws.spectrum import LogSpectrum
from conditioned_synthesis.laws.template import SpectrumTemplate
from texturelib.audio import write_wav
from texturelib.controls import Control
from texturelib.dataset import read_dataset, write_dataset
from texturelib.errors import UsageError

RATE = 16000
SIZE = Control("size", 0.5, 2.0, "x", "exponential", laws={"slow_down": 1, "mixing": 0, "gain": 0})
DENSITY = Control(
    "density", 1.0, 8.0, "x", "exponential", laws={"slow_down": 0, "mixing": 1, "gain": 0}
)
LEVEL = Control("level", -12.0, 12.0, "dB", laws={"slow_down": 0, "mixing": 0, "gain": 1})


def humps(octaves):
    """Return dB: two humps, at 800 and 2,000 Hz."""
    return -8 * (octaves / 0.7) ** 2 / (1 + (octaves / 1.5) ** 2) + 6 * np.exp(
        -(((octaves - 1.3) / 0.3) ** 2)
    )


def noise(n_sounds, k=1.0, seed=0, response_db=humps, seconds=1.0):
    """Noise with a spectrum that is given over octaves from 800 Hz, played k times slower."""
    spectrum = np.fft.rfft(
        np.random.default_rng(seed).normal(size=(n_sounds, round(seconds * RATE)))
    )
    hz = np.maximum(np.fft.rfftfreq(round(seconds * RATE), 1 / RATE), 1.0)
    return np.fft.irfft(spectrum * 10 ** (response_db(np.log2(hz * k / 800)) / 20))


def pulses(n_sounds, rate, k=1.0, seed=0):
    """Bursts of noise that die away, at random moments, played k times slower."""
    rng = np.random.default_rng(seed)
    length = round(1000 * k)
    sounds = np.zeros((n_sounds, RATE + length))
    for sound in sounds:
        for start in rng.integers(0, RATE, rng.poisson(rate / k)):
            burst = rng.normal() * rng.normal(size=length)
            sound[start : start + length] += burst * np.exp(-np.arange(length) / (200 * k))
    return sounds[:, :RATE]


@pytest.mark.parametrize("octaves", [-1.0, -0.4, 0.25, 1.0])
def test_the_slow_down_of_noise_is_measured_whatever_its_level(octaves):
    found = slow_down(noise(12), 0.01 * noise(12, 2**octaves, seed=1), RATE)
    # A band of the template is 1/12 of an octave wide; 0.01 was measured.
    assert found / np.log(2) == pytest.approx(octaves, abs=0.04)


def test_a_colouring_that_both_have_matters_little():
    def coloured(sounds):
        spectrum = np.fft.rfft(sounds)
        hz = np.maximum(np.fft.rfftfreq(RATE, 1 / RATE), 1.0)
        return np.fft.irfft(spectrum * 10 ** (as_heard_db(hz) / 20))

    found = slow_down(coloured(noise(12)), coloured(noise(12, 2.0, seed=1)), RATE)
    assert found / np.log(2) == pytest.approx(1, abs=0.1)


def test_modulations_tell_the_slow_down_of_what_is_flat_in_its_spectrum():
    found = slow_down(pulses(20, 60), pulses(20, 60, 2.0, seed=1), RATE)
    # Bursts of white noise, whose spectrum does not move at all: some seconds tell a quarter octave.
    assert found / np.log(2) == pytest.approx(1, abs=0.3)


def test_a_band_that_ends_is_not_taken_for_the_sound():
    """Resampled to half the speed, a recording ends an octave lower; up to there it can be
    compared."""
    fast, slow = noise(12), noise(12, 2.0, seed=1)
    spectrum = np.fft.rfft(slow)
    spectrum[:, RATE // 4 :] *= 1e-4
    found = slow_down(fast, np.fft.irfft(spectrum), RATE, highest_hz=RATE / 4)
    assert found / np.log(2) == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("n_layers", [2, 4])
def test_layers_are_counted_by_the_intensitys_variance(n_layers):
    one = pulses(40, 100)
    more = sum(pulses(40, 100, seed=seed) for seed in range(1, n_layers + 1))
    # The variance of 40 seconds is known to about a tenth.
    assert mixing(one, more, RATE) == pytest.approx(np.log(n_layers), abs=0.25)


def test_a_slow_down_that_is_known_is_no_layer():
    one, slow = pulses(40, 100), pulses(40, 100, 2.0, seed=1)
    assert mixing(one, slow, RATE, ln_k=np.log(2)) == pytest.approx(0, abs=0.3)


def test_noise_has_no_layers_to_count():
    assert np.isnan(mixing(noise(30), noise(30, seed=1), RATE))


def test_gain_is_measured_without_silence():
    sounds = noise(3)
    assert gain(sounds, np.concatenate([2 * sounds, np.zeros((1, RATE))])) == pytest.approx(
        20 * np.log10(2), abs=0.01
    )
    assert np.isnan(gain(sounds, np.zeros((2, RATE))))


def test_a_template_reads_single_sounds_also_beyond_what_it_learnt():
    octaves = np.linspace(-1, 1, 25)
    spectrum = LogSpectrum(RATE, RATE, highest_hz=6000)
    clips = np.concatenate([noise(1, 2**each, seed) for seed, each in enumerate(octaves)])
    template = SpectrumTemplate(spectrum, spectrum(clips), octaves)
    others = np.array([-1.3, -0.5, 0.1, 0.8])
    sounds = np.concatenate([noise(1, 2**each, 100 + i) for i, each in enumerate(others)])
    assert template.octaves(spectrum(sounds)) == pytest.approx(others, abs=0.1)
    assert np.isnan(template.octaves(spectrum(np.zeros((1, RATE)))))


def test_too_short_sounds_are_refused_in_a_sentence():
    with pytest.raises(UsageError, match=r"sounds of 0\.01 s have two octaves"):
        LogSpectrum(RATE, 160)


def test_a_direction_is_right_at_every_value_and_blind_to_the_others():
    rng = np.random.default_rng(0)
    value, other = rng.uniform(0, 1, (2, 400))
    features = np.outer(value, [1, 0.5, 0]) + np.outer(other, [1, 0, 1])
    features += rng.normal(0, 0.2, features.shape)
    read = Direction(features, value, other[:, None])
    assert read(np.array([[0.0, 0, 0], [1, 0.5, 0], [1, 0, 1]])) == pytest.approx(
        [0, 1, 0], abs=0.1
    )


@pytest.mark.parametrize("sign", [1, -1])
def test_a_calibration_turns_a_bent_measure_into_values(sign):
    value = np.linspace(0, 1, 200)
    measured = sign * np.log(0.2 + value) + np.random.default_rng(0).normal(0, 0.05, 200)
    read = Calibration(measured, value)
    # Between the mean slope and its own curve, see _LEAST_SLOPE.
    places = np.array([0.2, 0.5, 0.8])
    assert read(sign * np.log(0.2 + places)) == pytest.approx(places, abs=0.1)
    assert np.isnan(read(np.array([np.nan]))).all()


def test_a_measure_that_says_nothing_reads_nothing():
    rng = np.random.default_rng(0)
    read = Calibration(rng.normal(size=100), rng.uniform(size=100))
    assert not read.is_of_use
    assert np.isnan(read(np.zeros(2))).all()


def moved(n_clips, make):
    """Return clips at values of size and density that are spread evenly; make: (k, n, seed) -> [1,
    samples]."""
    values = np.random.default_rng(0).uniform(0, 1, (n_clips, 2))
    k, n = SIZE.to_physical(values[:, 0]), DENSITY.to_physical(values[:, 1])
    return np.concatenate([make(*each) for each in zip(k, n, range(n_clips), strict=True)]), values


def test_what_moves_is_clear_and_what_steadies_too():
    def drops(k, n, seed):
        fine = pulses(1, 30 * n, k, seed)
        spectrum = np.fft.rfft(fine)
        hz = np.maximum(np.fft.rfftfreq(RATE, 1 / RATE), 1.0)
        return np.fft.irfft(spectrum * 10 ** (humps(np.log2(hz * k / 800)) / 20))

    clips, values = moved(40, drops)
    size, density = heard_in("drops", clips, RATE, [SIZE, DENSITY], values)
    assert (size.word, density.word) == ("clear", "clear")
    assert size.changes == pytest.approx(size.law, rel=0.25)
    assert size.rho > 0.9
    assert density.rho > 0.8


def test_a_straight_spectrum_has_no_size_and_noise_no_density():
    clips, values = moved(40, lambda k, _, seed: noise(1, k, seed, lambda octaves: -3 * octaves))
    size, density = heard_in("hiss", clips, RATE, [SIZE, DENSITY], values)
    assert (size.word, density.word) == ("not heard", "not heard")
    assert "octaves" in size.reason


def test_a_rumble_that_leaves_the_ears_band_hides_the_size():
    def rumble(octaves):
        return np.maximum(-12 * (octaves + 3), -40)  # falls from 100 Hz on, and hisses above 1 kHz

    clips, values = moved(40, lambda k, _, seed: noise(1, k, seed, rumble))
    size, _ = heard_in("fire", clips, RATE, [SIZE, DENSITY], values)
    assert size.word == "not heard"
    assert "hides" in size.reason


def test_level_is_clear_in_decibels_and_channels_are_mixed_down():
    values = np.linspace(0, 1, 24)[:, None]
    clips = noise(24) * 10 ** (LEVEL.to_physical(values) / 20)
    [level] = heard_in("hiss", np.stack([clips, clips], axis=2), RATE, [LEVEL], values)
    assert (level.word, level.unit) == ("clear", "dB")
    assert level.changes == pytest.approx(24, abs=0.5)


def test_controls_without_a_law_and_clips_of_silence_are_left_out(tmp_path):
    plain = Control("wetness", 0.0, 1.0, "share")
    values = np.linspace(0, 1, 24)[:, None].repeat(2, axis=1)
    assert heard_in("hiss", noise(24), RATE, [plain, plain], values) == []
    assert heard_in("silence", np.zeros((24, RATE)), RATE, [SIZE, LEVEL], values) == []
    assert table([]).empty
    plot_heard(tmp_path / "heard.png", [])
    assert not (tmp_path / "heard.png").exists()


@pytest.mark.pictures
def test_the_picture_and_the_table_show_each_recording(tmp_path):
    values = np.linspace(0, 1, 24)[:, None]
    found = [
        each
        for source in ("a $_ fire", "b")
        for each in heard_in(source, noise(24), RATE, [SIZE], values)
    ]
    assert table(found)[["source", "control"]].to_numpy().tolist() == [
        ["a $_ fire", "size"],
        ["b", "size"],
    ]
    plot_heard(tmp_path / "heard.png", found)
    assert (tmp_path / "heard.png").stat().st_size > 1000


def test_each_recording_of_a_dataset_folder_is_measured_by_itself(tmp_path):
    values = np.tile(np.linspace(0, 1, 24), 2)
    sounds = np.concatenate(
        [noise(24), noise(24) * 10 ** (LEVEL.to_physical(values[:24, None]) / 20)]
    )
    names = [f"audio/{index}.wav" for index in range(48)]
    for name, sound in zip(names, sounds / (4 * np.abs(sounds).max()), strict=True):
        write_wav(tmp_path / name, sound, RATE)
    sources = ["steady.wav"] * 24 + ["louder.wav"] * 24
    metadata = pd.DataFrame({"file_name": names, "level": values, "source": sources})
    write_dataset(tmp_path, metadata, sample_rate=RATE, seconds=1.0, controls=[LEVEL.describe()])
    found = heard_in_dataset(read_dataset(tmp_path))
    words = {each.source: each.word for each in found}
    assert words == {"steady.wav": "not heard", "louder.wav": "clear"}
