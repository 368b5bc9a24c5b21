"""Losses between sounds, of which a synthesiser may add up several."""

from conditioned_synthesis.losses._base import Loss, losses

__all__ = ["Loss", "losses"]
