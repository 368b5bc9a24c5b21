"""Augmentation by mixing: two clips of one texture at once, whose controls are known."""

from collections.abc import Sequence

import numpy as np
import torch

from domain_adaptation.training.augment.slow_down import looped
from domain_adaptation.training.clips import Rows
from texturelib.controls import Control


class Mixing:
    """Adds to clips others that differ from them only in controls that add up, as rates of bubbles
    do.

    On a grid of controls, ten clips of different rates give forty-five more that no one has
    rendered.
    """

    def __init__(
        self,
        share: float,
        clips: Rows,
        truth: np.ndarray,
        peak_db: np.ndarray,
        rows: np.ndarray,
        controls: Sequence[Control],
    ) -> None:
        """Prepare the mixing. share: of a batch. clips: [any, samples] int16, each one's peak at
        full scale. truth: [any, controls]. peak_db: [any], of each clip as the engine made it.
        rows: those that may be added.

        Errors: ValueError when some control neither adds up nor stays when sounds are mixed, or no
        two clips go together.
        """
        for control in controls:
            if control.laws.get("mixing") not in (0, 1):
                raise ValueError(f"the engine does not say how {control.name} moves then")
        self._share = share
        self._clips = clips
        self._truth = truth
        self._level = (10 ** (peak_db / 20)).astype(np.float32)
        self._controls = controls
        stays = [index for index, control in enumerate(controls) if control.laws["mixing"] == 0]
        _, kind = np.unique(truth[:, stays].round(6), axis=0, return_inverse=True)
        self._kind = kind.reshape(-1)
        # Clips of a kind lie together.
        self._rows = rows[np.argsort(self._kind[rows], kind="stable")]
        kinds = np.arange(self._kind.max() + 1)
        self._first = np.searchsorted(self._kind[self._rows], kinds)
        self._count = np.searchsorted(self._kind[self._rows], kinds, side="right") - self._first
        if self._count.max() < 2:
            raise ValueError(
                "no two clips have the same "
                + " and ".join(controls[index].name for index in stays)
            )

    def __call__(
        self, clips: torch.Tensor, truth: torch.Tensor, rows: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return the clips with others added to some of them.

        clips: [batch, samples] float. truth: [batch, controls]. rows: [batch], the indices of the
        clips.
        """
        places = (torch.rand(len(rows)) < self._share).nonzero()[:, 0]
        own = rows.cpu().numpy()[places.numpy()]
        kind = self._kind[own]
        drawn = (torch.rand(len(own)).numpy() * self._count[kind]).astype(int)
        others = self._rows[(self._first[kind] + drawn).clip(max=len(self._rows) - 1)]
        # The same sound twice would be but a louder one; and of a kind that has no clip, another
        # was drawn.
        fits = (others != own) & (self._kind[others] == kind)
        places, own, others = places[torch.from_numpy(fits)], own[fits], others[fits]
        clips, truth = clips.clone(), truth.clone()
        added = torch.from_numpy(self._clips[others]).to(clips)
        own_level, added_level = (
            torch.from_numpy(self._level[of]).to(clips)[:, None] for of in (own, others)
        )
        clips[places] = clips[places] * own_level + _begun_anywhere(added) * added_level
        truth[places] = torch.from_numpy(self._sums(self._truth[own], self._truth[others])).to(
            truth
        )
        return clips, truth, rows

    def _sums(self, own: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Return the controls of the mixed sounds, [clips, controls]."""
        sums = own.copy()
        for index, control in enumerate(self._controls):
            if control.laws["mixing"] == 1:
                factor = 1 + control.to_physical(others[:, index]) / control.to_physical(
                    own[:, index]
                )
                sums[:, index] = control.moved("mixing", factor, own[:, index])
        return sums


def _begun_anywhere(clips: torch.Tensor) -> torch.Tensor:
    """Return each clip rotated to start at a random moment: two clips then mix in ever new ways.

    clips: [batch, samples] -> the same shape.
    """
    n_samples = clips.shape[-1]
    twice = looped(clips, n_samples + 1)
    starts = torch.randint(twice.shape[-1] - n_samples + 1, (len(clips), 1))
    return twice.gather(1, (starts + torch.arange(n_samples)).to(clips.device))
