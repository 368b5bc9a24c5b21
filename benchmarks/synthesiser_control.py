"""Does a recurrent synthesiser follow its control? python benchmarks/synthesiser_control.py FOLDER
[--steps N] [--clips N]

Renders clips of the liquid engine in which maxRadius alone varies, trains a synthesiser on them,
and a twin on the same clips with the labels shuffled, side by side with one thread each. Then each
plays 9 values with 3 seeds, as does one that was never trained, and an extractor of stage 3,
trained on other clips in which every control varies, says what maxRadius it hears. All commands are
those that a person would type; what is in FOLDER already is not made again. Prints Markdown.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import soundfile
from scipy.stats import spearmanr

from texturelib.audio import level_dbfs
from texturelib.files import read_json, write_json

CONTROL = "maxRadius"
RANGE = [0.35, 0.9]
FIXED = {"avgRate": 0.5, "minRadius": 0.2, "expRadius": 0.4}
VARIED = {
    "avgRate": [0.3, 0.7],
    "minRadius": [0.05, 0.4],
    "maxRadius": [0.3, 0.95],
    "expRadius": [0.2, 0.7],
}
# Or clips of the same control would differ by 20 dB, and no label say why.
VOLUME = {"low": 0.7, "high": 0.7}
VALUES, SEEDS, SECONDS = np.linspace(0, 1, 9), (1, 2, 3), 4.0
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def run(package: str, *words: Any) -> None:
    start(package, *words, threads={}).communicate()


def start(package: str, *words: Any, threads: dict[str, str]) -> subprocess.Popen:
    print("$", package.replace("_", "-"), *words, file=sys.stderr)
    return subprocess.Popen(
        [sys.executable, "-m", package, *map(str, words)],
        env=os.environ | threads,
        stdout=sys.stderr,
    )


def synthetic_config(folder: Path, controls: dict[str, Any], n_clips: int, seed: int) -> Path:
    path = folder / "synthetic.json"
    engine = {"type": "liquid", "controls": controls}
    distribution = {"type": "sobol", "n_clips": n_clips}
    content = {
        "output": "clips",
        "seed": seed,
        "sample_rate": 44100,
        "seconds": 1.0,
        "engine": engine,
        "volume": VOLUME,
        "distribution": distribution,
    }
    write_json(path, content)
    return path


def make_extractor(folder: Path, controls: dict[str, Any]) -> Path:
    """Return a model folder that reads the controls from sounds at 16 kHz. controls: by name, the
    range in the clips that it learns from."""
    folder.mkdir(parents=True, exist_ok=True)
    run("synthetic_datasets", "generate", synthetic_config(folder, controls, 4000, 7))
    config = {
        "output": "model",
        "synthetic": "clips",
        "real": "clips",
        "features": {
            "type": "log_bands",
            "sample_rate": 16000,
            "n_bands": 64,
            "low_hz": 40,
            "high_hz": 7800,
            "randomise": {},
        },
        "network": {"type": "band_cnn", "channels": [16, 32, 64, 64], "n_hidden": 64},
        "extractor": {
            "epochs": 10,
            "batch_size": 64,
            "learning_rate": 0.003,
            "schedule": "one_cycle",
            "weight_decay": 0.01,
        },
        "adaptation": {"type": "none"},
        "compute": {"precision": "bf16-mixed"},
    }
    write_json(folder / "adaptation.json", config)
    run("domain_adaptation", "train-extractor", folder / "adaptation.json")
    return folder / "model" / "extractor"


def synthesis_config(folder: Path, name: str, sounds: Path, steps: int) -> Path:
    windows = {"batch_size": 64, "seq_len": 250, "windows_carried": 64}
    synthesiser = {
        "type": "mtcrnn",
        "num_steps": steps,
        "checkpoint": min(300, steps),
        "tfr": 0.97,
        **windows,
    }
    content = {
        "output": name,
        "labelled": "clips",
        "export": {"source": "labelled"},
        "synthesiser": synthesiser,
        "train": {"sounds": str(sounds)},
        "compute": {"precision": "bf16-mixed"},
    }
    write_json(folder / f"{name}.json", content)
    return folder / f"{name}.json"


def shuffled(sounds: Path, folder: Path) -> Path:
    """Return a folder with the same wavs, each with the .params of another."""
    if not folder.exists():
        wavs = sorted(sounds.glob("*.wav"))
        order = np.random.default_rng(0).permutation(len(wavs))
        folder.mkdir()
        for wav, index in zip(wavs, order, strict=True):
            shutil.copyfile(wav, folder / wav.name)
            shutil.copyfile(wavs[index].with_suffix(".params"), folder / f"{wav.stem}.params")
    return folder


def play(model: Path, folder: Path) -> pd.DataFrame:
    """Return a row per sound: file_name, asked (0..1), level."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for value in VALUES:
        for seed in SEEDS:
            path = folder / f"{value:.3f}_{seed}.wav"
            if not path.exists():
                words = ("--control", f"{CONTROL}={value}", "--seconds", SECONDS, "--seed", seed)
                run("conditioned_synthesis", "generate", "--model", model, "--output", path, *words)
            level = level_dbfs(soundfile.read(path)[0])
            rows.append({"file_name": path.name, "asked": value, "level": level})
    return pd.DataFrame(rows)


