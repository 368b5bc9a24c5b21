"""The metrics of how well sounds follow their targets, on made-up measurements whose metrics are
known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conditioned_synthesis.evaluation.control_metrics import (
    following,
    leak,
    leak_error,
    mean_error,
    signed_rho,
    straightness,
)

TARGET = np.repeat(np.linspace(0, 1, 9), 5)


def test_what_is_measured_on_target_is_followed_wholly():
    found = following("rate", TARGET, {"rate": TARGET, "size": np.full(45, 0.5)})
    assert found == (pytest.approx(1), 0, pytest.approx(1), pytest.approx(0), "size")


def test_a_slider_that_works_backwards_has_a_negative_sign():
    found = following("rate", TARGET, {"rate": 1 - TARGET})
    assert found.rho == pytest.approx(-1)
    assert found.r2 == pytest.approx(1)  # straight, only downwards
    # |2 x - 1| over 0, 1/8 .. 1: twice (1 + 3/4 + 1/2 + 1/4) over 9.
    assert found.error == pytest.approx(5 / 9)


def test_a_bent_slider_is_followed_but_not_straight():
    x = np.linspace(0, 1, 2001)
    assert signed_rho(x, x**3) == pytest.approx(1)
    # Over an even x, cov(x, x^3) = 3/40, var(x) = 1/12, var(x^3) = 9/112: R2 = 0.84.
    assert straightness(x, x**3) == pytest.approx(0.84, abs=0.002)


def test_an_offset_is_an_error_but_neither_bends_nor_reverses():
    found = following("rate", TARGET, {"rate": TARGET + 0.2})
    assert (found.rho, found.r2, found.error) == (
        pytest.approx(1),
        pytest.approx(1),
        pytest.approx(0.2),
    )


def test_leakage_is_the_way_that_another_control_goes_along_over_the_whole_slider():
    measured = {"rate": TARGET, "size": 0.4 - 0.3 * TARGET, "depth": 0.1 * TARGET}
    found = following("rate", TARGET, measured)
    assert (found.leakage, found.leaks_into) == (pytest.approx(0.3), "size")
    # A slider of half the length, with the same steepness, takes the other half as far.
    half = following("rate", TARGET / 2, {"size": 0.4 - 0.3 * (TARGET / 2)})
    assert half.leakage == pytest.approx(0.15)


def test_the_error_of_a_leak_is_how_much_leaks_of_chance_differ():
    rng = np.random.default_rng(0)
    targets = np.repeat(np.linspace(0, 1, 9), 3)
    chance = [rng.normal(0, 0.1, len(targets)) for _ in range(400)]
    by_chance = np.std([np.polyfit(targets, each, 1)[0] for each in chance])
    found = np.mean([leak_error(targets, each) for each in chance])
    assert found == pytest.approx(by_chance, rel=0.1), "3.5 % is the chance of 400"
    assert np.isnan(leak_error(targets[:1], chance[0][:1]))


def test_a_measurement_that_does_not_move_has_no_correlation_and_no_leak():
    still = np.full(45, 0.3)
    assert np.isnan(signed_rho(TARGET, still))
    assert np.isnan(straightness(TARGET, still))
    assert leak(TARGET, still) == pytest.approx(0, abs=1e-12)


def test_sounds_that_could_not_be_read_are_left_out():
    measured = TARGET.copy()
    measured[::3] = np.nan
    assert following("rate", TARGET, {"rate": measured})[:3] == (
        pytest.approx(1),
        0,
        pytest.approx(1),
    )


def test_where_a_control_is_not_read_its_numbers_are_missing_and_those_of_others_are_there():
    found = following("rate", TARGET, {"size": 0.2 * TARGET})
    assert np.isnan([found.rho, found.error, found.r2]).all()
    assert found.leakage == pytest.approx(0.2)


@given(st.floats(0.05, 5), st.floats(-1, 1))
def test_any_straight_slider_is_straight_whatever_its_slope_and_offset(slope, offset):
    assert straightness(TARGET, offset + slope * TARGET) == pytest.approx(1)
    assert mean_error(TARGET, TARGET + offset) == pytest.approx(abs(offset))
