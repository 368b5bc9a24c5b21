"""The extractor: a network of any kind that reads the controls and estimates its own errors."""

import copy
import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils.fusion import fuse_conv_bn_eval

from domain_adaptation.networks import Network
from domain_adaptation.networks._ensemble import Averaging
from domain_adaptation.networks._norm_then_pool import MaxPoolByTwo, NormThenPool


class Reading(NamedTuple):
    """The outputs of an extractor for a batch of clips.

    encoded: [clips, n_features]. labels, scale: [clips, controls]; scale is that of a Laplace
    distribution around the label, larger where a larger error is to be expected. each: [clips,
    any, controls], what is trained towards the truth: the labels of every member of an
    ensemble in training, else the labels.
    """

    encoded: torch.Tensor
    labels: torch.Tensor
    scale: torch.Tensor
    each: torch.Tensor


class Extractor(nn.Module):
    """A network that reads the controls, and how far these may be off, from the features of a clip.

    It has an encoder, a head for the labels, and a second head for their Laplace scale. The second
    head reads the encoding without teaching the encoder, so the labels are the same with it and
    without.
    """

    def __init__(self, network: Network, input_shape: Sequence[int], n_controls: int) -> None:
        """Build the extractor. input_shape: of one clip's features."""
        super().__init__()
        self.encoder = network.encoder(input_shape, n_controls)
        self.n_features = int(self.encoder.n_features)  # type: ignore[arg-type]
        self.head = network.head(self.n_features, n_controls)
        self.scale = nn.Linear(self.n_features, n_controls)
        self.register_load_state_dict_pre_hook(_rename_older_weights)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return the labels of clips.

        features: [batch, channels, ...] -> [batch, n_controls], meant for 0..1 but not held to it.
        """
        return self.head(self.encoder(features))

    def read(self, features: torch.Tensor) -> Reading:
        """Return encodings, labels and the scales of the labels. features: [batch, channels,
        ...]."""
        encoded = self.encoder(features)
        # Bounded, so that no clip that is far from all that was learnt from gives an endless
        # interval.
        scale = torch.exp(self.scale(encoded.detach()).clamp(-9.0, 1.0))
        if self.training and isinstance(self.head, Averaging):
            each = self.head.each(encoded)
            return Reading(encoded, each.mean(dim=1), scale, each)
        labels = self.head(encoded)
        return Reading(encoded, labels, scale, labels.unsqueeze(1))


def _rename_older_weights(
    _module: nn.Module, weights: dict[str, Any], prefix: str, *_: Any
) -> None:
    """Rename the weights of the scale, which was called "spread" in older model folders."""
    for name in ("weight", "bias"):
        older = f"{prefix}spread.{name}"
        if older in weights:
            weights[f"{prefix}scale.{name}"] = weights.pop(older)


def fused(extractor: Extractor) -> Extractor:
    """Return a copy for labelling, in which each convolution is merged with the batch normalisation
    after it."""
    extractor = copy.deepcopy(extractor).eval()
    for module in extractor.modules():
        if isinstance(module, nn.Sequential):
            for index, (layer, following) in enumerate(itertools.pairwise(list(module))):
                if isinstance(layer, nn.Conv1d | nn.Conv2d) and isinstance(following, _BatchNorm):
                    module[index] = fuse_conv_bn_eval(layer, following)
                    module[index + 1] = (
                        MaxPoolByTwo() if isinstance(following, NormThenPool) else nn.Identity()
                    )
    return extractor.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def make_classifier(n_layers: int, negative_slope: float, n_features: int) -> nn.Sequential:
    """Return a fully connected network from [batch, n_features] to [batch, 1], the logit of "this
    is real".

    Each layer halves the size; the last ends at one.
    """
    sizes = [max(1, n_features // 2**index) for index in range(n_layers)]
    layers: list[nn.Module] = []
    for size, new_size in zip(sizes, [*sizes[1:], 1], strict=True):
        layers += [nn.Linear(size, new_size), nn.LeakyReLU(negative_slope)]
    return nn.Sequential(*layers[:-1])
