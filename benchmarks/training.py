"""How fast the extractor trains and labels, beside the thesis's way: python benchmarks/training.py
[--clips N] [--epochs N]

Renders clips of the thesis's grid into a folder that it removes again. Then, at the thesis's exact
settings:

- the thesis's way: every epoch reads every file, adds noise, resamples and transforms it, one after the other, and the
  network learns from batches of 128;
- ours: `domain-adaptation train-extractor`, from the same wavs, its one-time reading included.

Both use all cores. Whole job: 250 epochs of 10,000 clips, extrapolated from these. Then labelling
in both ways, how soon the better preset reads as well as the thesis's network, and with --memory N
what a training on N clips needs. Prints Markdown.
"""

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import soundfile
import torch
import torchaudio
from scipy import signal
from torch import nn

RATE = 44100
GRID = {
    "avgRate": [0.2, 0.75],
    "minRadius": [0.1, 0.5],
    "maxRadius": [0.5, 0.8],
    "expRadius": [0.2, 0.8],
}
CONFIGS = Path(__file__).parents[1] / "configs"
JOB = {"clips": 10_000, "epochs": 250}


class ThesisWay:
    """One file after the other, anew for each epoch."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.table = pd.read_csv(folder / "metadata.csv")
        self.resample = torchaudio.transforms.Resample(RATE, 32000)
        self.mel = torchaudio.transforms.MelSpectrogram(
            sample_rate=32000, n_fft=400, hop_length=200, n_mels=56, normalized=True
        )
        self.rng = np.random.default_rng(0)

    def features(self, row: int, is_noisy: bool = True) -> torch.Tensor:
        clip, _ = soundfile.read(self.folder / self.table["file_name"][row], dtype="float32")
        clip = clip / np.abs(clip).max()
        if is_noisy:
            noise = self.rng.standard_normal(len(clip))
            filtered = signal.lfilter(
                *low_pass(self.rng.uniform(50, 400)), noise / np.abs(noise).max()
            )
            clip = clip + self.rng.uniform(0.2, 0.4) * filtered
            clip = (clip / np.abs(clip).max()).astype(np.float32)
        power = self.mel(self.resample(torch.from_numpy(clip)[None]))
        power = power - power.min()
        decibels = torchaudio.functional.amplitude_to_DB(
            power / power.max(), 10.0, 1e-10, 0.0, 80.0
        ).clamp(min=-80.0)
        raised = decibels + decibels.min().abs()
        return raised / raised.max()

    def epoch(
        self, network: nn.Module, optimizer: torch.optim.Optimizer, rows: np.ndarray
    ) -> tuple[float, float]:
        """Return the seconds in the features, and those in the network."""
        truth = torch.from_numpy(self.table[list(GRID)].to_numpy(np.float32))
        in_features = in_network = 0.0
        for start in range(0, len(rows), 128):
            batch = rows[start : start + 128]
            begin = time.perf_counter()
            inputs = torch.stack([self.features(row) for row in batch])
            middle = time.perf_counter()
            loss = nn.functional.l1_loss(network(inputs), truth[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            in_features += middle - begin
            in_network += time.perf_counter() - middle
        return in_features, in_network


def low_pass(cutoff_hz: float) -> tuple[np.ndarray, np.ndarray]:
    w0 = 2 * np.pi * cutoff_hz / RATE
    alpha = np.sin(w0) / (2 * 0.707)
    numerator = np.array([1 - np.cos(w0), 2 * (1 - np.cos(w0)), 1 - np.cos(w0)]) / 2
    return numerator / (1 + alpha), np.array([1 + alpha, -2 * np.cos(w0), 1 - alpha]) / (1 + alpha)


def thesis_network() -> nn.Module:
    channels, blocks = [1, 4, 8, 16, 32], []
    for before, after in itertools.pairwise(channels):
        blocks += [
            nn.Conv2d(before, after, 3),
            nn.BatchNorm2d(after),
            nn.LeakyReLU(0.9),
            nn.MaxPool2d(2),
        ]
    head = [
        nn.Flatten(),
        nn.Linear(256, 64),
        nn.LeakyReLU(0.9),
        nn.Linear(64, 16),
        nn.LeakyReLU(0.9),
        nn.Linear(16, 4),
    ]
    return nn.Sequential(*blocks, *head, nn.LeakyReLU(0.9))


def run(*command: object) -> float:
    """Run a command and return its seconds."""
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", *map(str, command)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return time.perf_counter() - started


def training(folder: Path, n_clips: int, n_epochs: int) -> None:
    thesis = ThesisWay(folder / "synthetic")
    network = thesis_network()
    optimizer = torch.optim.Adam(network.parameters(), lr=0.0005)
    rows = np.random.default_rng(0).permutation(n_clips)[: round(0.85 * n_clips)]
    thesis.epoch(network, optimizer, rows[:256])  # what is only slow the first time
    features, learning = np.mean(
        [thesis.epoch(network, optimizer, rows) for _ in range(n_epochs)], axis=0
    )

    settings = adaptation(folder, "thesis_waterflow")
    seconds = []
    for epochs in (1, 1 + n_epochs):
        words = ["--set", f"extractor.epochs={epochs}", "--set", f"output={folder}/ours_{epochs}"]
        seconds.append(run("domain_adaptation", "train-extractor", settings, *words))
    ours = (seconds[1] - seconds[0]) / n_epochs
    scale = JOB["clips"] / n_clips
    once = (seconds[0] - ours) * scale
    job = [(features + learning) * JOB["epochs"] * scale, ours * JOB["epochs"] * scale + once]
    print(f"\n{n_clips} clips, {n_epochs} epochs each, {torch.get_num_threads()} threads\n")
    print(
        "| | features, s per epoch | network | both | once, s | whole job, min | times as fast |\n|---|---|---|---|---|---|---|"
    )
    both = features + learning
    print(
        f"| the thesis's way | {features:.1f} | {learning:.1f} | {both:.1f} | | {job[0] / 60:.0f} | 1 |"
    )
    print(
        f"| ours | | | {ours:.1f} | {seconds[0] - ours:.1f} | {job[1] / 60:.0f} | {job[0] / job[1]:.1f} |"
    )


def to_the_thesis_accuracy(folder: Path, epochs: int) -> None:
    """From wavs to a held-out error with the better preset, its schedule shortened."""
    words = ["--set", f"extractor.epochs={epochs}", "--set", f"output={folder}/short"]
    seconds = run("domain_adaptation", "train-extractor", adaptation(folder, "waterflow"), *words)
    error = json.loads((folder / "short/extractor/metrics.json").read_text())["test_mae"]
    print(
        f"\nFrom rendered wavs with configs/waterflow, {epochs} epochs: held-out error {error:.4f} after {seconds:.0f} s."
    )


def labelling(folder: Path, n_clips: int) -> None:
    """As many clips labelled by the thesis's network in both ways, on one core and on all."""
    thesis = ThesisWay(folder / "synthetic")
    network = thesis_network().eval()
    sounds = folder / "sounds"
    sounds.mkdir()
    for name in thesis.table["file_name"][:n_clips]:
        (sounds / Path(name).name).symlink_to(folder / "synthetic" / name)
    n_threads = torch.get_num_threads()
    per_clip = {}
    for threads in (1, n_threads):
        torch.set_num_threads(threads)
        with torch.inference_mode():
            network(thesis.features(0, is_noisy=False)[None])
            started = time.perf_counter()
            for row in range(n_clips):
                network(thesis.features(row, is_noisy=False)[None])
        per_clip["the thesis's way", threads] = (time.perf_counter() - started) / n_clips
    model = next(folder.glob("ours_*")) / "extractor"
    for threads in (1, n_threads):
        cores = ["taskset", "-c", f"0-{threads - 1}"]
        seconds = []
        for few in (1, n_clips):
            chosen = folder / f"sounds_{threads}_{few}"
            chosen.mkdir()
            for path in sorted(sounds.iterdir())[:few]:
                (chosen / path.name).symlink_to(path.resolve())
            words = [
                "-m",
                "domain_adaptation",
                "label",
                "--model",
                model,
                "--audio",
                chosen,
                "--output",
                f"{chosen}.csv",
            ]
            started = time.perf_counter()
            subprocess.run(
                [*cores, sys.executable, *map(str, words)], check=True, capture_output=True
            )
            seconds.append(time.perf_counter() - started)
        per_clip["ours", threads] = (seconds[1] - seconds[0]) / (n_clips - 1)
    print("\n| labelling, ms per clip | one core | all |\n|---|---|---|")
    for way in ("the thesis's way", "ours"):
        print(f"| {way} | {1000 * per_clip[way, 1]:.2f} | {1000 * per_clip[way, n_threads]:.2f} |")
    times = [
        per_clip["the thesis's way", 1] / per_clip["ours", threads] for threads in (1, n_threads)
    ]
    print(
        f"\nOurs: {times[0]:.1f} times the thesis's way on one core, {times[1]:.1f} on {n_threads}."
    )


