"""Random numbers and random filter responses for the augmentation of batches."""

import functools
import math
from concurrent.futures import ThreadPoolExecutor

import torch


def uniform(low: float, high: float, clips: torch.Tensor) -> torch.Tensor:
    """Return a uniform draw for each of `clips` [batch, samples], on their device.

    -> [batch, 1]
    """
    return torch.empty(len(clips), 1, device=clips.device).uniform_(low, high)


def log_uniform(low: float, high: float, clips: torch.Tensor) -> torch.Tensor:
    """Return a log-uniform draw for each clip: equal ratios are equally likely.

    -> [batch, 1], as `uniform`.
    """
    return uniform(math.log(low), math.log(high), clips).exp()


def happens(chance: float, clips: torch.Tensor) -> torch.Tensor:
    """Return 1 with probability `chance`, else 0, for each clip.

    -> [batch, 1]
    """
    return (uniform(0.0, 1.0, clips) < chance).float()


def from_db(decibels: torch.Tensor) -> torch.Tensor:
    """Return the gain for a level in dB, held at -120 dB or above."""
    return torch.exp(decibels.clamp(min=-120.0) * (math.log(10) / 20))


class Pitches:
    """A grid of frequencies, sixteen to an octave, on which smooth responses are drawn and then
    interpolated to the bins of a spectrum."""

    _LOWEST_HZ = 30.0
    _PER_OCTAVE = 16

    def __init__(self, clips: torch.Tensor, sample_rate: int) -> None:
        """Make the grid for these clips. clips: [batch, samples]."""
        self._clips = clips
        self._shares = _shares(clips.shape[-1], sample_rate, self._LOWEST_HZ, self._PER_OCTAVE).to(
            clips.device
        )
        steps = torch.arange(self._shares.shape[0], device=clips.device)
        self.octaves = steps / self._PER_OCTAVE + math.log2(self._LOWEST_HZ / 1000)
        """[pitches], octaves from 1 kHz."""

    def gain(self, decibels: torch.Tensor) -> torch.Tensor:
        """Return the gain at each frequency of a real FFT.

        decibels: [batch, pitches] -> [batch, samples // 2 + 1].
        """
        return from_db(decibels) @ self._shares

    def gain_at(self, decibels: torch.Tensor, frequency_hz: torch.Tensor) -> torch.Tensor:
        """Return the gain at any frequencies.

        decibels: [batch, pitches]. frequency_hz: [frequencies] -> [batch, frequencies].
        """
        place = torch.log2(frequency_hz.clamp(min=self._LOWEST_HZ) / self._LOWEST_HZ)
        place = (place * self._PER_OCTAVE).clamp(max=decibels.shape[1] - 1.001)
        left = place.long()
        gain = from_db(decibels)
        return torch.lerp(gain[:, left], gain[:, left + 1], place - left)

    def equaliser_db(self, tilt_db_per_octave: float, bumps_db: float) -> torch.Tensor:
        """Return random equaliser curves: a slope, and bumps.

        -> [batch, pitches]: a slope of up to `tilt_db_per_octave` either way, and a Gaussian value
        with a standard deviation of up to `bumps_db` at every octave, with smooth steps between.
        """
        response = uniform(-tilt_db_per_octave, tilt_db_per_octave, self._clips) * self.octaves
        if bumps_db:
            place = self.octaves - self.octaves[0]
            left = place.floor().long()
            share = place - left
            share = share * share * (3 - 2 * share)
            knots = torch.randn(len(self._clips), int(left.max()) + 2, device=self._clips.device)
            knots = knots * bumps_db * uniform(0.0, 1.0, self._clips)
            response = response + torch.lerp(knots[:, left], knots[:, left + 1], share)
        return response

    def band_limits_db(
        self, chance: float, low_pass_hz: tuple[float, float], high_pass_hz: tuple[float, float]
    ) -> torch.Tensor:
        """Return random band limits, like those of microphones, codecs and low sample rates.

        -> [batch, pitches]: 0 dB, falling beyond a highest and a lowest frequency, each with
        probability `chance`: 12 to 72 dB an octave above, 6 to 24 dB an octave below.
        """
        clips = self._clips
        top, bottom = (
            torch.log2(log_uniform(*limit, clips) / 1000.0) for limit in (low_pass_hz, high_pass_hz)
        )
        above = (
            happens(chance, clips)
            * uniform(12.0, 72.0, clips)
            * (self.octaves - top).clamp(min=0.0)
        )
        below = (
            happens(chance, clips)
            * uniform(6.0, 24.0, clips)
            * (bottom - self.octaves).clamp(min=0.0)
        )
        return -above - below

    def corners_db(self, chance: float) -> torch.Tensor:
        """Return random shelves with soft knees.

        -> [batch, pitches]: a rise below one frequency and a fall above another, each with
        probability `chance`, 1 to 12 dB an octave.
        """
        clips = self._clips
        below = torch.log2(log_uniform(80.0, 7000.0, clips) / 1000.0) - self.octaves
        above = self.octaves - torch.log2(log_uniform(150.0, 14000.0, clips) / 1000.0)
        knee = uniform(0.1, 1.0, clips)
        response = torch.zeros_like(below)
        for side in (below, above):
            slope = happens(chance, clips) * uniform(1.0, 12.0, clips)
            response = response - slope * knee * torch.nn.functional.softplus(side / knee)
        return response

    def towards_pink_db(self, spectrum: torch.Tensor) -> torch.Tensor:
        """Return the response that would give each half octave the same power.

        spectrum: [batch, samples // 2 + 1] complex -> [batch, pitches]; at most 45 dB more than the
        loudest.
        """
        power = (spectrum.real.square() + spectrum.imag.square()) @ self._shares.T
        width = self._PER_OCTAVE // 2 + 1
        power = torch.nn.functional.avg_pool1d(
            power[:, None], width, 1, width // 2, count_include_pad=False
        )[:, 0]
        decibels = 10 * torch.log10(power.clamp(min=1e-20))
        return (decibels.amax(dim=1, keepdim=True) - decibels).clamp(max=45.0)


