"""How loud a synthesiser is at each value of a control, compared with the clips that it learnt
from."""

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from conditioned_synthesis.data.clips import Sounds
from conditioned_synthesis.evaluation.labeller import on_slider
from conditioned_synthesis.evaluation.render import Place
from conditioned_synthesis.instrument.instrument import Instrument
from texturelib.audio import level_dbfs, mix_down, read_mono
from texturelib.controls import Control
from texturelib.evenly import evenly_spread

_MOST_CLIPS = 1000
_SHARE_OF_NEIGHBOURS, _LEAST_NEIGHBOURS = 1 / 40, 4  # few enough to have the same controls


class ClipLevels:
    """The levels of clips at any values of their controls."""

    def __init__(self, sounds: Sounds) -> None:
        rows = evenly_spread(len(sounds), _MOST_CLIPS)
        levels = np.array([level_dbfs(mix_down(sounds.samples(int(row)))) for row in rows])
        is_sound = np.isfinite(levels)
        self._controls = sounds.controls
        self._levels, self._places = levels[is_sound], sounds.means(rows)[is_sound]
        # What a plane does not explain is what neighbours share: they lie to one side of an end.
        plane = np.column_stack([np.ones(len(self._levels)), self._places])
        self._slopes = np.linalg.lstsq(plane, self._levels, rcond=None)[0][1:]

    def at(self, place: np.ndarray) -> float:
        """Return the mean level of the clips with the nearest controls, in dBFS; NaN without clips.

        place: [controls], NaN for one that does not count.
        """
        n_nearest = max(_LEAST_NEIGHBOURS, round(_SHARE_OF_NEIGHBOURS * len(self._levels)))
        apart = np.nansum(np.abs(self._places - place), axis=1)
        nearest = apart.argsort(kind="stable")[:n_nearest]
        if not len(nearest):
            return math.nan
        further = np.nan_to_num(place - self._places[nearest].mean(axis=0)) @ self._slopes
        return float(self._levels[nearest].mean() + further)

    def largest_deviations(
        self, instrument: Instrument, places: Mapping[str, Place], folder: Path
    ) -> dict[str, float]:
        """Return, by control, how much louder the sounds are than the clips at that of its values
        where the difference is largest, in dB.

        places: the instrument's grid, by name of its sounds in `folder`; at each value the mean of
        all seeds counts.
        """
        found: dict[str, dict[float, list[float]]] = {}
        for name, place in places.items():
            level = level_dbfs(read_mono(folder / f"{name}.wav", instrument.spec.sample_rate))
            if np.isfinite(level):
                found.setdefault(place.control, {}).setdefault(place.value, []).append(level)
        return {
            control: max(
                (
                    float(np.mean(levels)) - self.at(self._place(instrument, control, value))
                    for value, levels in of_control.items()
                ),
                key=abs,
            )
            for control, of_control in found.items()
        }

    def _place(self, instrument: Instrument, control: str, value: float) -> np.ndarray:
        """Return where a sound of the grid lies on the clips' sliders, [controls]."""
        sliders = {slider.name: slider for slider in instrument.spec.sliders}
        place = np.full(len(self._controls), np.nan)
        for index, each in enumerate(self._controls):
            if each.name in sliders:
                slider = sliders[each.name]
                own = value if each.name == control else slider.middle
                [place[index]] = on_slider(each, Control.from_description(slider.control), [own])
        return place
