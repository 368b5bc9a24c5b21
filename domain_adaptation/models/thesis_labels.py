"""The labels that the thesis published: the names of the controls, and the expected labels of
clips."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from domain_adaptation.labelling.inference import read_clips
from domain_adaptation.models.model_folder import Model
from texturelib.audio import read_clip
from texturelib.errors import Rejected, TextureError, UsageError, first_line
from texturelib.files import read_table, shown
from texturelib.sound_files import find_audio

_NAME = "AudioFileName"
_TABLES = (
    "_ExtractedAudioFilesLabels_SynthDataset.csv",
    "_ExtractedAudioFilesLabels_RealDataset.csv",
)
_OF_ADAPTED = "_ExtractedAudioFilesLabels__DA_RealDataset.csv"
_MOST_CLIPS = 16  # that are tried: one tells as much as a thousand
_AGREES = 1e-3
"""Largest difference of labels that count as the same, relative for labels above 1: the right
features give them within 1e-5, others miss by tenths or tens."""


class PublishedLabels(NamedTuple):
    """The published labels of the extractor and of the adapted network.

    extractor, adapted: a row per clip, by its file's name, a column per control; perhaps no rows.
    """

    controls: list[str]
    extractor: pd.DataFrame
    adapted: pd.DataFrame


def published_labels(prefix: Path) -> PublishedLabels:
    """Read the published labels. prefix: what the paths of all published files begin with.

    Errors: TextureError when there is no table, one is none of labels, or they differ in their
    controls.
    """
    tables: dict[str, pd.DataFrame] = {}
    for ending in (*_TABLES, _OF_ADAPTED):
        path = prefix.with_name(prefix.name + ending)
        if not path.exists():
            continue
        table = tables[ending] = _labels(path)
        first, *_ = tables.values()
        if list(table.columns) != list(first.columns):
            raise TextureError(
                f"{shown(path)}: has labels of {', '.join(table.columns)}, another table those of {', '.join(first.columns)}"
            )
    if not tables:
        path = prefix.with_name(prefix.name + _TABLES[1])
        raise TextureError(
            f"{shown(path)}: no such file, nor another table of labels; they name the controls"
        )
    first, *_ = tables.values()
    nothing = first.iloc[:0]
    of_extractor = pd.concat([nothing, *(tables[ending] for ending in _TABLES if ending in tables)])
    adapted = pd.concat(
        [nothing, *(table for ending, table in tables.items() if ending == _OF_ADAPTED)]
    )
    return PublishedLabels([*first.columns], of_extractor, adapted)


def _labels(path: Path) -> pd.DataFrame:
    table = read_table(path, text_columns=(_NAME,))
    if _NAME not in table or len(table.columns) < 2:
        raise TextureError(
            f"{shown(path)}: should have the column {_NAME} and one for each control"
        )
    table = table.drop_duplicates(_NAME).set_index(_NAME)
    try:
        return table.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise TextureError(
            f"{shown(path)}: holds labels that are not numbers ({first_line(error)})"
        ) from None


def that_answers_alike(
    models: Mapping[str, Model], labels: pd.DataFrame, audio: Path, *, hint: str
) -> tuple[str, int]:
    """Return the model that gives the published labels, by its option, and for how many clips.

    models: by the option of the command that selects it: the same weights with other features.
    labels: by file name. audio: a folder in which some of these clips may be. hint: what to do
    where none is. Errors: UsageError when no clip is there and there are several models;
    TextureError when none gives these labels.
    """
    clips = _labelled_clips(next(iter(models.values())), labels, audio)
    if not clips:
        if len(models) > 1:
            raise UsageError(hint)
        return next(iter(models)), 0
    answers = {}
    expected = labels.loc[list(clips)].to_numpy()
    for name, model in models.items():
        answers[name] = read_clips(model, np.stack([*clips.values()])).labels
        if np.all(np.abs(answers[name] - expected) <= _AGREES * np.maximum(1, np.abs(expected))):
            return name, len(clips)
    clip, control = next(iter(clips)), labels.columns[0]
    read = " or ".join(
        f"{values[0, 0]:.4g}" + (f" ({name})" if name else "") for name, values in answers.items()
    )
    raise TextureError(
        f"{shown(audio)}: of {clip} its network reads {control} {read}, but {expected[0, 0]:.4g} was published: it is another "
        "clip, or the network was given something else"
    )


def _labelled_clips(model: Model, labels: pd.DataFrame, audio: Path) -> dict[str, np.ndarray]:
    """Return the samples [samples] of some clips that have labels, by name.

    Clips that do not fit the model are left out.
    """
    spec, clips = model.spec, {}
    n_samples = round(spec.seconds * spec.sample_rate)
    known = set(labels.index)
    for path in find_audio(audio):
        if path.name in known and len(clips) < _MOST_CLIPS:
            try:
                clip = read_clip(path, spec.sample_rate, n_samples)
            except (Rejected, FileNotFoundError):
                continue
            if clip.any():
                clips[path.name] = clip
    return clips
