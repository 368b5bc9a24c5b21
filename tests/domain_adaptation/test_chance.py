import pytest
import torch

from domain_adaptation.training.augment.draws import white_spectrum


def drawn(n_clips: int, seed: int = 0) -> torch.Tensor:
    torch.manual_seed(seed)
    return white_spectrum(torch.empty(n_clips, 2000))


@pytest.fixture
def threads():
    """Return a function that sets how many threads torch takes, put back at the end."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.mark.parametrize("n_clips", [1, 2, 9])
def test_noise_is_the_same_on_any_number_of_cores(threads, n_clips):
    threads(1)
    alone = drawn(n_clips)
    threads(4)
    assert torch.equal(drawn(n_clips), alone)
    assert not torch.equal(drawn(n_clips, seed=1), alone)
    with torch.inference_mode():  # as where clips are read
        assert torch.equal(drawn(n_clips), alone)


def test_noise_is_white_and_its_parts_have_nothing_in_common():
    spectrum = drawn(64)
    numbers = torch.view_as_real(spectrum).flatten(1)
    assert numbers.shape == (64, 2002)
    # 128,128 Gaussian values: their variance is sure to 0.4 %, the correlation of two rows to 2.2 %; four times that.
    assert float(numbers.var()) == pytest.approx(1, abs=0.016)
    correlations = torch.corrcoef(numbers) - torch.eye(64)
    assert float(correlations.abs().max()) < 0.12  # of 2,016 pairs: 5.4 deviations
