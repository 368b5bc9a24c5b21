"""An instrument: a trained synthesiser with its sliders, stored in one folder."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from typing import Annotated, Any, cast

import numpy as np
import torch
from pydantic import Field, model_validator
from torch import nn

from conditioned_synthesis.instrument.automation import Automation
from conditioned_synthesis.synthesisers import Synthesiser, SynthesisNetwork, synthesisers
from texturelib.audio import MOST_CHANNELS
from texturelib.config import Config
from texturelib.controls import WholeDescription
from texturelib.learning.weights import WEIGHTS, fill, load_weights, of_the_size_of, save_weights
from texturelib.progress import progress

MOST_GAIN_DB = 12.0  # further off, it is no matter of loudness


_Place = Annotated[float, Field(ge=-0.01, le=1.01)]  # 0..1, and some room for rounding
_Points = Annotated[tuple[tuple[_Place, float], ...], Field(min_length=2)]


class Slider(Config):
    """A control of a synthesiser, with its trained range and its mapping to the network's input.

    low, high: the smallest and largest value that it was trained on, within 0..1. control: what 0
    and 1 mean, as dataset.json describes a control. curve: breakpoints (slider position, network
    input), positions rising from low to high, linear in between; None: the network is given the
    position itself. loudness: breakpoints (network input, dB that the sound is raised by there);
    those of all sliders add up.
    """

    control: WholeDescription
    low: _Place
    high: _Place
    curve: Annotated[tuple[tuple[_Place, _Place], ...], Field(min_length=2)] | None = None
    loudness: _Points | None = None

    @model_validator(mode="after")
    def _rises(self) -> "Slider":
        lines = [[place for place, _ in points] for points in (self.curve, self.loudness) if points]
        if self.low > self.high or any(
            later <= earlier for line in lines for earlier, later in itertools.pairwise(line)
        ):
            raise ValueError(
                f"{self.name}: low, high and the places of its curve and its loudness should rise"
            )
        return self

    @property
    def name(self) -> str:
        return self.control["name"]

    @property
    def middle(self) -> float:
        return (self.low + self.high) / 2

    def to_network(self, places: np.ndarray) -> np.ndarray:
        """Return the network's input at these slider positions.

        places: any shape -> the same shape.
        """
        return places if self.curve is None else np.interp(places, *np.array(self.curve).T)

    def decibels(self, given: np.ndarray) -> np.ndarray:
        """Return the gain in dB at these network inputs. given: any shape -> the same shape."""
        return (
            np.zeros(given.shape)
            if self.loudness is None
            else np.interp(given, *np.array(self.loudness).T)
        )


class ModelSpec(Config):
    """The description of an instrument in its model folder.

    channels: of what it plays. level_dbfs, flatness: of the sounds that it learnt from, null:
    unknown.
    """

    synthesiser: Annotated[Synthesiser, synthesisers]
    sliders: tuple[Slider, ...]
    sample_rate: Annotated[int, Field(ge=1000, le=384000)]
    channels: Annotated[int, Field(ge=1, le=MOST_CHANNELS)] = 1
    level_dbfs: float | None = None
    flatness: float | None = None

    @model_validator(mode="before")
    @classmethod
    def _of_stored(cls, content: Any) -> Any:
        """Fill in the settings that were not known when the model folder was written."""
        match content:
            case {
                "synthesiser": {"type": kind, **settings},
                "sample_rate": int() | float() as rate,
            }:
                stored = {"type": kind, **settings}
                for member in synthesisers.models:
                    if member.model_fields["type"].default == kind and rate > 0:
                        filled = cast("type[Synthesiser]", member).of_stored(stored, rate)
                        return content | {"synthesiser": filled}
        return content

    @model_validator(mode="after")
    def _fits_together(self) -> "ModelSpec":
        if len(set(self.names)) < len(self.names):
            raise ValueError("sliders: two have the same name")
        if self.synthesiser.channels_learnt(self.channels) != self.channels:
            kind = self.synthesiser.type  # type: ignore[attr-defined]
            raise ValueError(
                f'channels: a synthesiser of type "{kind}" does not play {self.channels}'
            )
        return self

    def gain(self, given: np.ndarray) -> np.ndarray:
        """Return the gain at these network inputs, a factor within 12 dB.

        given: [..., n_controls] -> [...].
        """
        decibels = sum(
            (slider.decibels(given[..., i]) for i, slider in enumerate(self.sliders)),
            np.zeros(given.shape[:-1]),
        )
        return 10 ** (decibels.clip(-MOST_GAIN_DB, MOST_GAIN_DB) / 20)

    @property
    def names(self) -> list[str]:
        return [slider.name for slider in self.sliders]


@dataclass(frozen=True)
class Instrument:
    """A trained network with its sliders, ready to play. network: a SynthesisNetwork."""

    network: nn.Module
    spec: ModelSpec

    def play(
        self,
        automations: Mapping[str, Automation],
        seconds: float,
        seed: int,
        *,
        temperature: float = 1.0,
        **own: Any,
    ) -> np.ndarray:
        """Return a whole sound, [samples] or [samples, channels] float32; arguments as `stream`."""
        return np.concatenate(
            [*self.stream(automations, seconds, seed, temperature=temperature, **own)]
        )

    def stream(
        self,
        automations: Mapping[str, Automation],
        seconds: float,
        seed: int,
        *,
        block: int = 4096,
        temperature: float = 1.0,
        **own: Any,
    ) -> Iterator[np.ndarray]:
        """Yield a sound in blocks of [block] or [block, channels] float32, the last one shorter.
        The length of the sound costs no memory.

        automations: by control, within what it was trained on. own: what only this kind of synthesiser
        knows (see `takes`). The rest as `SynthesisNetwork.player`.
        """
        player = cast("SynthesisNetwork", self.network).player(seed, temperature=temperature, **own)
        n_samples = round(seconds * self.spec.sample_rate)
        for start in progress(range(0, n_samples, block), "generating", unit="block"):
            controls = self.controls_of(
                automations, np.arange(start, min(start + block, n_samples))
            )
            samples = player.play(controls)
            gain = self.spec.gain(controls).astype(np.float32)
            yield samples * (gain if samples.ndim == 1 else gain[:, None])

    def takes(self, name: str) -> bool:
        """Return whether this kind of synthesiser has an argument of that name when it plays."""
        return name in signature(cast("SynthesisNetwork", self.network).player).parameters

    def controls_of(self, automations: Mapping[str, Automation], samples: np.ndarray) -> np.ndarray:
        """Return the network's input for these samples of the sound.

        samples: [samples], their indices -> [samples, n_controls] float32; a control without
        automation stays in its middle.
        """
        times = samples / self.spec.sample_rate
        values = np.empty((len(times), len(self.spec.sliders)), dtype=np.float32)
        for index, slider in enumerate(self.spec.sliders):
            places = (
                automations[slider.name].at(times)
                if slider.name in automations
                else np.full(len(times), slider.middle)
            )
            values[:, index] = slider.to_network(places)
        return values


def new_instrument(spec: ModelSpec, seed: int) -> Instrument:
    """Return an instrument with random weights."""
    torch.manual_seed(seed)
    network = spec.synthesiser.network(len(spec.sliders), spec.sample_rate, spec.channels)
    return Instrument(cast("nn.Module", network), spec)


def save_instrument(folder: Path, instrument: Instrument) -> None:
    save_weights(folder, instrument.network, instrument.spec.model_dump(mode="json"))


def load_instrument(folder: Path) -> Instrument:
    """Load an instrument, ready to be played, on the CPU. Errors: TextureError."""
    weights, spec = load_weights(folder, ModelSpec)
    with of_the_size_of(folder / WEIGHTS, weights):
        instrument = new_instrument(spec, seed=0)
    fill(folder, instrument.network, weights)
    return instrument
