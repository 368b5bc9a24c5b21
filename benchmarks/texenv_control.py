"""Does TexEnv follow its controls, and are its sliders linear? python benchmarks/texenv_control.py
FOLDER [--steps N] [--clips N]

Renders clips of the liquid engine in which avgRate and maxRadius vary, trains TexEnv on them, makes
its sliders linear and measures all with `conditioned-synthesis evaluate`, beside a twin on shuffled
labels, an untrained one and the clips themselves. What is read from the sounds is read by an
extractor of stage 3 that was trained on other clips, in which every control varies, and has no part
in any loss. Then both controls are swept through their range in 10 s. All commands are those that a
person would type; what is in FOLDER already is not made again. Prints Markdown.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import soundfile
from scipy.stats import spearmanr
from synthesiser_control import make_extractor, run, synthetic_config

from texturelib.files import write_json

RANGES = {"avgRate": [0.15, 0.85], "maxRadius": [0.35, 0.9]}
FIXED = {"minRadius": 0.2, "expRadius": 0.4}
# Of the clips that the extractor learns from: wider, so that it reads the ends too.
VARIED = {
    "avgRate": [0.05, 0.95],
    "minRadius": [0.05, 0.4],
    "maxRadius": [0.3, 0.95],
    "expRadius": [0.2, 0.7],
}
SWEEP_SECONDS, SEEDS = 10, (1, 2, 3)


def measure(work: Path, synthesiser: Mapping[str, Any], n_clips: int) -> None:
    """Train a synthesiser on clips in which both controls vary, and print how it follows them. It is
    written to a folder of `work` that is called after its type."""
    work.mkdir(parents=True, exist_ok=True)
    clips = synthetic_config(work, {**FIXED, **RANGES}, n_clips, 0)
    run("synthetic_datasets", "generate", clips)
    content = {
        "output": synthesiser["type"],
        "labelled": "clips",
        "export": {"source": "labelled"},
        "synthesiser": synthesiser,
        "labeller": str(make_extractor(work / "extractor", VARIED)),
        "linearise": {},
    }
    config = work / f"{synthesiser['type']}.json"
    write_json(config, content)
    for command in ("export", "train", "linearise", "evaluate"):
        run("conditioned_synthesis", command, config)
    print((work / synthesiser["type"] / "evaluation" / "evaluation.md").read_text())


def swept_and_held(work: Path, name: str) -> list[dict[str, Any]]:
    """Play a measured synthesiser with each control swept through its range, and held in its middle.
    -> each sound's file name, control, kind and loudest seam."""
    folder = work / "sweeps"
    rows = []
    for control in RANGES:
        for seed in SEEDS:
            for kind, words in (
                ("sweep", f"{control}=0:0,{SWEEP_SECONDS}:1"),
                ("held", f"{control}=0.5"),
            ):
                path = folder / f"{control}_{kind}_{seed}.wav"
                where = ("--model", work / name / "instrument", "--output", path, "--overwrite")
                run(
                    "conditioned_synthesis",
                    "generate",
                    *where,
                    "--control",
                    words,
                    "--seconds",
                    SWEEP_SECONDS,
                    "--seed",
                    seed,
                )
                rows.append(
                    {"name": path.name, "control": control, "kind": kind, "seam": seam(path)}
                )
    return rows


def sweep(work: Path) -> None:
    """Print, per control, how what is read over the seconds of a sweep goes along with it, and the
    loudest seam."""
    rows = swept_and_held(work, "texenv")
    model = ("--model", work / "extractor" / "model" / "extractor")
    run(
        "domain_adaptation",
        "label",
        *model,
        "--audio",
        work / "sweeps",
        "--output",
        work / "sweeps.csv",
        "--overwrite",
    )
    labels = pd.read_csv(work / "sweeps.csv")
    print(
        "\n| control swept | rho of time and what is read, per second: "
        + ", ".join(f"seed {seed}" for seed in SEEDS),
        end="",
    )
    print(
        " | greatest change between frames, in medians of such: swept | held |\n|---|---|---|---|"
    )
    for control in RANGES:
        rhos = []
        for seed in SEEDS:
            own = labels[labels["file_name"] == f"{control}_sweep_{seed}.wav"].sort_values(
                "start_seconds"
            )
            rhos.append(spearmanr(own["start_seconds"], own[control]).statistic)
        seams = {
            kind: np.mean(
                [row["seam"] for row in rows if (row["control"], row["kind"]) == (control, kind)]
            )
            for kind in ("sweep", "held")
        }
        print(
            f"| {control} | {', '.join(f'{rho:+.3f}' for rho in rhos)} | {seams['sweep']:.2f} | {seams['held']:.2f} |"
        )


def seam(path: Path) -> float:
    """Return the greatest change of the log spectrum from one frame of 32 ms to the next, in
    medians of such changes."""
    samples, _ = soundfile.read(path)
    frames = samples[: len(samples) // 512 * 512].reshape(-1, 512) * np.hanning(512)
    spectra = np.log(np.abs(np.fft.rfft(frames)) + 1e-4)
    changes = np.sqrt(np.square(np.diff(spectra, axis=0)).mean(1))
    return float(changes.max() / np.median(changes))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", type=int, default=2500)
    parser.add_argument("--clips", type=int, default=2000)
    options = parser.parse_args()
    work = options.folder.absolute()
    synthesiser = {"type": "texenv", "num_steps": options.steps, "checkpoint": 250}
    measure(work, synthesiser, options.clips)
    sweep(work)


if __name__ == "__main__":
    main()
