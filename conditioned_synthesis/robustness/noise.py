"""Noise on one representation of clips."""

from collections.abc import Iterator, Sequence

import torch

from conditioned_synthesis.representations.transforms.base import Transform

ALL = "all"
"""Name of all channels of a representation together."""


def parts_of(transform: Transform) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield what noise is put on, by name: all channels, and where there are several, each by
    itself."""
    n_parts = len(transform.parts)
    yield ALL, tuple(range(n_parts))
    if n_parts > 1:
        for index, name in enumerate(transform.parts):
            yield name, (index,)


@torch.no_grad()
def with_noise(
    transform: Transform,
    audio: torch.Tensor,
    channels: Sequence[int],
    snr_db: float,
    generator: torch.Generator,
) -> torch.Tensor:
    """Return sounds whose normalised values have white noise on some channels.

    Args:
        transform: the representation, which has learnt its normalisation.
        audio: clips.
        channels: those that have noise.
        snr_db: by how much the power of each of these channels is above that of its noise.
        generator: of the noise.

    Shape:
        audio: [batch, samples] -> the same
    """
    values = transform(audio)
    for channel in channels:
        own = values[:, channel]
        axes = tuple(range(1, own.ndim))
        level = own.square().mean(axes, keepdim=True).sqrt() * 10 ** (-snr_db / 20)
        values[:, channel] = own + level * torch.randn(own.shape, generator=generator)
    return transform.inverse(values)[:, : audio.shape[1]]
