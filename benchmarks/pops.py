"""A recurrent synthesiser on MTCRNN's quick-start data: python benchmarks/pops.py QUICK_START.zip
FOLDER [--steps N]

The data are 11 sounds of 10 s, regular pops at 4 to 32 a second, with one control, rate. Trains on
them, plays 9 values with 2 seeds, and counts the onsets that librosa finds, as it does in the
sounds themselves. Prints Markdown.
"""

import argparse
import subprocess
import sys
import zipfile
from pathlib import Path

import librosa
import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from texturelib.files import read_json, read_table, write_json

VALUES, SEEDS, SECONDS = np.linspace(0, 1, 9), (1, 2), 6.0


def run(*words: object) -> None:
    command = [sys.executable, "-m", "conditioned_synthesis", *map(str, words)]
    subprocess.run(command, check=True, stdout=sys.stderr)


def onset_rate(path: Path) -> float:
    """Return the onsets per second. With librosa's own settings, most pops at 17 a second are
    missed; with these, next to none."""
    samples, rate = librosa.load(path, sr=None)
    strength = librosa.onset.onset_strength(y=samples, sr=rate, hop_length=64, n_fft=256, n_mels=40)
    # Frames of 4 ms.
    around = {"pre_max": 2, "post_max": 2, "pre_avg": 8, "post_avg": 8, "wait": 3, "delta": 0.1}
    onsets = librosa.onset.onset_detect(onset_envelope=strength, sr=rate, hop_length=64, **around)
    return len(onsets) / (len(samples) / rate)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("zip", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", type=int, default=3000)
    options = parser.parse_args()
    work = options.folder.absolute()
    if not (work / "sounds").exists():
        with zipfile.ZipFile(options.zip) as archive:
            archive.extractall(work / "sounds")
    config = {
        "output": "out",
        "labelled": "unused",
        "synthesiser": {"type": "mtcrnn", "num_steps": options.steps, "checkpoint": 250},
        "train": {"sounds": "sounds"},
        "compute": {"precision": "bf16-mixed"},
    }
    write_json(work / "synthesis.json", config)
    run("train", work / "synthesis.json")
    rows = []
    for value in VALUES:
        for seed in SEEDS:
            path = work / "played" / f"{value:.3f}_{seed}.wav"
            if not path.exists():
                run(
                    "generate",
                    work / "synthesis.json",
                    "--output",
                    path,
                    "--control",
                    f"rate={value}",
                    "--seconds",
                    SECONDS,
                    "--seed",
                    seed,
                )
            rows.append({"rate": value, "onsets": onset_rate(path)})
    played = pd.DataFrame(rows)
    wavs = sorted((work / "sounds").rglob("*.wav"))
    values = [read_json(wav.with_suffix(".params"))["rate"]["values"][0] for wav in wavs]
    own = pd.DataFrame({"rate": values, "onsets": [onset_rate(wav) for wav in wavs]})

    print("\n| step | training loss | held-out loss, nats per sample |\n|---|---|---|")
    for row in read_table(work / "out" / "synthesiser" / "history.csv", ()).to_dict("records"):
        print(f"| {row['step']:.0f} | {row['train_loss']:.3f} | {row['validation_loss']:.3f} |")
    print(
        "\n| rate asked | pops a second, by the data | onsets found in what it played | in the data |\n|---|---|---|---|"
    )
    found = played.groupby("rate")["onsets"].mean()
    for value in VALUES:
        near = np.interp(value, own["rate"], own["onsets"])
        print(f"| {value:.3f} | {2 ** (2 + 3 * value):.1f} | {found[value]:.1f} | {near:.1f} |")
    for name, table in (("played", played), ("the data", own)):
        print(
            f"\nSpearman of rate and onsets, {name}: {spearmanr(table['rate'], table['onsets']).statistic:+.3f}"
        )


if __name__ == "__main__":
    main()
