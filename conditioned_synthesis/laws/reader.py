"""Read controls from sounds by what their laws do to a sound, without a network."""

import math
from collections.abc import Sequence

import numpy as np

from conditioned_synthesis.laws.calibration import Calibration
from conditioned_synthesis.laws.direction import Direction, crossed_readings
from conditioned_synthesis.laws.envelopes import EnvelopeBands
from conditioned_synthesis.laws.heard import audible, coordinate, law_of, mono
from conditioned_synthesis.laws.spectrum import LogSpectrum
from conditioned_synthesis.laws.template import SpectrumTemplate
from texturelib.audio import level_dbfs
from texturelib.controls import Control

_LEAST_CLIPS = 12
_ALIKE = 0.95  # correlation of two controls from which on nothing tells their effects apart


class LawReader:
    """A reader of controls that have a law, calibrated on clips whose controls are known.

    A control that slow-down moves is read by the shift of the spectrum against that of all clips at
    their own speed; one that mixing moves by the statistics of the bands' envelopes, with the
    slow-down that was read taken out; one that gain moves by the level. Curves through the clips
    then turn these measures into positions of the sliders, on whose average they are right.

    Args:
        sounds: clips; several channels are mixed down.
        sample_rate: of the clips, in Hz.
        controls: with their laws.
        values: positions on the controls' sliders.
        highest_hz: end of the band that all clips have in common; None: half the sample rate.

    Shape:
        sounds: [clips, samples] or [clips, samples, channels]
        values: [clips, controls]

    Errors: UsageError when the clips are too short.
    """

    def __init__(
        self,
        sounds: np.ndarray,
        sample_rate: int,
        controls: Sequence[Control],
        values: np.ndarray,
        highest_hz: float | None = None,
    ) -> None:
        self.sample_rate, self.n_samples = sample_rate, sounds.shape[1]
        sounds, values = audible(sounds, values)
        self._laws = {control.name: law_of(control) for control in controls}
        places = {
            control.name: coordinate(control, column)
            for control, column in zip(controls, values.T, strict=True)
        }
        varying = [
            control
            for control in controls
            if self._laws[control.name]
            and len(sounds) >= _LEAST_CLIPS
            and np.isfinite(places[control.name]).all()
            and np.ptp(places[control.name]) > 1e-6
        ]
        self._templates: dict[str, SpectrumTemplate] = {}
        self._directions: dict[str, Direction] = {}
        self._slow_down: str | None = None
        self._spectrum = self._bands = None
        exponents = {
            control.name: control.laws[law]
            for control in varying
            if (law := law_of(control)) is not None
        }
        ln_k = np.zeros(len(sounds))
        slowed = [each.name for each in varying if self._laws[each.name] == "slow_down"]
        if slowed:
            self._spectrum = LogSpectrum(sample_rate, self.n_samples, highest_hz)
            levels = self._spectrum(sounds)
            for name in slowed:
                octaves = (places[name] - places[name].mean()) / exponents[name] / math.log(2)
                self._templates[name] = SpectrumTemplate(self._spectrum, levels, octaves)
            # Several that slow-down moves (the smallest and the largest of drops) move together.
            self._slow_down = slowed[0]
            ln_k = (places[slowed[0]] - places[slowed[0]].mean()) / exponents[slowed[0]]
        # Calibrated on its own clips, a direction would seem to read better than it does.
        crossed: dict[str, np.ndarray] = {}
        layered = [each.name for each in varying if self._laws[each.name] == "mixing"]
        if layered:
            self._bands = EnvelopeBands(
                sample_rate,
                self.n_samples,
                highest_hz or sample_rate / 2,
                float(np.abs(ln_k).max()),
            )
            features = self._features(sounds, ln_k)
            for name in layered:
                value = places[name] / exponents[name]
                is_apart = np.ptp(ln_k) > 0 and abs(np.corrcoef(value, ln_k)[0, 1]) < _ALIKE
                others = ln_k[:, None] if is_apart else np.empty((len(value), 0))
                self._directions[name] = Direction(features, value, others)
                crossed[name] = crossed_readings(features, value, others)
        self._by_level = [each.name for each in varying if self._laws[each.name] == "gain"]
        measured = self._measured(sounds) | crossed
        columns = {control.name: column for control, column in zip(controls, values.T, strict=True)}
        self._calibrations = {
            name: Calibration(each, columns[name]) for name, each in measured.items()
        }
        self.controls = tuple(
            control
            for control in controls
            if control.name in self._calibrations and self._calibrations[control.name].is_of_use
        )
        """Those that can be read."""
        self.notes = [
            f"by the law {name} cannot be read: over the clips, their own variation hides it"
            for name, each in self._calibrations.items()
            if not each.is_of_use
        ]

    def __call__(self, sounds: np.ndarray) -> dict[str, np.ndarray]:
        """Return positions on the sliders of `controls`, NaN for silence.

        Shape:
            sounds: [sounds, n_samples] or [sounds, n_samples, channels] -> [sounds] each
        """
        measured = self._measured(mono(sounds))
        return {
            control.name: self._calibrations[control.name](measured[control.name])
            for control in self.controls
        }

    def _measured(self, sounds: np.ndarray) -> dict[str, np.ndarray]:
        """Return the measure of each control before its calibration, [sounds]."""
        found: dict[str, np.ndarray] = {}
        ln_k = np.zeros(len(sounds))
        if self._spectrum:
            levels = self._spectrum(sounds)
            found |= {name: each.octaves(levels) for name, each in self._templates.items()}
            ln_k = found[self._slow_down or ""] * math.log(2)
        if self._bands:
            widest = self._bands.widest_ln_k
            features = self._features(sounds, np.clip(np.nan_to_num(ln_k), -widest, widest))
            found |= {name: each(features) for name, each in self._directions.items()}
        if self._by_level:
            levels = np.array([level_dbfs(sound) for sound in sounds])
            levels[~np.isfinite(levels)] = np.nan
            found |= dict.fromkeys(self._by_level, levels)
        return found

    def _features(self, sounds: np.ndarray, ln_k: np.ndarray) -> np.ndarray:
        assert self._bands
        return np.array(
            [self._bands.features(sound, k) for sound, k in zip(sounds, ln_k, strict=True)]
        )
