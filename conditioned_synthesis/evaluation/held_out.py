"""The held-out clips of a training, and how far sounds with their controls are from them."""

import dataclasses
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from conditioned_synthesis.data.clips import Sounds
from conditioned_synthesis.data.split import split_sounds
from conditioned_synthesis.dsp.texture_statistics import TextureStatistics
from conditioned_synthesis.evaluation.control_metrics import mean_error
from conditioned_synthesis.evaluation.labeller import on_slider
from conditioned_synthesis.evaluation.render import Target
from conditioned_synthesis.instrument.automation import Automation
from conditioned_synthesis.instrument.instrument import Instrument
from texturelib.audio import level_dbfs, mix_down, read_mono, read_sound, write_wav
from texturelib.controls import Control
from texturelib.evenly import evenly_spread

if TYPE_CHECKING:
    import pandas as pd

_MOST_PAIRS = 32  # of sounds that differ in nothing but their seed
_OTHER_SEED = 1_000_000
_LEAST_MODULATION_HZ = 2.0  # where sounds last for a second


@dataclass(frozen=True)
class HeldOut:
    """Clips that were held out of a training.

    rows: [clips], their rows in the sounds. labels: [clips, controls], the mean of each automation.
    trained: rows of the clips that the training heard.
    """

    sounds: Sounds
    rows: np.ndarray
    labels: np.ndarray
    trained: np.ndarray

    @classmethod
    def of(cls, sounds: Sounds, share: float, seed: int, most: int) -> "HeldOut":
        split = split_sounds(sounds, share, seed)
        rows = split.held_out[evenly_spread(len(split.held_out), most)]
        return cls(sounds, rows, sounds.means(rows), split.train)

    @property
    def seconds(self) -> float:
        return self.sounds.n_samples / self.sounds.sample_rate

    @property
    def controls(self) -> dict[str, dict[str, float]]:
        """The controls of each clip, by the name of the sound that is played with them."""
        names = [control.name for control in self.sounds.controls]
        return {
            name: dict(zip(names, row.tolist(), strict=True))
            for name, row in zip(self.names(), self.labels, strict=True)
        }

    @cached_property
    def clips(self) -> torch.Tensor:
        """The samples of the clips, [clips, samples]; those of several channels are mixed down."""
        return torch.from_numpy(
            np.stack([mix_down(self.sounds.samples(int(row))) for row in self.rows])
        )

    def names(self, kind: str = "held") -> list[str]:
        """Return, by clip, the name of the sound with its controls.

        kind: "held", or "again" for the sounds with another seed.
        """
        n_sounds = len(self.rows) if kind == "held" else min(_MOST_PAIRS, len(self.rows))
        return [f"{kind}_{index}" for index in range(n_sounds)]

    def targets_of(self, instrument: Instrument) -> dict[str, Target]:
        """Return, by name, a sound to play with the controls of each clip, and for some a second
        one with another seed."""
        targets = {}
        for index, row in enumerate(self.rows):
            automations = dict(
                _automations_for(
                    instrument, self.sounds.controls, self.sounds.automations[int(row)]
                )
            )
            targets[f"held_{index}"] = Target(automations, self.seconds, index)
            if index < _MOST_PAIRS:
                targets[f"again_{index}"] = Target(automations, self.seconds, _OTHER_SEED + index)
        return targets

    def write(self, folder: Path) -> None:
        """Write the clips themselves, and as many of white noise, as if they were sounds of
        synthesisers."""
        level = 10 ** (level_dbfs(self.sounds.samples(self.rows)) / 20)
        rng = np.random.default_rng(0)
        noise = {
            name: rng.normal(0, level, self.sounds.clips.shape[1:])
            for name in [*self.names(), *self.names("again")]
        }
        clips = {
            name: self.sounds.clips[row] for name, row in zip(self.names(), self.rows, strict=True)
        }
        for kind, samples in (("held-out clips", clips), ("white noise", noise)):
            for name, each in samples.items():
                write_wav(folder / kind / f"{name}.wav", each, self.sounds.sample_rate)

    def errors(self, measured: "pd.DataFrame", name: str) -> dict[str, float]:
        """Return the mean error of each measured control, against the clips' labels."""
        found = measured.reindex([f"{name}/{key}.wav" for key in self.names()])
        columns = {control.name: index for index, control in enumerate(self.sounds.controls)}
        return {
            str(control): mean_error(
                self.labels[:, columns[str(control)]], found[control].to_numpy()
            )
            for control in found
        }

    def distances(
        self, texture: TextureStatistics | None, played: Path, name: str, sounds: np.ndarray
    ) -> tuple[float, float, float]:
        """Return paired distance, distance of sets and diversity of a synthesiser's sounds, of
        which `sounds` are those that `played` returns.

        For the clips themselves: no paired distance, the distance of two halves of them, and the
        distance of neighbours in their controls.
        """
        if texture is None:
            return math.nan, math.nan, math.nan
        clips = self.clips
        if name == "held-out clips":
            apart = np.abs(self.labels[:, None] - self.labels[None]).sum(axis=-1)
            np.fill_diagonal(apart, np.inf)
            return (
                math.nan,
                texture.distance(clips[::2], clips[1::2], clips),
                texture.paired_distance(clips, clips[apart.argmin(axis=1)], clips),
            )
        made, again = torch.from_numpy(sounds), self._made(played / name, "again")
        return (
            texture.paired_distance(made, clips),
            texture.distance(made, clips),
            texture.paired_distance(made[: len(again)], again, clips),
        )

    def halves(self, texture: TextureStatistics | None) -> tuple[float, float]:
        """Return paired distance and distance of sets of one half of the clips from the other: as
        near as a synthesiser gets that plays the same texture.

        A clip and that of the other half whose controls are nearest are a pair.
        """
        if texture is None or len(self.rows) < 4:
            return math.nan, math.nan
        clips = self.clips
        apart = np.abs(self.labels[::2, None] - self.labels[None, 1::2]).sum(axis=-1)
        first, second = clips[::2], clips[1::2]
        return (
            texture.paired_distance(first, second[apart.argmin(axis=1)], clips),
            texture.distance(first, second, clips),
        )

    def played(self, folder: Path, name: str) -> np.ndarray:
        """Return the sounds of a synthesiser that have the clips' controls, mixed down, [clips,
        samples], or the clips themselves."""
        return self._made(folder / name, "held").numpy()

    def louder(self, played: Path, name: str) -> float:
        """Return how much louder sounds are than the clips whose controls they have, the mean in dB
        without silent ones."""
        apart = []
        for sound, row in zip(self.names(), self.rows, strict=True):
            clip = self.sounds.samples(int(row))
            made = read_sound(played / name / f"{sound}.wav", self.sounds.sample_rate)
            # Where one of both is stereo, the mix of its channels is what compares with the other.
            levels = (
                (level_dbfs(made), level_dbfs(clip))
                if made.shape[1:] == clip.shape[1:]
                else (level_dbfs(mix_down(made)), level_dbfs(mix_down(clip)))
            )
            if np.isfinite(levels).all():
                apart.append(levels[0] - levels[1])
        return float(np.mean(apart)) if apart else math.nan

    def texture_statistics(self) -> tuple[TextureStatistics | None, list[str]]:
        """Return the texture statistics for these clips, and notes.

        They are None where the clips are too few or too short, which a note then says.
        """
        rate, seconds = self.sounds.sample_rate, self.seconds
        if len(self.rows) < 2:
            return None, [
                "there is one held-out clip; it takes two to say how far apart sounds are"
            ]
        lowest = _LEAST_MODULATION_HZ * 2 ** max(0, math.ceil(math.log2(1 / seconds)))
        highest = min(128.0, rate / 8)
        if 2 * lowest > highest:
            return None, [f"clips of {seconds:g} s are too short to say how far apart sounds are"]
        return TextureStatistics(
            rate, self.sounds.n_samples, lowest_modulation_hz=lowest, highest_modulation_hz=highest
        ), []

    def _made(self, folder: Path, kind: str) -> torch.Tensor:
        """Return the sounds played for the clips, mixed down, [sounds, samples], at the clips'
        sample rate and of their length."""
        sounds = [
            read_mono(folder / f"{name}.wav", self.sounds.sample_rate) for name in self.names(kind)
        ]
        n_samples = self.sounds.n_samples
        return torch.from_numpy(
            np.stack(
                [np.pad(each, (0, max(0, n_samples - len(each))))[:n_samples] for each in sounds]
            )
        )


def _automations_for(
    instrument: Instrument, controls: Sequence[Control], automations: Sequence[Automation]
) -> Iterator[tuple[str, Automation]]:
    """Yield the automations on this instrument's own sliders, held within their trained ranges.

    automations: by control.
    """
    given = dict(
        zip(
            (control.name for control in controls),
            zip(controls, automations, strict=True),
            strict=True,
        )
    )
    for slider in instrument.spec.sliders:
        if slider.name in given:
            control, automation = given[slider.name]
            values = on_slider(Control.from_description(slider.control), control, automation.values)
            values = np.clip(np.nan_to_num(values, nan=slider.middle), slider.low, slider.high)
            yield slider.name, dataclasses.replace(automation, values=values)
