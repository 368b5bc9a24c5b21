"""Sliders made linear, as somebody hears them whose ears are known."""

import json
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import soundfile
from hypothesis import example, given
from hypothesis import strategies as st

from conditioned_synthesis.evaluation.control_metrics import straightness
from conditioned_synthesis.evaluation.linearise import response
from conditioned_synthesis.instrument.instrument import Slider, load_instrument
from texturelib.controls import Control

SETTINGS = 'linearise={"values": 9, "seeds": 2, "seconds": 0.1}'
# A slider that begins at 0.2, as the sounds it learnt from did.
TARGET = np.repeat(np.linspace(0.2, 1.0, 9), 3)


def slider_of(measured: np.ndarray, target: np.ndarray = TARGET) -> Slider:
    return Slider(
        control=Control("rate", 0.0, 1.0, "").describe(),
        low=target.min(),
        high=target.max(),
        curve=response(target, measured).curve,
    )


def steps(slider: Slider, hear, n_steps: int = 10) -> np.ndarray:
    """Return what is heard at equal steps of the slider: 0 at one end, 1 at the other."""
    heard = hear(slider.to_network(np.linspace(slider.low, slider.high, n_steps + 1)))
    return (heard - heard[0]) / (heard[-1] - heard[0])


@pytest.mark.parametrize(
    "hear", [lambda x: x**3, np.sqrt, lambda x: 1 / (1 + np.exp(12 * (0.6 - x)))]
)
def test_equal_steps_of_a_slider_become_equal_steps_of_what_is_heard(hear):
    slider = slider_of(hear(TARGET))
    x = np.linspace(0.2, 1.0, 50)
    assert np.abs(steps(slider, hear) - np.linspace(0, 1, 11)).max() < 0.04
    assert straightness(x, hear(slider.to_network(x))) > max(0.995, straightness(x, hear(x)))


@pytest.mark.parametrize("hear", [lambda x: x, lambda x: x**3])
def test_bends_that_are_chance_are_not_straightened(hear):
    off = []
    for seed in range(40):
        read = hear(TARGET) + np.random.default_rng(seed).normal(0, 0.15, len(TARGET))
        off.append(np.sqrt(np.mean((response(TARGET, read).fitted - hear(TARGET)) ** 2)))
    assert np.mean(off) < 0.063, "0.071 where all that goes one way is taken for the response"


def test_a_slider_keeps_its_ends():
    slider = slider_of(TARGET**3)
    assert slider.to_network(np.array([0.2, 1.0])).tolist() == [0.2, 1.0]


def test_a_slider_that_works_backwards_is_turned_round():
    slider = slider_of(1 - TARGET**3)
    assert slider.to_network(np.array([0.2, 1.0])).tolist() == [1.0, 0.2]
    assert np.abs(steps(slider, lambda x: 1 - x**3) - np.linspace(0, 1, 11)).max() < 0.04
    assert (np.diff(1 - slider.to_network(np.linspace(0.2, 1, 20)) ** 3) > 0).all(), "up is up"


@pytest.mark.parametrize(
    "read", [np.full(27, 0.4), 0.4 + 0.001 * TARGET, np.random.default_rng(3).normal(0.5, 0.2, 27)]
)
def test_a_slider_that_nothing_follows_stays_as_it_is(read):
    assert response(TARGET, read).curve is None


def test_a_flat_stretch_is_run_through_quickly_but_not_in_a_jump():
    def hear(x):
        return np.clip(x, 0.5, 0.8)  # nothing happens below 0.5 and above 0.8

    slider = slider_of(hear(TARGET))
    places, given = np.array(slider.curve).T
    assert (np.diff(places) > 0).all()
    assert (np.diff(given) / np.diff(places)).max() <= 20.01
    assert np.abs(steps(slider, hear) - np.linspace(0, 1, 11)).max() < 0.08


@example([0, 5e-324, 1e-313, 1e-310, 1e-300, 0.5, 0.5, 0.9, 1])
@given(st.lists(st.floats(0, 1), min_size=9, max_size=9))
def test_whatever_is_read_a_curve_goes_only_one_way_and_stays_within_the_slider(means):
    curve = response(TARGET, np.repeat(means, 3)).curve
    if curve is not None:
        places, given = np.array(curve).T
        assert (np.diff(places) > 0).all()
        assert (np.diff(given) > 0).all() or (np.diff(given) < 0).all()
        assert (places[0], places[-1]) == (0.2, 1.0)
        assert (given.min(), given.max()) == (pytest.approx(0.2), pytest.approx(1.0))


