"""Bring the labels of a recording to the engine's laws, and say which controls it cannot tell.

An extractor learnt the engine's laws from synthetic sounds; on recordings it may break them. A river
that is played at half the speed is a river of bubbles twice as large, whatever the extractor says.
So a recording is played at several speeds, and a network of relative scale (`domain_adaptation.scale`)
says at which of them it sounds as large as the middle one of all recordings. There its labels are
read, and moved back by the laws. Played slower, the recording reaches the same place by another
speed: its labels move as the laws say, by construction. The same with layers: so many moments of it
are added that it is as dense as the denser synthetic clips (`density`, which needs no network), its
labels are read there, and moved back.

This gives one shift per recording and control, by which all its labels are moved; how its clips
differ from one another stays as the extractor hears it. Where the extractor keeps to the laws by
itself, as on synthetic sounds, the shift is next to nothing.

A recording cannot tell a control whose law is not heard in it: if its spectrum hardly changes with
speed, it says nothing of sizes; if more of it at once sounds the same, nothing of rates.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from domain_adaptation.data.sets import controls_of
from domain_adaptation.evaluation.spectrum_change import spectrum_change_db
from domain_adaptation.labelling.density import Density, densities, density
from domain_adaptation.labelling.inference import read_waveforms
from domain_adaptation.models.model_folder import Model, ModelSpec
from domain_adaptation.scale.outputs import SCALE
from domain_adaptation.training.augment.layers import equally_loud, layered
from domain_adaptation.training.augment.slow_down import longest_start, slowed
from texturelib.evenly import evenly_spread

LEAST_CLIPS = 6
"""Number of clips below which a recording is too short for all this."""
_MOST_CLIPS = 24
_SPEEDS = (0.5, 0.63, 0.79, 1.0, 1.26, 1.55, 1.9)
_MOST_LAYERS = 300
_DENSE = 0.9  # of the synthetic clips are less dense than what recordings are brought to
_HEARD, _TOLD = 1.3, 2.0  # by how much events must stand out for a shift, and to count them
_LEAST_SLOPE = 0.35  # of what the scale network says, where 1 is the law
_LEAST_CHANGE_DB = 2.0  # of the spectrum, from 0.7 to 1.4 times slower
_REACH = 0.15  # beyond the last speed or the least density, as a logarithm


@dataclass(frozen=True)
class Reference:
    """What recordings are brought to: a scale, as the scale network hears it, that of the middle one
    of them; and a density that most synthetic clips have not."""

    scale: float
    density: float


@dataclass(frozen=True)
class Verdict:
    """What the laws say of the labels of one recording, by control.

    shift: to be added to its labels. why_not: why the recording cannot tell the control, "" where it
    can. half_width: the least half width of an interval around a label that holds, nine times out of
    ten, where the laws put it. facts: what was measured.
    """

    shift: np.ndarray
    why_not: tuple[str, ...]
    half_width: np.ndarray
    facts: dict[str, float]


@dataclass(frozen=True)
class _Curve:
    """What is heard of a recording at several speeds.

    change: [points], the logarithm of the slow-down. heard: [points,
    clips], what the scale network says. labels: [points, clips, controls].
    """

    change: np.ndarray
    heard: np.ndarray
    labels: np.ndarray

    @property
    def slope(self) -> float:
        """How far the network follows the change; 1 is the law."""
        return float(np.polyfit(self.change, self.heard.mean(axis=1), 1)[0])

    @property
    def here(self) -> np.ndarray:
        """The labels as they are, [clips, controls]."""
        return self.labels[int(np.argmin(np.abs(self.change)))]

    def place_of(self, wanted: float) -> float:
        """Return the slow-down, as a logarithm, at which the network hears `wanted`; beyond the ends, by the slope."""
        means = self.heard.mean(axis=1)
        # The network rises with the change but for noise: the mean of the two nearest rising curves.
        up, down = np.maximum.accumulate(means), np.minimum.accumulate(means[::-1])[::-1]
        rising = (up + down) / 2 + 1e-6 * np.arange(len(means))
        if rising[0] <= wanted <= rising[-1]:
            return float(np.interp(wanted, rising, self.change))
        end = 0 if wanted < rising[0] else -1
        return float(self.change[end] + (wanted - rising[end]) / max(self.slope, 0.1))

    def moved(self, place: float, law: np.ndarray) -> np.ndarray:
        """Return by how much the labels of each clip are moved when they are read at a change and
        moved back.

        law: [controls], the slopes by the law, nan where unknown -> [clips, controls].
        """
        at = min(max(place, self.change[0]), self.change[-1])
        # A parabola through all points: single readings are noisy.
        powers = np.vander(self.change, 3)
        shares = np.array([at**2, at, 1.0]) @ np.linalg.pinv(powers)
        here = np.array([0.0, 0.0, 1.0]) @ np.linalg.pinv(powers)
        read = np.tensordot(shares - here, self.labels, axes=1)
        return np.where(np.isfinite(law), read - np.nan_to_num(law) * place, 0.0)


def reference_density(clips: np.ndarray, sample_rate: int) -> float:
    """Return the density of the reference. clips: [clips, samples], synthetic."""
    loud = equally_loud(torch.from_numpy(clips).float())
    return float(np.quantile(densities(loud, sample_rate), _DENSE))


def scale_of(scale: Model, clips: np.ndarray) -> float:
    """Return the mean scale that the scale network hears in a recording. clips: [clips, samples] at
    the features' sample rate."""
    return float(read_waveforms(scale, clips).labels[:, SCALE].mean())


