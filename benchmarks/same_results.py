"""Are the results of two runs of a pipeline the same? Sounds and tables by their bytes, weights by
their numbers.

    python benchmarks/same_results.py BEFORE AFTER

BEFORE, AFTER: folders of results, as `texture-pipeline --output` writes them, made with the same
configs by two versions of the toolkit. What depends on the clock or on the version (run.json,
history of times, pages, pictures) is not compared. Prints a Markdown table and every file that
differs. Exit status: 0 all the same, 1 not.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

_KINDS = {".wav": "sounds", ".csv": "tables", ".params": "tables", ".safetensors": "weights"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    folders = parser.parse_args()
    names = sorted({*_names(folders.before), *_names(folders.after)})
    differ = [name for name in names if not _is_same(folders.before / name, folders.after / name)]
    counts, different = (
        Counter(_KINDS[Path(name).suffix] for name in each) for each in (names, differ)
    )
    print("| | files | the same | different |\n|---|---|---|---|")
    for kind, count in counts.items():
        print(f"| {kind} | {count} | {count - different[kind]} | {different[kind]} |")
    for name in differ:
        missing = [
            folder for folder in (folders.before, folders.after) if not (folder / name).exists()
        ]
        print(f"{name}: {f'only {missing[0].name} lacks it' if missing else 'differs'}")
    sys.exit(1 if differ else 0)


def _names(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        if path.suffix in _KINDS and path.is_file():
            yield path.relative_to(folder).as_posix()


def _is_same(before: Path, after: Path) -> bool:
    if not (before.is_file() and after.is_file()):
        return False
    if before.suffix != ".safetensors":
        return before.read_bytes() == after.read_bytes()
    one, other = load_file(before), load_file(after)
    return one.keys() == other.keys() and all(
        np.array_equal(one[name], other[name]) for name in one
    )


if __name__ == "__main__":
    main()
