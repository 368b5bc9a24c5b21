import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from domain_adaptation.config import NetworkConfig
from domain_adaptation.features.mel import Mel
from domain_adaptation.networks import Extractor, make_classifier
from texturelib.audio import read_clip
from texturelib.errors import UsageError


def test_the_thesis_network_comes_out_of_the_default_config():
    model = Extractor(NetworkConfig(), (1, 56, 161), 4)
    assert model.encoder.n_features == 256
    assert sum(parameter.numel() for parameter in model.parameters()) == 23820
    assert [layer[0].out_features for layer in model.head] == [64, 16, 4]


def test_published_weights_give_the_published_labels(thesis_network, thesis_extractor):
    name = thesis_network.name
    published = pd.read_csv(thesis_network / f"{name}_ExtractedAudioFilesLabels_RealDataset.csv", index_col=0)
    for path in sorted((thesis_network / "Listening tests").glob("*[0-9].wav")):
        clip = torch.from_numpy(read_clip(path, 44100, 44100))[None]
        with torch.no_grad():
            labels = thesis_extractor(Mel().compute(clip, 44100))[0]
        # 5e-7 was measured when the weights were first read; float32 on another processor may differ a little more.
        assert labels.tolist() == pytest.approx(published.loc[path.name].tolist(), abs=1e-5)


@given(n_controls=st.integers(1, 9), height=st.integers(30, 60), width=st.integers(30, 90))
def test_any_number_of_controls_and_any_spectrogram_will_do(n_controls, height, width):
    model = Extractor(NetworkConfig(n_blocks=3), (1, height, width), n_controls)
    assert model(torch.zeros(2, 1, height, width)).shape == (2, n_controls)


@given(n_controls=st.integers(1, 4), n_samples=st.integers(100, 3000))
def test_a_waveform_makes_the_network_one_dimensional(n_controls, n_samples):
    model = Extractor(NetworkConfig(n_blocks=4), (1, n_samples), n_controls)
    assert model(torch.zeros(2, 1, n_samples)).shape == (2, n_controls)


def test_too_many_blocks_for_the_input_are_named():
    with pytest.raises(UsageError, match=r"network.n_blocks: 5 is too many for features of 56 x 161: .* after block 5"):
        Extractor(NetworkConfig(n_blocks=5), (1, 56, 161), 4)


def test_the_classifier_halves_down_to_one_logit():
    linear = [layer for layer in make_classifier(8, 0.9, 256) if isinstance(layer, torch.nn.Linear)]
    assert [layer.out_features for layer in linear] == [128, 64, 32, 16, 8, 4, 2, 1]
