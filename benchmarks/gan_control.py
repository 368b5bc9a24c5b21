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
from texenv_control import measure, seam, swept_and_held


def print_seams(work: Path) -> None:
    """Print the loudest seam of sounds whose controls are held or swept, and of clips."""
    rows = swept_and_held(work, "gan")
    found = {
        "clips": [seam(path) for path in sorted((work / "gan" / "mtcrnn").glob("*.wav"))[:64]],
        "swept": [row["seam"] for row in rows if row["kind"] == "sweep"],
        "held": [row["seam"] for row in rows if row["kind"] == "held"],
    }
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
    checkpoint = min(500, options.steps)
    synthesiser = {
        "type": "gan",
        "num_steps": options.steps,
        "checkpoint": checkpoint,
        "matching": 10.0,
    }
    measure(work, synthesiser, options.clips)
    print_seams(work)


if __name__ == "__main__":
    main()
