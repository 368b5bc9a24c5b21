"""Does Grains join its units without a seam, how much does it copy, and how fast does it play?
python benchmarks/grains.py FOLDER_OF_RECORDINGS

Of each recording, at its own rate and channels, cut into clips of a second: three quarters of the
stretch are the units' clips, the last quarter stays apart. Prints two Markdown tables. Times are those of the
processor, on one core.

Joins, of a minute that is played: the level of crossfades against that of the two units in them;
the spectral flux (mean absolute change of band levels from one frame of 10 ms to the next, in dB) of
frames at joins against that of all frames of the recording; the greatest correlation of the
envelope with itself 0.1 to 4 s later, which would betray a beat of the joins, beside that of the
recording. Copying: the mean over snippets of half a second of the greatest correlation, in size, with any
place in the units' clips; beside it that of snippets of the last quarter. Distance: texture statistics of
played against held-out clips, beside that of the units' clips.
"""

import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from conditioned_synthesis.data.clips import Sounds
from conditioned_synthesis.data.split import SplitSounds
from conditioned_synthesis.dsp.texture_statistics import TextureStatistics
from conditioned_synthesis.instrument.automation import constant
from conditioned_synthesis.synthesisers.grains import Grains
from conditioned_synthesis.synthesisers.grains.network import GrainsNetwork
from conditioned_synthesis.synthesisers.grains.player import GrainsPlayer
from conditioned_synthesis.synthesisers.grains.sizes import TICK
from conditioned_synthesis.synthesisers.grains.state import FADED
from texturelib.audio import mix_down, read_header, read_sound, to_16_bit
from texturelib.controls import Control
from texturelib.learning.one_thread import one_thread
from texturelib.sound_files import find_audio

RATE, BLOCK = 48000, 2048
SECONDS, RUNS = 60.0, 3
CONTROLS = (
    Control("size", 0.5, 2.0, "x", "exponential", laws={"slow_down": 1, "mixing": 0, "gain": 0}),
    Control("density", 1.0, 8.0, "x", "exponential", laws={"slow_down": 0, "mixing": 1, "gain": 0}),
)
PLAIN = (Control("plain", 0.0, 1.0, ""),)  # one that no law moves: units stay as they are
SNIPPETS = 24


def cut(samples: np.ndarray, sample_rate: int, controls: tuple[Control, ...]) -> Sounds:
    """Clips of a second. The places of their controls are random, which costs what true ones do."""
    n_clips = len(samples) // sample_rate
    clips = samples[: n_clips * sample_rate].reshape(n_clips, sample_rate, *samples.shape[1:])
    places = np.random.default_rng(0).random((n_clips, len(controls)))
    lines = [[constant(float(each)) for each in row] for row in places]
    return Sounds(sample_rate, to_16_bit(clips.clip(-1, 1)), lines, controls)


def network_of(sounds: Sounds, settings: Grains) -> GrainsNetwork:
    network = settings.network(len(sounds.controls), sounds.sample_rate, sounds.n_channels)
    rows = np.arange(len(sounds))
    settings.training(network, SplitSounds(sounds, rows, rows[:1]), seed=0)
    return network


# Speed. ---------------------------------------------------------------------------------------------------------------


def times_real_time(network: GrainsNetwork, controls: np.ndarray, block: int) -> float:
    """-> the best of some runs."""
    seconds = []
    with one_thread():
        for seed in range(RUNS + 1):  # the first compiles
            player = network.player(seed)
            began = time.process_time()
            for start in range(0, len(controls), block):
                player.play(controls[start : start + block])
            seconds.append(time.process_time() - began)
    return len(controls) / RATE / min(seconds[1:])


def speeds() -> None:
    rng = np.random.default_rng(0)
    sounds = cut(rng.normal(0, 0.1, (300 * RATE, 2)).astype(np.float32), RATE, CONTROLS)
    n = round(SECONDS * RATE)
    held = np.full((n, 2), 0.5, np.float32)
    moving = np.stack([np.linspace(0, 1, n), np.linspace(1, 0, n)], axis=1).astype(np.float32)
    print("| 48 kHz, stereo, 300 clips | 60 s, times real time | in blocks of 2048 |")
    print("|---|--:|--:|")
    for name, settings, controls in (
        ("controls held", Grains(), held),
        ("two controls moving", Grains(), moving),
        ("two controls moving, one layer at most", Grains(most_layers=1), moving),
    ):
        network = network_of(sounds, settings)
        whole, blocks = (times_real_time(network, controls, size) for size in (n, BLOCK))
        print(f"| {name} | {whole:.0f} | {blocks:.0f} |", flush=True)


# Sound. ---------------------------------------------------------------------------------------------------------------


class Played(NamedTuple):
    """A sound. joins: the ticks in which a unit begins. dip: the level of crossfades over that of the
    two units in them, before they are faded, in dB."""

    sound: np.ndarray
    joins: np.ndarray
    dip: float


