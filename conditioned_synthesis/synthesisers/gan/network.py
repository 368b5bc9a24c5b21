"""The network of Gan: representation, generator, its running average, and critics."""

from collections.abc import Iterable
from typing import cast

import torch
from torch import nn

from conditioned_synthesis.representations.transforms.base import Transform
from conditioned_synthesis.synthesisers._base import Graph
from conditioned_synthesis.synthesisers.gan.critic import CriticNetwork
from conditioned_synthesis.synthesisers.gan.generator import Generator
from conditioned_synthesis.synthesisers.gan.options import Frequency, GanOptions
from conditioned_synthesis.synthesisers.gan.player import GanPlayer
from texturelib.errors import UsageError
from texturelib.learning.precision import in_32_bits

_SHARE_WITHOUT_HISTORY = 0.2  # of clips in training, as a sound has a beginning


class GanNetwork(nn.Module):
    """A generator of chunks with the critics that it learns from.

    Attributes:
        n_samples: length of a chunk and of the history before it, which a step of training reads.
        n_chunk: of a chunk alone.
        n_history: of the history; 0 without.
    """

    loss_in_words = "of texture statistics of chunks"

    def __init__(self, settings: GanOptions, n_controls: int, sample_rate: int) -> None:
        """Build the networks. Errors: UsageError when the representation has a number of bins that
        the layers cannot make."""
        super().__init__()
        self.settings, self.sample_rate = settings, sample_rate
        self.representation = settings.representation.transform(sample_rate)
        hop = self.representation.hop_length
        growth = settings.stride ** len(settings.widths)
        shape = _laid_out(self.representation, settings.frequency)
        if len(shape) == 2 and shape[1] % growth:
            raise UsageError(
                f"synthesiser.representation: its {shape[1]} bins are no multiple of {growth}, which "
                f"{len(settings.widths)} layers of stride {settings.stride} grow by; "
                'take fewer widths, another size, or "channels" as frequency'
            )
        unit = growth * hop
        coarse_frames = max(1, round(settings.seconds * sample_rate / unit))
        self.n_chunk = coarse_frames * unit
        self.n_history = hop * round(settings.history * sample_rate / hop)
        self.n_samples = self.n_history + self.n_chunk
        self.n_overlap = min(round(settings.overlap * sample_rate), self.n_chunk // 2)
        whole = self.n_chunk - self.n_overlap
        wanted = round(settings.step * sample_rate) if settings.step else whole
        self.n_step = max(1, min(wanted, whole))
        self.generator = Generator(
            values_shape=_laid_out(self.representation, "axis"),
            shape=shape,
            coarse_frames=coarse_frames,
            history_frames=self.n_history // hop,
            n_controls=n_controls,
            latent=settings.latent,
            widths=settings.widths,
            kernel=settings.kernel,
            stride=settings.stride,
            film=settings.film,
            noise=settings.noise,
            bounded=settings.bounded,
        )
        self.average = self.generator.averaged_copy()
        self.critics, self.heard = nn.ModuleDict(), nn.ModuleDict()
        for name, critic in settings.critics.items():
            if critic.representation:
                self.heard[name] = critic.representation.transform(sample_rate)
            transform = self.hears(name)
            n_frames = -(-self.n_samples // transform.hop_length)
            self.critics[name] = CriticNetwork(
                (*_laid_out(transform, critic.frequency or settings.frequency), n_frames),
                n_controls,
                critic.widths or settings.widths[::-1],
                critic.kernel or settings.kernel,
                critic.stride or settings.stride,
            )

    def hears(self, critic: str) -> Transform:
        """Return the transform of what a critic hears."""
        has_own = self.settings.critics[critic].representation is not None
        return cast("Transform", self.heard[critic]) if has_own else self.representation

    def learn(self, sounds: Iterable[torch.Tensor]) -> None:
        """Learn the normalisation of all representations. sounds: batches [batch, samples]."""
        batches = list(sounds)
        for transform in (self.representation, *self.heard.values()):
            cast("Transform", transform).learn(batches)

    def made(
        self, audio: torch.Tensor, controls: torch.Tensor, generator: Generator | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the values of clips, and those of the same histories with new chunks after them.

        Args:
            audio: clips, -1..1.
            controls: of each sample, 0..1.
            generator: the average, or as it is None, the one that learns.

        Shape:
            audio: [batch, n_samples]
            controls: [batch, n_samples, n_controls]
            -> both [batch, n_parts, (bins,) frames]
        """
        generator = generator or self.generator
        hop = self.representation.hop_length
        with in_32_bits(audio.device):
            clips = self.representation(audio)
        if self.n_history:
            has_history = torch.rand(len(audio), device=audio.device) >= _SHARE_WITHOUT_HISTORY
            n_before = self.n_history // hop
            mask = torch.ones_like(clips)
            mask[..., :n_before] = has_history.float().view(-1, *[1] * (clips.ndim - 1))
            clips = clips * mask
            # The transform of what came before alone, as there is no more of it in playing.
            with in_32_bits(audio.device):
                before = self.representation(audio[:, : self.n_history])
            before = before * mask[..., :n_before]
        else:
            n_before, before = 0, None
        frames = controls[:, self.n_history :: hop]
        chunk = generator(generator.draw(len(audio)), frames, before)
        return clips, torch.cat([clips[..., :n_before], chunk.float()], dim=-1)

    def heard_by(self, critic: str, audio: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        """Return what a critic hears of values that the generator's representation has.

        audio: [batch, n_samples], the clips whose histories the values begin with.
        """
        if critic not in self.heard:
            return values
        with in_32_bits(audio.device):
            n_before = self.n_history // self.representation.hop_length
            chunk = self.representation.inverse(values[..., n_before:])
            return self.hears(critic)(torch.cat([audio[:, : self.n_history], chunk], dim=1))

    def critic_losses(
        self, critic: str, audio: torch.Tensor, controls: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        """Return the losses of one critic: how much lower it rates clips than what is made, and in
        training its penalties. Arguments as `made`."""
        network = cast("CriticNetwork", self.critics[critic])
        frames = controls[:, :: self.hears(critic).hop_length]
        with torch.no_grad():
            clips, made = self.made(audio, controls)
            theirs = self.hears(critic)(audio) if critic in self.heard else clips
            ours = self.heard_by(critic, audio, made)
        losses = {critic: network(ours, frames).mean() - network(theirs, frames).mean()}
        if self.training:
            losses |= self._penalties(critic, network, theirs, ours, frames)
        return losses

    def _penalties(
        self,
        critic: str,
        network: CriticNetwork,
        theirs: torch.Tensor,
        ours: torch.Tensor,
        frames: torch.Tensor,
    ) -> dict[str, torch.Tensor]:
        """Return how far the critic's slopes are from 1, between clips and what is made."""
        settings = self.settings
        share = torch.rand(len(ours), *[1] * (ours.ndim - 1), device=ours.device)
        between = torch.lerp(theirs, ours, share).requires_grad_()
        frames = frames.detach().requires_grad_(settings.control_penalty > 0)
        along = [between, frames] if settings.control_penalty else [between]
        slopes = torch.autograd.grad(network(between, frames).sum(), along, create_graph=True)
        excess = slopes[0].flatten(1).norm(dim=1) - 1
        penalties = {f"{critic}_penalty": settings.penalty * excess.square().mean()}
        if settings.control_penalty:
            # Along controls that move together in all frames.
            excess = slopes[1].sum(1).norm(dim=1) - 1
            penalties[f"{critic}_control_penalty"] = (
                settings.control_penalty * excess.square().mean()
            )
        return penalties

    def generator_losses(
        self, audio: torch.Tensor, controls: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        """Return the losses of the generator: what each critic says against it. Arguments as
        `made`."""
        clips, made = self.made(audio, controls)
        total, matching = made.new_zeros(()), made.new_zeros(())
        for name, settings in self.settings.critics.items():
            network = cast("CriticNetwork", self.critics[name])
            frames = controls[:, :: self.hears(name).hop_length]
            ours = self.heard_by(name, audio, made)
            total = total - settings.weight * network(ours, frames).mean()
            if self.settings.matching:
                with torch.no_grad():
                    theirs = self.hears(name)(audio) if name in self.heard else clips
                    wanted = network.features(theirs, frames)
                found = network.features(ours, frames)
                matching = matching + settings.weight * _difference(found, wanted)
        losses = {"generator": total}
        if self.settings.matching:
            losses["matching"] = self.settings.matching * matching
        return losses

    @torch.no_grad()
    def keep_average(self) -> None:
        """Move the average towards the generator by a step."""
        for average, now in zip(
            self.average.parameters(), self.generator.parameters(), strict=True
        ):
            average.lerp_(now, 1 - self.settings.average)

    def player(self, seed: int, *, temperature: float = 1.0) -> GanPlayer:
        """Return a player, as `SynthesisNetwork.player`.

        temperature: of the random numbers that chunks are made of.
        """
        return GanPlayer(self, seed, temperature)

    def graph(self) -> Graph:
        raise UsageError(
            'export-onnx: a synthesiser of type "gan" finds phases and joins chunks outside of its network, which '
            'runtimes of ONNX could not run; export one of type "texenv"'
        )


def _laid_out(transform: Transform, frequency: Frequency) -> tuple[int, ...]:
    """Return the shape of a representation's values as layers see them, without batch and frames."""
    n_parts, n_bins = len(transform.parts), transform.n_bins
    if n_bins is None:
        return (n_parts,)
    return (n_parts, n_bins) if frequency == "axis" else (n_parts * n_bins,)


def _difference(found: list[torch.Tensor], wanted: list[torch.Tensor]) -> torch.Tensor:
    """Return how far layers' means over time are apart, as a share of their size; the mean over the
    layers."""
    parts = [
        (ours.mean(-1) - theirs.mean(-1)).abs().mean() / theirs.abs().mean().clamp_min(1e-6)
        for ours, theirs in zip(found, wanted, strict=True)
    ]
    return torch.stack(parts).mean()
