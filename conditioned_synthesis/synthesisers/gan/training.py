"""The training of Gan."""

import math
from collections.abc import Iterable, Mapping
from typing import cast

import numpy as np
import torch
from torch import nn

from conditioned_synthesis.data.split import SplitSounds
from conditioned_synthesis.dsp.texture_statistics import TextureStatistics
from conditioned_synthesis.synthesisers._training import SynthesiserTraining
from conditioned_synthesis.synthesisers.gan.network import GanNetwork
from conditioned_synthesis.synthesisers.gan.options import GENERATOR, GanOptions
from texturelib.errors import TextureError
from texturelib.evenly import evenly_spread
from texturelib.learning.trainable import Batch, Group, Losses

_NORMALISED_BY = 256  # clips
_AT_ONCE = 32
_PROBED_EVERY = 20  # steps
_TOO_MUCH = 1e5  # of what a critic says; trainings that go well stay below a hundred
_TOO_LITTLE_SPREAD = 0.1  # of that of clips
_LOWEST_MODULATION_HZ, _HIGHEST_MODULATION_HZ = 2.0, 128.0
_BETAS = (0.5, 0.9)  # of Adam, as usual for Wasserstein GANs


class GanTraining(SynthesiserTraining):
    """Critics and generator in turn, each with an optimizer of its own."""

    methods = ("critic_losses", "generator_losses")

    def __init__(
        self, network: GanNetwork, clips: SplitSounds, seed: int, settings: GanOptions
    ) -> None:
        """Prepare the training; the network's normalisation is learnt here.

        Errors: UsageError when the clips are shorter than a chunk with its history.
        """
        super().__init__(
            network,
            clips,
            seed,
            settings.batch_size,
            settings.lr,
            settings.schedule,
            settings.gradient_norm,
        )
        self._settings = settings
        network.learn(self._some_clips())
        self._probes = self._made_probes()
        self._speaks = True

    def _some_clips(self) -> Iterable[torch.Tensor]:
        rows = self.clips.train[evenly_spread(len(self.clips.train), _NORMALISED_BY)]
        for start in range(0, len(rows), _AT_ONCE):
            yield torch.from_numpy(self.clips.sounds.samples(rows[start : start + _AT_ONCE]))

    def groups(self) -> Mapping[str, Group]:
        network = cast("GanNetwork", self.module)
        settings = self._settings
        groups = {}
        for name, critic in settings.critics.items():
            parameters = network.critics[name].parameters()
            optimizer = torch.optim.Adam(parameters, critic.lr or settings.lr, _BETAS)
            groups[name] = Group(
                optimizer, self._schedule, self._gradient_norm, settings.critic_steps
            )
        optimizer = torch.optim.Adam(network.generator.parameters(), settings.lr, _BETAS)
        return groups | {GENERATOR: Group(optimizer, self._schedule, self._gradient_norm)}

    def losses(self, module: nn.Module, batch: Batch, group: str) -> Losses:
        audio, controls = batch
        if group != GENERATOR:
            return module.critic_losses(group, audio, controls)  # type: ignore[operator]
        if module.training:
            return module.generator_losses(audio, controls)  # type: ignore[operator]
        return self._heard(audio, controls)

    def _heard(self, audio: torch.Tensor, controls: torch.Tensor) -> Losses:
        """Return how far chunks that are made are from those of the clips, and how much they differ
        from one another, as a share of how much clips do."""
        network = cast("GanNetwork", self.module)
        clips, made = network.made(audio, controls, network.average)
        again = network.made(audio, controls, network.average)[1]
        own = slice(network.n_history // network.representation.hop_length, None)
        # A clip's neighbour has about its controls, so that these are not what differs.
        order = torch.from_numpy(np.lexsort(controls.mean(1).cpu().numpy().T)).to(audio.device)
        others = clips[order].roll(1, 0)[torch.argsort(order)]
        theirs = (clips - others)[..., own].abs().mean()
        spread = (made - again)[..., own].abs().mean() / theirs.clamp_min(1e-9)
        if self._speaks and spread < _TOO_LITTLE_SPREAD:
            print(
                f"note: collapsed: sounds with the same controls differ by {100 * float(spread):.1f} % of what clips differ by; "
                "raise synthesiser.penalty or synthesiser.critic_steps, or lower synthesiser.lr"
            )
        losses = {"spread": spread}
        if texture := self._texture():
            sounds = network.representation.inverse(made[..., own]).cpu()
            losses["loss"] = texture.loss(sounds, audio[:, network.n_history :].cpu())
        return losses

    def validation(self, mine: slice) -> Iterable[Batch]:
        self._speaks = not mine.start
        return super().validation(mine)

    def validation_seed(self) -> int:
        return 0

    def after_step(self, step: int) -> None:
        """Move the average of weights. Errors: TextureError when the training explodes."""
        network = cast("GanNetwork", self.module)
        network.keep_average()
        if step % _PROBED_EVERY == 0:
            self._check(network, step)

    @torch.no_grad()
    def _check(self, network: GanNetwork, step: int) -> None:
        """Check what critics say of a fixed input: as it is the same in every process, they all
        agree when it is too much."""
        for name, (values, controls) in self._probes.items():
            device = next(network.critics[name].parameters()).device
            said = float(network.critics[name](values.to(device), controls.to(device)))
            if not math.isfinite(said) or abs(said) > _TOO_MUCH:
                raise TextureError(
                    f'training: it explodes: at step {step} the critic "{name}" says {said:.3g}, where tens are usual; '
                    "lower synthesiser.lr, or raise synthesiser.penalty"
                )

    def _made_probes(self) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
        row = self.clips.train[:1]
        audio, controls = self.clips.sounds.batch(row, np.zeros_like(row), self.n_samples)
        network = cast("GanNetwork", self.module)
        probes = {}
        for name in self._settings.critics:
            transform = network.hears(name)
            with torch.no_grad():
                probes[name] = transform(audio[:, 1:]), controls[:, :: transform.hop_length]
        return probes

    def _texture(self) -> TextureStatistics | None:
        """Return the statistics of chunks; None where they are too short."""
        rate = self.clips.sounds.sample_rate
        n_samples = cast("GanNetwork", self.module).n_chunk
        lowest = max(_LOWEST_MODULATION_HZ, 2 * rate / n_samples)
        highest = min(_HIGHEST_MODULATION_HZ, rate / 8)
        if 2 * lowest > highest:
            return None
        return TextureStatistics(
            rate, n_samples, lowest_modulation_hz=lowest, highest_modulation_hz=highest
        )
