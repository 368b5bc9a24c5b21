"""An instrument of `grains` as a portable one."""

from typing import cast

import numpy as np
import soundfile

from conditioned_synthesis.instrument.instrument import Instrument
from conditioned_synthesis.portable.instrument_file import PortableInstrument, Quality
from conditioned_synthesis.portable.recordings import from_flac, to_flac
from conditioned_synthesis.portable.sliders import slider_header
from conditioned_synthesis.synthesisers.grains.network import GrainsNetwork
from conditioned_synthesis.synthesisers.grains.sizes import Sizes
from texturelib.errors import TextureError, UsageError

_MOMENTS = ("begins", "speeds", "recorded")


def portable_grains(instrument: Instrument, quality: Quality) -> PortableInstrument:
    """Return the header, the recordings, and what is known of the units in them."""
    network = cast("GrainsNetwork", instrument.network)
    found = {name: each.cpu().numpy() for name, each in network.named_buffers()}
    sounds, n_controls = found["sounds"], len(found["shapes"])
    if not len(sounds):
        raise UsageError("--model: it holds no recordings, so there is nothing to play")
    header = {
        "type": "grains",
        "sample_rate": network.sample_rate,
        "channels": sounds.shape[1],
        "clips": len(sounds),
        "sizes": network.sizes._asdict(),
        "laws": {name: found[name].tolist() for name in ("shapes", "exponents")},
        "moments": {name: found[name].tolist() for name in _MOMENTS},
        **slider_header(instrument),
    }
    in_a_row = sounds.transpose(0, 2, 1).reshape(-1, sounds.shape[1])
    return PortableInstrument(
        header,
        {
            "sounds": to_flac(in_a_row, network.sample_rate, quality),
            "places": found["places"].reshape(-1, n_controls),
            "spectra": found["spectra"].reshape(-1, found["spectra"].shape[-1]),
        },
    )


def network_of(portable: PortableInstrument) -> GrainsNetwork:
    """Return the network of a portable instrument, filled. Errors: TextureError."""
    header, tensors = portable.header, portable.tensors
    try:
        n_clips, n_channels = int(header["clips"]), int(header["channels"])
        sizes = Sizes(**header["sizes"])
        numbers = {
            key: np.array(each, dtype=np.float64)
            for part in ("laws", "moments")
            for key, each in header[part].items()
        }
        n_controls = len(header["sliders"])
        network = GrainsNetwork(n_controls, header["sample_rate"], n_channels, sizes)
        sounds = from_flac(tensors["sounds"]).reshape(n_clips, -1, n_channels).transpose(0, 2, 1)
        network.fill(
            {
                "sounds": np.ascontiguousarray(sounds),
                "places": tensors["places"].reshape(n_clips, -1, n_controls).copy(),
                "spectra": tensors["spectra"]
                .reshape(n_clips, -1, tensors["spectra"].shape[-1])
                .copy(),
                **numbers,
            }
        )
    except (KeyError, TypeError, ValueError, RuntimeError, soundfile.LibsndfileError) as error:
        reason = " ".join(str(error).split())[:200]
        raise TextureError(f"the instrument's parts do not fit together ({reason})") from None
    return network
