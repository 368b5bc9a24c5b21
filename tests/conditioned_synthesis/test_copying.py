"""Copies of training clips are found, and nothing else is."""

import numpy as np
import pytest

from conditioned_synthesis.evaluation.copying import Snippets

RATE = 16000


def noise(n_sounds, seed=0, n_samples=RATE):
    return np.random.default_rng(seed).normal(0, 0.1, (n_sounds, n_samples)).astype(np.float32)


def test_a_copy_is_found_wherever_it_lies_however_loud_it_is_and_upside_down():
    clips = noise(5)
    copied = np.stack([-0.3 * np.roll(clips[3], 1234), np.roll(clips[0], -3000)])
    # The middle half second of both lies whole within their clips.
    assert Snippets(clips, RATE).copying(copied) == pytest.approx(1, abs=1e-4)


def test_two_noises_are_no_copies_of_one_another():
    # The greatest of 5 x 8,001 correlations of 8,000 samples each: sqrt(2 ln 40,000 / 8,000) = 0.051.
    assert Snippets(noise(5), RATE).copying(noise(8, seed=1)) == pytest.approx(0.05, abs=0.01)


def test_half_of_a_copy_counts_by_its_share_of_the_amplitude():
    clips = noise(3)
    mixed = (clips[:1] + noise(1, seed=1)) / 2
    assert Snippets(clips, RATE).copying(mixed) == pytest.approx(np.sqrt(0.5), abs=0.02)


@pytest.mark.parametrize("rate", [8000, 44100])
def test_any_rate_and_stereo(rate):
    clips = noise(3, n_samples=rate)
    stereo = np.stack([clips, clips], axis=2)
    assert Snippets(stereo, rate).copying(stereo) == pytest.approx(1, abs=1e-3)


def test_clips_that_are_shorter_than_a_snippet_are_compared_by_halves():
    clips = noise(4, n_samples=1600)
    snippets = Snippets(clips, RATE)
    assert snippets.copying(clips) == pytest.approx(1, abs=1e-4)
    assert snippets.copying(noise(4, seed=1, n_samples=1600)) < 0.3


def test_silence_is_no_copy_of_anything_and_nothing_of_silence():
    silence = np.zeros((2, RATE), np.float32)
    assert np.isnan(Snippets(noise(2), RATE).copying(silence))
    clips = np.concatenate([silence, noise(1)])
    assert Snippets(clips, RATE).copying(noise(2, seed=1)) < 0.1


def test_a_quiet_part_of_a_clip_is_not_raised_to_a_copy():
    clip = noise(1)
    clip[0, :9000] *= 1e-6
    assert Snippets(clip, RATE).copying(noise(4, seed=1)) < 0.1
