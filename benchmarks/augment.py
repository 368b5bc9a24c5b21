"""How near is a continued spectrum to the real one, and what do size and density change in an
augmented set? python benchmarks/augment.py FOLDER_OF_RECORDINGS [AUGMENTED_FOLDER ...]

Of each recording, low-passed an octave below the end of its spectrum and continued: the level of
the continued octave less that of the real one, in dB, and without continuing; the correlation of
the levels of both over time (in dB, each 12 ms), beside that of the real octave with the real one
below. Of each augmented folder: how far its clips' mean log-frequency moves over the range of size,
in octaves, below the frequency at which all are comparable and up to 20 kHz, with the rank
correlation; by what factor the relative variance of their envelope changes over the range of
density; and how far the mean log-frequency moves by density. Prints two Markdown tables.
"""

import sys
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from conditioned_synthesis.augmentation.band import band_end_hz, continued, without_highs
from texturelib.audio import mix_down, read_mono
from texturelib.dataset import Dataset, read_dataset
from texturelib.sound_files import find_audio

RATE, N_FFT, HOP = 44100, 2048, 512
HIGHEST_HZ = 20000.0
N_CLIPS = 5  # of a second, evenly spaced in each recording


def main() -> None:
    recordings, *augmented = (Path(word) for word in sys.argv[1:])
    print(
        "| recording | ends at, Hz | level, dB | not continued, dB | fluctuations | octave below |"
    )
    print("|---|--:|--:|--:|--:|--:|")
    for path in find_audio(recordings):
        print(f"| {path.stem} | {' | '.join(continued_row(read_mono(path, RATE)))} |")
    if augmented:
        print(
            "\n| set | size below | size in all | size, rho | density, variance x | density on frequency |"
        )
        print("|---|--:|--:|--:|--:|--:|")
    for folder in augmented:
        dataset = read_dataset(folder)
        name = Path(dataset.metadata["source"].iloc[0]).stem
        print(f"| {name} | {' | '.join(controls_row(dataset))} |")


def continued_row(recording: np.ndarray) -> list[str]:
    starts = np.linspace(0, len(recording) - RATE, N_CLIPS).astype(int)
    clips = [recording[start : start + RATE] for start in starts]
    end = band_end_hz(clips, RATE)
    half = min(end, HIGHEST_HZ) / 2
    rows = []
    for clip in clips:
        window = np.minimum(1, 50 * np.hanning(len(clip)))[:, None]
        low = without_highs(clip[:, None] * window, RATE, half)
        made = continued(low, RATE, 0.95 * half)[:, 0]
        above = (1.02 * half, 1.9 * half)
        real, ours, none = (levels_db(each, *above) for each in (clip, made, low[:, 0]))
        below = levels_db(clip, 0.5 * half, 0.95 * half)
        rows.append(
            (
                mean_db(ours) - mean_db(real),
                mean_db(none) - mean_db(real),
                np.corrcoef(ours, real)[0, 1],
                np.corrcoef(below, real)[0, 1],
            )
        )
    level, without, fluctuations, octave_below = np.mean(rows, axis=0)
    return [
        f"{end:.0f}",
        f"{level:+.1f}",
        f"{without:+.0f}",
        f"{fluctuations:.2f}",
        f"{octave_below:.2f}",
    ]


def levels_db(samples: np.ndarray, low_hz: float, high_hz: float) -> np.ndarray:
    """Return the level in a band over time, [frames]."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, N_FFT)[::HOP] * np.hanning(N_FFT)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    band = slice(int(low_hz / RATE * N_FFT), int(high_hz / RATE * N_FFT))
    return 10 * np.log10(power[:, band].sum(axis=1) + 1e-12)


def mean_db(levels: np.ndarray) -> float:
    return float(10 * np.log10((10 ** (levels / 10)).mean()))


def controls_row(dataset: Dataset) -> list[str]:
    clips = [mix_down(dataset.clip(index)) for index in range(len(dataset))]
    slow_down = dataset.metadata["slow_down"].to_numpy()
    comparable_hz = dataset.description["comparable_below_hz"]
    below, all_of_it = (
        np.array([mean_octave(clip, dataset.sample_rate, top) for clip in clips])
        for top in (comparable_hz, HIGHEST_HZ)
    )
    variance = np.array(
        [
            log_variance(clip, dataset.sample_rate, k)
            for clip, k in zip(clips, slow_down, strict=True)
        ]
    )
    size, density = dataset.control_values().T.astype(float)
    causes = np.column_stack([np.ones(len(clips)), size, density])
    of_below, of_all, of_variance = (
        np.linalg.lstsq(causes, measured, rcond=None)[0]
        for measured in (below, all_of_it, variance)
    )
    rho = spearmanr(size, all_of_it - of_all[2] * density).statistic  # type: ignore[attr-defined]
    return [
        f"{of_below[1]:+.2f}",
        f"{of_all[1]:+.2f}",
        f"{rho:+.2f}",
        f"{np.exp(of_variance[2]):.2f}",
        f"{of_all[2]:+.2f}",
    ]


def mean_octave(clip: np.ndarray, sample_rate: int, highest_hz: float) -> float:
    """Return the power-weighted mean of the log-frequency, in octaves."""
    power = np.abs(np.fft.rfft(clip * np.hanning(len(clip)))) ** 2
    frequency = np.fft.rfftfreq(len(clip), 1 / sample_rate)
    band = (frequency > 60) & (frequency < highest_hz)
    return float((np.log2(frequency[band]) * power[band]).sum() / power[band].sum())


def log_variance(clip: np.ndarray, sample_rate: int, slow_down: float) -> float:
    """Return the logarithm of the relative variance of the power in 0.3 to 6 kHz and in 20 ms of
    the recording: slowed down, lower and longer by as much."""
    spectrum = np.fft.rfft(clip)
    frequency = np.fft.rfftfreq(len(clip), 1 / sample_rate) * slow_down
    spectrum[(frequency < 300) | (frequency > 6000)] = 0
    band = np.fft.irfft(spectrum, len(clip))
    width = max(1, round(0.02 * slow_down * sample_rate))
    power = (band[: len(band) // width * width].reshape(-1, width) ** 2).mean(axis=1)
    return float(np.log(power.var() / power.mean() ** 2))


if __name__ == "__main__":
    main()
