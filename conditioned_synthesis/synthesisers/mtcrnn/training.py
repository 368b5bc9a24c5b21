"""The training of MTCRNN's network: on windows that follow one another, with its state carried
through them."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from conditioned_synthesis.data.split import SplitSounds
from conditioned_synthesis.synthesisers._training import SynthesiserTraining
from conditioned_synthesis.synthesisers.mtcrnn.network import ConditionalGru
from texturelib.learning.checkpoint import HasState
from texturelib.learning.trainable import Batch, Losses

_CHANCE_OF_EMPTY_STATE = 0.25


class Windows(NamedTuple):
    """A batch of windows of clips.

    Attributes:
        audio: the first sample is the one before the window, 0.0 at a clip's start.
        controls: of each sample of the window.
        begins: the network begins with an empty state, not with the one that the batch before left.

    Shape:
        audio: [batch, 1 + seq_len]
        controls: [batch, seq_len, n_controls]
    """

    audio: torch.Tensor
    controls: torch.Tensor
    begins: bool


class MtcrnnTraining(SynthesiserTraining):
    """Truncated backpropagation through time: of the clips drawn, `windows_carried` windows come
    one after the other."""

    methods = ("loss",)

    def __init__(
        self,
        network: ConditionalGru,
        clips: SplitSounds,
        seed: int,
        *,
        seq_len: int,
        windows_carried: int,
        **learning: Any,
    ) -> None:
        """Prepare the training.

        Args:
            network: one whose `loss` takes and returns the state.
            clips: what it learns from.
            seed: of all random numbers.
            seq_len: number of samples in a window, through which a gradient flows back.
            windows_carried: number of windows that follow one another before other clips, or other
                places in them, are drawn.
            learning: as of `SynthesiserTraining`.

        Errors: UsageError when the clips are shorter than a window.
        """
        self._window = seq_len
        super().__init__(network, clips, seed, **learning)
        self._n_windows = min(windows_carried, clips.sounds.n_samples // self._window)
        self._carried = _Carried()

    @property
    def n_samples(self) -> int:
        return self._window

    def batch(self, number: int, mine: slice) -> Batch:
        round_number, place = divmod(number, self._n_windows)
        seed = [self._seed, round_number]
        rows, starts = self.clips.drawn(self._batch_size, self._window * self._n_windows, seed)
        audio, controls = self.clips.sounds.batch(
            rows[mine], starts[mine] + place * self._window, self._window
        )
        return Windows(audio, controls, begins=place == 0 and _begins_anew(seed))

    def validation(self, mine: slice) -> Iterable[Batch]:
        """The first windows of held-out clips, at most 64 of them, with the state carried on."""
        rows = self.validation_rows[mine]
        for place in range(self._n_windows if len(rows) else 0):
            audio, controls = self.clips.sounds.batch(
                rows, np.full(len(rows), place * self._window), self._window
            )
            yield Windows(audio, controls, begins=place == 0)

    def losses(self, module: nn.Module, batch: Batch, group: str) -> Losses:
        audio, controls, begins = batch
        part = "training" if module.training else "validation"
        before = None if begins else self._carried.states.get(part)
        loss, self._carried.states[part] = module.loss(audio, controls, _on(audio, before))  # type: ignore[operator]
        return {"loss": loss}

    def also_saved(self) -> Mapping[str, HasState]:
        return {"carried": self._carried}


class _Carried:
    """The recurrent states after each part's last windows, for the next ones."""

    def __init__(self) -> None:
        self.states: dict[str, torch.Tensor | None] = {}

    def state_dict(self) -> dict[str, Any]:
        carried = self.states.get("training")  # validation begins anew each time
        return {"training": None if carried is None else carried.cpu()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.states = {"training": state["training"]}


def _on(audio: torch.Tensor, carried: torch.Tensor | None) -> torch.Tensor | None:
    """Return the state on the sounds' device; None where it belongs to other clips, as after a
    change of the number of processes."""
    return (
        carried.to(audio.device) if carried is not None and carried.shape[1] == len(audio) else None
    )


def _begins_anew(seed: list[int]) -> bool:
    """Return whether other clips begin with an empty state.

    Mostly they continue from the state before: so the network learns to play on for longer than any
    clip lasts, and to follow controls that change.
    """
    return seed[1] == 0 or bool(np.random.default_rng([*seed, 1]).random() < _CHANCE_OF_EMPTY_STATE)
