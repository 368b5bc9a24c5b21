"""TexEnv: filtered noise with learned envelopes."""

from conditioned_synthesis.synthesisers.texenv.settings import TexEnv

__all__ = ["TexEnv"]
