"""A `texenv` instrument as a portable one."""

from functools import partial
from typing import TYPE_CHECKING, cast

import numpy as np

from conditioned_synthesis.dsp.noise_bands import as_coherent
from conditioned_synthesis.instrument.instrument import Instrument
from conditioned_synthesis.portable.instrument_file import PortableInstrument, Precision
from conditioned_synthesis.portable.noise_loops import loop_lengths, noise_loop
from conditioned_synthesis.portable.sliders import slider_header
from conditioned_synthesis.synthesisers.texenv.network import REACH_NEPERS, TexEnvNetwork

if TYPE_CHECKING:
    import torch

_LOOP_SECONDS = 3.0
_MOST_LOOPS = 32  # of that length; more bands have shorter ones, for memory's sake


def portable_texenv(instrument: Instrument, precision: Precision) -> PortableInstrument:
    """Return the header and the weights. precision: of the weights."""
    network = cast("TexEnvNetwork", instrument.network)
    spec = instrument.spec
    header = {
        "type": "texenv",
        "sample_rate": spec.sample_rate,
        "channels": network.n_channels,
        "hop": network.hop,
        "bands": {
            "n": network.bands.n_bands,
            "first_erb": network.bands.first_erb,
            "step_erb": network.bands.step_erb,
            **(
                {} if network.coherences is None else {"angles": _angles(network, spec.sample_rate)}
            ),
        },
        "loop_seconds": _LOOP_SECONDS * min(1.0, _MOST_LOOPS / network.bands.n_bands),
        "n_noises": network.n_noises,
        "n_layers": len(network.layers),
        "reach_nepers": REACH_NEPERS,
        **slider_header(instrument),
    }
    state = network.state_dict()
    names = [
        name
        for name in state
        if name.startswith(("conditions.", "enter.", "layers.", "leave.", "levels."))
    ]
    tensors = {name: state[name].numpy().astype(precision) for name in names}
    # The mean levels run over 10 nepers: half a float would be off by 0.03 dB.
    return PortableInstrument(
        header, {"mean_levels": state["mean_levels"].numpy().astype(np.float32), **tensors}
    )


def _angles(network: TexEnvNetwork, rate: int) -> list[float]:
    """Return for each band the angle at which its two loops are as alike as the network's channels
    are."""
    bands, slow_hz = network.bands, rate / network.hop / 2
    [length] = loop_lengths(1, _LOOP_SECONDS / 2, rate)
    angles = []
    for band, wanted in enumerate(cast("torch.Tensor", network.coherences).tolist()):
        centre = bands.first_erb + band * bands.step_erb
        loop = partial(noise_loop, band, centre, bands.step_erb, length, rate, slow_hz)
        angle, _, _ = as_coherent(lambda each, loop=loop: (loop(each), loop(-each)), wanted)
        angles.append(round(float(angle), 4))
    return angles
