"""What of a control can be heard in a recording: how far the sound itself changes over the control's
range, compared with how much sounds of the same value differ."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.stats import spearmanr

from conditioned_synthesis.laws.direction import crossed_readings
from conditioned_synthesis.laws.envelopes import EnvelopeBands
from conditioned_synthesis.laws.spectrum import LogSpectrum, centre_octaves
from texturelib.audio import level_dbfs, mix_down
from texturelib.controls import Control, Law
from texturelib.dataset import Dataset
from texturelib.evenly import evenly_spread
from texturelib.pictures import BLUE, GREY, ORANGE, panels, save_picture

if TYPE_CHECKING:
    import pandas as pd

Word = Literal["clear", "weak", "not heard"]

CLEAR_DISTANCE = 3.0
"""Two sounds that are 3 standard deviations apart are told apart in 98 of 100 pairs (the detection
theory's d' of two-alternative choices, D. Green and J. Swets, 1966)."""
WEAK_DISTANCE = 1.0
"""At 1, in 76 of 100 pairs, the usual threshold of hearing a difference; chance is 50."""
CLEAR_SHARE, WEAK_SHARE = 1 / 3, 1 / 10
"""Shares of the octaves that the law says. The sound's centre moves by less than all of them where
the recording is broad; below a third, most of what one hears is a change of colour, not of size."""

_MOST_CLIPS = 120  # of a recording
_LEAST_CLIPS = 12
_MOST_BARS = 40
_COLOURS = {"clear": BLUE, "weak": ORANGE, "not heard": GREY}
_UNITS: dict[Law, str] = {"slow_down": "octaves", "mixing": "layers (ln)", "gain": "dB"}


@dataclass(frozen=True)
class Heard:
    """How much of a control is heard in a recording.

    distance: between both ends of the control's range, in standard deviations of sounds of the same
    value; negative where the sound changes against the law. word: clear, weak or not heard.
    changes: how far the sound changes from one end to the other, in `unit`; law: how far it would
    by the law. rho: rank correlation of the control's value and the measure, with the law's sign.
    reason: why it has this word, in one sentence.
    """

    source: str
    control: str
    word: Word
    distance: float
    measure: Law
    changes: float
    law: float
    unit: str
    rho: float
    n_clips: int
    reason: str


def heard_in(
    source: str,
    sounds: np.ndarray,
    sample_rate: int,
    controls: Sequence[Control],
    values: np.ndarray,
    highest_hz: float | None = None,
) -> list[Heard]:
    """Return how much of each control that has a law is heard in the clips of one recording.

    Args:
        source: name of the recording.
        sounds: clips of it, of any level; several channels are mixed down.
        sample_rate: of the clips, in Hz.
        controls: with their laws.
        values: positions on the controls' sliders.
        highest_hz: end of the band that all clips have in common; None: half the sample rate.

    Shape:
        sounds: [clips, samples] or [clips, samples, channels]
        values: [clips, controls]

    Errors: UsageError when the clips are too short to be compared.
    """
    chosen = evenly_spread(len(sounds), _MOST_CLIPS)
    sounds, values = audible(sounds[chosen], np.asarray(values)[chosen])
    if len(sounds) < _LEAST_CLIPS:
        return []
    places = np.column_stack(
        [coordinate(control, column) for control, column in zip(controls, values.T, strict=True)]
    )
    clips = _Clips(sounds, sample_rate, controls, places, highest_hz)
    found = []
    for index, control in enumerate(controls):
        law = law_of(control)
        if law and np.ptp(places[:, index]) > 1e-6:
            found.append(_heard(source, control, law, index, clips))
    return found


def heard_in_dataset(dataset: Dataset, highest_hz: float | None = None) -> list[Heard]:
    """Return how much of each control that has a law is heard in each recording of a dataset folder.

    Its column `source` says of which recording each clip is. highest_hz: see `heard_in`; None takes
    what dataset.json says (`comparable_below_hz`).

    Errors: TextureError about a clip; UsageError when the clips are too short to be compared.
    """
    controls = [Control.from_description(each) for each in dataset.description["controls"]]
    highest_hz = highest_hz or dataset.description.get("comparable_below_hz")
    is_whole = "source" not in dataset.metadata
    sources = np.array([""] * len(dataset) if is_whole else dataset.metadata["source"].astype(str))
    values, found = dataset.control_values(), []
    for source in dict.fromkeys(sources):
        rows = np.flatnonzero(sources == source)
        rows = rows[evenly_spread(len(rows), _MOST_CLIPS)]
        sounds = np.stack([dataset.clip(int(row)) for row in rows])
        found += heard_in(source, sounds, dataset.sample_rate, controls, values[rows], highest_hz)
    return found


def law_of(control: Control) -> Law | None:
    """Return the law by which a control is measured: mixing before slow-down, as a rate of events
    goes by both; None where no law moves it."""
    for law in ("mixing", "slow_down", "gain"):
        if control.laws.get(law):
            return law
    return None


def coordinate(control: Control, values: np.ndarray) -> np.ndarray:
    """Return slider positions as what laws add to: the logarithm of the physical value, of decibels
    that of the amplitude; NaN where that is not above 0.

    values: [clips] -> [clips].
    """
    physical = control.to_physical(values)
    if control.unit == "dB":
        return physical * math.log(10) / 20
    with np.errstate(all="ignore"):
        found = np.log(physical)
    return np.where(np.isfinite(found), found, np.nan)


def audible(sounds: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the sounds that are no silence, mixed down, and their values.

    Shape:
        sounds: [sounds, samples] or [sounds, samples, channels] -> [fewer sounds, samples]
        values: [sounds, controls] -> [fewer sounds, controls] float64
    """
    sounds = mono(sounds)
    is_sound = np.array([np.isfinite(level_dbfs(sound)) for sound in sounds], dtype=bool)
    return sounds[is_sound], np.asarray(values, dtype=np.float64)[is_sound]