def white_spectrum(clips: torch.Tensor) -> torch.Tensor:
    """Return the spectrum of white Gaussian noise, drawn in the frequency domain, where it is white
    too.

    -> [batch, samples // 2 + 1] complex
    """
    spectrum = torch.empty(len(clips), clips.shape[-1] // 2 + 1, 2, device=clips.device)
    if clips.device.type == "cpu":
        _fill_with_noise(spectrum)
    else:
        spectrum.normal_()
    return torch.view_as_complex(spectrum)


_N_PARTS = 2


def _fill_with_noise(numbers: torch.Tensor) -> None:
    """Fill `numbers` with Gaussian noise, in two threads where torch uses one.

    There are always two generators, so that the numbers do not depend on the number of cores.
    """
    parts = numbers.chunk(_N_PARTS)
    seeds = torch.randint(2**62, (_N_PARTS,)).tolist()
    is_inference = torch.is_inference_mode_enabled()  # each thread has a mode of its own

    def fill(part: torch.Tensor, seed: int) -> None:
        with torch.inference_mode(is_inference):
            part.normal_(generator=torch.Generator().manual_seed(seed))

    if torch.get_num_threads() == 1:
        for part, seed in zip(parts, seeds, strict=False):  # of a single clip there is one part
            fill(part, seed)
    else:
        with ThreadPoolExecutor(len(parts)) as threads:
            list(threads.map(fill, parts, seeds))


def peak_of_white_noise(clips: torch.Tensor) -> torch.Tensor:
    """Return a random peak of white noise as long as the clips, in standard deviations.

    -> [batch, 1]: the largest of as many Gaussian values as `clips` [batch, samples] have.
    """
    # The probability that all of them are smaller is uniform.
    share = torch.rand(len(clips), 1, dtype=torch.float64, device=clips.device) ** (
        1 / clips.shape[-1]
    )
    return (math.sqrt(2) * torch.erfinv(share)).to(clips.dtype)


@functools.lru_cache(maxsize=4)
def _shares(n_samples: int, sample_rate: int, lowest_hz: float, per_octave: int) -> torch.Tensor:
    """Return the weights that interpolate values at pitches to the frequencies of a real FFT.

    -> [pitches, n_samples // 2 + 1]
    """
    frequency_hz = torch.fft.rfftfreq(n_samples, 1 / sample_rate)
    place = torch.log2(frequency_hz.clamp(min=lowest_hz) / lowest_hz) * per_octave
    pitches = torch.arange(int(place.max()) + 2)
    return (1 - (place - pitches[:, None]).abs()).clamp(min=0)
