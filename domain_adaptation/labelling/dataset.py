"""Label the real set with continuous controls."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from domain_adaptation.config import AdaptationConfig
from domain_adaptation.data.sets import check_clips_alike, sources_of
from domain_adaptation.evaluation.laws import (
    LabelsAtSpeeds,
    can_be_slowed,
    fitted_slopes,
    labels_at_speeds,
    labels_in_layers,
    law_broken_by,
    law_slopes,
)
from domain_adaptation.evaluation.plots import distribution_plot, slow_down_plot, source_plot
from domain_adaptation.evaluation.scores import share_inside
from domain_adaptation.labelling.batches import label_dataset
from domain_adaptation.labelling.inference import Labels, read_waveforms_of
from domain_adaptation.labelling.verdicts import Verdicts, judge_set
from domain_adaptation.models.model_folder import Model, check_same_controls, load_model
from texturelib.controls import Law
from texturelib.dataset import read_dataset, write_dataset
from texturelib.evenly import evenly_spread
from texturelib.files import link_or_copy, write_json, write_table
from texturelib.learning.memory import keep_freed_memory
from texturelib.outputs import Output

_SLOWED_CLIPS = 256  # spread evenly over the set, for the slow-down test


def label(
    config: AdaptationConfig, output: Output, *, workers: int | None = None
) -> dict[str, Any]:
    """Write a dataset folder: the real clips with their labels; return what summary.json says.

    The labels are those of the adapted network, a column per control, not clipped to 0..1; another
    column per control has half the width of each label's 90 % interval. With a network of relative
    scale, the labels are brought to the engine's laws, recording by recording, and recordings.csv
    says what each of them can tell. labels.csv and labels.json hold the labels alone,
    labels_before.csv those without adaptation and laws.
    """
    import pandas as pd

    keep_freed_memory()
    folders = {name: config.output / name for name in ("extractor", "adapted")}
    models = {name: load_model(folder) for name, folder in folders.items()}
    check_same_controls({folders[name]: model.spec.names for name, model in models.items()})
    adapted = models["adapted"]
    controls = adapted.spec.names
    dataset = read_dataset(config.real)
    sources = sources_of(dataset)
    check_clips_alike(
        "real", dataset, "that of the clips the extractor learnt from", adapted.spec.model_dump()
    )
    output.begin()
    folder, journal = output.folder, output.folder / "journal.jsonl"
    readings = label_dataset(folders, dataset, journal, config.executor, workers)
    before, reading = readings["extractor"].labels, readings["adapted"]
    verdicts = judge_set(config, adapted, dataset)
    if verdicts:
        reading = verdicts.moved(reading)
    after = reading.labels

    chosen = evenly_spread(len(dataset), _SLOWED_CLIPS)
    clips = read_waveforms_of(adapted, dataset, chosen)
    is_slowed = bool(law_slopes(adapted.spec)) and can_be_slowed(adapted)
    at_speeds = {
        when: labels_at_speeds(models[name], clips)
        for when, name in (("before", "extractor"), ("after", "adapted"))
        if is_slowed
    }
    in_layers = {
        when: labels_in_layers(models[name], clips, sources[chosen])
        for when, name in (("before", "extractor"), ("after", "adapted"))
        if any(law_slopes(adapted.spec, "mixing").values())
    }

    names = dataset.metadata[["file_name"]]
    labels = pd.concat([names, labels_table(adapted, reading, verdicts)], axis=1)
    others = dataset.metadata.drop(columns=list(labels.columns), errors="ignore")
    for index, name in enumerate(names["file_name"]):
        link_or_copy(dataset.path(index), folder / name)
    write_table(folder / "labels_before.csv", pd.concat([names, _table(before, controls)], axis=1))
    write_table(folder / "labels.csv", labels)
    write_json(folder / "labels.json", labels_by_name(labels))
    summary = {
        "n_clips": len(dataset),
        "share_of_labels_within_0_1": {
            "before": share_inside(before),
            "after": share_inside(after),
        },
        "controls": {name: _summary(before[:, i], after[:, i]) for i, name in enumerate(controls)},
        "slow_down": _slow_down(adapted, at_speeds, len(chosen)),
        "mixing": {"slopes": _slopes_by_law(adapted, in_layers, "mixing")},
    }
    if verdicts:
        summary["recordings"] = verdicts.table()
        write_table(folder / "recordings.csv", pd.DataFrame(summary["recordings"]))
    write_json(folder / "summary.json", summary)
    distribution_plot(folder / "distributions.png", before, after, controls)
    source_plot(folder / "by_source.png", after, sources, controls)
    if is_slowed:
        slow_down_plot(folder / "slow_down.png", at_speeds, law_slopes(adapted.spec), controls)
    write_dataset(
        folder,
        pd.concat([labels, others], axis=1),
        sample_rate=dataset.sample_rate,
        seconds=dataset.seconds,
        n_channels=dataset.n_channels,
        controls=adapted.spec.controls,
        provenance={
            "kind": "labelled by domain-adaptation",
            "of": dataset.description.get("provenance"),
        },
    )
    output.finish(discard=(journal.name,))
    return summary


def _slow_down(
    model: Model, at_speeds: Mapping[str, LabelsAtSpeeds], n_clips: int
) -> dict[str, Any]:
    """Return, by control with a law, the slope that the law says per unit of ln(slow-down), and the
    slopes of the labels."""
    return {
        "n_clips": n_clips,
        "law_broken_by": {
            when: law_broken_by(model.spec, labels) for when, labels in at_speeds.items()
        },
        "slopes": _slopes_by_law(model, at_speeds, "slow_down"),
    }


def _slopes_by_law(
    model: Model, changed: Mapping[str, LabelsAtSpeeds], law: Law
) -> dict[str, dict[str, float]]:
    """Return, by control with a law, its slope by the law and those of the labels before and after
    adaptation; nothing where nothing was measured."""
    slopes = {when: fitted_slopes(labels) for when, labels in changed.items()}
    return {
        name: {
            "by_the_law": wanted,
            **{when: float(slope[model.spec.names.index(name)]) for when, slope in slopes.items()},
        }
        for name, wanted in law_slopes(model.spec, law).items()
        if slopes
    }


def labels_table(model: Model, reading: Labels, verdicts: Verdicts | None = None) -> Any:
    """Return a data frame with a column per control, then one `<control>_interval` each where
    intervals are known, and one `<control>_is_told` each with verdicts: whether the clip's recording
    can tell it."""
    import pandas as pd

    names = model.spec.names
    widths = model.half_widths(reading.scale)
    if verdicts:
        widths = verdicts.half_widths(widths)
    tables = [_table(reading.labels, names)]
    if widths is not None:
        tables.append(_table(widths, [f"{name}_interval" for name in names]))
    if verdicts:
        tables.append(
            pd.DataFrame({f"{name}_is_told": told for name, told in verdicts.is_told().items()})
        )
    return pd.concat(tables, axis=1)


def labels_by_name(labels: Any) -> dict[str, dict[str, float]]:
    """Return the labels by file name and column, as the thesis published its labels.

    labels: a data frame with file_name first -> {file name: {column: value}}.
    """
    return {str(row.pop("file_name")): row for row in labels.to_dict("records")}


def _table(labels: np.ndarray, controls: list[str]) -> Any:
    import pandas as pd

    return pd.DataFrame(labels.astype(np.float64).round(6), columns=controls)


def _summary(before: np.ndarray, after: np.ndarray) -> dict[str, dict[str, float]]:
    return {
        when: {
            "share_within_0_1": share_inside(labels),
            "mean": float(labels.mean()),
            "std": float(labels.std()),
            "min": float(labels.min()),
            "max": float(labels.max()),
        }
        for when, labels in (("before", before), ("after", after))
    }
