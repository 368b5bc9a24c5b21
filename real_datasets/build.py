"""Turn a source of recordings into a dataset folder of equal, audible segments."""

from functools import partial
from pathlib import Path
from typing import Any

from real_datasets.config import RealConfig
from real_datasets.segments import cut, is_silent, segment_stems
from real_datasets.sources import Recording
from texturelib.audio import read_mono, write_wav
from texturelib.dataset import versions, write_dataset
from texturelib.errors import Rejected, TextureError
from texturelib.files import shown
from texturelib.jobs import rejected_of, run_jobs, write_rejected
from texturelib.outputs import Output


def build(config: RealConfig, output: Output, *, workers: int | None = None) -> dict[str, int]:
    """-> how many recordings were read and rejected, how many segments were kept and were silent."""
    import pandas as pd

    recordings = config.source.recordings()
    stems = segment_stems(recordings)
    items = {recording.name: (recording, stem) for recording, stem in zip(recordings, stems, strict=True)}
    output.begin()
    journal = output.folder / "journal.jsonl"
    outcomes = run_jobs(items, partial(_cut_recording, config, output.folder), journal, label="cutting", workers=workers)

    rejected = rejected_of(outcomes)
    write_rejected(output.folder, rejected, len(items), config.max_rejected)
    if len(rejected) == len(items):
        # Without a single usable recording there is no set, whatever share may be rejected.
        first, reason = next(iter(rejected.items()))
        table = shown(output.folder / "rejected.csv")
        raise TextureError(f"none of the {len(items)} recordings can be used (see {table}; the first: {first}: {reason})")
    usable = {name: outcome for name, outcome in outcomes.items() if name not in rejected}
    counts = {
        "n_recordings": len(items),
        "n_rejected": len(rejected),
        "n_silent_segments": sum(outcome["n_silent"] for outcome in usable.values()),
    }
    rows = [
        {"file_name": f"audio/{file_name}", "source": name, "start_seconds": start}
        for name, outcome in usable.items()
        for file_name, start in outcome["segments"]
    ]
    write_dataset(
        output.folder,
        pd.DataFrame(rows),
        sample_rate=config.sample_rate,
        seconds=config.seconds,
        controls=[],
        **counts,
        provenance={"kind": "real", "source": config.source.model_dump(mode="json"), **versions("soxr")},  # type: ignore[attr-defined]
    )
    journal.unlink()
    output.finish()
    return counts | {"n_segments": len(rows)}


def _cut_recording(config: RealConfig, folder: Path, recording_and_stem: tuple[Recording, str]) -> dict[str, Any]:
    """Write one recording's audible segments. -> their names and start times, and how many were silent."""
    recording, stem = recording_and_stem
    try:
        samples = read_mono(recording.path, config.sample_rate)
    except FileNotFoundError:
        raise Rejected(f"{shown(recording.path)} is gone") from None
    except UnicodeEncodeError:
        raise Rejected("its name is not UTF-8, so it cannot be opened; rename it") from None
    kept: list[tuple[str, float]] = []
    n_silent = 0
    for start, segment in cut(samples, round(config.seconds * config.sample_rate)):
        if is_silent(segment, config.silence_dbfs):
            n_silent += 1
            continue
        # Counted from 1 over the kept segments only, as in the thesis's set.
        name = f"{stem}_{len(kept) + 1}.wav"
        write_wav(folder / "audio" / name, segment, config.sample_rate)
        kept.append((name, round(start / config.sample_rate, 6)))
    if not kept and n_silent:
        raise Rejected(f"all of its {n_silent} segments are silent")
    if not kept:
        raise Rejected(f"is {len(samples) / config.sample_rate:.2f} s long, shorter than one segment of {config.seconds:g} s")
    return {"segments": kept, "n_silent": n_silent}