def test_sounds_that_could_not_be_read_are_left_out():
    read = TARGET**3
    read[:3] = np.nan  # all of the lowest value
    read[4] = np.nan
    assert (
        np.abs(steps(slider_of(read), lambda x: x**3)[3:] - np.linspace(0, 1, 11)[3:]).max() < 0.06
    )
    assert response(TARGET, np.full(27, np.nan)).curve is None


@pytest.fixture
def linearised(playable, command, listen):
    """Run linearise with ears that hear so."""

    def run(*words, **responses):
        listen(**responses)
        return command("linearise", playable, "--set", SETTINGS, "--workers", "1", *words)

    return run


def test_the_command_leaves_an_instrument_that_plays_linearly_and_says_what_it_found(
    linearised, command, tmp_path
):
    status, printed, errors = linearised(rate=lambda x: x**3, size=lambda x: 1 - x)
    assert (status, errors) == (0, "")
    assert "size: its slider worked backwards (rank correlation -1.00); now up is up" in printed
    folder = tmp_path / "out" / "instrument"
    spec = load_instrument(folder).spec
    rate, size = spec.sliders
    assert np.abs(rate.to_network(np.array([0.5])) ** 3 - 0.5).max() < 0.04
    assert size.to_network(np.array([0.0, 0.5, 1.0])) == pytest.approx([1, 0.5, 0], abs=0.02)
    table = pd.read_csv(folder / "curves.csv")
    assert table.groupby("control").size().to_dict() == {"rate": 18, "size": 18}
    of_rate = table[table["control"] == "rate"]
    assert np.abs(of_rate["measured"] - of_rate["target"] ** 3).max() < 0.01
    # Where the new slider plays the same.
    assert np.abs(of_rate["slider"] - of_rate["target"] ** 3).max() < 0.04
    assert (folder / "curves.png").exists()
    assert not (folder / "sounds").exists()

    # It is played like any other, also from its folder alone, and a slider in its middle is heard
    # so.
    request = [
        "generate",
        "--model",
        folder,
        "--output",
        tmp_path / "a.wav",
        "--control",
        "rate=0.5",
        "--seconds",
        "0.1",
    ]
    assert command(*request)[0] == 0
    assert (soundfile.read(tmp_path / "a.wav")[0][::2].mean() / 0.9) ** 3 == pytest.approx(
        0.5, abs=0.04
    )
    # The target.
    assert json.loads((tmp_path / "a.params").read_text())["rate"]["values"] == [0.5, 0.5]


def test_a_slider_is_measured_with_the_others_where_they_will_be(
    linearised, playable, command, listen, tmp_path, monkeypatch
):
    """What is read of rate is bent by size: straight where that is in the middle as it was, not
    where its new slider has it."""
    import pandas

    from conditioned_synthesis.evaluation import labeller

    listen(size=lambda place: place**3)
    inner = labeller.load_labeller(tmp_path)

    def read(folder):
        table = inner.read(folder)
        # From the labeller's slider to the one that is asked: the same, to twice the power of 1 mm.
        size = table["size"] * 2
        power = 1 + 4 * (size - 0.5**3)
        rate = (table["rate"] - 0.1) / 0.4
        return pandas.DataFrame(
            {"rate": 0.1 + 0.4 * np.abs(rate) ** power.clip(0.3), "size": table["size"]}
        )

    monkeypatch.setattr(
        labeller, "load_labeller", lambda _: labeller.Labeller(inner.controls, 0.1, read)
    )
    assert command("linearise", playable, "--set", SETTINGS, "--workers", "1")[0] == 0
    rate, _ = load_instrument(tmp_path / "out" / "instrument").spec.sliders
    # With size in the middle of its new slider, it is read as 0.5, so the power is 2.5.
    assert np.abs(steps(rate, lambda x: x**2.5) - np.linspace(0, 1, 11)).max() < 0.06
    assert np.abs(steps(rate, lambda x: x) - np.linspace(0, 1, 11)).max() > 0.2


