import numpy as np
import torch

from domain_adaptation.adaptation.methods._textures import textures

SAMPLE_RATE = 16000
N_SAMPLES = 16000


def drawn(n_clips: int, seed: int = 0) -> torch.Tensor:
    torch.manual_seed(seed)
    return textures(n_clips, N_SAMPLES, SAMPLE_RATE, torch.device("cpu"))


def test_textures_are_drawn_by_chance_and_each_is_another():
    clips = drawn(40)
    assert clips.shape == (40, N_SAMPLES)
    assert clips.isfinite().all()
    assert (clips.square().mean(dim=1) > 0).all()
    assert torch.equal(clips, drawn(40))
    assert not torch.equal(clips, drawn(40, seed=1))


def test_their_spectra_lie_around_that_of_pink_noise_and_are_of_all_kinds():
    power = torch.fft.rfft(drawn(400)).abs().square()
    hz = torch.fft.rfftfreq(N_SAMPLES, 1 / SAMPLE_RATE)
    edges = 100 * 2.0 ** np.arange(6)
    bands = [power[:, (hz >= low) & (hz < 2 * low)].mean(dim=1) for low in edges]
    decibels = 10 * torch.stack(bands, dim=1).log10()
    slopes = torch.from_numpy(np.polyfit(np.arange(6), decibels.numpy().T, 1)[0])
    # Slopes of single textures are uniform within 3 dB an octave of pink, and corners bend them by
    # up to 12: of 400, the median is sure to about half a decibel.
    assert abs(float(slopes.median()) + 3) < 1.5
    assert float(slopes.std()) > 1.5


def test_some_are_noise_and_some_are_single_grains():
    clips = drawn(200)
    crest = clips.abs().amax(dim=1) / clips.square().mean(dim=1).sqrt()
    assert float(crest.min()) < 6  # Gaussian noise of this length has 4 or 5
    assert float(crest.max()) > 40
