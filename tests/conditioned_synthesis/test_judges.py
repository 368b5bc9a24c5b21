"""Embedding networks in ONNX files, and the discrepancy of what they say of two sets of sounds."""

import numpy as np
import pytest

from conditioned_synthesis.evaluation.judges.embedding import EmbeddingNetwork
from conditioned_synthesis.evaluation.judges.mmd import unbiased_mmd
from conditioned_synthesis.evaluation.judges.patches import PatchStatistics, RandomFeatures
from conditioned_synthesis.judge_settings import Embedding
from texturelib.errors import TextureError, UsageError

RATE = 8000
N_MELS = 4


def tones(hz, n_sounds=3):
    return [np.sin(2 * np.pi * hz * np.arange(RATE) / RATE + phase) for phase in range(n_sounds)]


def test_a_waveform_goes_in_at_the_networks_rate_and_length(tmp_path, embedding_network):
    path = embedding_network(
        tmp_path / "a.onnx", ["batch", 16, 250], [2], input="waveform", sample_rate=4000
    )
    with pytest.raises(TextureError, match="fails on an input"):  # it has 16 channels
        EmbeddingNetwork(Embedding(path=path))(tones(500), RATE)
    path = embedding_network(
        tmp_path / "b.onnx", ["batch", 1, 9000], [2], input="waveform", sample_rate=4000
    )
    vectors = EmbeddingNetwork(Embedding(path=path))(tones(500), RATE)
    assert vectors == pytest.approx(np.full((3, 1), 0.5), rel=0.02)


@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        (["batch", N_MELS, "frames"], [2]),
        (["batch", 1, N_MELS, "frames"], [1, 3]),
        (["batch", 30, N_MELS], [1]),
        ([2, N_MELS, 150], [2]),
    ],
)
def test_a_log_mel_spectrogram_has_the_networks_shape(tmp_path, shape, axes, embedding_network):
    path = embedding_network(
        tmp_path / "a.onnx", shape, axes, input="log_mel", sample_rate=RATE, n_mels=N_MELS
    )
    judge = EmbeddingNetwork(Embedding(path=path, floor=1.0))
    low, high = judge(tones(200), RATE), judge(tones(3000), RATE)
    assert low.shape == (3, N_MELS)
    # The mean square of logarithms of 1 + power: largest in the band in which the tone lies.
    assert (low.argmax(axis=1) == 0).all()
    assert (high.argmax(axis=1) == N_MELS - 1).all()


def test_the_config_goes_before_the_files_metadata(tmp_path, embedding_network):
    path = embedding_network(tmp_path / "a.onnx", ["b", "n"], [1], input="log_mel", sample_rate=99)
    judge = EmbeddingNetwork(Embedding(path=path, input="waveform", sample_rate=RATE))
    stereo = [np.stack([each, each], axis=1) for each in tones(500)]
    with pytest.raises(TextureError, match="fails on an input"):
        # One number a sound, and no vector.
        judge(stereo, RATE)


@pytest.mark.parametrize(
    ("metadata", "part"),
    [
        ({"sample_rate": RATE}, "evaluate.embedding.input: is null, and the metadata of"),
        ({"input": "waveform"}, "evaluate.embedding.sample_rate: is null"),
        ({"input": "log_mel", "sample_rate": RATE}, "evaluate.embedding.n_mels: is null"),
        (
            {"input": "log_mel", "sample_rate": "fast"},
            "its metadata: sample_rate: should be a valid integer",
        ),
        (
            {"input": "log_mel", "sample_rate": RATE, "n_mels": 4},
            "takes 2 dimensions; log_mel has 3",
        ),
        (
            {"input": "log_mel", "sample_rate": RATE, "n_mels": 4, "high_hz": 5000},
            "evaluate.embedding.high_hz: 5000",
        ),
    ],
)
def test_what_is_not_known_of_a_network_is_one_sentence(
    tmp_path, metadata, part, embedding_network
):
    path = embedding_network(tmp_path / "a.onnx", ["batch", "samples"], [1], **metadata)
    with pytest.raises((UsageError, TextureError), match=part) as error:
        EmbeddingNetwork(Embedding(path=path))
    assert len(str(error.value).splitlines()) == 1


def test_a_file_that_is_no_network_is_one_sentence(tmp_path):
    with pytest.raises(UsageError, match="no such file"):
        EmbeddingNetwork(Embedding(path=tmp_path / "none.onnx"))
    path = tmp_path / "text.onnx"
    path.write_text("no network")
    with pytest.raises(TextureError, match="no network that onnxruntime loads") as error:
        EmbeddingNetwork(Embedding(path=path))
    assert len(str(error.value).splitlines()) == 1


def test_the_discrepancy_is_unbiased():
    rng = np.random.default_rng(0)
    found = [unbiased_mmd(rng.normal(size=(20, 4)), rng.normal(size=(30, 4))) for _ in range(200)]
    # The mean of 200 is known to 0.002; with each member compared with itself it would be 0.04 off.
    assert np.mean(found) == pytest.approx(0, abs=0.008)
    assert np.min(found) < 0


def test_the_discrepancy_grows_with_the_distance_and_does_not_depend_on_the_unit():
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(2, 50, 4))
    found = [unbiased_mmd(one + shift, other) for shift in (0, 0.5, 1, 3)]
    assert (np.diff(found) > 0).all()
    assert unbiased_mmd(1e3 * (one + 1), 1e3 * other) == pytest.approx(found[2], rel=1e-9)
    assert np.isnan(unbiased_mmd(one[:1], other))


def noises(n_sounds: int, seed: int) -> np.ndarray:
    return 0.1 * np.random.default_rng(seed).standard_normal((n_sounds, RATE // 2))


@pytest.mark.parametrize("judge", [PatchStatistics, RandomFeatures])
def test_other_noise_is_alike_and_what_ticks_hums_or_is_louder_is_not(judge):
    embed = judge(RATE)
    reference = embed(noises(16, 0))
    near = abs(unbiased_mmd(embed(noises(16, 1)), reference))
    places = np.arange(RATE // 2)
    for other in (
        np.where(places % 500 < 125, 2.0, 0.01) * noises(16, 1),  # of the same power
        0.7 * noises(16, 1) + 0.1 * np.sin(2 * np.pi * 440 / RATE * places),
        2 * noises(16, 1),
    ):
        assert unbiased_mmd(embed(other), reference) > max(0.2, 4 * near)


@pytest.mark.parametrize("judge", [PatchStatistics, RandomFeatures])
def test_silence_is_embedded_in_numbers(judge):
    assert np.isfinite(judge(RATE)(np.zeros((2, RATE // 2)))).all()