def test_generate_plays_it_where_the_config_says_so(linearised, playable, command, tmp_path):
    assert linearised(rate=lambda x: x**3)[0] == 0
    request = [
        "generate",
        playable,
        "--output",
        tmp_path / "a.wav",
        "--control",
        "rate=0.125",
        "--seconds",
        "0.1",
    ]
    assert command(*request, "--set", SETTINGS)[0] == 0
    assert soundfile.read(tmp_path / "a.wav")[0][::2].mean() / 0.9 == pytest.approx(0.5, abs=0.03)
    assert command(*request, "--overwrite")[0] == 0
    assert soundfile.read(tmp_path / "a.wav")[0][::2].mean() / 0.9 == pytest.approx(0.125, abs=0.03)
    status, printed, _ = command("generate", playable, "--set", SETTINGS)
    assert status == 0
    assert "8 sounds" in printed
    middle = soundfile.read(tmp_path / "out" / "examples" / "1_rate_0.500.wav")[0]
    assert middle[::2].mean() / 0.9 == pytest.approx(0.5 ** (1 / 3), abs=0.03)


def test_generate_before_linearise_says_what_comes_first(playable, command):
    status, _, errors = command("generate", playable, "--set", SETTINGS)
    assert status == 1
    assert 'run "conditioned-synthesis linearise" first' in errors


def test_a_control_that_is_not_followed_is_left_and_said(linearised, tmp_path):
    _, printed, _ = linearised(rate=lambda _: 0.5)
    assert "rate: is not followed (" in printed
    rate, size = load_instrument(tmp_path / "out" / "instrument").spec.sliders
    assert rate.curve is None
    assert size.curve is not None


def test_what_is_done_is_left_alone_and_a_stopped_run_plays_no_sound_twice(
    linearised, tmp_path, monkeypatch
):
    from conditioned_synthesis.evaluation import render as sound_sets

    play, played = sound_sets._play, []

    def stopping(instrument, folder, named):
        if len(played) == 7:
            raise KeyboardInterrupt
        played.append((folder.name, named[0]))
        play(instrument, folder, named)

    monkeypatch.setattr(sound_sets, "_play", stopping)
    assert linearised()[0] == 130
    assert len(list((tmp_path / "out" / "instrument" / "sounds").rglob("*.wav"))) == 7
    monkeypatch.setattr(
        sound_sets,
        "_play",
        lambda *words: (played.append((words[1].name, words[2][0])), play(*words))[1],
    )
    status, printed, _ = linearised()
    assert status == 0
    assert "goes on where it was stopped" in printed
    # In each of two turns, 2 controls at 9 values with 2 seeds.
    assert len(played) == len(set(played)) == 72
    assert "done and unchanged" in linearised()[1]


def test_a_model_folder_from_before_there_were_curves_still_loads(playable, tmp_path):
    from safetensors import safe_open
    from safetensors.torch import load_file, save_file

    path = tmp_path / "out" / "synthesiser" / "model.safetensors"
    with safe_open(path, framework="pt") as file:
        spec = json.loads(file.metadata()["about"])
    for slider in spec["sliders"]:
        del slider["curve"]
    save_file(load_file(path), path, metadata={"about": json.dumps(spec)})
    assert load_instrument(path.parent).spec.sliders[0].to_network(np.array([0.3])).tolist() == [
        0.3
    ]


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (
            ["labeller=null", SETTINGS],
            "labeller: names none, and by the laws none of rate, size can be read",
        ),
        (["linearise=null"], "linearise: is null, so sliders stay"),
        (["linearise.values=2"], "linearise.values: 2: should be greater than or equal to 3"),
        (["linearise.seconds=0.05"], "linearise.seconds: 0.05: the labeller reads clips of 0.1 s"),
        (
            ["labeller=nowhere", SETTINGS],
            'nowhere: no such folder; run "domain-adaptation adapt" first',
        ),
        (["output=other", SETTINGS], 'run "conditioned-synthesis train" first'),
    ],
)
def test_what_cannot_be_is_one_sentence_and_nothing_is_begun(
    playable, command, tmp_path, monkeypatch, words, part
):
    monkeypatch.chdir(tmp_path)
    status, _, errors = command(
        "linearise", playable, *(word for each in words for word in ("--set", each))
    )
    assert status in (1, 2)
    assert part in errors
    assert len(errors.splitlines()) == 1
    assert not (tmp_path / "out" / "instrument").exists()


def test_neighbours_on_a_curve_are_never_the_same():
    curve = response(TARGET, TARGET**3).curve
    assert curve is not None
    assert all(after > before for (before, _), (after, _) in pairwise(curve))
