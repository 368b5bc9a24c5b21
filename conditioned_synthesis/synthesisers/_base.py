"""What every synthesiser is asked for, so that no other file knows one by its name."""

from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, Protocol

from pydantic import Field, PositiveFloat, PositiveInt

from texturelib.config import Config
from texturelib.learning.schedule import Schedule
from texturelib.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import torch
    from torch import nn

synthesisers = Registry("conditioned_synthesis.synthesisers")


class Synthesiser(Config):
    """Settings of a synthesiser and of its training, in MTCRNN's words where it has one."""

    num_steps: PositiveInt = 4000
    """Of the optimizer, Adam."""
    batch_size: PositiveInt = 32
    lr: PositiveFloat = 0.002
    """The learning rate."""
    schedule: Schedule = "one_cycle"
    gradient_norm: PositiveFloat = 1.0
    """Longer gradients are shortened to this."""
    checkpoint: PositiveInt = 500
    """Steps from one to the next: validation loss, an example to hear, and from where a stopped training goes on."""
    validation: Annotated[float, Field(gt=0, lt=1)] = 0.1
    """The share of clips that are held out of the training."""

    def network(self, n_controls: int, sample_rate: int) -> "SynthesisNetwork":
        """sample_rate: of the sounds, in Hz -> with fresh weights, from torch's generator as it stands."""
        raise NotImplementedError


class Graph(NamedTuple):
    """A synthesiser as tensors in and tensors out, for runtimes of other makers.

    module: called with `controls` and then all of `inputs`, in order; gives tensors as `outputs` names them, sound first.
    controls: [1, frames, n_controls], an example. moving: those inputs whose axis 1 is frames too; any number will do. facts:
    what else one must know to run it.
    """

    module: "nn.Module"
    controls: "torch.Tensor"
    inputs: "Mapping[str, torch.Tensor]"
    outputs: tuple[str, ...]
    moving: tuple[str, ...]
    facts: "Mapping[str, Any]"


class Player(Protocol):
    """A sound in the making: goes on from where it stopped."""

    def play(self, controls: "np.ndarray") -> "np.ndarray":
        """controls: [samples, n_controls], 0..1, of what comes next -> [samples] float32. However the samples are divided over
        the calls, they are the same."""
        ...


class SynthesisNetwork(Protocol):
    """A torch module that learns sounds with their controls, and makes new ones.

    window: samples of a step of training. n_windows: how many follow one another in a clip before others are drawn.
    loss_in_words: what its loss is, and that of a network that knows nothing.
    """

    window: int
    n_windows: int
    loss_in_words: str

    def loss(self, audio: "torch.Tensor", controls: "torch.Tensor", carried: Any) -> "tuple[torch.Tensor, Any]":
        """audio: [batch, 1 + window], -1..1, the first is the sample before the window (0.0 at a clip's start). controls: [batch,
        window, n_controls], 0..1, each beside its sample. carried: what the window before left, None at the start -> a scalar,
        and what to carry on: tensors without a gradient, or None."""
        ...

    def player(self, seed: int, *, temperature: float = 1.0, prime: "np.ndarray | None" = None, fast: bool = False) -> Player:
        """Begin a sound. The same seed gives the same one.

        temperature: of the chance, below 1 tamer, above 1 wilder. prime: [samples], a sound to go on from, as if it had been made
        with the controls of the beginning. fast: rougher, where that is faster.
        Errors: UsageError where the synthesiser has no use for one of these.
        """
        ...

    def graph(self) -> Graph:
        """Errors: UsageError where it has none."""
        ...