def mono(sounds: np.ndarray) -> np.ndarray:
    """Return sounds of one channel, mixed down.

    sounds: [sounds, samples] or [sounds, samples, channels] -> [sounds, samples].
    """
    sounds = np.asarray(sounds)
    return sounds if sounds.ndim == 2 else np.stack([mix_down(sound) for sound in sounds])


def table(found: Sequence[Heard]) -> "pd.DataFrame":
    """Return a row per recording and control."""
    import pandas as pd

    columns = list(Heard.__dataclass_fields__)
    return pd.DataFrame([asdict(each) for each in found], columns=columns)


def plot_heard(path: Path, found: Sequence[Heard]) -> None:
    """Plot, for each control, how far it is heard in each recording, a bar per recording."""
    names = list(dict.fromkeys(each.control for each in found))
    sources = list(dict.fromkeys(each.source for each in found))[:_MOST_BARS]
    if not names:
        return
    figure, axes = panels(len(names), 4.2, 1.0 + 0.28 * len(sources))
    for axis, name in zip(axes, names, strict=False):
        of_control = {each.source: each for each in found if each.control == name}
        rows = [of_control[source] for source in sources if source in of_control]
        places = np.arange(len(rows))
        distances = np.clip([each.distance for each in rows], -1, 4 * CLEAR_DISTANCE)
        axis.barh(places, distances, color=[_COLOURS[each.word] for each in rows])
        for place, each in enumerate(rows):
            axis.text(max(distances[place], 0) + 0.2, place, each.word, va="center", fontsize=8)
        for limit in (WEAK_DISTANCE, CLEAR_DISTANCE):
            axis.axvline(limit, color="black", linewidth=0.8, linestyle=":")
        axis.set_yticks(places, [each.source for each in rows], fontsize=8)
        axis.set_xlim(-1, 5 * CLEAR_DISTANCE)
        axis.invert_yaxis()
        axis.set_title(name, fontsize=10)
        axis.set_xlabel("change over the range, in own variations", fontsize=8)
    save_picture(figure, path)


