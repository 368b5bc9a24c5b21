"""Do the sliders of an instrument made of one recording obey physics? python benchmarks/law_sliders.py
FOLDER --recordings FOLDER [--only NAME ...] [--types grains texenv] [--clips N] [--steps N] [--seconds S]
[--minutes M]

For each recording by itself: cut, augmented by the laws (size and density), and each kind of
synthesiser trained on that. Then each plays 9 values of each slider with 3 seeds, S seconds each,
the other in its middle, and the laws say what moved. What is in FOLDER already is not made again;
after M minutes nothing new is begun, and what there is until then is printed, as Markdown.

Columns: what the clips let one hear of the control; how far they change over its range, and how far
the instrument does: for size the octaves of the spectrum's centre as it is heard, for density ln of
the number of layers as the law reads it; the rank correlation of the slider with the law's reading;
and how far the law's reading of the other control goes along, in slider widths, with its standard
error; for the data the same, where one half of the clips is read by the other half.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from conditioned_synthesis.data.clips import Sounds, read_sounds
from conditioned_synthesis.data.split import split_sounds
from conditioned_synthesis.evaluation.control_metrics import leak, leak_error, signed_rho
from conditioned_synthesis.evaluation.law_labeller import comparable_below_hz
from conditioned_synthesis.instrument.automation import constant
from conditioned_synthesis.instrument.instrument import Instrument, load_instrument
from conditioned_synthesis.laws.heard import heard_in_dataset, mono
from conditioned_synthesis.laws.reader import LawReader
from conditioned_synthesis.laws.spectrum import LogSpectrum, centre_octaves
from texturelib.audio import mix_down
from texturelib.dataset import read_dataset
from texturelib.files import read_json, write_json
from texturelib.sound_files import find_audio

VALUES, SEEDS = 9, (1, 2, 3)
SHARE_HELD_OUT = 0.1  # where the set does not say which clips are held out


def run(program: str, *words: Any) -> None:
    print("$", program, *words, file=sys.stderr)
    module = program.replace("-", "_")
    subprocess.run(
        [sys.executable, "-m", module, *map(str, words)],
        check=True,
        stdout=sys.stderr,
        env=os.environ | {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "2")},
    )


def make_set(work: Path, recording: Path, n_clips: int) -> Path:
    """Return an augmented dataset folder of one recording."""
    sources = work / "recording"
    sources.mkdir(parents=True, exist_ok=True)
    if not (sources / recording.name).exists():
        shutil.copyfile(recording, sources / recording.name)
    real = {
        "output": "real",
        "source": {"type": "folder", "path": "recording"},
        "sample_rate": 44100,
        "seconds": 1.0,
        "silence": {"level_dbfs": -60.0},
    }
    write_json(work / "real.json", real)
    run("real-datasets", "build", work / "real.json")
    write_json(work / "augment.json", synthesis(None, "augment", n_clips))
    run("conditioned-synthesis", "augment", work / "augment.json")
    return work / "augment" / "augmented"


def synthesis(synthesiser: dict[str, Any] | None, output: str, n_clips: int) -> dict[str, Any]:
    content: dict[str, Any] = {"output": output, "labelled": "real", "synthesiser": synthesiser}
    if synthesiser:
        return content | {"train": {"sounds": "augment/augmented"}}
    return content | {"augment": {"n_clips": n_clips}}


def train(work: Path, kind: str, n_steps: int, n_clips: int) -> Instrument:
    settings: dict[str, Any] = {"type": kind}
    if kind != "grains":
        settings |= {"num_steps": n_steps, "checkpoint": max(1, n_steps // 2)}
    write_json(work / f"{kind}.json", synthesis(settings, kind, n_clips))
    run("conditioned-synthesis", "train", work / f"{kind}.json")
    return load_instrument(work / kind / "synthesiser")


def of_data(augmented: Path) -> dict[str, Any]:
    """Return what is heard of each control in the clips, by control."""
    return {
        each.control: {"word": each.word, "changes": each.changes, "law": each.law}
        for each in heard_in_dataset(read_dataset(augmented))
    }


def leakage_of_data(augmented: Path) -> dict[str, Any]:
    """Return how far the other control's reading goes along with each control in clips of the
    training, where both are known, and nothing leaks but in the reading: each half of them is read
    as the other half says."""
    sounds = read_sounds(augmented, None, lambda _: 1)
    rows = split_sounds(sounds, SHARE_HELD_OUT, 0).train
    values = sounds.means(rows)
    read = {control.name: np.full(len(rows), np.nan) for control in sounds.controls}
    for part in (slice(0, None, 2), slice(1, None, 2)):
        others = np.setdiff1d(np.arange(len(rows)), np.arange(len(rows))[part])
        reader = LawReader(
            sounds.samples(rows[others]),
            sounds.sample_rate,
            sounds.controls,
            values[others],
            comparable_below_hz(augmented),
        )
        for name, each in reader(sounds.samples(rows[part])).items():
            read[name][part] = each
    found = {}
    names = [control.name for control in sounds.controls]
    for name, own in zip(names, values.T, strict=True):
        for other, truth in zip(names, values.T, strict=True):
            if other != name:
                # What the reading says beyond the truth; both vary here, so this is no matter of theirs.
                wrong = read[other] - truth
                found[name] = {"leakage": leak(own, wrong), "error": leak_error(own, wrong)}
    return found


def of_instrument(instrument: Instrument, augmented: Path, seconds: float) -> dict[str, Any]:
    """Return what each slider does, by control."""
    sounds = read_sounds(augmented, instrument.spec.names, lambda _: 1)
    highest_hz = comparable_below_hz(augmented)
    reader = calibrated(sounds, highest_hz)
    spectrum = LogSpectrum(sounds.sample_rate, sounds.n_samples, highest_hz)
    found = {}
    for slider in instrument.spec.sliders:
        values = np.repeat(np.linspace(slider.low, slider.high, VALUES), len(SEEDS))
        read: dict[str, list[float]] = {"centre": []}
        for index, value in enumerate(values):
            seed = SEEDS[index % len(SEEDS)]
            played = mix_down(instrument.play({slider.name: constant(value)}, seconds, seed))
            parts = played[: len(played) // sounds.n_samples * sounds.n_samples]
            parts = mono(parts.reshape(-1, sounds.n_samples))
            read["centre"].append(float(centre_octaves(spectrum, spectrum(parts)).mean()))
            for name, each in reader(parts).items():
                read.setdefault(name, []).append(float(np.nanmean(each)))
        own = np.array(read.get(slider.name, [np.nan] * len(values)))
        width = np.log(float(slider.control["high"]) / float(slider.control["low"]))
        in_unit = np.array(read["centre"]) if slider.name == "size" else own * width
        others = {
            name: np.array(each)
            for name, each in read.items()
            if name not in (slider.name, "centre")
        }
        found[slider.name] = {
            "changes": float(np.polyfit(values, in_unit, 1)[0] * np.ptp(values)),
            "rho": signed_rho(values, own),
            "centre_rho": signed_rho(values, np.array(read["centre"])),
            "leakage": max((leak(values, each) for each in others.values()), default=np.nan),
            "error": max((leak_error(values, each) for each in others.values()), default=np.nan),
        }
    return found


def calibrated(sounds: Sounds, highest_hz: float | None) -> LawReader:
    rows = split_sounds(sounds, SHARE_HELD_OUT, 0).train
    return LawReader(
        sounds.samples(rows), sounds.sample_rate, sounds.controls, sounds.means(rows), highest_hz
    )


def measure(
    work: Path, recording: Path, options: argparse.Namespace, ends_at: float
) -> dict[str, Any]:
    """Return all that is measured of a recording, from result.json where it is there."""
    path = work / "result.json"
    result = read_json(path) if path.exists() else {}
    augmented = work / "augment" / "augmented"
    if "data" not in result and time.monotonic() < ends_at:
        augmented = make_set(work, recording, options.clips)
        result["data"] = of_data(augmented)
        write_json(path, result)
    if "data" in result and "of_reader" not in result and time.monotonic() < ends_at:
        result["of_reader"] = leakage_of_data(augmented)
        write_json(path, result)
    for kind in options.types:
        if "data" in result and kind not in result and time.monotonic() < ends_at:
            began = time.monotonic()
            instrument = train(work, kind, options.steps, options.clips)
            seconds = time.monotonic() - began
            result[kind] = of_instrument(instrument, augmented, options.seconds) | {
                "seconds": seconds
            }
            write_json(path, result)
    return result


def leaks(found: dict[str, Any] | None) -> str:
    return f"{found['leakage']:.2f} ± {found['error']:.2f}" if found else ""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--recordings", type=Path, required=True)
    parser.add_argument("--only", nargs="+", help="recordings by their names, without ending")
    parser.add_argument("--types", nargs="+", default=["grains", "texenv"])
    parser.add_argument("--clips", type=int, default=400)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--seconds", type=float, default=12.0)
    parser.add_argument("--minutes", type=float, default=60.0)
    options = parser.parse_args()
    ends_at = time.monotonic() + 60 * options.minutes
    results = {
        recording.stem: measure(
            options.folder.absolute() / recording.stem, recording, options, ends_at
        )
        for recording in find_audio(options.recordings)
        if options.only is None or recording.stem in options.only
    }
    heads = [f"{kind}: {what}" for kind in options.types for what in ("changes", "rho", "leakage")]
    columns = ["recording", "control", "heard", "data: changes", "leakage", *heads]
    print("|", " | ".join(columns), "|")
    print("|---" * len(columns) + "|")
    for name, result in results.items():
        for control, data in result.get("data", {}).items():
            own = result.get("of_reader", {}).get(control)
            cells = [name, control, data["word"], f"{data['changes']:+.2f}", leaks(own)]
            for kind in options.types:
                own = result.get(kind, {}).get(control)
                cells += (
                    [f"{own['changes']:+.2f}", f"{own['rho']:+.3f}", leaks(own)]
                    if own
                    else ["", "", ""]
                )
            print("|", " | ".join(cells), "|")
    print(
        json.dumps(
            {
                name: {
                    kind: round(result[kind]["seconds"]) for kind in options.types if kind in result
                }
                for name, result in results.items()
            }
        ),
        file=sys.stderr,
    )


if __name__ == "__main__":
    main()
