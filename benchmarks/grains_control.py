"""Does Grains follow size and density? python benchmarks/grains_control.py RECORDING [SECONDS]

From one recording, mixed down, at 44.1 kHz: 200 clips of a second, each of 1 to 8 moments of it,
played 0.5 to 2 times slower, as `conditioned-synthesis augment` makes them. Trains Grains on them,
and prints the table of `conditioned-synthesis evaluate`, which reads both controls by their laws,
from sounds of SECONDS (8).
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import soxr

from texturelib.audio import read_mono, write_wav
from texturelib.controls import Control
from texturelib.dataset import write_dataset

RATE, N_CLIPS, MARGIN = 44100, 200, 200
CONTROLS = (
    Control("size", 0.5, 2.0, "x", "exponential", laws={"slow_down": 1, "mixing": 0, "gain": 0}),
    Control("density", 1.0, 8.0, "x", "exponential", laws={"slow_down": 0, "mixing": 1, "gain": 0}),
)


def write_set(folder: Path, recording: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    rows = []
    for index in range(N_CLIPS):
        size, density = rng.random(2)
        slower, n_layers = 2 ** (2 * size - 1), round(8**density)
        n_taken = int(RATE / slower) + 2 * MARGIN
        mixed = np.zeros(RATE)
        for _ in range(n_layers):
            start = rng.integers(0, len(recording) - n_taken)
            moment = recording[start : start + n_taken]
            mixed += soxr.resample(moment, RATE, RATE * slower)[MARGIN : MARGIN + RATE]
        name = f"audio/{index}.wav"
        write_wav(folder / name, (mixed / np.sqrt(n_layers)).clip(-1, 1), RATE)
        rows.append({"file_name": name, "size": size, "density": np.log(n_layers) / np.log(8)})
    write_dataset(
        folder,
        pd.DataFrame(rows),
        sample_rate=RATE,
        seconds=1.0,
        controls=[control.describe() for control in CONTROLS],
        provenance={"kind": "recordings"},
    )


def main() -> None:
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 8.0
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_set(folder / "set", read_mono(Path(sys.argv[1]), RATE))
        config = {
            "output": "out",
            "labelled": "set",
            "synthesiser": {"type": "grains"},
            "train": {"sounds": "set"},
            "evaluate": {"values": 9, "seeds": 2, "clips": 20, "seconds": seconds},
        }
        path = folder / "synthesis.json"
        path.write_text(json.dumps(config))
        for command in ("train", "evaluate"):
            program = Path(sys.executable).with_name("conditioned-synthesis")
            subprocess.run([program, command, path], check=True, stdout=sys.stderr)
        print((folder / "out" / "evaluation" / "evaluation.md").read_text())


if __name__ == "__main__":
    main()
