"""Listening tests: what listeners are given, what a browser saves, and what the answers say."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile

from conditioned_synthesis.listening.answers import Listener
from conditioned_synthesis.listening.loudness import loudness_lufs
from conditioned_synthesis.listening.results import rating_rows

from ..chromium import PROGRAM, Page, browser

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def made(playable: Path, command: Run) -> Path:
    """The folder of a listening test of one model: 2 ratings, 1 ABX, 1 pair for each of 2 controls."""
    content = json.loads(playable.read_text())
    content["listening"] = {"ratings": 2, "abx": 1, "pairs": 1, "lufs": -30}
    playable.write_text(json.dumps(content))
    status, out, errors = command("listening-test", playable)
    assert status == 0, errors
    assert "5 screens (2 ratings, 1 ABX, 2 pairs)" in out
    return playable.parent / "out" / "listening"


def key_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "key.json").read_text())


def answered(
    folder: Path,
    listener: str = "one",
    rated: Callable[[str], float] = lambda system: 95.0 if system == "hidden reference" else 40.0,
    is_right: bool = True,
) -> dict[str, Any]:
    """Answers of a listener who rates by what is rated, and is right or wrong in all else."""
    key, answers = key_of(folder), {}
    for name, known in key["trials"].items():
        if known["kind"] == "rate":
            answers[name] = {code: rated(system) for code, system in known["sounds"].items()}
        else:
            answers[name] = known["right"] if is_right else "ab".replace(known["right"], "")
    content = {"test": key["test"], "listener": listener, "answers": answers}
    (folder / "answers").mkdir(exist_ok=True)
    (folder / "answers" / f"{listener}.json").write_text(json.dumps(content))
    return content


# What listeners are given. --------------------------------------------------------------------------------------------


def test_sounds_are_equally_loud_and_nothing_on_the_page_says_whose_they_are(made: Path):
    sounds = sorted((made / "page" / "sounds").glob("*.wav"))
    # 2 ratings of reference, hidden reference, anchor and model; A, B and X; two pairs.
    assert len(sounds) == 2 * 4 + 3 + 2 * 2
    loud = [loudness_lufs(*soundfile.read(path)) for path in sounds]
    assert np.ptp(loud) < 0.1
    page = (made / "page" / "index.html").read_text()
    data = page[page.index('id="test">') : page.index("</script>")]
    assert "right" not in data
    assert not any(name in data for name in ("hidden reference", "anchor", "synthesiser"))
    codes = {path.stem for path in sounds}
    assert all(code in data for code in codes)


def test_the_key_names_each_sound(made: Path):
    trials = key_of(made)["trials"].values()
    rated = [set(each["sounds"].values()) for each in trials if each["kind"] == "rate"]
    assert rated == [{"hidden reference", "anchor", "synthesiser"}] * 2
    pairs = [each for each in trials if each["kind"] == "more"]
    assert {each["control"] for each in pairs} == {"rate", "size"}
    assert all(each["gap"] >= 0.4 * 0.9 for each in pairs)


def test_the_sound_with_more_of_a_control_is_the_right_one(made: Path):
    """What plays here is its controls: the first as the level of every other sample, the second as
    that of the others."""
    page = (made / "page" / "index.html").read_text()
    data = json.loads(page[page.index('id="test">') + 10 :].partition("</script>")[0])
    asked = {each["id"]: each for each in data["trials"]}
    for name, known in key_of(made)["trials"].items():
        if known["kind"] != "more":
            continue
        first = 0 if known["control"] == "rate" else 1
        shares = {}
        for letter in "ab":
            path = made / "page" / "sounds" / f"{asked[name][letter]}.wav"
            samples = soundfile.read(path)[0]
            shares[letter] = samples[first::2].mean() / samples.mean()
        assert max(shares, key=lambda letter: shares[letter]) == known["right"]


def test_a_full_scale_tone_is_as_loud_at_any_rate():
    for rate in (16000, 44100, 48000, 96000):
        tone = np.sin(2 * np.pi * 997 * np.arange(rate) / rate)
        assert loudness_lufs(tone, rate) == pytest.approx(-3.01, abs=0.05)
    assert loudness_lufs(np.zeros(100), 48000) == -math.inf


def test_without_settings_there_is_no_test(playable: Path, command: Run):
    status, _, errors = command("listening-test", playable)
    assert status == 2
    assert "listening: is null, so there is no test" in errors


# What answers say. ----------------------------------------------------------------------------------------------------


def test_answers_become_scores_with_intervals_and_a_page(made: Path, command: Run):
    for number in range(3):
        answered(made, f"listener{number}", lambda s, n=number: {"synthesiser": 60 + n}.get(s, 95))
    status, out, errors = command("listening-results", made)
    assert status == 0, errors
    assert "3 listeners" in out
    ratings = pd.read_csv(made / "results" / "ratings.csv").set_index("system")
    own = ratings.loc["synthesiser"]
    assert own["mean"] == pytest.approx(61)
    # Student's t of 2 degrees of freedom, 4.303, times 1 / sqrt(3).
    assert (own["low"], own["high"]) == pytest.approx((61 - 2.484, 61 + 2.484), abs=1e-3)
    choices = pd.read_csv(made / "results" / "choices.csv")
    assert choices["right"].tolist() == choices["n"].tolist() == [3, 3, 3]
    # All of three right: by Clopper and Pearson no less than 0.025 ** (1/3).
    assert choices["low"].tolist() == pytest.approx([0.025 ** (1 / 3)] * 3)
    assert choices["p"].tolist() == pytest.approx([1 / 8] * 3)
    page = (made / "results" / "index.html").read_text()
    assert "58.5 to 63.5" in page
    assert "3 of 3" in page


def test_who_does_not_find_the_hidden_reference_is_left_out(made: Path, command: Run):
    answered(made, "good")
    answered(made, "deaf", lambda _: 30.0, is_right=False)
    assert "1 listener, 1 left out" in command("listening-results", made)[1]
    assert set(pd.read_csv(made / "results" / "choices.csv")["share"]) == {1.0}
    assert "deaf" in (made / "results" / "index.html").read_text()


def test_the_interval_of_many_means_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(300):
        listeners = [
            Listener(str(n), {"x": (50 + rng.normal(0, 8) + rng.normal(0, 8, 5)).tolist()}, (), ())
            for n in range(6)
        ]
        [(*_, low, high)] = rating_rows(listeners)
        held += low <= 50 <= high
    assert 0.91 < held / 300 < 0.985  # 0.95, and three standard deviations


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda content: content.pop("answers"), "it should have test, listener and answers"),
        (lambda content: content.update(test="other"), "answers another test, other"),
        (
            lambda content: content["answers"].update(trial_99="a"),
            "answers.trial_99: no such screen",
        ),
        (lambda content: content["answers"].update(trial_1={}), "should have a rating of each of"),
    ],
)
def test_answers_that_do_not_fit_are_named(change, words, made: Path, command: Run):
    content = answered(made)
    change(content)
    (made / "answers" / "one.json").write_text(json.dumps(content))
    status, _, errors = command("listening-results", made)
    assert status == 1
    assert "one.json" in errors
    assert words in errors


def test_the_same_answers_twice_are_refused(made: Path, command: Run):
    answered(made)
    content = (made / "answers" / "one.json").read_text()
    (made / "answers" / "again.json").write_text(content)
    assert "again" in command("listening-results", made)[2]


def test_without_answers_or_a_test_it_says_so(made: Path, command: Run, tmp_path: Path):
    assert "no answers; put the files there" in command("listening-results", made)[2]
    (tmp_path / "empty").mkdir()
    assert "no listening test" in command("listening-results", tmp_path / "empty")[2]


# In a browser. --------------------------------------------------------------------------------------------------------


def saved(page: Page, folder: Path, save: Callable[[], None]) -> Path:
    """Return the file that the browser saves."""
    folder.mkdir()
    page.send("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder))
    save()
    for _ in range(1200):
        if paths := [*folder.glob("*.json")]:
            return paths[0]
        page.evaluate("new Promise(done => setTimeout(done, 50))")
    raise AssertionError("nothing was saved")


@pytest.mark.slow
@pytest.mark.skipif(PROGRAM is None, reason="no chromium")
def test_rated_by_a_script_the_answers_come_back(made: Path, command: Run, tmp_path: Path):
    with browser(tmp_path) as page:
        page.open(made / "page" / "index.html")
        while page.evaluate("at < test.trials.length"):
            assert page.evaluate("next.disabled")
            page.evaluate("buttons.forEach(each => each.click())")
            page.evaluate(
                "document.querySelectorAll('input[type=range]').forEach(each => "
                "{ each.value = 97; each.oninput(); })"
            )
            page.evaluate(
                "document.querySelectorAll('input[value=a]').forEach(each => each.click())"
            )
            assert not page.evaluate("next.disabled")
            page.evaluate("next.click()")
        path = saved(page, made / "answers", lambda: page.evaluate("screen_.lastChild.click()"))
        assert not page.errors
        # Its own sounds, from disk, and nothing else.
        assert all(each.startswith(("file:", "blob:")) for each in page.requests)
    assert set(json.loads(path.read_text())) == {"test", "listener", "answers"}
    assert command("listening-results", made)[0] == 0
    ratings = pd.read_csv(made / "results" / "ratings.csv")
    assert ratings["mean"].tolist() == [97] * 3


@pytest.mark.slow
@pytest.mark.skipif(PROGRAM is None, reason="no chromium")
def test_it_is_done_by_keyboard_alone(made: Path, command: Run, tmp_path: Path):
    with browser(tmp_path) as page:
        page.open(made / "page" / "index.html")
        for _ in range(5):
            n_sounds = page.evaluate("buttons.length")
            is_rating = page.evaluate("test.trials[at].kind == 'rate'")
            before = page.evaluate("at")
            for number in range(1, n_sounds + 1):
                page.press(str(number), f"Digit{number}", str(number))
            for _ in range(4 * n_sounds + 4):
                page.press("Tab")
                focused = page.evaluate("document.activeElement.type || ''")
                if focused == "range":
                    page.press("ArrowRight")
                elif focused == "radio":
                    page.press(" ", "Space", " ")
                elif page.evaluate("document.activeElement.id == 'next'"):
                    page.press("Enter", text="\r")
                    break
            assert page.evaluate("at") == before + 1, (is_rating, n_sounds)
        path = saved(page, made / "answers", lambda: page.press("Enter", text="\r"))
        assert not page.errors
    answers = json.loads(path.read_text())["answers"]
    assert len(answers) == 5
    rated = [each for each in answers.values() if isinstance(each, dict)]
    assert [set(each.values()) for each in rated] == [{51}, {51}]
    assert command("listening-results", made)[0] == 0
