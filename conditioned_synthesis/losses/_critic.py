"""An adversary that looks at patches of log-mel spectrograms."""

import torch
from torch import nn

from conditioned_synthesis.dsp.channels import by_channel
from conditioned_synthesis.losses._log_mels import LogMels

_LEAST_DEVIATION = 0.1  # nepers
_PENALISED = 4  # one clip of so many has its gradient penalised, which takes as long as all else
_LEAK = 0.2


class LogMelCritic(nn.Module):
    """Scores patches, above 0 what it takes for a clip: at each resolution a convolutional network
    of its own, which sees about 100 ms of the fastest frames and half a second of the others.

    It learns by the hinge loss (J. Lim and J. Ye, "Geometric GAN", 2017) with a penalty of its
    gradient at clips (R1; L. Mescheder et al., "Which training methods for GANs do actually
    converge?", 2018).

    Args:
        sample_rate: of the sounds, in Hz.
        n_samples: of each sound.
        channels: of the first layer.
        penalty: weight of the penalty.
    """

    has_scale: torch.Tensor

    def __init__(
        self, sample_rate: int, n_samples: int, channels: int = 32, penalty: float = 1.0
    ) -> None:
        super().__init__()
        self.log_mels = LogMels(sample_rate, n_samples, n_resolutions=2)
        self._penalty = penalty
        self.networks = nn.ModuleList(_network(channels) for _ in self.log_mels.n_mels)
        for index, n_mels in enumerate(self.log_mels.n_mels):
            self.register_buffer(f"mean_{index}", torch.zeros(n_mels, 1))
            self.register_buffer(f"deviation_{index}", torch.ones(n_mels, 1))
        self.register_buffer("has_scale", torch.tensor(False))

    def forward(self, audio: torch.Tensor) -> torch.Tensor:
        """Return the synthesiser's loss, a scalar: less where its sounds are taken for clips.

        audio: [batch, n_samples] or [batch, n_samples, channels].
        """
        scores = self._scores(self._mels(by_channel(audio)))
        return -torch.stack([each.mean() for each in scores]).mean()

    def losses(self, audio: torch.Tensor, clips: torch.Tensor) -> torch.Tensor:
        """Return its own loss, a scalar. The first clips that it gets say what it takes for the
        mean and the deviation of a band.

        audio, clips: as in `forward`; sounds without gradients.
        """
        if not self.has_scale:
            self._learn_scale(by_channel(clips))
        with torch.no_grad():
            real, made = (self._mels(by_channel(each)) for each in (clips, audio))
        parts = [
            (1 - of_real).relu().mean() + (1 + of_made).relu().mean()
            for of_real, of_made in zip(self._scores(real), self._scores(made), strict=True)
        ]
        loss = torch.stack(parts).mean()
        if self._penalty and torch.is_grad_enabled():
            loss = loss + self._penalty / 2 * self._squared_gradient(real)
        return loss

    def none_yet(self) -> torch.Tensor:
        """Return 0, with a gradient of 0 to all weights: a loss by which nothing is learnt."""
        return 0 * sum(each.sum() for each in self.parameters())  # type: ignore[return-value]

    def _squared_gradient(self, mels: list[torch.Tensor]) -> torch.Tensor:
        some = [each[: max(1, len(each) // _PENALISED)].clone().requires_grad_() for each in mels]
        total = torch.stack([each.mean((1, 2, 3)).sum() for each in self._scores(some)]).sum()
        gradients = torch.autograd.grad(total, some, create_graph=True)
        return torch.stack([each.square().sum((1, 2)).mean() for each in gradients]).sum()

    def _mels(self, audio: torch.Tensor) -> list[torch.Tensor]:
        return [
            (mels - self.get_buffer(f"mean_{index}")) / self.get_buffer(f"deviation_{index}")
            for index, mels in enumerate(self.log_mels(audio))
        ]

    def _scores(self, mels: list[torch.Tensor]) -> list[torch.Tensor]:
        return [network(each[:, None]) for network, each in zip(self.networks, mels, strict=True)]

    @torch.no_grad()
    def _learn_scale(self, clips: torch.Tensor) -> None:
        for index, mels in enumerate(self.log_mels(clips)):
            self.get_buffer(f"mean_{index}").copy_(mels.mean((0, 2))[:, None])
            deviation = (mels - mels.mean((0, 2), keepdim=True)).std().clamp_min(_LEAST_DEVIATION)
            self.get_buffer(f"deviation_{index}").fill_(deviation)
        self.has_scale.fill_(True)


def _network(channels: int) -> nn.Sequential:
    """Return a network from [batch, 1, mels, frames] to [batch, 1, patches, patches]."""
    return nn.Sequential(
        nn.Conv2d(1, channels, (7, 5), stride=2, padding=(3, 2)),
        nn.LeakyReLU(_LEAK),
        nn.Conv2d(channels, 2 * channels, 5, stride=2, padding=2),
        nn.LeakyReLU(_LEAK),
        nn.Conv2d(2 * channels, 2 * channels, (5, 3), padding=(2, 1)),
        nn.LeakyReLU(_LEAK),
        nn.Conv2d(2 * channels, 1, 1),
    )
