import numpy as np
import pytest

from conditioned_synthesis.instrument.instrument import ModelSpec, Slider
from conditioned_synthesis.instrument.parse import read_automations
from conditioned_synthesis.synthesisers.mtcrnn.settings import Mtcrnn
from texturelib.controls import Control
from texturelib.errors import TextureError, UsageError

RATE, RADIUS = (Control(name, 0.0, 1.0, "").describe() for name in ("rate", "radius"))
ABOUT = ModelSpec(
    synthesiser=Mtcrnn(),
    sliders=(Slider(control=RATE, low=0.0, high=1.0), Slider(control=RADIUS, low=0.2, high=0.8)),
    sample_rate=16000,
)


def test_a_number_holds_a_control_still():
    lines, notes = read_automations(["rate=0.25"], ABOUT, 10.0)
    assert lines["rate"].at(np.array([0.0, 3.0, 10.0])).tolist() == [0.25] * 3
    assert notes == []


def test_points_draw_straight_lines_and_the_ends_are_held():
    lines, _ = read_automations(["rate=1:0,3:1"], ABOUT, 10.0)
    assert lines["rate"].at(np.array([0.0, 1.0, 2.0, 3.0, 10.0])).tolist() == [
        0.0,
        0.0,
        0.5,
        1.0,
        1.0,
    ]


def test_an_array_is_spread_over_the_sound(tmp_path):
    np.save(tmp_path / "rate.npy", np.array([0.0, 1.0, 0.0]))
    lines, _ = read_automations([f"rate={tmp_path / 'rate.npy'}"], ABOUT, 8.0)
    assert lines["rate"].at(np.array([0.0, 2.0, 4.0, 8.0])).tolist() == [0.0, 0.5, 1.0, 0.0]


def test_an_array_of_all_controls_may_have_mtcrnns_shape(tmp_path):
    table = np.array([[0.0, 0.3], [1.0, 0.7]])
    for array in (table, table[None]):
        np.save(tmp_path / "all.npy", array)
        lines, _ = read_automations([str(tmp_path / "all.npy")], ABOUT, 2.0)
        assert lines["rate"].at(1.0) == 0.5
        assert lines["radius"].at(2.0) == 0.7


def test_a_control_is_held_within_what_was_trained_on_and_a_note_says_so():
    lines, notes = read_automations(["radius=0:0,10:1"], ABOUT, 10.0)
    assert lines["radius"].at(np.array([0.0, 10.0])).tolist() == [0.2, 0.8]
    assert notes == ["radius: 0 to 1 is held within 0.2 to 0.8, what was trained on"]


@pytest.mark.parametrize(
    ("word", "part"),
    [
        ("rat=0.5", 'no control "rat" (did you mean "rate"'),
        ("rate=loud", "should be a number, as 0.5, or points"),
        ("rate=", "should be a number"),
        ("rate=nan", "finite"),
        ("rate=0:0,0:1", "should rise"),
        ("rate=0:0:0", "should be a number"),
        ("rate", "should be NAME=VALUE"),
    ],
)
def test_what_cannot_be_read_is_a_sentence(word, part):
    with pytest.raises(UsageError) as error:
        read_automations([word], ABOUT, 1.0)
    assert part in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (np.zeros((5, 3)), "should be [rows, 2], a column each for rate, radius"),
        (np.array([[np.nan, 0.0]]), "finite numbers"),
        (np.array(["a"]), "finite numbers"),
        (np.zeros((0, 2)), "finite numbers"),
        (np.array([{}], dtype=object), "not an array of numbers"),
    ],
)
def test_an_array_that_does_not_fit_is_a_sentence(tmp_path, content, part):
    np.save(tmp_path / "bad.npy", content, allow_pickle=True)
    with pytest.raises(TextureError) as error:
        read_automations([str(tmp_path / "bad.npy")], ABOUT, 1.0)
    assert part in str(error.value)


def test_a_missing_or_broken_array_is_a_sentence(tmp_path):
    with pytest.raises(TextureError, match="no such file"):
        read_automations([f"rate={tmp_path / 'none.npy'}"], ABOUT, 1.0)
    (tmp_path / "cut.npy").write_bytes(b"\x93NUMPY\x01\x00")
    with pytest.raises(TextureError, match="not an array of numbers"):
        read_automations([f"rate={tmp_path / 'cut.npy'}"], ABOUT, 1.0)
