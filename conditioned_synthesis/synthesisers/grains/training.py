"""The "training" of Grains: it makes the index, and measures how far what is played lies from the
clips held out."""

from collections.abc import Iterable, Mapping

import numpy as np
import torch
from torch import nn

from conditioned_synthesis.data.split import SplitSounds
from conditioned_synthesis.dsp.interpolation import EDGE
from conditioned_synthesis.dsp.texture_statistics import TextureStatistics
from conditioned_synthesis.synthesisers.grains.index import index_of
from conditioned_synthesis.synthesisers.grains.network import N_BANDS, GrainsNetwork
from texturelib.errors import UsageError
from texturelib.evenly import evenly_spread
from texturelib.learning.trainable import Batch, Group, Losses, Trainable

_MOST_VALIDATION_CLIPS = 16
_LOWEST_MODULATION_HZ, _HIGHEST_MODULATION_HZ = 2.0, 128.0


class GrainsTraining(Trainable):
    """Nothing to train: the network's buffers are filled when it is made."""

    def __init__(
        self, network: GrainsNetwork, clips: SplitSounds, seed: int, most_seconds: float
    ) -> None:
        """Fill the network's buffers.

        Args:
            clips: those that it plays pieces of, and those that are held out.
            seed: of the choice of clips, and of what is played for those held out.
            most_seconds: total length of the clips, at most.

        Errors: UsageError when the clips are shorter than a unit.
        """
        self.module: nn.Module = network
        self._clips, self._seed = clips, seed
        sounds, sizes = clips.sounds, network.sizes
        if not sizes.n_starts(sounds.n_samples):
            needed = (EDGE + sizes.needed) / sounds.sample_rate
            raise UsageError(
                f"synthesiser.seconds: a unit with its joins takes {needed:.3g} s of a clip, but the clips have "
                f"{sounds.n_samples / sounds.sample_rate:.3g} s; make seconds, overlap or most_ratio smaller"
            )
        most = max(1, int(most_seconds * sounds.sample_rate / sounds.n_samples))
        rows = np.random.default_rng([seed, 1]).permutation(clips.train)[:most]
        network.fill(index_of(sounds, np.sort(rows), sizes, N_BANDS))

    def groups(self) -> Mapping[str, Group]:
        return {}

    def validation(self, mine: slice) -> Iterable[Batch]:
        """Some of the held-out clips, where they are long enough to have statistics."""
        if self._texture() is None:
            return
        held_out = self._clips.held_out
        rows = held_out[evenly_spread(len(held_out), _MOST_VALIDATION_CLIPS)][mine]
        if len(rows):
            n_samples = self._clips.sounds.n_samples
            audio, controls = self._clips.sounds.batch(rows, np.zeros_like(rows), n_samples)
            yield audio[:, 1:], controls, torch.from_numpy(rows)

    def losses(self, module: nn.Module, batch: Batch, group: str) -> Losses:
        """Return the distance of sounds with the same controls from the clips."""
        audio, controls, rows = (each.cpu() for each in batch)
        network, texture = self.module, self._texture()
        made = [
            network.player(self._seed + int(row)).play(each.numpy())  # type: ignore[operator]
            for row, each in zip(rows, controls, strict=True)
        ]
        return {"loss": texture.loss(_mono(torch.from_numpy(np.stack(made))), _mono(audio))}  # type: ignore[union-attr]

    def _texture(self) -> TextureStatistics | None:
        """Return the statistics for clips of this length; None where they are too short."""
        rate, n_samples = self._clips.sounds.sample_rate, self._clips.sounds.n_samples
        lowest = max(_LOWEST_MODULATION_HZ, 2 * rate / n_samples)
        highest = min(_HIGHEST_MODULATION_HZ, rate / 8)
        if 2 * lowest > highest:
            return None
        return TextureStatistics(
            rate, n_samples, lowest_modulation_hz=lowest, highest_modulation_hz=highest
        )


def _mono(sounds: torch.Tensor) -> torch.Tensor:
    """Return sounds mixed down: [batch, samples] or [batch, samples, channels] -> [batch,
    samples]."""
    return sounds if sounds.ndim == 2 else sounds.mean(dim=-1)