def played(player: GrainsPlayer, n_samples: int) -> Played:
    controls = np.full((TICK, len(PLAIN)), 0.5, np.float32)
    ticks, joins, of_fades, of_units = [], [], [], []
    state = player._state
    for tick in range(n_samples // TICK):
        before = player.n_grains
        is_fading = state.counts[FADED] < player._sizes.fade
        ticks.append(player.play(controls))
        if player.n_grains > before:
            joins.append(tick)
        elif is_fading:
            of_fades.append(np.mean(ticks[-1] ** 2))
            of_units.append(np.mean(state.buffer**2))
    dip = 10 * np.log10(np.mean(of_fades) / np.mean(of_units))
    return Played(np.concatenate(ticks), np.array(joins[1:]), float(dip))


def flux(mono: np.ndarray, sample_rate: int) -> np.ndarray:
    """-> [frames - 1], the mean change of 24 bands' levels from a frame of 10 ms to the next, in dB."""
    n = sample_rate // 100
    frames = mono[: len(mono) // n * n].reshape(-1, n) * np.hanning(n)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    ends = np.unique(np.geomspace(1, power.shape[1] - 1, 25).astype(int))
    levels = 10 * np.log10(np.add.reduceat(power, ends[:-1], axis=1) + 1e-9)
    return np.abs(np.diff(levels, axis=0)).mean(axis=1)


def beat(mono: np.ndarray, sample_rate: int) -> float:
    """-> the greatest autocorrelation of the envelope, at lags of 0.1 to 4 s."""
    n = sample_rate // 100
    envelope = np.sqrt((mono[: len(mono) // n * n].reshape(-1, n) ** 2).mean(axis=1))
    envelope = envelope - envelope.mean()
    spectrum = np.abs(np.fft.rfft(envelope, 2 * len(envelope))) ** 2
    again = np.fft.irfft(spectrum)[: len(envelope)]
    again = again / again[0] * len(envelope) / np.arange(len(envelope), 0, -1)
    return float(again[10:400].max())


def copying(mono: np.ndarray, source: np.ndarray, sample_rate: int) -> float:
    """-> the mean over snippets of the greatest correlation with any half second of the source."""
    n = sample_rate // 2
    size = 1 << (len(source) + n - 1).bit_length()
    spectrum = np.fft.rfft(source, size)
    power = np.concatenate([[0.0], np.cumsum(source.astype(np.float64) ** 2)])
    norms = np.sqrt(power[n:] - power[:-n]) + 1e-9
    found = []
    for start in np.linspace(0, len(mono) - n, SNIPPETS).astype(int):
        snippet = mono[start : start + n]
        both = np.fft.irfft(spectrum * np.conj(np.fft.rfft(snippet, size)), size)[: len(norms)]
        found.append(np.abs(both / norms).max() / (np.linalg.norm(snippet) + 1e-9))
    return float(np.mean(found))


def in_clips(mono: np.ndarray, sample_rate: int) -> torch.Tensor:
    n = len(mono) // sample_rate
    return torch.from_numpy(mono[: n * sample_rate].reshape(n, sample_rate).astype(np.float32))


def row_of(path: Path) -> str:
    sample_rate = read_header(path).sample_rate
    recording = read_sound(path, sample_rate)[: 120 * sample_rate]
    n_units = len(recording) * 3 // 4 // sample_rate * sample_rate
    units, apart = recording[:n_units], recording[n_units:]
    settings = Grains(tolerance=1.0)  # all clips are of one sound: none is nearer than another
    began = time.process_time()
    network = network_of(cut(units, sample_rate, PLAIN), settings)
    seconds = time.process_time() - began
    megabytes = sum(each.nbytes for each in network.state_dict().values()) / 1e6
    sound, joins, dip = played(network.player(1), round(SECONDS * sample_rate))
    mono, real, rest = (mix_down(each) for each in (sound, units, apart))
    middles = joins * TICK + network.sizes.fade // 2
    at_joins = (middles * 100 / sample_rate).astype(int)
    louder = 10 * np.log10(np.mean(sound**2) / np.mean(units**2))
    of_sound, of_real = flux(mono, sample_rate), flux(real, sample_rate)
    near = np.unique(np.clip(at_joins[:, None] + np.arange(-3, 3), 0, len(of_sound) - 1))
    texture = TextureStatistics(sample_rate, sample_rate)
    held = in_clips(rest, sample_rate)
    distances = [
        texture.distance(
            in_clips(each, sample_rate)[: len(held)], held, in_clips(real, sample_rate)
        )
        for each in (mono, real)
    ]
    channels = recording.shape[1] if recording.ndim == 2 else 1
    return (
        f"| {path.stem} | {sample_rate / 1000:g}, {channels} | {megabytes:.1f} | {seconds:.1f} "
        f"| {dip:+.2f} | {louder:+.1f} "
        f"| {of_sound[near].mean():.2f} / {of_real.mean():.2f} | {beat(mono, sample_rate):.2f} / {beat(real, sample_rate):.2f} "
        f"| {copying(mono, real, sample_rate):.2f} / {copying(rest, real, sample_rate):.2f} "
        f"| {distances[0]:.2f} / {distances[1]:.2f} |"
    )


def main() -> None:
    speeds()
    print(
        "\n| recording | kHz, channels | MB | index, s | dip at joins, dB | level - real, dB | flux at joins / real, dB "
        "| envelope again / real | copying / real | distance / real |"
    )
    print("|---|---|--:|--:|--:|--:|---|---|---|---|")
    for name in find_audio(Path(sys.argv[1])):
        print(row_of(Path(sys.argv[1]) / name), flush=True)


if __name__ == "__main__":
    main()