def judge_recording(model: Model, scale: Model, reference: Reference, clips: np.ndarray) -> Verdict:
    """Return what the laws say of the labels of one recording.

    clips: [clips, samples] of the recording, at the features' sample rate, none silent.
    """
    chosen = clips[evenly_spread(len(clips), _MOST_CLIPS)]
    batch = torch.from_numpy(np.ascontiguousarray(chosen)).float()
    batch = equally_loud(batch)
    speeds = _curve(model, scale, batch)
    dense = density(batch, model.spec.features.sample_rate)
    more = reference.density - dense.log_density
    change_db = spectrum_change_db(
        _played(batch, 0.7)[0].numpy(),
        _played(batch, 1.4)[0].numpy(),
        model.spec.features.sample_rate,
    )
    by_speed, by_layers = laws_of(model.spec)
    slower = speeds.place_of(reference.scale)
    no_scale = _why_no_scale(speeds, slower, change_db)
    no_layers = _why_no_layers(dense, more)
    moved = np.zeros((len(batch), len(by_speed)))
    if not no_scale:
        moved += speeds.moved(slower, by_speed)
    if dense.stands_out >= _HEARD:
        moved += _moved_by_layers(model, batch, speeds.here, more, by_layers)
    why_not = tuple(
        _why_not(one, other, no_scale, no_layers)
        for one, other in zip(by_speed, by_layers, strict=True)
    )
    shift = _beyond_noise(moved)
    return Verdict(
        shift,
        why_not,
        _half_width(speeds, why_not, model.spec),
        {
            "spectrum_change_db": change_db,
            "scale_slope": speeds.slope,
            "slowed_by": float(np.exp(slower)),
            "stands_out": dense.stands_out,
            "layered_by": float(np.exp(more)),
        },
    )


def laws_of(spec: ModelSpec) -> tuple[np.ndarray, np.ndarray]:
    """Return how far each label moves per ln(slow-down), and per ln(layers).

    -> twice [controls], nan where it is not known.
    """
    controls = controls_of(spec.controls)

    def slopes(law: str) -> np.ndarray:
        found = [control.slope(law) for control in controls]  # type: ignore[arg-type]
        return np.array([np.nan if slope is None else slope for slope in found])

    return slopes("slow_down"), slopes("mixing")


