"""Losses between sounds: what they tell apart, at any rate and number of channels."""

import pytest
import torch
from pydantic import ValidationError

from conditioned_synthesis.losses import losses
from conditioned_synthesis.losses._ranks import ranked
from conditioned_synthesis.synthesisers.texenv.settings import TexEnv

RATE = 8000
KINDS = [model.model_fields["type"].default for model in losses.models]


def loss_of(kind: str, sample_rate: int = RATE, n_samples: int = RATE) -> torch.nn.Module:
    [settings] = [model for model in losses.models if model.model_fields["type"].default == kind]
    return settings().module(sample_rate, n_samples)


def noise(n_sounds: int, seed: int = 0, n_samples: int = RATE) -> torch.Tensor:
    return 0.1 * torch.randn(n_sounds, n_samples, generator=torch.Generator().manual_seed(seed))


def ticking(sounds: torch.Tensor) -> torch.Tensor:
    """Return the same with bursts, at the same power."""
    gain = torch.where(torch.arange(sounds.shape[1]) % (RATE // 8) < RATE // 32, 2.0, 0.01)
    return sounds * gain


def humming(sounds: torch.Tensor) -> torch.Tensor:
    """Return with half of their power in a tone."""
    tone = 0.1 * torch.sin(2 * torch.pi * 440 / RATE * torch.arange(sounds.shape[1]))
    return 0.7 * sounds + tone


@pytest.mark.parametrize("kind", KINDS)
def test_other_noise_is_near_and_bursts_tones_and_another_level_are_far(kind):
    loss, wanted = loss_of(kind), noise(8)
    assert float(loss(wanted, wanted)) == pytest.approx(0, abs=1e-6)
    near = float(loss(noise(8, seed=1), wanted))
    for far in (ticking, humming, lambda sounds: 2 * sounds):
        # "log_mel" looks at each band alone, and a tone is in one; it finds twice as much.
        assert float(loss(far(noise(8, seed=1)), wanted)) > 2 * near


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(2, RATE), (2, RATE, 2), (3, RATE // 4)])
def test_its_gradient_is_a_number_also_for_silence(kind, shape):
    loss = loss_of(kind, n_samples=shape[1])
    sounds = 0.1 * torch.randn(shape, generator=torch.Generator().manual_seed(0))
    for audio, target in (
        (sounds, sounds.roll(1, 0)),
        (torch.zeros(shape), sounds),
        (sounds, torch.zeros(shape)),
        (torch.zeros(shape), torch.zeros(shape)),
    ):
        audio = audio.clone().requires_grad_()
        value = loss(audio, target)
        (gradient,) = torch.autograd.grad(value, audio)
        assert value.ndim == 0
        assert torch.isfinite(value)
        assert torch.isfinite(gradient).all()


def test_of_a_sound_of_few_bands_what_is_not_heard_is_no_part_of_its_texture():
    """Half an octave of noise, with and without noise in all other bands, 60 dB softer."""
    spectrum = torch.fft.rfft(noise(2))
    spectrum[:, :1000], spectrum[:, 1414:] = 0, 0
    narrow = 5 * torch.fft.irfft(spectrum)
    hissing = narrow + 0.001 * noise(2, seed=1)
    loss = loss_of("texture")
    assert float(loss(hissing, narrow)) < 0.2 * float(loss.loss(hissing, narrow))


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_of_it_is_stored(kind):
    assert not loss_of(kind).state_dict()
    settings = {"n_bands": 8, "channels": 8, "n_layers": 2, "losses": [{"type": kind}]}
    network = TexEnv.model_validate(settings).network(1, RATE).train()
    before = set(network.state_dict())
    assert set(network.losses(noise(2), torch.full((2, RATE, 1), 0.5))) == {"loss"}
    assert set(network.state_dict()) == before


def test_a_weight_is_a_factor_and_the_first_loss_is_the_loss():
    found = []
    for weight in (1.0, 3.0):
        settings = TexEnv.model_validate(
            {
                "n_bands": 8,
                "channels": 8,
                "n_layers": 2,
                "losses": [{"type": "log_mel", "weight": weight}, {"type": "texture"}],
            }
        )
        torch.manual_seed(0)
        network = settings.network(1, RATE).train()
        assert network.loss_in_words == "of log-mel spectrograms"
        with torch.no_grad():
            found.append(network.losses(noise(2), torch.full((2, RATE, 1), 0.5)))
    assert float(found[1]["loss"]) == pytest.approx(3 * float(found[0]["loss"]), rel=1e-4)
    assert float(found[1]["texture"]) == pytest.approx(float(found[0]["texture"]), rel=1e-4)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([], "at least 1 item"),
        ([{"type": "texture"}, {"type": "texture"}], "each type of loss may be there once"),
        ([{"type": "texture", "weight": 0}], "greater than 0"),
        ([{"type": "spectral"}], "does not match any of the expected tags"),
    ],
)
def test_losses_that_cannot_be_are_refused(given, words):
    with pytest.raises(ValidationError, match=words):
        TexEnv.model_validate({"losses": given})


def test_values_are_ranked_with_a_gradient_to_where_they_were():
    values = torch.tensor([[3.0, 1.0, 2.0]], requires_grad=True)
    found = ranked(values)
    (found * torch.tensor([[10.0, 20.0, 30.0]])).sum().backward()
    assert found.tolist() == [[1, 2, 3]]
    assert ranked(values.detach()).tolist() == [[1, 2, 3]]
    assert values.grad is not None
    assert values.grad.tolist() == [[30, 10, 20]]


def test_windows_are_as_many_at_any_rate():
    from conditioned_synthesis.losses._log_mels import LogMels

    shapes = [
        [each.shape[1:] for each in LogMels(rate, rate)(noise(1, n_samples=rate))]
        for rate in (16000, 44100, 48000)
    ]
    for low, *others in zip(*shapes, strict=True):
        for other in others:
            assert other[0] == low[0]
            assert abs(other[1] - low[1]) <= 1
