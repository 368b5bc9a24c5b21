"""Does Gan follow its controls? python benchmarks/gan_control.py FOLDER [--steps N] [--clips N]

As texenv_control.py: clips of the liquid engine in which avgRate and maxRadius vary, a training on
them, and `conditioned-synthesis evaluate` beside a twin on shuffled labels, an untrained one and the
clips themselves; what is read is read by an extractor of stage 3 that had no part in any loss. Then
both controls are swept through their range in 10 s, and the greatest change from one frame to the
next is printed beside that of clips. What is in FOLDER already is not made again. Prints Markdown.
"""

import argparse
from pathlib import Path

import numpy as np
from synthesiser_control import make_extractor, run, synthetic_config
from texenv_control import FIXED, RANGES, SEEDS, SWEEP_SECONDS, VARIED, seam

from texturelib.files import write_json


def synthesis_config(folder: Path, steps: int, extractor: Path) -> Path:
    content = {
        "output": "gan",
        "labelled": "clips",
        "export": {"source": "labelled"},
        "synthesiser": {
            "type": "gan",
            "num_steps": steps,
            "checkpoint": min(500, steps),
            "matching": 10.0,
        },
        "labeller": str(extractor),
        "linearise": {},
    }
    write_json(folder / "gan.json", content)
    return folder / "gan.json"


def print_seams(work: Path) -> None:
    """Print the loudest seam of sounds whose controls are held or swept, and of clips."""
    found = {"clips": [seam(path) for path in sorted((work / "gan" / "mtcrnn").glob("*.wav"))[:64]]}
    for kind, words in (("swept", f"0:0,{SWEEP_SECONDS}:1"), ("held", "0.5")):
        found[kind] = []
        for control in RANGES:
            for seed in SEEDS:
                path = work / "sweeps" / f"{control}_{kind}_{seed}.wav"
                where = ("--model", work / "gan" / "instrument", "--output", path, "--overwrite")
                length = ("--seconds", SWEEP_SECONDS, "--seed", seed)
                run(
                    "conditioned_synthesis",
                    "generate",
                    *where,
                    "--control",
                    f"{control}={words}",
                    *length,
                )
                found[kind].append(seam(path))
    print("\n| greatest change between frames, in medians of such | " + " | ".join(found) + " |")
    print("|---|" + "--:|" * len(found))
    print("| mean | " + " | ".join(f"{np.mean(each):.2f}" for each in found.values()) + " |")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--clips", type=int, default=2000)
    options = parser.parse_args()
    work = options.folder.absolute()
    work.mkdir(parents=True, exist_ok=True)
    clips = synthetic_config(work, {**FIXED, **RANGES}, options.clips, 0)
    run("synthetic_datasets", "generate", clips)
    extractor = make_extractor(work / "extractor", VARIED)
    config = synthesis_config(work, options.steps, extractor)
    for command in ("export", "train", "linearise", "evaluate"):
        run("conditioned_synthesis", command, config)
    print((work / "gan" / "evaluation" / "evaluation.md").read_text())
    print_seams(work)


if __name__ == "__main__":
    main()
