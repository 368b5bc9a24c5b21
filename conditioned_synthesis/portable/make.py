"""Portable instruments of any kind, and their players."""

from typing import Protocol

import numpy as np

from conditioned_synthesis.instrument.instrument import Instrument
from conditioned_synthesis.portable.grains_file import portable_grains
from conditioned_synthesis.portable.grains_player import PortableGrains
from conditioned_synthesis.portable.instrument_file import PortableInstrument, Precision, Quality
from conditioned_synthesis.portable.player import PortablePlayer
from conditioned_synthesis.portable.texenv_file import portable_texenv
from conditioned_synthesis.synthesisers.grains.network import GrainsNetwork
from conditioned_synthesis.synthesisers.texenv.network import TexEnvNetwork
from texturelib.errors import UsageError


def is_portable(instrument: Instrument) -> bool:
    """Return whether other players can play the instrument."""
    network = instrument.network
    if isinstance(network, GrainsNetwork):
        return network.sounds.shape[0] > 0
    return isinstance(network, TexEnvNetwork) and network.spectrum is None


def portable_of(
    instrument: Instrument, precision: Precision, quality: Quality = "high"
) -> PortableInstrument:
    """Return the instrument for other players.

    Args:
        precision: of the weights of a `texenv`.
        quality: of the recordings of `grains`.

    Errors: UsageError when no other player can play it.
    """
    if isinstance(instrument.network, GrainsNetwork):
        return portable_grains(instrument, quality)
    if is_portable(instrument):
        return portable_texenv(instrument, precision)
    if isinstance(instrument.network, TexEnvNetwork):
        raise UsageError(
            '--model: a "texenv" with "rings": true plays here and as ONNX only; train one without'
        )
    raise UsageError(
        f'--model: a "{instrument.spec.synthesiser.type}" plays in this toolkit only; a "texenv" and "grains" can '  # type: ignore[attr-defined]
        "be exported"
    )


class Plays(Protocol):
    """A player of a portable instrument."""

    def set(self, name: str, position: float) -> None: ...

    def render(self, n_samples: int) -> np.ndarray: ...


def player_of(portable: PortableInstrument, rate: float, seed: int = 0) -> Plays:
    """Return the player of a portable instrument, at so many samples per second. Errors: TextureError
    when its parts do not fit together."""
    if portable.header["type"] == "grains":
        return PortableGrains(portable, rate, seed)
    return PortablePlayer(portable, rate, seed)