class _Clips:
    """The clips of one recording, and what is measured of them.

    places: [clips, controls], the controls' coordinates.
    """

    def __init__(
        self,
        sounds: np.ndarray,
        sample_rate: int,
        controls: Sequence[Control],
        places: np.ndarray,
        highest_hz: float | None,
    ) -> None:
        self.sounds, self.places = sounds, places
        self._rate, self._highest_hz = sample_rate, highest_hz
        self._ln_k = ln_slow_down(controls, places)
        varies = [np.isfinite(column).all() and np.ptp(column) > 1e-6 for column in places.T]
        self.varies = np.array(varies, dtype=bool)

    def measured(self, law: Law, target: np.ndarray) -> np.ndarray:
        """Return the measure of a law, [clips]. target: what it should say, by the labels."""
        n_samples = self.sounds.shape[1]
        if law == "gain":
            return np.array([level_dbfs(sound) for sound in self.sounds])
        if law == "slow_down":
            spectrum = LogSpectrum(self._rate, n_samples, self._highest_hz)
            return centre_octaves(spectrum, spectrum(self.sounds))
        bands = EnvelopeBands(
            self._rate,
            n_samples,
            self._highest_hz or self._rate / 2,
            float(np.abs(self._ln_k).max()),
        )
        features = np.array(
            [bands.features(sound, k) for sound, k in zip(self.sounds, self._ln_k, strict=True)]
        )
        return crossed_readings(features, target, self._ln_k[:, None])

    def effect(self, measured: np.ndarray, index: int) -> tuple[float, float, float]:
        """Return how far a measure changes over the range of a control, its standard deviation at
        the same values of all controls, and its rank correlation with the control."""
        causes = np.column_stack([np.ones(len(measured)), self.places[:, self.varies]])
        slopes = np.linalg.lstsq(causes, measured, rcond=None)[0]
        own = 1 + int(self.varies[:index].sum())
        left = measured - causes @ slopes
        without_others = left + causes[:, own] * slopes[own]
        deviation = float(np.sqrt((left**2).sum() / max(1, len(left) - causes.shape[1])))
        rho = float(spearmanr(self.places[:, index], without_others).statistic)  # type: ignore[attr-defined]
        return float(slopes[own] * np.ptp(self.places[:, index])), deviation, rho


def ln_slow_down(controls: Sequence[Control], places: np.ndarray) -> np.ndarray:
    """Return ln(k) of the clips' slow-downs, from their middle, by the first control that slow-down
    alone moves; 0 where there is none.

    places: [clips, controls], coordinates -> [clips].
    """
    for control, column in zip(controls, places.T, strict=True):
        exponent = control.laws.get("slow_down")
        if exponent and not control.laws.get("mixing") and np.isfinite(column).all():
            return (column - (column.min() + column.max()) / 2) / exponent
    return np.zeros(len(places))


def _heard(source: str, control: Control, law: Law, index: int, clips: _Clips) -> Heard:
    exponent = control.laws[law]
    over_range = float(np.ptp(clips.places[:, index])) / exponent  # of ln(factor)
    # A sound that is slowed down lies lower.
    in_unit = {"slow_down": -1 / math.log(2), "mixing": 1.0, "gain": 20 / math.log(10)}[law]
    expected = over_range * in_unit
    measured = clips.measured(law, clips.places[:, index] / exponent)
    changes, deviation, rho = clips.effect(measured, index)
    sign = math.copysign(1, expected)
    distance = sign * changes / deviation if deviation > 0 else math.inf
    share = changes / expected
    word, reason = _judge(law, distance, share, changes, expected)
    return Heard(
        source,
        control.name,
        word,
        round(distance, 3),
        law,
        round(changes, 3),
        round(expected, 3),
        _UNITS[law],
        round(rho * sign, 4),
        len(measured),
        reason,
    )


def _judge(
    law: Law, distance: float, share: float, changes: float, expected: float
) -> tuple[Word, str]:
    """Return the word for a control and a sentence with its reason."""
    variation = f"{abs(distance):.1f} times as far as sounds of one value differ"
    if law != "slow_down":
        what = "the fluctuations of its bands" if law == "mixing" else "its level"
        word = _word(distance)
        if distance < 0:
            return word, f"{what} change against the law, {variation}"
        return word, f"{what} change {variation}"
    moved = f"its spectrum's centre moves by {changes:+.2f} of {expected:+.2f} octaves"
    if share < WEAK_SHARE:
        return "not heard", (
            f"{moved}: what is loudest stays, or leaves the band that is heard, and hides the rest"
        )
    word = _word(distance)
    if share < CLEAR_SHARE and word == "clear":
        return "weak", f"{moved}, {variation}, but mostly its colour changes"
    return word, f"{moved}, {variation}"


def _word(distance: float) -> Word:
    if distance >= CLEAR_DISTANCE:
        return "clear"
    return "weak" if distance >= WEAK_DISTANCE else "not heard"
