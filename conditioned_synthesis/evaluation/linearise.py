"""Make the sliders of an instrument linear: equal steps of a slider are equal steps of the control
that a labeller measures."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.optimize import isotonic_regression

from conditioned_synthesis.config import SynthesisConfig
from conditioned_synthesis.data.clips import read_sounds
from conditioned_synthesis.data.split import split_sounds
from conditioned_synthesis.evaluation.control_metrics import signed_rho
from conditioned_synthesis.evaluation.labeller import Labeller
from conditioned_synthesis.evaluation.law_labeller import comparable_below_hz
from conditioned_synthesis.evaluation.plots import plot_curves
from conditioned_synthesis.evaluation.readers import Readers
from conditioned_synthesis.evaluation.render import grid, play_set, targets_at
from conditioned_synthesis.evaluation.results import Response
from conditioned_synthesis.instrument.card import write_linear_card
from conditioned_synthesis.instrument.instrument import Instrument, load_instrument, save_instrument
from texturelib.controls import Control
from texturelib.files import write_table
from texturelib.made import remove_all_ours
from texturelib.outputs import Output

if TYPE_CHECKING:
    import pandas as pd

# What a control does may depend on the others; in the second turn these are in the middle of their
# new sliders.
_TURNS = 2
# Below this, what a curve straightens is mostly chance, and the middle of the new slider may lie
# where it spoils the others.
_LEAST_RHO = 0.8
_LEAST_RISE = 0.25  # of the range of target values
# Of the mean slope: where the measured value hardly changes, a slider runs through at most twenty
# times as fast as on the whole.
_LEAST_SLOPE = 0.05
_POINTS = 33  # of a curve
_DEGREE = 3  # of the polynomial from which a response differs as far as that is no chance


def linearise(
    config: SynthesisConfig,
    output: Output,
    labeller: Labeller | None,
    workers: int | None = None,
) -> list[str]:
    """Write the instrument with linear sliders into `output`, and return notes. The output is a
    model folder with curves.csv and curves.png. labeller: None: the controls are read by their laws.

    Errors: UsageError when the labeller does not fit; TextureError about a file.
    """
    settings = config.wanted_linearise()
    instrument = load_instrument(config.synthesiser_folder)
    controls = {
        slider.name: Control.from_description(slider.control) for slider in instrument.spec.sliders
    }
    if labeller:
        reader = labeller
        notes = labeller.check(list(controls.values()), settings.seconds, "linearise.seconds")
    else:
        reader, notes = _law(config, instrument, settings.seconds)
    output.begin()
    measurable = {control.name for control in reader.controls}
    varying = [
        slider
        for slider in instrument.spec.sliders
        if slider.low < slider.high and slider.name in measurable
    ]
    responses: dict[str, Response] = {}
    for turn in range(1, _TURNS + 1):
        places = {}
        folder = output.folder / "sounds" / f"turn_{turn}"
        for number, slider in enumerate(varying):
            others = _with_curves(instrument, responses, but=slider.name)
            if turn > 1 and not any(other.curve for other in others.spec.sliders):
                continue  # they are in their middle as before
            places[slider.name] = {
                f"{number}/{name}": place
                for name, place in grid(instrument.spec, settings.values, settings.seeds).items()
                if place.control == slider.name
            }
            targets = {
                name: targets_at(place, settings.seconds)
                for name, place in places[slider.name].items()
            }
            play_set(
                others,
                targets,
                folder,
                f"playing {slider.name}, {turn} of {_TURNS}",
                config.executor,
                workers,
            )
        if not places:
            break
        measured = reader.read_as(controls.values(), folder)
        for control, of_control in places.items():
            target = np.array([place.value for place in of_control.values()])
            responses[control] = response(
                target, measured[control].reindex([f"{name}.wav" for name in of_control]).to_numpy()
            )
    linear = _with_curves(instrument, responses)
    save_instrument(output.folder, linear)
    write_linear_card(output.folder, linear.spec)
    write_table(output.folder / "curves.csv", _table(responses))
    if responses:
        plot_curves(output.folder / "curves.png", responses)
    remove_all_ours(output.folder / "sounds")
    output.finish()
    return notes + [note for control, found in responses.items() if (note := _note(control, found))]


def _law(
    config: SynthesisConfig, instrument: Instrument, seconds: float
) -> tuple[Labeller, list[str]]:
    """Return the laws as a labeller, calibrated on the clips that the training heard, and notes."""
    sounds = read_sounds(config.sounds_folder, instrument.spec.names)
    share = config.wanted_synthesiser().validation
    trained = split_sounds(sounds, share, config.train.seed).train
    readers = Readers.of(
        None,
        sounds,
        trained,
        comparable_below_hz(config.sounds_folder),
        seconds,
        "linearise.seconds",
    )
    return readers.first, readers.notes


def response(target: np.ndarray, measured: np.ndarray) -> Response:
    """Return how the measured value of a control depends on its slider.

    target: [sounds], the positions of the slider that were played. measured: [sounds], the
    measured values, NaN where a sound could not be measured.
    """
    is_known = np.isfinite(measured)
    places, at = np.unique(target[is_known], return_inverse=True)
    rho = signed_rho(target, measured)
    nothing = Response(target, measured, np.full(len(target), np.nan), None, rho)
    if len(places) < 3:
        return nothing
    counts = np.bincount(at)
    means = np.bincount(at, weights=measured[is_known]) / counts
    is_rising = not rho < 0
    monotone = isotonic_regression(means, weights=counts, increasing=is_rising).x
    degree = min(_DEGREE, len(places) - 2)
    simple = np.polynomial.Polynomial.fit(target[is_known], measured[is_known], degree)(places)
    certain = _certain(measured[is_known], means, simple, at, degree)
    simple = isotonic_regression(simple, weights=counts, increasing=is_rising).x
    monotone = simple + certain * (monotone - simple)
    # Rounded: the inverse of a difference of 1e-310 is too large for scipy.
    monotone = monotone.round(9)
    smooth = PchipInterpolator(places, monotone)
    low, high = float(target.min()), float(target.max())

    def fitted(place: np.ndarray) -> np.ndarray:
        return smooth(np.clip(place, places[0], places[-1]))

    rise = float(abs(monotone[-1] - monotone[0]))
    if not abs(rho) >= _LEAST_RHO or rise < _LEAST_RISE * (high - low):
        return Response(target, measured, fitted(target), None, rho)
    given = np.linspace(low, high, _POINTS)
    risen = np.abs(fitted(given) - monotone[0]) / rise  # 0..1
    steady = (1 - _LEAST_SLOPE) * risen + _LEAST_SLOPE * np.linspace(0, 1, _POINTS)
    if rho < 0:
        steady, given = 1 - steady[::-1], given[::-1]  # the measured value rises along the slider
    curve = np.stack([low + (high - low) * steady, given], axis=1)
    curve[[0, -1], 0] = low, high  # exactly
    return Response(
        target,
        measured,
        fitted(target),
        tuple((float(place), float(value)) for place, value in curve),
        rho,
    )


def _certain(
    measured: np.ndarray, means: np.ndarray, simple: np.ndarray, at: np.ndarray, degree: int
) -> float:
    """Return which share of what a simple curve does not show is more than chance, 0..1: the part
    of the means' squared distance from it that the variation of sounds of one value does not
    explain, as in the estimator of W. James and C. Stein, 1961.

    measured: [sounds]. means, simple: [values], the means and the curve. at: the value of each
    sound, [sounds]. degree: of the curve.
    """
    distance = float((np.bincount(at) * (means - simple) ** 2).sum())
    n_free = len(measured) - len(means)
    if not n_free or not distance:
        return 1.0
    chance = float(((measured - means[at]) ** 2).sum()) / n_free * (len(means) - degree - 1)
    return max(0.0, 1 - chance / distance)


def _with_curves(
    instrument: Instrument, responses: Mapping[str, Response], but: str | None = None
) -> Instrument:
    """Return the instrument with straightened sliders, except the slider named `but`."""
    sliders = tuple(
        slider.model_copy(update={"curve": responses[slider.name].curve})
        if slider.name in responses and slider.name != but
        else slider
        for slider in instrument.spec.sliders
    )
    return Instrument(instrument.network, instrument.spec.model_copy(update={"sliders": sliders}))


def _note(control: str, found: Response) -> str | None:
    if found.curve is None:
        if not np.isfinite(found.rho):
            return f"{control}: is not followed (what is measured does not change), so its slider stays as it is"
        return (
            f"{control}: is too little followed (rank correlation {found.rho:+.2f}, "
            f"measured from {np.nanmin(found.measured):.2f} to {np.nanmax(found.measured):.2f}), so its slider stays as it is"
        )
    if found.is_backwards:
        return f"{control}: its slider worked backwards (rank correlation {found.rho:+.2f}); now up is up"
    return None


def _table(responses: Mapping[str, Response]) -> "pd.DataFrame":
    """Return a table with a row per sound.

    slider: the position of the straightened slider with the same effect.
    """
    import pandas as pd

    tables = []
    for control, found in responses.items():
        slider = found.target
        if found.curve is not None:
            places, given = np.array(found.curve).T
            slider = np.interp(
                found.target,
                *((given[::-1], places[::-1]) if found.is_backwards else (given, places)),
            )
        columns = {
            "control": control,
            "target": found.target,
            "measured": found.measured,
            "fitted": found.fitted,
            "slider": slider,
        }
        tables.append(pd.DataFrame(columns))
    columns = ["control", "target", "measured", "fitted", "slider"]
    return pd.concat(tables) if tables else pd.DataFrame(columns=columns)
