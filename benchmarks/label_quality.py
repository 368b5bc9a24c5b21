"""How good the labels are that `make demo` made: python benchmarks/label_quality.py RESULTS
[RESULTS ...]

RESULTS is a folder that texture-pipeline wrote. Prints Markdown: the share of labels within 0..1
before and after adaptation, and for simulated recordings the mean absolute error against their
hidden controls.
"""

import sys
from pathlib import Path

from texture_pipeline.truth import hidden_truth
from texturelib.files import read_json


def main() -> None:
    for results in map(Path, sys.argv[1:]):
        labels = results / "adaptation" / "labels"
        summary = read_json(labels / "summary.json")
        extractor = read_json(results / "adaptation" / "extractor" / "metrics.json")
        inside = summary["share_of_labels_within_0_1"]
        print(
            f"\n{results.name}: {summary['n_clips']} real clips; the extractor's mean absolute error on synthetic test clips is"
        )
        print(f"{extractor['test_mae']:.4f}\n")
        print("| control | labels within 0..1, before | after |\n|---|---|---|")
        for name, when in summary["controls"].items():
            print(
                f"| {name} | {when['before']['share_within_0_1']:.1%} | {when['after']['share_within_0_1']:.1%} |"
            )
        print(f"| all | {inside['before']:.1%} | {inside['after']:.1%} |")
        if (results / "recordings").exists():
            print(
                "\n| control | mean absolute error, before | after | always the mean |\n|---|---|---|---|"
            )
            for row in hidden_truth(labels, results / "recordings").errors():
                print(
                    f"| {row['control']} | {row['before']:.4f} | {row['after']:.4f} | {row['always_the_mean']:.4f} |"
                )


if __name__ == "__main__":
    main()
