"""Adversaries of the encoder: networks that tell real clips from synthetic ones."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.nn.functional import softplus

from domain_adaptation.adaptation.task import Stateless
from domain_adaptation.features import Features

# Binary cross-entropy on a logit z is softplus(z) for the target 0 ("synthetic") and softplus(-z)
# for 1 ("real").


class Frozen(Stateless):
    """A trained classifier whose weights no longer change."""

    def __init__(self, classifier: nn.Module, features: Features) -> None:
        self._classifier = classifier
        self._features = features

    def __call__(self, encoder: nn.Module, real: torch.Tensor) -> torch.Tensor:
        return softplus(self._classifier(encoder(self._features.compute(real.float())))).mean()


class Learning:
    """A discriminator that takes an optimizer step of its own before each step of the encoder."""

    def __init__(
        self, synthetic: torch.Tensor, features: Features, hidden_size: int, learning_rate: float
    ) -> None:
        """Make the discriminator, with weights drawn from torch's global generator.

        synthetic: [clips, n_features].
        """
        self._synthetic = synthetic
        self._features = features
        self._mean = synthetic.mean(dim=0)
        self._scale = synthetic.std(dim=0) + 1e-6
        self._network = nn.Sequential(
            nn.Linear(synthetic.shape[1], hidden_size),
            nn.LeakyReLU(0.2),
            nn.Linear(hidden_size, hidden_size),
            nn.LeakyReLU(0.2),
            nn.Linear(hidden_size, 1),
        ).to(synthetic.device)
        # Little momentum, as is usual where two networks chase each other (Radford et al., "DCGAN",
        # 2016).
        self._optimizer = torch.optim.Adam(
            self._network.parameters(), lr=learning_rate, betas=(0.5, 0.999)
        )

    def __call__(self, encoder: nn.Module, real: torch.Tensor) -> torch.Tensor:
        encoded = self._normalised(encoder(self._features.compute(real.float())))
        if encoder.training:
            self._learn(encoded.detach())
        return softplus(self._network(encoded)).mean()

    def _learn(self, encoded_real: torch.Tensor) -> None:
        chosen = torch.randint(len(self._synthetic), (len(encoded_real),)).to(
            self._synthetic.device
        )
        encoded_synthetic = self._normalised(self._synthetic[chosen])
        loss = (
            softplus(self._network(encoded_synthetic)).mean()
            + softplus(-self._network(encoded_real)).mean()
        )
        self._optimizer.zero_grad()
        loss.backward()
        self._optimizer.step()

    def _normalised(self, encoded: torch.Tensor) -> torch.Tensor:
        return (encoded - self._mean) / self._scale

    def state_dict(self) -> dict[str, Any]:
        return {"network": self._network.state_dict(), "optimizer": self._optimizer.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._network.load_state_dict(state["network"])
        self._optimizer.load_state_dict(state["optimizer"])