def memory(folder: Path, n_clips: int) -> None:
    """As many clips, read and trained on for an epoch. Each file stands there under several names:
    what is kept in memory of a clip does not depend on what is heard."""
    rendered, many = folder / "synthetic", folder / "many"
    table = pd.read_csv(rendered / "metadata.csv")
    names = [f"audio/{number}.wav" for number in range(n_clips)]
    rows = np.resize(np.arange(len(table)), n_clips)
    (many / "audio").mkdir(parents=True)
    for name, row in zip(names, rows, strict=True):
        os.link(rendered / table["file_name"][row], many / name)
    table.iloc[rows].assign(file_name=names).to_csv(many / "metadata.csv", index=False)
    (many / "dataset.json").write_text((rendered / "dataset.json").read_text())
    words = [
        "--set",
        "extractor.epochs=1",
        "--set",
        f"synthetic={many}",
        "--set",
        f"output={folder}/of_many",
    ]
    command = [
        sys.executable,
        "-m",
        "domain_adaptation",
        "train-extractor",
        adaptation(folder, "thesis_waterflow"),
        *words,
    ]
    started = time.perf_counter()
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)  # of this process and those that it waited for
    if status:
        raise SystemExit("train-extractor failed")
    megabytes, minutes = usage.ru_maxrss / 1000, (time.perf_counter() - started) / 60
    print(
        f"\n{n_clips} clips read, and trained on for an epoch: {megabytes:.0f} MB at most, {minutes:.1f} minutes."
    )


