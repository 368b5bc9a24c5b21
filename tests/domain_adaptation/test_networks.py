import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from domain_adaptation.data.waveforms import prepared
from domain_adaptation.features.mel import Mel
from domain_adaptation.models.extractor import Extractor, make_classifier
from domain_adaptation.networks._band_cnn import _MeanAndDeviation
from domain_adaptation.networks._norm_then_pool import MaxPoolByTwo, NormThenPool
from domain_adaptation.networks.band_cnn import BandCnn
from domain_adaptation.networks.cnn import Cnn
from texturelib.audio import read_clip
from texturelib.errors import UsageError


def test_the_thesis_network_comes_out_of_the_default_config():
    model = Extractor(Cnn(), (1, 56, 161), 4)
    assert model.encoder.n_features == 256
    assert (
        sum(
            parameter.numel()
            for part in (model.encoder, model.head)
            for parameter in part.parameters()
        )
        == 23820
    )
    assert [layer[0].out_features for layer in model.head] == [64, 16, 4]


def test_published_weights_give_the_published_labels(thesis_network, thesis_extractor):
    name = thesis_network.name
    published = pd.read_csv(
        thesis_network / f"{name}_ExtractedAudioFilesLabels_RealDataset.csv", index_col=0
    )
    for path in sorted((thesis_network / "Listening tests").glob("*[0-9].wav")):
        clip = torch.from_numpy(read_clip(path, 44100, 44100))[None]
        with torch.no_grad():
            labels = thesis_extractor(Mel(remove_mean=False).compute(prepared(clip, 44100, 32000)))[
                0
            ]
        # 5e-7 was measured when the weights were first read; float32 on another processor may differ a little more.
        assert labels.tolist() == pytest.approx(published.loc[path.name].tolist(), abs=1e-5)


@given(n_controls=st.integers(1, 9), height=st.integers(30, 60), width=st.integers(30, 90))
def test_any_number_of_controls_and_any_spectrogram_will_do(n_controls, height, width):
    model = Extractor(Cnn(n_blocks=3), (1, height, width), n_controls)
    assert model(torch.zeros(2, 1, height, width)).shape == (2, n_controls)


@given(n_controls=st.integers(1, 4), n_samples=st.integers(100, 3000))
def test_a_waveform_makes_the_network_one_dimensional(n_controls, n_samples):
    model = Extractor(Cnn(n_blocks=4), (1, n_samples), n_controls)
    assert model(torch.zeros(2, 1, n_samples)).shape == (2, n_controls)


def test_too_many_blocks_for_the_input_are_named():
    with pytest.raises(
        UsageError,
        match=r"network.n_blocks: 5 is too many for features of 56 x 161: .* after block 5",
    ):
        Extractor(Cnn(n_blocks=5), (1, 56, 161), 4)


def test_the_classifier_halves_down_to_one_logit():
    linear = [layer for layer in make_classifier(8, 0.9, 256) if isinstance(layer, torch.nn.Linear)]
    assert [layer.out_features for layer in linear] == [128, 64, 32, 16, 8, 4, 2, 1]


BANDS = (1, 40, 16)


@given(
    n_controls=st.integers(1, 5),
    height=st.integers(1, 70),
    width=st.integers(1, 70),
    n_stages=st.integers(1, 5),
)
def test_the_network_that_keeps_bands_takes_any_spectrogram(n_controls, height, width, n_stages):
    model = Extractor(
        BandCnn(channels=(16, 8, 4, 4, 2)[:n_stages], n_hidden=8), (1, height, width), n_controls
    )
    assert model(torch.randn(2, 1, height, width)).shape == (2, n_controls)


def test_the_network_that_keeps_bands_starts_in_the_middle_of_every_slider():
    model = Extractor(BandCnn(), BANDS, 3).eval()
    with torch.no_grad():
        labels = model(torch.randn(64, *BANDS))
    # Its last layer's weights are drawn within 1 / sqrt(120), on 120 values that are about 0 to 1.
    assert labels.mean(dim=0).tolist() == pytest.approx([0.5] * 3, abs=0.4)


def test_a_shift_along_the_bands_moves_where_a_head_looks_but_not_what_it_reads():
    torch.manual_seed(0)
    network = BandCnn(channels=(16, 16), n_band_halvings=1, n_heads=8)
    encoder = Extractor(network, (1, 96, 16), 2).encoder
    event = 5 * torch.randn(1, 1, 10, 16)
    features = torch.zeros(2, 1, 96, 16)
    features[0, :, 40:50], features[1, :, 46:56] = event, event  # 3 of the bands that are left
    with torch.no_grad():
        for _ in range(200):  # so that the normalisations know what is usual
            encoder(features + 0.01 * torch.randn_like(features))
        first, second = encoder.eval()(features)
    assert encoder.norm.running_var is not None
    moved = (second - first)[:8] * (encoder.norm.running_var[:8] + 1e-5).sqrt()
    assert float(moved.abs().max()) > 1e-3
    assert float(moved.abs().max()) < 3  # what is heard elsewhere holds it back
    torch.testing.assert_close(first[8:], second[8:], atol=1e-3, rtol=1e-3)


