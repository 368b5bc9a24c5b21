import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from domain_adaptation.models.intervals import conformal_factors, coverage, laplace_loss


def laplace_labels(n_clips: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return labels, scale, truth [clips, 2]; the scale says how far off a label is, but for a
    factor that differs by control."""
    rng = np.random.default_rng(seed)
    truth = rng.uniform(size=(n_clips, 2))
    scale = rng.uniform(0.01, 0.2, size=(n_clips, 2))
    return truth + rng.laplace(scale=scale * [1.0, 3.0]), scale, truth


@pytest.mark.parametrize("seed", range(5))
def test_intervals_hold_the_truth_of_clips_that_they_were_not_fitted_to_nine_times_out_of_ten(seed):
    factors = conformal_factors(*laplace_labels(500, seed))
    labels, scale, truth = laplace_labels(4000, 100 + seed)
    # 500 clips place the 90 % mark with a deviation of sqrt(0.9 * 0.1 / 500) = 1.3 %: over three of these either way.
    np.testing.assert_allclose(coverage(labels, scale * factors, truth), 0.9, atol=0.05)
    # A Laplace distribution has 90 % within ln 10 scales; the second control's scale is three
    # times too small.
    np.testing.assert_allclose(factors, [np.log(10), 3 * np.log(10)], rtol=0.25)


def test_intervals_are_wide_where_the_network_says_that_it_is_unsure():
    labels, scale, truth = laplace_labels(4000, 0)
    widths = scale * conformal_factors(labels, scale, truth)
    sure = scale[:, 0] < np.median(scale[:, 0])
    for part in (sure, ~sure):
        assert coverage(labels[part], widths[part], truth[part])[0] == pytest.approx(0.9, abs=0.03)


@given(st.integers(9, 60), st.integers(0, 999))
def test_on_the_clips_that_they_were_fitted_to_at_least_nine_of_ten_are_held(n_clips, seed):
    labels, scale, truth = laplace_labels(n_clips, seed)
    factors = conformal_factors(labels, scale, truth)
    assert (coverage(labels, scale * factors * (1 + 1e-9), truth) >= 0.9).all()


@given(
    arrays.arrays(np.float64, (30, 1), elements=st.floats(0.001, 1.0)),
    st.floats(1.0, 10.0),
    st.integers(0, 29),
)
def test_larger_errors_never_make_narrower_intervals(errors, times, which):
    truth, scale = np.zeros((30, 1)), np.full((30, 1), 0.1)
    larger = errors.copy()
    larger[which] *= times
    before, after = (conformal_factors(labels, scale, truth) for labels in (errors, larger))
    assert (after >= before).all()


def test_wider_intervals_hold_more():
    labels, scale, truth = laplace_labels(300, 3)
    covered = np.stack([coverage(labels, width * scale, truth) for width in np.linspace(0, 20, 50)])
    assert (np.diff(covered, axis=0) >= 0).all()
    assert covered[0].tolist() == [0, 0]


def test_the_scale_learns_the_mean_error_and_teaches_the_labels_nothing():
    labels = torch.zeros(400, 1, requires_grad=True)
    truth = torch.from_numpy(np.random.default_rng(0).laplace(scale=0.3, size=(400, 1))).float()
    logarithm = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.Adam([logarithm, labels], lr=0.05)
    for _ in range(200):
        optimizer.zero_grad()
        laplace_loss(labels, logarithm.exp(), truth).backward()
        assert labels.grad is None
        optimizer.step()
    # The likeliest scale of a Laplace distribution is the mean absolute error.
    assert float(logarithm.detach().exp()) == pytest.approx(float(truth.abs().mean()), rel=0.01)
