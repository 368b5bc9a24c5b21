"""Turn a source of recordings into a dataset folder of equal, audible segments."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from real_datasets.attribution import attribution
from real_datasets.channels import channels_of_set
from real_datasets.choose import TAG_SEPARATOR, choose
from real_datasets.config import RealConfig
from real_datasets.cut import cut_recording
from real_datasets.names import segment_stems
from real_datasets.overview import overview_picture
from real_datasets.sources import Recording
from real_datasets.splits import split_origins
from texturelib.dataset import versions, write_dataset
from texturelib.errors import TextureError
from texturelib.files import shown, write_table, write_text
from texturelib.jobs import rejected_of, run_jobs, write_rejected
from texturelib.made import remove_ours
from texturelib.outputs import Output

if TYPE_CHECKING:
    import pandas as pd


def build(config: RealConfig, output: Output, *, workers: int | None = None) -> dict[str, int]:
    """Return how many recordings were read, rejected and noted, and how many segments were kept and
    were left out, by reason."""
    import pandas as pd

    choice = choose(config)
    wanted = choice.kept
    output.begin()
    unavailable = dict(config.source.fetch(wanted))
    # So that nobody waits for what will not be.
    if len(unavailable) / len(wanted) > config.max_rejected:
        write_rejected(output.folder, unavailable, len(wanted), config.max_rejected)
    recordings = {recording.name: recording for recording in wanted}
    # From all wanted recordings, so that a name does not depend on which were available when a
    # resumed run began.
    stems = zip(wanted, segment_stems(wanted), strict=True)
    items = {
        recording.name: (recording, stem)
        for recording, stem in stems
        if recording.name not in unavailable
    }
    journal = output.folder / "journal.jsonl"
    n_channels = channels_of_set(config, [recording for recording, _ in items.values()])
    work = partial(cut_recording, config, n_channels, output.folder)
    outcomes = run_jobs(
        items, work, journal, label="cutting", executor=config.executor, workers=workers
    )

    cuts = {name: outcome for name, outcome in outcomes.items() if isinstance(outcome, dict)}
    segments, duplicates = _segments(config, recordings, cuts)
    unusable = unavailable | rejected_of(outcomes)
    copies = _of_nothing_new(cuts, segments)
    write_rejected(output.folder, unusable, len(recordings), config.max_rejected, harmless=copies)
    rejected = unusable | copies
    if not len(segments):
        # Without a single usable recording there is no set, whatever share may be rejected.
        first, reason = next(iter(rejected.items()))
        table = shown(output.folder / "rejected.csv")
        raise TextureError(
            f"none of the {len(recordings)} recordings can be used (see {table}; the first: {first}: {reason})"
        )
    notes = {name: "; ".join(each["notes"]) for name, each in cuts.items() if each.get("notes")}
    write_table(
        output.folder / "notes.csv", pd.DataFrame([*notes.items()], columns=["file", "note"])
    )
    counts: dict[str, Any] = {
        "n_recordings": len(recordings),
        "n_rejected": len(rejected),
        "n_noted": len(notes),
        "n_left_out_by_tags": len(choice.left_out),
        "n_silent_segments": sum(each["n_silent"] for each in cuts.values()),
        "n_clipped_segments": sum(each["n_too_loud"] for each in cuts.values()),
        "n_segments_beyond_most": sum(each["n_beyond_most"] for each in cuts.values()),
        "n_duplicate_segments": len(duplicates)
        + sum(each["n_duplicates"] for each in cuts.values()),
    }
    used = [recordings[name] for name in segments["source"].unique()]
    write_text(output.folder / "ATTRIBUTION.md", attribution(used))
    durations = [cuts[recording.name]["seconds"] for recording in used]
    overview_picture(
        output.folder / "overview.png", segments, durations, [recording.tags for recording in used]
    )
    write_dataset(
        output.folder,
        segments,
        sample_rate=config.sample_rate,
        seconds=config.seconds,
        n_channels=n_channels,
        controls=[],
        **counts,
        statistics=_statistics(segments, durations, used),
        provenance={
            "kind": "real",
            "source": config.as_written(output.folder)["source"],
            **versions("soxr"),
        },
    )
    # Late: a run that goes on would miss them, and cut their recordings again.
    for name in duplicates:
        remove_ours(output.folder / "audio" / name)
    output.finish(discard=(journal.name,))
    return counts | {"n_segments": len(segments)}


def _segments(
    config: RealConfig, recordings: Mapping[str, Recording], cuts: Mapping[str, dict[str, Any]]
) -> "tuple[pd.DataFrame, list[str]]":
    """Return metadata.csv, and the files of segments that are the same as an earlier one."""
    import pandas as pd

    rows, seen, duplicates = [], set(), []
    for name, each in cuts.items():
        recording = recordings[name]
        for segment in each["segments"]:
            if config.drop_duplicates and segment["digest"] in seen:
                duplicates.append(segment["file_name"])
                continue
            seen.add(segment["digest"])
            rows.append(
                {
                    "file_name": f"audio/{segment['file_name']}",
                    "source": name,
                    "start_seconds": segment["start_seconds"],
                    "level_dbfs": segment["level_dbfs"],
                    "n_clipped": segment["n_clipped"],
                    "tags": TAG_SEPARATOR.join(recording.tags),
                    "split": recording.split,
                    "origin": recording.origin or name,
                    "licence": recording.licence,
                    "author": recording.author,
                    "gen_ai_preference": recording.gen_ai_preference,
                }
            )
    table = pd.DataFrame(rows)
    if config.split and rows:
        table["split"] = table["origin"].map(split_origins(table["origin"].tolist(), config.split))
    return table, duplicates


def _of_nothing_new(cuts: Mapping[str, dict[str, Any]], segments: "pd.DataFrame") -> dict[str, str]:
    used = set(segments["source"]) if len(segments) else set()
    return {
        name: f"all of its {len(cuts[name]['segments'])} segments are in others too"
        for name in cuts
        if name not in used
    }


def _statistics(
    segments: "pd.DataFrame", durations: Sequence[float], used: Sequence[Recording]
) -> dict[str, Any]:
    """Return the statistics in dataset.json: levels and durations, and how many segments there are
    by tag, split, licence and wish."""
    levels = segments["level_dbfs"].quantile([0, 0.25, 0.5, 0.75, 1])
    tags = Counter(tag for tags in segments["tags"] for tag in tags.split(TAG_SEPARATOR) if tag)
    return {
        "level_dbfs": dict(
            zip(
                ("min", "quartile_1", "median", "quartile_3", "max"),
                levels.round(2).tolist(),
                strict=True,
            )
        ),
        "recorded_hours": round(sum(durations) / 3600, 4),
        "n_used_recordings": len(used),
        "n_segments_by_tag": dict(tags.most_common()),
        "n_segments_by_split": _counts(segments["split"]),
        "n_segments_by_licence": _counts(segments["licence"]),
        "n_segments_by_gen_ai_preference": _counts(segments["gen_ai_preference"]),
    }


def _counts(column: "pd.Series") -> dict[str, int]:
    """Return the count of each value except the empty one."""
    return dict(Counter(value for value in column if value).most_common())
