"""Make a portable instrument of any kind."""

from conditioned_synthesis.instrument.instrument import Instrument
from conditioned_synthesis.portable.instrument_file import PortableInstrument, Precision
from conditioned_synthesis.portable.texenv_file import portable_texenv
from conditioned_synthesis.synthesisers.texenv.network import TexEnvNetwork
from texturelib.errors import UsageError


def is_portable(instrument: Instrument) -> bool:
    """Return whether other players can play the instrument."""
    network = instrument.network
    return isinstance(network, TexEnvNetwork) and network.spectrum is None


def portable_of(instrument: Instrument, precision: Precision) -> PortableInstrument:
    """Return the instrument for other players.

    precision: of its weights. Errors: UsageError when no other player can play it.
    """
    if is_portable(instrument):
        return portable_texenv(instrument, precision)
    if isinstance(instrument.network, TexEnvNetwork):
        raise UsageError(
            '--model: a "texenv" with "rings": true plays here and as ONNX only; train one without'
        )
    raise UsageError(
        f'--model: a "{instrument.spec.synthesiser.type}" plays in this toolkit only; a "texenv" can be exported'  # type: ignore[attr-defined]
    )
