"""What the engine's laws say of every recording of a set, for its labels and its tables."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from domain_adaptation.config import AdaptationConfig
from domain_adaptation.data.sets import sources_of, synthetic_set
from domain_adaptation.labelling.by_the_laws import (
    LEAST_CLIPS,
    Reference,
    Verdict,
    judge_recording,
    reference_density,
    scale_of,
)
from domain_adaptation.labelling.inference import Labels, read_waveforms_of
from domain_adaptation.models.model_folder import Model, check_same_features, load_model
from domain_adaptation.scale.outputs import for_recordings
from texturelib.dataset import Dataset
from texturelib.errors import UsageError
from texturelib.evenly import evenly_spread
from texturelib.files import shown
from texturelib.progress import progress

_SYNTHETIC = 256  # clips that the density is taken of
_MOST_CLIPS = 24  # of a recording


@dataclass(frozen=True)
class Verdicts:
    """The verdicts on the recordings of a set.

    sources: [clips], the recording of each clip. of: by recording; one that is too short has none.
    names: of the controls.
    """

    sources: np.ndarray
    of: dict[str, Verdict]
    names: list[str]

    def moved(self, labels: Labels) -> Labels:
        """Return the labels, [clips, controls], moved by the shifts of their recordings."""
        shifts = labels.labels.copy()
        for row, source in enumerate(self.sources):
            verdict = self.of.get(source)
            shifts[row] += 0.0 if verdict is None else verdict.shift.astype(shifts.dtype)
        return Labels(shifts, labels.scale)

    def half_widths(self, widths: np.ndarray | None) -> np.ndarray | None:
        """Return the half widths of the intervals, [clips, controls], at least those of the
        verdicts."""
        if widths is None:
            return None
        wider = widths.copy()
        for row, source in enumerate(self.sources):
            if source in self.of:
                wider[row] = np.maximum(wider[row], self.of[source].half_width)
        return wider

    def is_told(self) -> dict[str, np.ndarray]:
        """Return, by control, whether the recording of each clip can tell it, [clips]; of those that
        are too short nothing is known, and they count as told."""
        nothing = ("",) * len(self.names)
        why_not = [self.of[each].why_not if each in self.of else nothing for each in self.sources]
        return {
            name: np.array([not why[i] for why in why_not]) for i, name in enumerate(self.names)
        }

    def table(self) -> list[dict[str, Any]]:
        """Return a row per recording and control: whether it is told, why not, and what was
        measured."""
        rows = []
        for source in sorted(set(self.sources)):
            verdict = self.of.get(source)
            for i, name in enumerate(self.names):
                row: dict[str, Any] = {"source": source, "control": name}
                if verdict is None:
                    row |= {"is_told": "", "why_not": f"under {LEAST_CLIPS} clips: not judged"}
                else:
                    row |= {
                        "is_told": not verdict.why_not[i],
                        "why_not": verdict.why_not[i],
                        "shift": round(float(verdict.shift[i]), 4),
                        **{key: round(value, 3) for key, value in verdict.facts.items()},
                    }
                rows.append(row)
        return rows


def judge_set(config: AdaptationConfig, model: Model, dataset: Dataset) -> Verdicts | None:
    """Return the verdicts on the recordings of a set; None where there is no network of relative
    scale.

    Errors: UsageError when that network reads other features or clips than the model.
    """
    if config.scale_folder is None:
        return None
    scale = scale_model(config, model)
    sources = sources_of(dataset)
    long = [
        (str(source), rows)
        for source in np.unique(sources)
        if len(rows := np.flatnonzero(sources == source)) >= LEAST_CLIPS
    ]
    if not long:
        return Verdicts(sources, {}, model.spec.names)

    def clips_of(rows: np.ndarray, most: int) -> np.ndarray:
        return read_waveforms_of(model, dataset, rows[evenly_spread(len(rows), most)])

    scales = [
        scale_of(scale, clips_of(rows, LEAST_CLIPS))
        for _, rows in progress(long, "relative scale", unit="recording")
    ]
    store = synthetic_set(config).store
    synthetic = store[evenly_spread(len(store), _SYNTHETIC)].astype(np.float32)
    reference = Reference(
        float(np.median(scales)), reference_density(synthetic, config.features.sample_rate)
    )
    found = {
        source: judge_recording(model, scale, reference, clips_of(rows, _MOST_CLIPS))
        for source, rows in progress(long, "by the laws", unit="recording")
    }
    return Verdicts(sources, found, model.spec.names)


def scale_model(config: AdaptationConfig, model: Model) -> Model:
    """Load the network of relative scale. Errors: UsageError when it does not go with the model."""
    assert config.scale_folder is not None
    scale = load_model(config.scale_folder)
    check_same_features(config.scale_folder, scale, for_recordings(config.features))
    if (scale.spec.seconds, scale.spec.sample_rate) != (model.spec.seconds, model.spec.sample_rate):
        raise UsageError(
            f"scale_model: {shown(config.scale_folder)}: reads clips of {scale.spec.seconds:g} s at "
            f"{scale.spec.sample_rate} Hz, but the extractor reads {model.spec.seconds:g} s at {model.spec.sample_rate} Hz"
        )
    return scale
