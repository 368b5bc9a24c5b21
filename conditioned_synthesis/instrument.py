"""An instrument: a trained synthesiser, with the sliders that it is played with. Its folder is all that it takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, cast

import numpy as np
import torch
from pydantic import PositiveInt
from torch import nn

from conditioned_synthesis.lines import Line
from conditioned_synthesis.synthesisers import Synthesiser, SynthesisNetwork, synthesisers
from texturelib.config import Config
from texturelib.learning.weights import fill, load_weights, save_weights


class Slider(Config):
    """A control as the synthesiser learnt it. low, high: the smallest and largest value that it was trained on, within 0..1.

    control: what 0 and 1 mean, as dataset.json describes a control.
    """

    control: dict[str, Any]
    low: float
    high: float

    @property
    def name(self) -> str:
        return self.control["name"]

    @property
    def middle(self) -> float:
        return (self.low + self.high) / 2


class About(Config):
    """What a model folder says of an instrument.

    level_dbfs, flatness: of the sounds that it learnt from, null: unknown.
    """

    synthesiser: Annotated[Synthesiser, synthesisers]
    sliders: tuple[Slider, ...]
    sample_rate: PositiveInt
    level_dbfs: float | None = None
    flatness: float | None = None

    @property
    def names(self) -> list[str]:
        return [slider.name for slider in self.sliders]


@dataclass(frozen=True)
class Instrument:
    """network: a SynthesisNetwork."""

    network: nn.Module
    about: About

    def play(
        self,
        lines: Mapping[str, Line],
        seconds: float,
        seed: int,
        *,
        temperature: float = 1.0,
        prime: np.ndarray | None = None,
        fast: bool = False,
    ) -> np.ndarray:
        """lines: by control, within what it was trained on; the rest as `SynthesisNetwork.generate` -> [samples] float32."""
        return cast("SynthesisNetwork", self.network).generate(
            self.controls_of(lines, seconds), seed, temperature=temperature, prime=prime, fast=fast
        )

    def controls_of(self, lines: Mapping[str, Line], seconds: float) -> np.ndarray:
        """-> [samples, n_controls] float32; a control without a line stays in its middle."""
        times = np.arange(round(seconds * self.about.sample_rate)) / self.about.sample_rate
        values = np.empty((len(times), len(self.about.sliders)), dtype=np.float32)
        for index, slider in enumerate(self.about.sliders):
            values[:, index] = lines[slider.name].at(times) if slider.name in lines else slider.middle
        return values


def new_instrument(about: About, seed: int) -> Instrument:
    """-> with fresh weights."""
    torch.manual_seed(seed)
    return Instrument(cast("nn.Module", about.synthesiser.network(len(about.sliders))), about)


def save_instrument(folder: Path, instrument: Instrument) -> None:
    save_weights(folder, instrument.network, instrument.about.model_dump(mode="json"))


def load_instrument(folder: Path) -> Instrument:
    """-> ready to be played, on the CPU. Errors: TextureError."""
    weights, about = load_weights(folder, About)
    instrument = new_instrument(about, seed=0)
    fill(folder, instrument.network, weights)
    return instrument
