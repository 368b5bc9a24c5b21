"""The coherence of two channels, band by band."""

import torch

from conditioned_synthesis.dsp.filterbank import Bands

_LEAST_POWER = 1e-10  # of a product of amplitudes, below which two channels have no coherence


def coherences(sounds: torch.Tensor, bands: Bands, sample_rate: int) -> torch.Tensor:
    """Return how alike the fine structure of two channels is in each band: 1 alike, 0 unrelated,
    -1 of opposite sign.

    It is the correlation of the channels' analytic signals over the mean product of their
    envelopes. So it says how the noise must be related that has these envelopes put on.

    sounds: [batch, samples, 2] -> [bands].
    """
    n_samples = sounds.shape[1]
    spectra = torch.fft.rfft(sounds.double(), dim=1, norm="forward")
    bins_hz = torch.arange(spectra.shape[1], dtype=torch.float64) * sample_rate / n_samples
    found = []
    for response in bands.responses(bins_hz):
        inside = torch.nonzero(response)[:, 0]
        if not len(inside):
            found.append(torch.zeros((), dtype=torch.float64))
            continue
        part = slice(int(inside[0]), int(inside[-1]) + 1)
        # The band shifted down to 0 Hz, which changes neither envelopes nor the relation.
        left, right = torch.fft.ifft(
            spectra[:, part] * response[part, None],
            n=2 * (part.stop - part.start),
            dim=1,
            norm="forward",
        ).unbind(-1)
        envelopes = (left.abs() * right.abs()).mean()
        alike = (left * right.conj()).real.mean() / envelopes.clamp_min(_LEAST_POWER)
        found.append(alike)
    return torch.stack(found).float()
