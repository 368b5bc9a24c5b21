"""The command of stage 2 that reads a config and writes its output."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from texturelib.commands import Command, Input
from texturelib.files import shown

if TYPE_CHECKING:
    from real_datasets.config import RealConfig
    from texturelib.outputs import Output


def _inputs(settings: "RealConfig") -> Iterator[Input]:
    """Recordings and tables on disk."""
    for name, path in settings.inputs.items():
        yield Input(name, path)


def _look_ahead(settings: "RealConfig") -> str:
    from real_datasets.survey import survey

    if so_far := settings.source.so_far():
        return so_far
    if not all(path.exists() for path in settings.inputs.values()):
        return BUILD.plan(settings)
    found = survey(settings)
    return "\n".join(filter(None, [str(found), found.why_it_stops(settings.max_rejected)]))


def _build(settings: "RealConfig", output: "Output", workers: int | None) -> str:
    from real_datasets.build import build

    counts = build(settings, output, workers=workers)
    left_out = {
        "silent": counts["n_silent_segments"],
        "clipped": counts["n_clipped_segments"],
        "duplicates": counts["n_duplicate_segments"],
        "beyond most_per_recording": counts["n_segments_beyond_most"],
    }
    if counts["n_noted"]:
        notes = shown(output.folder / "notes.csv")
        print(
            f"{notes}: what was unusual in {counts['n_noted']} recordings, and how they were read"
        )
    but = ", ".join(
        f"{count} {reason}" for reason, count in left_out.items() if count or reason == "silent"
    )
    return (
        f"{counts['n_segments']} segments of {settings.seconds:g} s from {counts['n_recordings']} recordings "
        f"({counts['n_rejected']} left out; segments left out: {but})"
    )


BUILD = Command(
    "real-datasets",
    "build",
    "Cut the recordings of CONFIG into its output folder.",
    "real_datasets.config:RealConfig",
    folder=lambda settings: settings.output,
    inputs=_inputs,
    plan=lambda settings: f"segments of {settings.seconds:g} s",
    look_ahead=_look_ahead,
    run=_build,
    has_workers=True,
)

COMMANDS = (BUILD,)
