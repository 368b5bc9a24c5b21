"""The training of a synthesiser with an adversary."""

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import nn

from conditioned_synthesis.losses._critic import LogMelCritic
from conditioned_synthesis.losses.adversary import Adversary
from conditioned_synthesis.synthesisers._training import SynthesiserTraining
from texturelib.learning.precision import in_32_bits
from texturelib.learning.trainable import Batch, Group, Losses

_NETWORK, _CRITIC = "network", "critic"


class AdversarialTraining(SynthesiserTraining):
    """`SynthesiserTraining` that ends with an adversary: in each of its last steps, the synthesiser
    takes a step of all losses, then the adversary one of its own.

    The adversary is not part of the synthesiser's network, and is gone after the training.
    """

    methods = ("losses", "critic_losses")

    def __init__(self, *args: Any, adversary: Adversary, n_steps: int, **kwargs: Any) -> None:
        """Prepare the training.

        Args:
            args: as for `SynthesiserTraining`, also kwargs.
            adversary: its settings.
            n_steps: number of steps of the training.
        """
        super().__init__(*args, **kwargs)
        self._adversary, self._first_batch = adversary, 2 * round(adversary.begins * n_steps)
        critic = adversary.critic(self.clips.sounds.sample_rate, self.n_samples)
        self.module = _Both(self.module, critic, adversary.weight)

    def groups(self) -> Mapping[str, Group]:
        network, critic = self.module.network, self.module.critic
        of_network = torch.optim.Adam(network.parameters(), lr=self._lr)  # type: ignore[union-attr]
        of_critic = torch.optim.Adam(
            critic.parameters(),  # type: ignore[union-attr]
            lr=self._adversary.lr,
            betas=(0.0, 0.99),
        )
        return {
            _NETWORK: Group(of_network, self._schedule, self._gradient_norm),
            _CRITIC: Group(of_critic),
        }

    def batch(self, number: int, mine: slice) -> Batch:
        """Return a batch as `SynthesiserTraining` does, and whether the adversary has begun."""
        return [*super().batch(number, mine), number >= self._first_batch]

    def validation(self, mine: slice) -> Iterable[Batch]:
        for batch in super().validation(mine):
            yield [*batch, False]

    def losses(self, module: nn.Module, batch: Batch, group: str) -> Losses:
        audio, controls, has_begun = batch
        if group == _CRITIC:
            return module.critic_losses(audio, controls, has_begun)  # type: ignore[operator]
        return module.losses(audio, controls, has_begun)  # type: ignore[operator]


class _Both(nn.Module):
    """A synthesiser's network and its adversary, and the losses of each."""

    def __init__(self, network: nn.Module, critic: LogMelCritic, weight: float) -> None:
        super().__init__()
        self.network, self.critic, self._weight = network, critic, weight
        self.n_samples = network.n_samples

    def losses(self, audio: torch.Tensor, controls: torch.Tensor, has_begun: bool) -> Losses:
        """Return the synthesiser's losses, with that of the adversary as "adversary"."""
        if not has_begun:
            return {
                **self.network.losses(audio, controls),  # type: ignore[operator]
                "adversary": audio.new_zeros(()),
            }
        further = {"adversary": self._of_sounds}
        return self.network.losses(audio, controls, further)  # type: ignore[operator]

    def _of_sounds(self, sounds: torch.Tensor) -> torch.Tensor:
        return self._weight * self.critic(sounds)

    def critic_losses(self, audio: torch.Tensor, controls: torch.Tensor, has_begun: bool) -> Losses:
        """Return the adversary's loss."""
        if not has_begun:
            return {"critic": self.critic.none_yet()}
        with torch.no_grad():
            sounds = self.network.sounds(controls)  # type: ignore[operator]
        with in_32_bits(audio.device):
            return {"critic": self.critic.losses(sounds, audio)}