def _played(clips: torch.Tensor, speed: float) -> tuple[torch.Tensor, float]:
    return slowed(clips, speed, longest_start(clips.shape[1], speed) // 2)


def _curve(model: Model, scale: Model, clips: torch.Tensor) -> _Curve:
    logs, heard, labels = [], [], []
    for speed in _SPEEDS:
        played, exact = _played(clips, speed)
        logs.append(float(np.log(exact)))
        heard.append(read_waveforms(scale, played.numpy()).labels[:, SCALE])
        labels.append(read_waveforms(model, played.numpy()).labels)
    return _Curve(np.array(logs), np.stack(heard), np.stack(labels))


def _moved_by_layers(
    model: Model, clips: torch.Tensor, labels: np.ndarray, place: float, law: np.ndarray
) -> np.ndarray:
    """Return by how much the labels of each clip are moved when they are read in layers and moved
    back; only those that move with layers at all.

    labels: [clips, controls], of the clips as they are. place: the logarithm of the number of
    layers. law: [controls], nan where unknown -> [clips, controls].
    """
    n_layers = round(min(max(1.0, np.exp(place)), _MOST_LAYERS))
    read = labels
    if n_layers > 1:
        read = read_waveforms(model, layered(clips, n_layers).numpy()).labels
    moves = np.nan_to_num(law)
    back = moves * (np.log(n_layers) if place > 0 else place)
    return np.where(moves != 0, read - labels - back, 0.0)


def _why_no_scale(curve: _Curve, place: float, change_db: float) -> str:
    if change_db < _LEAST_CHANGE_DB:
        return f"its spectrum changes by only {change_db:.1f} dB between two speeds"
    if curve.slope < _LEAST_SLOPE:
        return f"of a change of speed, only {max(0.0, curve.slope):.0%} is heard in it"
    if not curve.change[0] - _REACH <= place <= curve.change[-1] + _REACH:
        side = "smaller" if place > 0 else "larger"
        return f"it sounds so much {side} than most recordings here that no speed makes them alike"
    return ""


def _why_no_layers(dense: Density, place: float) -> str:
    if dense.stands_out < _TOLD or place < -_REACH:
        return "it is too dense to count: no single events stand out in it"
    if place > np.log(_MOST_LAYERS):
        return f"it is sparser than the engine's sounds by more than {_MOST_LAYERS} times"
    return ""


def _why_not(by_speed: float, by_layers: float, no_scale: str, no_layers: str) -> str:
    """Return why a control is not told. by_speed, by_layers: its slopes by the laws."""
    if np.isfinite(by_layers) and by_layers != 0 and no_layers:
        return no_layers
    return no_scale if np.isfinite(by_speed) else ""


def _beyond_noise(moved: np.ndarray) -> np.ndarray:
    """Return the mean shift, shrunk by what chance alone makes of it (James and Stein).

    moved: [clips, controls] -> [controls].
    """
    mean = moved.mean(axis=0)
    noise = moved.var(axis=0, ddof=1) / len(moved)
    return mean * (1 - noise / np.maximum(np.square(mean), 1e-12)).clip(min=0.0)


def _half_width(speeds: _Curve, why_not: Sequence[str], spec: ModelSpec) -> np.ndarray:
    """Return, per control, what holds nine tenths of how far single labels at other speeds lie from
    where the laws put them; where the recording cannot tell, nine tenths of the sliders that the
    engine's set spans."""
    single = speeds.labels - speeds.labels.mean(axis=1, keepdims=True)
    here = int(np.argmin(np.abs(speeds.change)))
    near = [i for i in range(len(single)) if i != here and abs(speeds.change[i]) < 0.5]
    off = np.abs(single[near] - single[here]).reshape(-1, single.shape[2])
    widths = np.quantile(off, 0.9, axis=0)
    spans = []
    for control in spec.controls:
        low, high = control.get("used", (0.0, 1.0))
        spans.append(0.45 * (high - low))
    return np.where([bool(why) for why in why_not], np.maximum(widths, spans), widths)
