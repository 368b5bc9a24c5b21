"""Divide clips into those that are trained on and those that are held out."""

from dataclasses import dataclass

import numpy as np

from conditioned_synthesis.data.clips import TRAIN, Sounds


@dataclass(frozen=True)
class SplitSounds:
    """Sounds divided into training clips and held-out clips.

    Attributes:
        sounds: all clips, of one length, with their controls.
        train: rows of the training clips.
        held_out: rows of the clips that are not trained on.

    Shape:
        train: [n_train]
        held_out: [n_held_out]
    """

    sounds: Sounds
    train: np.ndarray
    held_out: np.ndarray

    def drawn(
        self, batch_size: int, n_samples: int, seed: list[int]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw training clips at random, each as often as any other as far as possible, and where
        in each of them to begin.

        Args:
            batch_size: number of clips.
            n_samples: number of samples of a clip that follow its beginning, at least.
            seed: the same one draws the same.

        Returns: rows of the sounds; the first sample in each.

        Shape:
            -> [batch_size], [batch_size]
        """
        rng = np.random.default_rng(seed)
        turns = -(-batch_size // len(self.train))
        rows = np.concatenate([rng.permutation(self.train) for _ in range(turns)])[:batch_size]
        return rows, rng.integers(0, self.sounds.n_samples - n_samples + 1, batch_size)


def split_sounds(sounds: Sounds, share: float, seed: int) -> SplitSounds:
    """Hold out the clips that the set itself does not give for training; where it does not say, a
    share of all, at least one.

    Args:
        sounds: the clips.
        share: 0..1, where it is drawn.
        seed: the same one and the same number of clips hold out the same ones.
    """
    if sounds.split is not None:
        is_train = np.array([part == TRAIN for part in sounds.split])
        return SplitSounds(sounds, np.flatnonzero(is_train), np.flatnonzero(~is_train))
    order = np.random.default_rng([seed, len(sounds)]).permutation(len(sounds))
    n_held_out = max(1, round(share * len(sounds)))
    return SplitSounds(sounds, np.sort(order[n_held_out:]), np.sort(order[:n_held_out]))
