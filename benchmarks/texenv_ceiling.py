"""How real could TexEnv sound, if its network were perfect? python benchmarks/texenv_ceiling.py
[--references TEXTURES] [--recordings RECORDINGS] [--names sink,crowd]

Envelopes are measured in each texture, and put on carriers that know nothing of them, in place of
what a network makes: so what is missing here, no training can bring. Carriers: bands of noise;
noise with the texture's fine spectrum ("rings"); the texture's own fine structure, each band from
another moment ("recorded"), which is no option of TexEnv. Textures, measures and judges are those of
benchmarks/realism.py; of a recording the part that is compared. Prints Markdown.
"""

import argparse
from functools import partial
from pathlib import Path

import numpy as np
import torch
from realism import Judges, Row, Texture, textures
from scipy.signal import oaconvolve

from conditioned_synthesis.dsp.filterbank import Bands
from conditioned_synthesis.dsp.noise_bands import Carriers, put_on

LOW_HZ, FINE_HZ, SEED = 30.0, 8.0, 0
SHAPES = ((32, 250.0), (32, 1000.0), (64, 250.0), (128, 250.0))
MOST_SECONDS = 8.0


def analytic(sound: np.ndarray, bands: Bands, rate: int) -> np.ndarray:
    """-> [bands, samples] complex, each band and its Hilbert transform."""
    spectrum = np.fft.rfft(sound)
    hz = torch.from_numpy(np.fft.rfftfreq(len(sound), 1 / rate))
    both = np.zeros((bands.n_bands, len(sound)), dtype=complex)
    both[:, : len(spectrum)] = 2 * spectrum * bands.responses(hz).numpy()
    return np.fft.ifft(both, axis=1)


def envelopes(of_bands: np.ndarray, hop: int) -> np.ndarray:
    """-> [bands, frames], root mean squares over two hops."""
    window = np.hanning(2 * hop + 1)[1:-1]
    power = oaconvolve(np.abs(of_bands) ** 2 / 2, window[None] / window.sum(), "same", axes=1)
    return np.sqrt(np.maximum(power[:, ::hop], 0))


def recorded(of_bands: np.ndarray, rate: int, hop: int, rng: np.random.Generator) -> np.ndarray:
    """-> [bands, samples], the fine structure, its slow envelope divided out, turned by another time
    in each band."""
    n = of_bands.shape[1]
    hz, highest_hz = np.fft.rfftfreq(n, 1 / rate), rate / hop / 2
    lowpass = np.where(hz < highest_hz, np.cos(np.pi / 2 * np.minimum(hz / highest_hz, 1)), 0)
    whole = np.abs(of_bands)
    slow = np.fft.irfft(np.fft.rfft(whole, axis=1) * lowpass, n, axis=1)
    loops = of_bands.real / np.maximum(slow, 0.05 * whole.mean(1, keepdims=True))
    loops /= np.sqrt(np.mean(loops**2, axis=1, keepdims=True))
    return np.stack([np.roll(loop, rng.integers(n)) for loop in loops])


def fine_spectrum(sound: np.ndarray, rate: int) -> tuple[float, ...]:
    """-> mean amplitudes, as TexEnv measures them."""
    n_fft = 2 * round(rate / FINE_HZ / 2)
    window = torch.hann_window(n_fft)
    spectra = torch.stft(
        torch.from_numpy(sound), n_fft, n_fft // 2, window=window, center=False, return_complex=True
    )
    power = spectra.abs().square().mean(1)
    return tuple((power / power.max() + 1e-10).sqrt().tolist())


def rows_of(texture: Texture) -> dict[tuple[str, int, float], Row]:
    rate = texture.sample_rate
    sound = texture.compared[: round(MOST_SECONDS * rate)]
    judges = Judges(Texture(texture.name, rate, sound, sound))
    spectrum = fine_spectrum(sound, rate)
    found = {}
    for n_bands, envelope_hz in SHAPES:
        hop = 8 * round(rate / envelope_hz / 8)
        bands, rng = Bands(rate, n_bands, LOW_HZ), np.random.default_rng(SEED)
        of_bands = analytic(sound, bands, rate)
        measured = torch.from_numpy(envelopes(of_bands, hop).T[None].astype(np.float32))
        n_samples = (measured.shape[1] - 1) * hop
        starts = torch.from_numpy(rng.integers(2**31, size=(1, n_bands)))
        drawn = partial(Carriers.draw, starts=starts, n_samples=n_samples)
        carriers = {
            "noise": drawn(Carriers(bands, rate, envelope_hz)),
            "rings": drawn(Carriers(bands, rate, envelope_hz, spectrum=spectrum)),
            "recorded": torch.from_numpy(
                recorded(of_bands, rate, hop, rng)[None, :, :n_samples].astype(np.float32)
            ),
        }
        for kind, each in carriers.items():
            found[kind, n_bands, envelope_hz] = judges.row(put_on(measured, each)[0].numpy())
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--references", type=Path)
    parser.add_argument("--recordings", type=Path)
    parser.add_argument("--names")
    options = parser.parse_args()
    torch.set_num_threads(1)
    found = textures(options.references, options.recordings)
    if options.names:
        wanted = options.names.split(",")
        found = [each for each in found if each.name.split(",")[0] in wanted]
    print(
        "| texture | carriers | bands | points/s | distance | patches | random features | copying |"
    )
    print("|---|---|--:|--:|--:|--:|--:|--:|")
    for texture in found:
        for (kind, n_bands, envelope_hz), row in rows_of(texture).items():
            print(
                f"| {texture.name} | {kind} | {n_bands} | {envelope_hz:g} | {row.distance:.2f} "
                f"| {row.patches:.0f} | {row.random_features:.0f} | {row.copying:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