def adaptation(folder: Path, preset: str) -> Path:
    """Return that preset's config, for the clips in `folder`."""
    config: dict[str, Any] = json.loads((CONFIGS / preset / "adaptation.json").read_text())
    path = folder / f"{preset}.json"
    path.write_text(
        json.dumps(
            {
                **config,
                "$schema": None,
                "synthetic": "synthetic",
                "real": "synthetic",
                "output": "out",
            }
        )
    )
    return path


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--clips", type=int, default=10_000)
    arguments.add_argument(
        "--epochs", type=int, default=2, help="of each way, at the thesis's settings"
    )
    arguments.add_argument("--short", type=int, default=5, help="epochs of the better preset")
    arguments.add_argument("--labelled", type=int, default=2000, help="clips")
    arguments.add_argument(
        "--memory",
        type=int,
        default=0,
        metavar="N",
        help="also train on N clips, 64 kB of disk each",
    )
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        synthetic = json.loads((CONFIGS / "thesis_waterflow/synthetic.json").read_text())
        synthetic |= {"$schema": None, "output": "synthetic"}
        synthetic["distribution"]["n_clips"] = chosen.clips
        (folder / "synthetic.json").write_text(json.dumps(synthetic))
        run("synthetic_datasets", "generate", folder / "synthetic.json", "--yes")
        n_clips = len(pd.read_csv(folder / "synthetic/metadata.csv"))
        training(folder, n_clips, chosen.epochs)
        labelling(folder, min(chosen.labelled, n_clips))
        to_the_thesis_accuracy(folder, chosen.short)
        if chosen.memory:
            memory(folder, chosen.memory)


if __name__ == "__main__":
    main()
