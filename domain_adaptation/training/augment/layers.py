"""Layers: several moments of a recording at once, whose labels the mixing law says."""

import torch


def layered(clips: torch.Tensor, n_layers: int) -> torch.Tensor:
    """Return sums of `n_layers` of the clips of one recording, each begun at a moment of its own.

    clips: [clips, samples], of equal loudness -> the same shape; the first of each sum is the clip
    itself. The same at every call.
    """
    generator = torch.Generator().manual_seed(n_layers)
    added = clips.clone()
    for layer in range(1, n_layers):
        step = 1 + layer % max(1, len(clips) - 1)  # another clip than its own
        start = int(torch.randint(clips.shape[1], (1,), generator=generator))
        added += clips.roll((step, start), dims=(0, 1))
    return added


def equally_loud(clips: torch.Tensor) -> torch.Tensor:
    """Return the clips with a root mean square of 1. clips: [clips, samples] -> the same shape."""
    return clips / clips.square().mean(dim=1, keepdim=True).sqrt().clamp(min=1e-9)
