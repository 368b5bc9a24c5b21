import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from domain_adaptation.data.clip_store import ClipStore, clip_store, read_batch
from domain_adaptation.data.sets import check_clips_alike, real_set, synthetic_set
from domain_adaptation.data.waveforms import prepared
from texturelib.audio import write_wav
from texturelib.dataset import read_dataset
from texturelib.errors import TextureError
from texturelib.outputs import check_output

from .conftest import make_stereo


@pytest.fixture
def store_of(sets):
    """Return the synthetic set's store, made or found."""
    return lambda sample_rate=8000: clip_store(
        read_dataset(sets / "synthetic"), sample_rate, sets / "models/clips/synthetic"
    )


def age(store: ClipStore) -> int:
    return store.path.stat().st_mtime_ns


def test_a_store_holds_every_clip_at_the_features_rate_to_within_half_a_step_of_16_bits(
    sets, store_of
):
    dataset = read_dataset(sets / "synthetic")
    store = store_of()
    assert (len(store), store.n_samples) == (60, 2000)  # 0.25 s
    expected = prepared(
        torch.from_numpy(
            read_batch([dataset.path(row) for row in range(60)], 16000, dataset.n_samples, 1)
        ),
        16000,
        8000,
    ).numpy()
    expected /= np.abs(expected).max(axis=1, keepdims=True)
    clips = store[np.arange(60)]
    assert clips.dtype == np.int16
    np.testing.assert_array_equal(np.abs(clips).max(axis=1), 32767)  # each clip fills them
    np.testing.assert_allclose(clips / 32767, expected, atol=0.501 / 32767)


def test_a_store_of_a_stereo_set_holds_the_mean_of_its_channels(sets):
    mono, stereo = (
        clip_store(read_dataset(change(sets / "real")), 8000, sets / name)
        for name, change in (("mono", lambda folder: folder), ("stereo", make_stereo))
    )
    np.testing.assert_array_equal(mono[np.arange(40)], stereo[np.arange(40)])


def test_clips_come_in_the_order_that_is_asked_for(store_of):
    store = store_of()
    every = store[np.arange(60)]
    rows = np.array([7, 59, 0, 7])
    np.testing.assert_array_equal(store[rows], every[rows])
    assert store[np.array([], dtype=int)].shape == (0, 2000)


def test_a_store_is_made_anew_only_when_the_set_or_the_rate_changes(
    sets, store_of, config_of, make_clips
):
    first = age(store_of())
    assert age(store_of()) == first
    assert store_of(4000).n_samples == 1000
    config = config_of(sets, features={"type": "mel", "sample_rate": 8000, "n_fft": 200})
    second = age(synthetic_set(config).store)
    others = config_of(
        sets, seed=1, features={"type": "waveform", "sample_rate": 8000}, extractor={"epochs": 9}
    )
    assert age(synthetic_set(others).store) == second
    shutil.rmtree(sets / "synthetic")
    make_clips(sets / "synthetic", 50, is_real=False)
    assert len(synthetic_set(config).store) == 50


def test_a_store_that_another_run_makes_while_this_one_looks_is_used(store_of, monkeypatch):
    made = []

    def look_slowly(*args, **options):
        looked = check_output(*args, **options)
        monkeypatch.undo()
        made.append(age(store_of()))
        return looked

    monkeypatch.setattr("domain_adaptation.data.clip_store.check_output", look_slowly)
    assert [age(store_of())] == made


def test_a_store_that_was_stopped_half_way_is_made_anew(sets, store_of):
    write_wav(sets / "synthetic/audio/59.wav", np.zeros(4000, np.float32), 16000)
    with pytest.raises(TextureError, match=r"audio/59\.wav: is silent"):
        store_of()
    folder = sets / "models/clips/synthetic"
    assert not list(folder.glob("*.s16"))
    write_wav(sets / "synthetic/audio/59.wav", np.ones(4000, np.float32), 16000)
    assert len(store_of()) == 60


@pytest.mark.parametrize("n_bytes", [1, 2 * 2000, 2 * 2000 * 30], ids=["a byte", "a clip", "half"])
def test_a_store_that_was_cut_off_is_named(store_of, n_bytes):
    store = store_of()
    with Path(store.path).open("r+b") as file:
        file.truncate(store.path.stat().st_size - n_bytes)
    with pytest.raises(
        TextureError,
        match=r"clips\.s16: is cut off; remove its folder, and the same command makes it anew",
    ):
        store_of()[np.arange(60)]


def test_a_silent_or_missing_clip_is_named(sets, store_of):
    write_wav(sets / "synthetic/audio/7.wav", np.zeros(4000, np.float32), 16000)
    with pytest.raises(
        TextureError,
        match=r"audio/7\.wav: is silent, so it has no features; leave it out of metadata\.csv",
    ):
        store_of()
    (sets / "synthetic/audio/7.wav").unlink()
    with pytest.raises(
        TextureError, match=r"audio/7\.wav: no such file, but metadata\.csv names it"
    ):
        store_of()


def test_sets_that_do_not_match_are_refused(sets, config_of, make_clips):
    shutil.rmtree(sets / "real")
    make_clips(sets / "real", 4, is_real=True, sample_rate=22050)
    with pytest.raises(
        TextureError,
        match=r"real: .*real: sample_rate is 22050, but the synthetic set's is 16000; make them",
    ):
        real_set(config_of(sets))


def test_lengths_that_do_not_match_are_refused(sets):
    dataset = read_dataset(sets / "real")
    with pytest.raises(
        TextureError,
        match=r"real: .*real: seconds is 0\.25, but that of those is 1; make them alike",
    ):
        check_clips_alike("real", dataset, "that of those", {"sample_rate": 16000, "seconds": 1.0})


def test_a_set_without_controls_cannot_teach(sets, config_of):
    with pytest.raises(
        TextureError,
        match=r"real: has no controls; it should come from synthetic-datasets generate",
    ):
        synthetic_set(config_of(sets, synthetic="real"))


def test_a_store_that_another_run_made_anew_meanwhile_is_not_read_as_if_it_were_the_same(store_of):
    store = store_of()
    store_of(4000)
    with pytest.raises(
        TextureError,
        match=r"clips\.s16: another run has made it anew while this one read it; start the same",
    ):
        store[np.arange(60)]
