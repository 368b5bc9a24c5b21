"""Make an evenly spread, labelled dataset folder from recordings, by the laws of the controls."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conditioned_synthesis.augmentation.band import PASSED
from conditioned_synthesis.augmentation.draws import Draw, Draws
from conditioned_synthesis.augmentation.examine import Examined, examine_all
from conditioned_synthesis.augmentation.heard import what_is_heard
from conditioned_synthesis.augmentation.labels import Labels, labels_of
from conditioned_synthesis.augmentation.overview import overview_picture
from conditioned_synthesis.augmentation.parts import PARTS, Parts, divided
from conditioned_synthesis.augmentation.recordings import Recording, recordings_of
from conditioned_synthesis.augmentation.render import Clip, Form, write_clip
from conditioned_synthesis.augmentation.settings import Augment
from conditioned_synthesis.config import SynthesisConfig
from conditioned_synthesis.labels.table import check_files
from texturelib.dataset import Dataset, read_dataset, versions, write_dataset
from texturelib.errors import TextureError, UsageError
from texturelib.files import link_or_copy, read_json, shown, write_json
from texturelib.jobs import rejected_of, run_jobs, write_rejected
from texturelib.outputs import Output

if TYPE_CHECKING:
    import pandas as pd

_LOWEST_END_HZ = 300.0
"""A set whose slowest clips end below this frequency is of no use."""
_LOUDEST = 1 - 2**-15
# Columns of the recordings' table that hold for any moment of a recording.
_OF_RECORDINGS = ("tags", "origin", "licence", "author", "gen_ai_preference")
_LEVEL = "level.json"
_JOURNAL = "journal.jsonl"


@dataclass(frozen=True)
class Augmented:
    """What was made. notes: what a person should know of it, each a sentence."""

    n_clips: int
    n_recordings: int
    n_rejected: int
    comparable_below_hz: float
    notes: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        rejected = f", {self.n_rejected} left out (rejected.csv)" if self.n_rejected else ""
        return (
            f"{self.n_clips} clips of {self.n_recordings} recordings{rejected}; "
            f"comparable below {self.comparable_below_hz:.0f} Hz"
        )


@dataclass(frozen=True)
class Plan:
    """What clips can be made of.

    recordings: those with a stretch of `shortest` samples, enough for the fastest clip. too_short:
    the others, with the reason. samples_at_speed_1: number of samples of a recording, not a whole
    one, that last as long as a clip.
    """

    dataset: Dataset
    recordings: Sequence[Recording]
    too_short: Mapping[str, str]
    seconds: float
    sample_rate: int
    n_channels: int
    samples_at_speed_1: float
    shortest: int

    @property
    def n_samples(self) -> int:
        """Number of samples of each clip."""
        return round(self.seconds * self.sample_rate)


def plan_clips(dataset: Dataset, settings: Augment) -> Plan:
    """Look at what there is to make clips of, without reading any sound.

    Errors: UsageError about a key of the config.
    """
    _check_channels(dataset, settings)
    _check_band(settings, dataset.sample_rate / 2, "")
    seconds = settings.seconds or dataset.seconds
    sample_rate = settings.sample_rate or dataset.sample_rate
    samples = round(seconds * sample_rate) * dataset.sample_rate / sample_rate
    fastest = settings.size[0]
    shortest = math.ceil(samples / fastest)
    recordings, too_short = [], {}
    for each in recordings_of(dataset):
        if each.longest >= shortest:
            recordings.append(each.with_stretches(each.stretches, shortest))
            continue
        takes, has = (n / dataset.sample_rate for n in (shortest, each.longest))
        too_short[each.name] = (
            f"has {has:.2f} s without a gap; a clip of {seconds:g} s at size {fastest:g} takes {takes:.2f} s"
        )
    return Plan(
        dataset,
        recordings,
        too_short,
        seconds,
        sample_rate,
        settings.channels or dataset.n_channels,
        samples,
        shortest,
    )


def _check_channels(dataset: Dataset, settings: Augment) -> None:
    if settings.channels not in (None, 1, dataset.n_channels):
        raise UsageError(
            f"augment.channels: {settings.channels}: {shown(dataset.folder)} has {dataset.n_channels}; "
            "take that, or 1 to mix them down"
        )


def _check_band(settings: Augment, ends_at_hz: float, whose: str) -> None:
    slowest = settings.size[1]
    if ends_at_hz / slowest < _LOWEST_END_HZ:
        most = math.floor(10 * ends_at_hz / _LOWEST_END_HZ) / 10
        raise UsageError(
            f"augment.size: {slowest:g}: played so slowly, {whose or 'a recording'} that reaches up to "
            f"{ends_at_hz:.0f} Hz would end at {ends_at_hz / slowest:.0f} Hz; {most:g} is the most for it"
        )


def augment(config: SynthesisConfig, output: Output, *, workers: int | None = None) -> Augmented:
    """Write the dataset folder, and return what was made.

    Errors: UsageError about a key of the config; TextureError when the dataset is not whole, or
    nothing can be made of it.
    """
    settings = config.wanted_augment()
    dataset = read_dataset(config.labelled)
    plan = plan_clips(dataset, settings)
    check_files(dataset, dataset.metadata["file_name"])
    labels = labels_of(dataset, settings)
    output.begin()
    run = partial(
        run_jobs, journal=output.folder / _JOURNAL, executor=config.executor, workers=workers
    )
    examined = examine_all(plan.dataset, plan.recordings, run)
    unusable = dict(plan.too_short) | examined.silent
    n_recordings = len(plan.recordings) + len(plan.too_short)
    write_rejected(
        output.folder, unusable, n_recordings, settings.max_rejected, key="augment.max_rejected"
    )
    usable = [each for each in plan.recordings if each.name in examined.ends_hz]
    if not usable:
        raise _nothing(output.folder, unusable)
    lowest = min(usable, key=lambda each: examined.ends_hz[each.name])
    _check_band(settings, examined.ends_hz[lowest.name], lowest.name)
    parts = divided(usable, _given_parts(dataset), settings.held_out, plan.shortest, settings.seed)
    draws = {
        f"clip_{index + 1:06}": draw
        for index, draw in enumerate(Draws(settings, parts, labels, plan.samples_at_speed_1))
    }
    form = form_of(plan, settings, examined)
    clips = {
        name: clip_of(dataset, draw, name, examined)
        for name, draw in draws.items()
        if draw is not None
    }
    outcomes, gain = _rendered(output.folder, form, clips, run)
    rejected = {
        name: "no moment found whose labels stay within 0..1"
        for name, draw in draws.items()
        if draw is None
    } | rejected_of(outcomes)
    write_rejected(
        output.folder,
        unusable,
        n_recordings,
        settings.max_rejected,
        harmless=rejected,
        key="augment.max_rejected",
    )
    made = {name: draw for name, draw in draws.items() if draw and name not in rejected}
    if not made:
        raise _nothing(output.folder, rejected)
    table = table_of(dataset, labels, made, outcomes)
    overview_picture(output.folder / "overview.png", output.folder, table, plan.sample_rate)
    _write_attribution(dataset, output.folder)
    about: dict[str, Any] = {
        "sample_rate": plan.sample_rate,
        "seconds": plan.seconds,
        "controls": [control.describe() for control in labels.controls],
        "comparable_below_hz": form.comparable_below_hz,
    }
    made_set = Dataset(output.folder, table, {**about, "channels": plan.n_channels})
    heard = what_is_heard(made_set, output.folder)
    notes = [*labels.notes, *_notes(made, parts, gain), *heard.notes]
    write_dataset(
        output.folder,
        table,
        **about,
        n_channels=plan.n_channels,
        remarks=[_remark(settings, form), *notes],
        seed=settings.seed,
        n_planned=settings.n_clips,
        n_rejected=len(rejected),
        band=settings.band,
        lowered_db=round(abs(20 * math.log10(gain)), 2),
        n_clips_by_split=dict(Counter(table["split"])),
        heard=heard.rows,
        notes=notes,
        provenance={
            "kind": "augmented by laws",
            "of": dataset.description.get("provenance"),
            **versions("soxr"),
        },
    )
    output.finish(discard=(_JOURNAL,))
    n_used = len({draw.source for draw in made.values()})
    n_rejected = len(unusable) + len(rejected)
    return Augmented(len(made), n_used, n_rejected, form.comparable_below_hz, notes)


def _nothing(folder: Path, rejected: Mapping[str, str]) -> TextureError:
    first, reason = next(iter(rejected.items()))
    return TextureError(
        f"no clip can be made (see {shown(folder / 'rejected.csv')}; the first: {first}: {reason})"
    )


def _given_parts(dataset: Dataset) -> dict[str, str]:
    """Return, by recording, the part that the dataset has it in; empty where it is not divided, or
    some recording is in two parts."""
    table = dataset.metadata
    if not {"source", "split"} <= set(table.columns):
        return {}
    pairs = table[["source", "split"]].drop_duplicates()
    found = dict(zip(pairs["source"].astype(str), pairs["split"], strict=True))
    is_divided = {"train"} < set(found.values()) <= set(PARTS) and len(found) == len(pairs)
    return found if is_divided else {}


def form_of(plan: Plan, settings: Augment, examined: Examined) -> Form:
    """Return what the clips of the set share."""
    dataset = plan.dataset
    ends_at = min(PASSED * dataset.sample_rate / 2, *examined.ends_hz.values(), math.inf)
    comparable = min(ends_at / settings.size[1], PASSED * plan.sample_rate / 2)
    return Form(
        dataset.folder,
        dataset.sample_rate,
        dataset.n_samples,
        dataset.n_channels,
        plan.sample_rate,
        plan.n_samples,
        plan.n_channels,
        settings.band,
        round(comparable, 1),
    )


def clip_of(dataset: Dataset, draw: Draw, name: str, examined: Examined) -> Clip:
    """Return what is needed to make a clip of that name."""
    rows = {row for layer in draw.layers for row in layer.rows}
    return Clip(
        f"audio/{name}.wav",
        draw.change,
        draw.layers,
        draw.n_samples,
        {row: str(dataset.metadata["file_name"].iloc[row]) for row in sorted(rows)},
        examined.ends_hz[draw.source],
    )


def _rendered(
    folder: Path, form: Form, clips: Mapping[str, Clip], run: partial[dict[str, Any]]
) -> tuple[dict[str, Any], float]:
    """Write all clips; return their outcomes, and the gain of the whole set.

    Where one would clip, all are lowered by the same factor, which is known only at the end, so
    they are rendered again. level.json keeps it for a run that goes on.
    """
    path = folder / _LEVEL
    if not path.exists():
        outcomes = run(clips, partial(write_clip, form, 1.0, folder), label="rendering")
        peak = max(
            (each["peak"] for each in outcomes.values() if isinstance(each, dict)), default=0
        )
        write_json(path, {"gain": min(1.0, _LOUDEST / peak) if peak else 1.0}, is_durable=True)
        if peak <= _LOUDEST:
            return outcomes, 1.0
    gain = float(read_json(path)["gain"])
    # Under other names, as the journal knows the clips by how loud they were.
    lowered = {f"{name} lowered" if gain < 1 else name: clip for name, clip in clips.items()}
    outcomes = run(lowered, partial(write_clip, form, gain, folder), label="lowering")
    return dict(zip(clips, outcomes.values(), strict=True)), gain


def table_of(
    dataset: Dataset, labels: Labels, made: Mapping[str, Draw], outcomes: Mapping[str, Any]
) -> "pd.DataFrame":
    """Return metadata.csv. outcomes: by clip, what `write_clip` returned."""
    import pandas as pd

    names = [control.name for control in labels.controls]
    rows = []
    for name, draw in made.items():
        begins = [round(layer.begin / dataset.sample_rate, 6) for layer in draw.layers]
        rows.append(
            {
                "file_name": f"audio/{name}.wav",
                **dict(zip(names, draw.labels, strict=True)),
                "source": draw.source,
                "start_seconds": begins[0],
                "slow_down": draw.change.slow_down,
                "layers": draw.change.layers,
                "gain_db": draw.change.gain_db,
                "layers_start_seconds": ";".join(f"{each:g}" for each in begins),
                "level_dbfs": outcomes[name]["level_dbfs"],
                "split": draw.part,
            }
        )
    table = pd.DataFrame(rows)
    taken = [each for each in _OF_RECORDINGS if each in dataset.metadata and each not in names]
    if taken and "source" in dataset.metadata:
        of_source = dataset.metadata.drop_duplicates("source").set_index("source")[taken]
        table = table.join(of_source, on="source")
    return table


def _write_attribution(dataset: Dataset, folder: Path) -> None:
    """Keep who made the recordings, where the dataset says so."""
    path = dataset.folder / "ATTRIBUTION.md"
    if path.is_file():
        link_or_copy(path, folder / path.name)


def _remark(settings: Augment, form: Form) -> str:
    above = {
        "continued": "above, slowed clips are continued from the octave below",
        "recorded": "above, slowed clips are silent, which tells how slow they are",
        "common": "there is nothing above",
    }
    return (
        f"All clips are as they were recorded below {form.comparable_below_hz:.0f} Hz; "
        f"{above[settings.band]}. Compare them below that frequency."
    )


def _notes(made: Mapping[str, Draw], parts: Parts, gain: float) -> list[str]:
    notes = []
    if gain < 1:
        notes.append(
            f"all clips are {-20 * math.log10(gain):.1f} dB quieter than their recordings, so that none clips"
        )
    if n_overlaps := sum(draw.overlaps for draw in made.values()):
        notes.append(
            f"in {n_overlaps} of {len(made)} clips, layers share some sound, as their recordings are short"
        )
    if set(parts) == {"train"}:
        notes.append("no clip is held out: no recording is long enough to be divided")
    return notes