def test_mean_and_deviation_have_the_gradient_that_automatic_differentiation_finds():
    torch.manual_seed(0)
    maps = torch.randn(3, 4, 5, 7, requires_grad=True)
    weights = torch.randn(2, 3, 4, 5)

    def gradient(pooled):
        total = sum((part * weight).sum() for part, weight in zip(pooled, weights, strict=True))
        return torch.autograd.grad(total, maps)[0]

    mean = maps.mean(dim=-1)
    theirs = mean, (maps.var(dim=-1, correction=0) + 1e-4).sqrt()
    ours = _MeanAndDeviation.apply(maps)
    for own, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(own, other)
    torch.testing.assert_close(gradient(ours), gradient(theirs))


@given(height=st.integers(2, 9), width=st.integers(2, 9), seed=st.integers(0, 999))
def test_pooling_by_two_is_torchs_number_for_number(height, width, seed):
    maps = torch.randn(2, 3, height, width, generator=torch.Generator().manual_seed(seed))
    torch.testing.assert_close(MaxPoolByTwo()(maps), torch.nn.MaxPool2d(2)(maps), atol=0, rtol=0)


@pytest.mark.parametrize("momentum", [0.1, None])
@given(height=st.integers(2, 9), width=st.integers(2, 9), seed=st.integers(0, 999))
def test_normalising_and_pooling_in_one_is_torchs_one_after_the_other(
    momentum, height, width, seed
):
    generator = torch.Generator().manual_seed(seed)
    ours, norm = (
        NormThenPool(3, momentum=momentum).double(),
        torch.nn.BatchNorm2d(3, momentum=momentum).double(),
    )
    for values in (norm.weight, norm.bias):  # with weights of either sign
        torch.nn.init.normal_(values, generator=generator)
    ours.load_state_dict(norm.state_dict())
    for _ in range(2):
        maps = torch.randn(
            2, 3, height, width, generator=generator, dtype=torch.float64, requires_grad=True
        )
        found = [ours(maps), torch.nn.functional.max_pool2d(norm(maps), 2)]
        torch.testing.assert_close(*found)
        weights = torch.randn(found[0].shape, generator=generator, dtype=torch.float64)
        gradients = [
            torch.autograd.grad(pooled, [maps, module.weight, module.bias], weights)
            for pooled, module in zip(found, (ours, norm), strict=True)
        ]
        torch.testing.assert_close(*gradients)
    torch.testing.assert_close(ours.state_dict(), norm.state_dict())
    torch.testing.assert_close(
        ours.eval()(maps), torch.nn.functional.max_pool2d(norm.eval()(maps), 2)
    )


def test_the_network_that_keeps_bands_wants_bands():
    with pytest.raises(
        UsageError,
        match=r'network\.type: "band_cnn" wants features with bands and frames, .* take "cnn"',
    ):
        Extractor(BandCnn(), (1, 4000), 2)


@pytest.mark.parametrize("network", [Cnn(n_blocks=2), BandCnn(channels=(16, 16))])
def test_a_clips_labels_do_not_depend_on_the_others_of_its_batch(network):
    torch.manual_seed(0)
    model, features = Extractor(network, BANDS, 2).eval(), torch.randn(6, *BANDS)
    with torch.no_grad():
        together, alone = model.read(features), model.read(features[2:3])
    for of_all, of_one in zip(together, alone, strict=True):
        # Sums in another order.
        torch.testing.assert_close(of_all[2:3], of_one, atol=1e-5, rtol=1e-5)


def test_the_scale_is_bounded_and_teaches_the_encoder_nothing():
    model = Extractor(Cnn(n_blocks=2), BANDS, 2)
    reading = model.read(1e6 * torch.randn(8, *BANDS))
    # Between e^-9, a hundredth of a per cent of a slider, and e, nearly three sliders.
    assert float(reading.scale.detach().min()) > 0.0001
    assert float(reading.scale.detach().max()) < 2.72
    model.read(torch.randn(8, *BANDS)).scale.sum().backward()
    assert all(
        parameter.grad is None
        for part in (model.encoder, model.head)
        for parameter in part.parameters()
    )
    assert model.scale.weight.grad is not None


def test_weights_of_older_models_called_the_scale_spread():
    older, model = (Extractor(Cnn(n_blocks=2), BANDS, 2) for _ in range(2))
    weights = {
        name.replace("scale.", "spread."): value for name, value in older.state_dict().items()
    }
    model.load_state_dict(weights)
    assert torch.equal(model.scale.weight, older.scale.weight)
    assert torch.equal(model.scale.bias, older.scale.bias)
