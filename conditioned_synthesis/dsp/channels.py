"""Channels of sounds as sounds of their own."""

import torch


def by_channel(audio: torch.Tensor) -> torch.Tensor:
    """Return the channels of sounds as sounds of their own.

    audio: [batch, samples] or [batch, samples, channels] -> [batch * channels, samples].
    """
    return audio if audio.ndim == 2 else audio.movedim(2, 1).flatten(0, 1)
