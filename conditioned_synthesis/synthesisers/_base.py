"""The interface of a synthesiser, so that no other file knows one by its name."""

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

    from conditioned_synthesis.data.split import SplitSounds
    from texturelib.learning.trainable import Trainable

synthesisers = Registry("conditioned_synthesis.synthesisers")


class TrainingSteps(NamedTuple):
    """The length of a training.

    total: number of steps. checkpoint: number of steps from one checkpoint to the next.
    """

    total: int
    checkpoint: int


class Synthesiser(Config):
    """Settings of a synthesiser. One whose network learns by steps of an optimizer is a
    `TrainedSynthesiser`."""

    validation: Annotated[float, Field(gt=0, lt=1)] = 0.1
    """Share of the clips that are held out of the training."""

    def channels_learnt(self, of_clips: int) -> int:
        """Return how many channels the synthesiser learns, and then plays, of clips that have
        `of_clips`: all of them, or 1, for which clips are mixed down.

        As it is here, 1.
        """
        return 1

    @classmethod
    def of_stored(cls, stored: dict[str, Any], sample_rate: float) -> dict[str, Any]:
        """Return settings as they stand in a model folder, those that are missing there filled in.

        A key that is newer than the folder has the value by which its sounds stay the same, where
        that is no longer the default.

        Args:
            stored: settings of this kind, not checked yet.
            sample_rate: of the model, in Hz.
        """
        return stored

    def network(self, n_controls: int, sample_rate: int, n_channels: int = 1) -> "SynthesisNetwork":
        """Make the network with random weights from torch's global generator.

        Args:
            n_controls: number of controls.
            sample_rate: of the sounds, in Hz.
            n_channels: of the sounds, one of those that `channels_learnt` returns.

        Returns: a torch module.
        """
        raise NotImplementedError

    def steps(self) -> TrainingSteps:
        """Return the length of the training: a single step where nothing is learnt by steps."""
        return TrainingSteps(1, 1)

    def training(self, network: Any, clips: "SplitSounds", seed: int) -> "Trainable":
        """Return how the network is trained: its batches, losses and optimizers.

        What it wants to know of the clips beforehand, such as their mean level, it can write into
        the network's buffers here. Where that is all there is to learn, the `Trainable` has no
        groups.

        Args:
            network: as `network` made it.
            clips: what to learn from, and what is held out.
            seed: of all that is drawn.

        Errors: UsageError when there is too little to learn from.
        """
        raise NotImplementedError


class TrainedSynthesiser(Synthesiser):
    """Settings of a synthesiser whose network learns by steps of an optimizer, under MTCRNN's
    names where it has them."""

    num_steps: PositiveInt = 4000
    """Number of steps of the optimizer, Adam."""
    batch_size: PositiveInt = 32
    """Number of clips in a batch."""
    lr: PositiveFloat = 0.002
    """Learning rate of the optimizer."""
    schedule: Schedule = "one_cycle"
    """How the learning rate runs over the training."""
    gradient_norm: PositiveFloat = 1.0
    """Largest norm of the gradient; longer gradients are clipped to it."""
    checkpoint: PositiveInt = 500
    """Number of optimizer steps between checkpoints, from which a stopped training resumes; each
    also has a validation loss and an example sound."""

    def steps(self) -> TrainingSteps:
        return TrainingSteps(self.num_steps, self.checkpoint)

    def training(self, network: Any, clips: "SplitSounds", seed: int) -> "Trainable":
        """Return how the network is trained: as it is here, on random parts of random clips, by the
        network's `losses`, with Adam.

        A synthesiser that learns in another way (by windows that follow one another, with an
        adversary, with a running average of weights) returns another `Trainable`, such as a
        subclass of `SynthesiserTraining`. Arguments and errors as `Synthesiser.training`.
        """
        from conditioned_synthesis.synthesisers._training import SynthesiserTraining

        return SynthesiserTraining(
            network, clips, seed, self.batch_size, self.lr, self.schedule, self.gradient_norm
        )


class Graph(NamedTuple):
    """A synthesiser as a graph of tensors, for other runtimes.

    module: called with `controls` and then all of `inputs`, in order; gives tensors as `outputs`
    names them, sound first, [samples] or [samples, channels]. controls: [1, frames, n_controls], an example. moving: those inputs
    whose axis 1 is frames too; any number will do. facts: what else one must know to run it.
    """

    module: "nn.Module"
    controls: "torch.Tensor"
    inputs: "Mapping[str, torch.Tensor]"
    outputs: tuple[str, ...]
    moving: tuple[str, ...]
    facts: "Mapping[str, Any]"


class Player(Protocol):
    """A sound that is being played; each call continues where the last one stopped."""

    def play(self, controls: "np.ndarray") -> "np.ndarray":
        """Return the next samples. They are the same however they are divided over the calls.

        Args:
            controls: of the next samples, 0..1.

        Returns: float32.

        Shape:
            controls: [samples, n_controls]
            -> [samples], or [samples, channels] where the network has several
        """
        ...


class SynthesisNetwork(Protocol):
    """A torch module that makes sounds with given controls.

    How it learns is up to `Synthesiser.training`; what that needs of the network is between
    the two.

    Attributes:
        loss_in_words: what its validation_loss is, where it has one, and that of a network that
            knows nothing.
    """

    loss_in_words: str

    def player(self, seed: int, *, temperature: float = 1.0) -> Player:
        """Return a player that begins a sound. The same seed gives the same sound.

        A synthesiser may take more arguments, by name, that only it knows; `Instrument.play` hands
        them on.

        Args:
            temperature: randomness of the sound, below 1 tamer, above 1 wilder.
        """
        ...

    def graph(self) -> Graph:
        """Return the network as a graph. Errors: UsageError where it has none."""
        ...


class TrainedByParts(SynthesisNetwork, Protocol):
    """A network for the default training of `TrainedSynthesiser.training`, on random parts of clips.

    Attributes:
        n_samples: length of the parts that it learns from.
    """

    n_samples: int

    def losses(
        self, audio: "torch.Tensor", controls: "torch.Tensor"
    ) -> "Mapping[str, torch.Tensor]":
        """Return the losses of a batch. Draws from torch's generator.

        Args:
            audio: parts of clips, -1..1.
            controls: of each sample, 0..1.

        Returns: scalars by name; "loss" is the name of one that stands alone. Their sum is made
        smaller.

        Shape:
            audio: [batch, n_samples], or [batch, n_samples, channels] where the network has several
            controls: [batch, n_samples, n_controls]
        """
        ...
