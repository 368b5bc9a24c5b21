"""How near the sounds of an engine come to recordings."""

import numpy as np
import pandas as pd
import pytest

from domain_adaptation.cli import app
from domain_adaptation.fit.statistics import Space, distances, own_spread, texture_statistics
from texturelib.audio import write_wav

from .conftest import SAMPLE_RATE, SECONDS, make_pitch_set, make_set

N_SAMPLES = round(SAMPLE_RATE * SECONDS)


def noise(n_clips, hz, seed=0, seconds=SECONDS):
    rng = np.random.default_rng(seed)
    n_samples = round(seconds * SAMPLE_RATE)
    octaves = np.log2(np.maximum(np.fft.rfftfreq(n_samples, 1 / SAMPLE_RATE), 1) / hz)
    spectrum = np.fft.rfft(rng.standard_normal((n_clips, n_samples)))
    return np.fft.irfft(spectrum * np.exp(-((octaves / 0.5) ** 2)), n_samples)


def test_a_clip_is_nearer_to_its_own_texture_than_to_another():
    low, high, more = noise(20, 500), noise(20, 2500, 1), noise(10, 500, 2)
    statistics = [texture_statistics(clips, SAMPLE_RATE) for clips in (low, high, more)]
    space = Space.of(np.concatenate(statistics, axis=1))
    lows, highs, mores = (space.places(each) for each in statistics)
    assert (distances(mores, lows).min(axis=1) < 0.85 * distances(mores, highs).min(axis=1)).all()
    # Clips of one texture lie as far from its other clips as these from one another.
    assert np.median(distances(mores, lows).min(axis=1)) == pytest.approx(own_spread(lows), rel=0.2)


def test_a_clips_level_does_not_matter():
    clips = noise(4, 800)
    quiet = texture_statistics(0.01 * clips, SAMPLE_RATE)
    assert np.allclose(quiet, texture_statistics(clips, SAMPLE_RATE), atol=0.01)


def test_distances_are_those_of_their_definition():
    one, other = np.array([[0.0, 0.0], [3.0, 4.0]]), np.array([[0.0, 0.0]])
    assert distances(one, other)[:, 0].tolist() == [0.0, pytest.approx((25 / 2) ** 0.5)]


@pytest.fixture
def recordings(tmp_path):
    sounds = {"like_pitch.wav": noise(1, 3100, 5, seconds=1)[0], "silence.wav": np.zeros(9000)}
    for name, samples in sounds.items():
        peak = max(1e-9, np.abs(samples).max())
        write_wav(tmp_path / "recordings" / name, 0.5 * samples / peak, SAMPLE_RATE)
    return tmp_path / "recordings"


def test_fit_names_the_nearest_set_and_what_it_presses_against(recordings, tmp_path, run_command):
    make_set(tmp_path / "partials", 40, is_real=False)
    make_pitch_set(tmp_path / "noises", 40, is_real=False)
    words = [
        *("fit", recordings, "--output", tmp_path / "fit"),
        *("--synthetic", tmp_path / "partials", "--synthetic", tmp_path / "noises"),
    ]
    done = run_command(app, *words)
    assert done.status == 0, done.err
    assert "like_pitch.wav: nearest to set (noises)" in done.out
    table = pd.read_csv(tmp_path / "fit/fit.csv")
    assert table["set"].tolist() == ["set (partials)", "set (noises)"]
    assert table["is_best"].tolist() == [False, True]
    page = (tmp_path / "fit/index.html").read_text()
    assert page.count("<audio") == 2
    assert "silence.wav" in page
    assert (tmp_path / "fit/audio/0_nearest.wav").exists()
    again = run_command(app, *words)
    assert "done and unchanged" in again.out


def test_a_set_without_controls_is_refused(recordings, tmp_path, run_command):
    real = make_set(tmp_path / "real", 40, is_real=True)
    done = run_command(app, "fit", recordings, "--synthetic", real, "--output", tmp_path / "fit")
    assert done.status == 1
    assert "has no controls" in done.err
