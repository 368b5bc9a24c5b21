"""How fast recordings are cut: python benchmarks/segmentation.py [--minutes 20] [--two-hours]

Writes files of noise with swells, as wav, ogg and mp3, half of them stereo at 48 kHz, half mono at
44.1 kHz, and cuts each kind to one-second segments at 44.1 kHz:
- floor: decode every sample, resample where the rate differs, write every segment, with the same libraries and nothing else;
- ours: `real_datasets` with one worker, and with two, checks and tables included;
- plain: librosa.load at the target rate, a loop over frames that leaves out zeros, soundfile.write.
Prints Markdown. TMPDIR=/dev/shm leaves the disk out of it, which is as fast for all. With
--two-hours also the memory for one file of two hours, whole process.
"""

import argparse
import io
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import soundfile
import soxr

from real_datasets.build import build
from real_datasets.config import RealConfig
from texturelib.outputs import check_output

RATE = 44100
SECONDS_OF_FILE = 60
ROUNDS = 3  # the best of them counts: other work only ever makes a round slower


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--minutes", type=int, default=20, help="of sound per kind of file")
    arguments.add_argument(
        "--two-hours", action="store_true", help="measure memory with a file of two hours, too"
    )
    chosen = arguments.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="texture-benchmark-"))
    try:
        header = [
            "files",
            "floor, s",
            "ours, 1 worker",
            "of the floor",
            "ours, 2 workers",
            "times 1 worker",
            "plain librosa",
            "of the floor",
        ]
        print(f"| {' | '.join(header)} |\n|{'---|' * len(header)}")
        for kind in ("wav", "ogg", "mp3"):
            recordings = write_recordings(folder / kind, kind, chosen.minutes)
            ours(recordings, folder / "warm", 2)  # imports, and the workers' start
            out = folder / "out"
            floor_ = best(partial(floor, recordings, out), out)
            one, two = (best(partial(ours, recordings, out, workers), out) for workers in (1, 2))
            plain_ = best(partial(plain, recordings, out), out)
            cells = [
                kind,
                f"{floor_:.2f}",
                f"{one:.2f}",
                f"{one / floor_:.2f}",
                f"{two:.2f}",
                f"{one / two:.2f}",
                f"{plain_:.2f}",
                f"{plain_ / floor_:.1f}",
            ]
            print(f"| {' | '.join(cells)} |", flush=True)
        if chosen.two_hours:
            print("\n| one file | peak memory of the process, MB |\n|---|---|")
            for minutes in (2, 120):
                print(f"| {minutes} min | {memory(folder, minutes):.0f} |", flush=True)
    finally:
        shutil.rmtree(folder)


def best(work: Callable[[], None], out: Path) -> float:
    """Return the seconds of the fastest round."""
    seconds = []
    for _ in range(ROUNDS):
        shutil.rmtree(out, ignore_errors=True)
        started = time.monotonic()
        work()
        seconds.append(time.monotonic() - started)
    return min(seconds)


def write_recordings(folder: Path, kind: str, minutes: int) -> Path:
    folder.mkdir()
    rng = np.random.default_rng(0)
    for index in range(minutes * 60 // SECONDS_OF_FILE):
        rate, channels = ((48000, 2), (RATE, 1))[index % 2]
        with soundfile.SoundFile(folder / f"{index}.{kind}", "w", rate, channels) as file:
            for second in range(SECONDS_OF_FILE):
                file.write((0.15 + 0.1 * np.sin(second)) * rng.uniform(-1, 1, (rate, channels)))
    return folder


def floor(recordings: Path, out: Path) -> None:
    out.mkdir()
    for path in sorted(recordings.iterdir()):
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        # Numpy's mean is far slower.
        mono = samples[:, 0] if samples.shape[1] == 1 else (samples[:, 0] + samples[:, 1]) / 2
        if rate != RATE:
            mono = soxr.resample(mono, rate, RATE)
        for start in range(0, len(mono) - RATE + 1, RATE):
            # Through memory: libsndfile itself would wait for the disk at every file.
            wav = io.BytesIO()
            soundfile.write(wav, mono[start : start + RATE], RATE, subtype="PCM_16", format="WAV")
            (out / f"{path.stem}_{start}.wav").write_bytes(wav.getbuffer())


def ours(recordings: Path, out: Path, workers: int) -> None:
    config = RealConfig.model_validate(
        {"output": out, "source": {"type": "folder", "path": recordings}}
    )
    stderr, sys.stderr = sys.stderr, io.StringIO()
    try:
        build(
            config,
            check_output(config, "real-datasets build", inputs=config.inputs, overwrite=True),
            workers=workers,
        )
    finally:
        sys.stderr = stderr


def plain(recordings: Path, out: Path) -> None:
    import librosa

    out.mkdir()
    for path in sorted(recordings.iterdir()):
        mono, _ = librosa.load(path, sr=RATE)
        for start in range(0, len(mono) - RATE + 1, RATE):
            segment = mono[start : start + RATE]
            if segment.any():
                soundfile.write(out / f"{path.stem}_{start}.wav", segment, RATE, subtype="PCM_16")


def memory(folder: Path, minutes: int) -> float:
    """Return the peak resident size of a process that cuts one ogg file of that length, in MB."""
    recordings = folder / f"long_{minutes}"
    recordings.mkdir()
    rng = np.random.default_rng(0)
    with soundfile.SoundFile(recordings / "long.ogg", "w", 48000, 2) as file:
        for _ in range(minutes * 60):
            file.write(0.1 * rng.uniform(-1, 1, (48000, 2)))
    config = folder / "long.json"
    config.write_text(
        json.dumps(
            {"output": f"cut_{minutes}", "source": {"type": "folder", "path": recordings.name}}
        )
    )
    subprocess.run(
        [sys.executable, "-m", "real_datasets", "build", config, "--workers", "1"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000
    shutil.rmtree(recordings)
    shutil.rmtree(folder / f"cut_{minutes}")
    return peak


if __name__ == "__main__":
    main()