def heard(extractor: Path, sounds: Path, table: Path) -> pd.Series:
    """Return by name of a sound in `sounds`, the mean label of its seconds."""
    run(
        "domain_adaptation",
        "label",
        "--model",
        extractor,
        "--audio",
        sounds,
        "--output",
        table,
        "--overwrite",
    )
    labels = pd.read_csv(table)
    names = labels["source"] if "source" in labels else labels["file_name"]
    return labels.groupby(names.map(lambda name: Path(name).name))[CONTROL].mean()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--clips", type=int, default=600)
    options = parser.parse_args()
    work = options.folder.absolute()
    work.mkdir(parents=True, exist_ok=True)

    run(
        "synthetic_datasets",
        "generate",
        synthetic_config(work, {**FIXED, CONTROL: RANGE}, options.clips, 0),
    )
    sounds = work / "exported" / "mtcrnn"
    run("conditioned_synthesis", "export", synthesis_config(work, "exported", sounds, 1))
    other = shuffled(sounds, work / "shuffled_sounds")
    configs = {
        "trained": synthesis_config(work, "trained", sounds, options.steps),
        "labels shuffled": synthesis_config(work, "shuffled", other, options.steps),
        "untrained": synthesis_config(work, "untrained", sounds, 1),
    }
    jobs = [
        start("conditioned_synthesis", "train", config, threads=ONE_THREAD)
        for config in configs.values()
    ]
    statuses = [job.wait() for job in jobs]
    if any(statuses):
        sys.exit("a training failed")
    extractor = make_extractor(work / "extractor", VARIED)

    ends = json.loads((sounds / "normalisation.json").read_text())[CONTROL]
    levels = data_levels(sounds)
    print(
        "\n| synthesiser | held-out loss, nats | rho asked, heard | mean absolute error | off the data's level by, dB |"
    )
    print("|---|---|---|---|---|")
    for name, config in configs.items():
        model = config.with_suffix("") / "synthesiser"
        table = play(model, config.with_suffix("") / "played")
        found = heard(
            extractor, config.with_suffix("") / "played", work / f"heard_{config.stem}.csv"
        )
        labels = table["file_name"].map(found)
        truth = ends["min"] + table["asked"] * (ends["max"] - ends["min"])
        rho = spearmanr(table["asked"], labels).statistic
        off = table.groupby("asked")["level"].mean() - [levels(value) for value in VALUES]
        loss = read_json(model / "metrics.json")["validation_loss"]
        error = np.abs(labels - truth).mean()
        print(
            f"| {name} | {loss:.3f} | {rho:+.3f} | {error:.3f} | {off.min():+.1f} to {off.max():+.1f} |"
        )
    clips = pd.read_csv(work / "clips" / "metadata.csv")
    found = heard(extractor, sounds, work / "heard_clips.csv")
    labels = clips["file_name"].map(lambda name: found.get(Path(name).name))
    rho = spearmanr(clips[CONTROL], labels).statistic
    error = np.abs(labels - clips[CONTROL]).mean()
    print(f"| the clips themselves | | {rho:+.3f} | {error:.3f} | |")


def data_levels(sounds: Path) -> Any:
    """Return a function from a value (0..1) to the level in dBFS of clips at about that value, the
    mean of the 15 nearest."""
    values, levels = [], []
    for path in sorted(sounds.glob("*.params")):
        values.append(read_json(path)[CONTROL]["values"][0])
        levels.append(level_dbfs(soundfile.read(path.with_suffix(".wav"))[0]))
    values, levels = np.array(values), np.array(levels)
    return lambda value: levels[np.argsort(np.abs(values - value))[:15]].mean()


if __name__ == "__main__":
    main()
