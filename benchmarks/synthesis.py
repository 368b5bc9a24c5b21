"""How fast does each synthesiser play? python benchmarks/synthesis.py

One core, fresh weights (they cost what trained ones do), two controls that move. TexEnv at 44.1
kHz, the recurrent one at 16 kHz, each a whole sound and as a stream of blocks of 2,048 samples; the
slowest block says whether a stream would stutter. Memory: the highest of a process that streams a
sound and keeps none of it, for a short and a long sound. Prints Markdown.
"""

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from conditioned_synthesis.instrument.automation import Automation
from conditioned_synthesis.instrument.instrument import (
    Instrument,
    ModelSpec,
    Slider,
    new_instrument,
)
from conditioned_synthesis.synthesisers import Synthesiser
from conditioned_synthesis.synthesisers.mtcrnn.settings import Mtcrnn
from conditioned_synthesis.synthesisers.texenv.settings import TexEnv
from texturelib.controls import Control

BLOCK = 2048
SECONDS = 60.0
MEMORY_SECONDS = (30.0, 600.0)
RUNS = 3
CASES: Sequence[tuple[str, Synthesiser, int]] = (
    ("texenv, 32 bands", TexEnv(n_bands=32), 44100),
    ("texenv, 64 bands", TexEnv(n_bands=64), 44100),
    ("texenv, 32 bands", TexEnv(n_bands=32), 16000),
    ("mtcrnn, 256 x 1", Mtcrnn(), 16000),
)


def instrument(settings: Synthesiser, sample_rate: int) -> Instrument:
    sliders = tuple(
        Slider(control=Control(name, 0.0, 1.0, "").describe(), low=0.0, high=1.0) for name in "ab"
    )
    return new_instrument(
        ModelSpec(synthesiser=settings, sliders=sliders, sample_rate=sample_rate), seed=0
    )


def moving(seconds: float) -> dict[str, Automation]:
    times = np.array([0.0, seconds])
    return {
        "a": Automation(times, np.array([0.0, 1.0])),
        "b": Automation(times, np.array([1.0, 0.0])),
    }


def whole(played: Instrument, seconds: float) -> float:
    """Return the speed of a whole sound, in times real time."""
    start = time.perf_counter()
    played.play(moving(seconds), seconds, seed=1)
    return seconds / (time.perf_counter() - start)


def streamed(played: Instrument, seconds: float) -> tuple[float, float]:
    """Return the speed of a streamed sound, in times real time, and how long the slowest block
    took, as a share of its length."""
    rate = played.spec.sample_rate
    times = [time.perf_counter()]
    for _ in played.stream(moving(seconds), seconds, seed=1, block=BLOCK):
        times.append(time.perf_counter())
    return seconds / (times[-1] - times[0]), float(np.diff(times)[1:].max()) / (BLOCK / rate)


def highest_memory(case: int, seconds: float) -> float:
    """Return the highest memory of a process of its own, in MiB."""
    words = [sys.executable, __file__, "--stream", str(case), str(seconds)]
    return float(subprocess.run(words, check=True, capture_output=True, text=True).stdout)


def stream_away(case: int, seconds: float) -> None:
    _, settings, rate = CASES[case]
    for _ in instrument(settings, rate).stream(moving(seconds), seconds, seed=1, block=BLOCK):
        pass
    # Not what getrusage says: that begins with the process that started this one.
    [line] = [
        line
        for line in Path("/proc/self/status").read_text().splitlines()
        if line.startswith("VmHWM")
    ]
    print(int(line.split()[1]) / 1024)


def main() -> None:
    torch.set_num_threads(1)
    if sys.argv[1:2] == ["--stream"]:
        stream_away(int(sys.argv[2]), float(sys.argv[3]))
        return
    print(
        f"| synthesiser | Hz | {SECONDS:g} s, times real time | in blocks of {BLOCK} | slowest block, of its time |"
    )
    print("|---|---|---|---|---|")
    for name, settings, rate in CASES:
        played = instrument(settings, rate)
        seconds = SECONDS if isinstance(settings, TexEnv) else SECONDS / 6
        whole(played, 1.0)  # what is made once: bands of noise, compiled code
        at_once = np.median([whole(played, seconds) for _ in range(RUNS)])
        streams = [streamed(played, seconds) for _ in range(RUNS)]
        stream, slowest = np.median(streams, axis=0)
        print(f"| {name} | {rate} | {at_once:.1f} | {stream:.1f} | {slowest:.0%} |", flush=True)
    print(
        "\n| memory of a stream, MiB | "
        + " | ".join(f"{seconds:g} s" for seconds in MEMORY_SECONDS)
        + " |"
    )
    print("|---|---|---|")
    for case, share in ((0, 1.0), (3, 0.1)):
        name, _, rate = CASES[case]
        found = " | ".join(
            f"{highest_memory(case, share * seconds):.0f}" for seconds in MEMORY_SECONDS
        )
        print(
            f"| {name}, {rate} Hz{', a tenth of these lengths' if share < 1 else ''} | {found} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
