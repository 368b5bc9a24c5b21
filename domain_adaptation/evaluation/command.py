"""Compare methods of adaptation, by measures that need no label of a real clip in training."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from lightning_fabric import Fabric
from torch import nn

from domain_adaptation.adaptation.command import Adapted, adapt_model
from domain_adaptation.adaptation.methods import Method
from domain_adaptation.adaptation.task import RealClips
from domain_adaptation.config import AdaptationConfig, EvaluationConfig
from domain_adaptation.data.sets import ClipSet, real_set, sources_of, synthetic_set
from domain_adaptation.data.splits import split_clips, split_rows
from domain_adaptation.evaluation.report import ORACLE, SIMULATED, SLOW_DOWN, THE_MEAN, write_report
from domain_adaptation.evaluation.scores import share_inside
from domain_adaptation.evaluation.slow_down_test import (
    Recording,
    SlowDownScore,
    find_recordings,
    score,
)
from domain_adaptation.labelling.inference import read_store
from domain_adaptation.models.model_folder import Model, load_model, save_model
from domain_adaptation.training.classifier import fit_classifier
from domain_adaptation.training.clips import Clips, Training, train_on_clips
from domain_adaptation.training.config import TrainingConfig
from domain_adaptation.training.extractor import fit_extractor, fresh_model
from domain_adaptation.training.losses import SupervisedLoss
from texturelib.errors import TextureError, UsageError
from texturelib.files import read_json, read_table, shown, write_json
from texturelib.learning.compute import start_fabric
from texturelib.made import remove_all_ours
from texturelib.outputs import Output

_ORACLE = TrainingConfig(
    epochs=20, batch_size=32, learning_rate=0.001, schedule="one_cycle", weight_decay=0.01
)

Row = dict[str, Any]


def evaluate(config: AdaptationConfig, output: Output) -> list[Row]:
    """Write results.csv, report.md and pictures, and return the rows of results.csv.

    There is one row per variant, method, seed and measure. Every training is kept until all is
    done, so that a stopped evaluation resumes after the last finished one.
    """
    settings = config.wanted_evaluation()
    if settings.truth is None and settings.recordings is None:
        raise UsageError(
            "evaluation: name truth (of simulated recordings), or recordings for the slow-down test, or both"
        )
    synthetic = synthetic_set(config)
    simulated = _simulated(config, settings.truth, synthetic) if settings.truth else None
    fabric = start_fabric(config.compute.model_copy(update={"processes": 1}))
    spec = fresh_model(config, synthetic, config.seed).spec
    recordings = find_recordings(settings.recordings, spec) if settings.recordings else []
    held_out = _held_out(recordings, settings) if recordings else []
    output.begin()
    run = _Run(settings, synthetic, output.folder, fabric)
    rows: list[Row] = []
    for seed in settings.seeds:
        base = run.extractor(config, _AS_CONFIGURED, seed)
        if simulated:
            rows += run.on_simulated(
                config,
                _AS_CONFIGURED,
                base,
                seed,
                simulated,
                [method.type for method in settings.methods],
            )
        rows += run.on_recordings(config, base, seed, recordings, held_out)
        plain = _not_randomised(config)
        if simulated and plain and settings.unrandomised_methods:
            base = run.extractor(plain, _PLAIN, seed)
            rows += run.on_simulated(
                plain, _PLAIN, base, seed, simulated, settings.unrandomised_methods
            )
    write_report(output.folder, rows, spec)
    remove_all_ours(output.folder / "work")
    output.finish()
    return rows


_AS_CONFIGURED, _PLAIN = "as_configured", "not_randomised"


def _not_randomised(config: AdaptationConfig) -> AdaptationConfig | None:
    """Return the config with synthetic clips as the engine made them; None where it has them
    already."""
    if not getattr(config.features, "randomise", None):
        return None
    plain = config.features.model_copy(update={"randomise": None})  # type: ignore[attr-defined]
    return config.model_copy(update={"features": plain})


@dataclass(frozen=True)
class _Simulated:
    """Simulated recordings and their true controls.

    truth: [clips, controls], 0..1, which only the oracle and the scores may use.
    """

    real: RealClips
    truth: np.ndarray


def _simulated(config: AdaptationConfig, table: Path, synthetic: ClipSet) -> _Simulated:
    """Read the true controls of the simulated recordings.

    Errors: TextureError when the table lacks a recording of the real set.
    """
    clips = real_set(config)
    truth = read_table(table)
    if "file_name" not in truth or truth["file_name"].duplicated().any():
        raise TextureError(
            f"evaluation.truth: {shown(table)}: should have a column file_name, each name once"
        )
    truth = truth.set_index("file_name")
    sources = sources_of(clips.dataset)
    unknown = sorted({str(source) for source in sources} - set(truth.index))
    if unknown:
        raise TextureError(f"evaluation.truth: {shown(table)}: has no row for {unknown[0]}")
    lacking = [name for name in synthetic.dataset.controls if name not in truth.columns]
    if lacking:
        raise TextureError(f"evaluation.truth: {shown(table)}: has no column {lacking[0]}")
    real = RealClips(clips.store, sources, split_clips(clips.dataset, config.split, config.seed))
    try:
        values = truth.loc[sources, synthetic.dataset.controls].to_numpy(np.float32)
    except (ValueError, TypeError, OverflowError):
        values = np.full(1, np.nan)
    if not np.isfinite(values).all():
        raise TextureError(
            f"evaluation.truth: {shown(table)}: holds something other than finite numbers"
        )
    return _Simulated(real, values)


@dataclass(frozen=True)
class _Run:
    """One evaluation; its trainings and measurements are kept in `folder / "work"` until it
    ends."""

    settings: EvaluationConfig
    synthetic: ClipSet
    folder: Path
    fabric: Fabric

    def extractor(self, config: AdaptationConfig, variant: str, seed: int) -> Model:
        """Return the trained extractor, from its folder if it is there already."""
        folder = self.folder / "work" / f"extractor_{variant}_{seed}"
        if not (folder / "model.safetensors").exists():
            split = split_clips(self.synthetic.dataset, config.split, config.seed)
            model = fresh_model(config, self.synthetic, seed)
            model, _ = fit_extractor(
                config, model, self.synthetic, split, folder, seed, self.fabric
            )
            save_model(folder, model)
        return load_model(folder)

    def on_simulated(
        self,
        config: AdaptationConfig,
        variant: str,
        base: Model,
        seed: int,
        simulated: _Simulated,
        types: Sequence[str],
    ) -> list[Row]:
        """Return rows with the error per control of these methods on simulated recordings.

        For the config's own variant there are also rows of an oracle and of always answering the
        mean.
        """
        spec = {"measure": SIMULATED, "variant": variant, "seed": seed}
        rows = []
        for method in self._methods(types):
            name = f"{variant}_{seed}_{method.type}"
            measure = partial(self._error, config, method, base, seed, simulated, name)
            rows.append({**spec, "method": method.type, **self._once(name, measure)})
        if variant == _AS_CONFIGURED:
            oracle = self._once(f"oracle_{seed}", partial(self._oracle, base, seed, simulated))
            mean = np.broadcast_to(simulated.truth.mean(axis=0), simulated.truth.shape)
            rows.append({**spec, "method": ORACLE, **oracle})
            rows.append({**spec, "method": THE_MEAN, **_errors(base, mean, simulated.truth)})
        return rows

    def on_recordings(
        self,
        config: AdaptationConfig,
        base: Model,
        seed: int,
        recordings: Sequence[Recording],
        held_out: Sequence[Recording],
    ) -> list[Row]:
        """Return rows with the slope per control of every method on each held-out recording.

        Each method was adapted to the recordings that are not held out.
        """
        settings = self.settings
        types = settings.held_out_methods or [method.type for method in settings.methods]
        groups = (
            [held_out]
            if settings.held_out_together and held_out
            else [[recording] for recording in held_out]
        )
        rows: list[Row] = []
        for group in groups:
            others = [
                other
                for other in recordings
                if not any(_same_place(one, other, settings.held_out) for one in group)
            ]
            spec = {"measure": SLOW_DOWN, "variant": _AS_CONFIGURED, "seed": seed}
            for method in self._methods(types):
                name = f"slow_{seed}_{len(rows):03}_{method.type}"
                found = self._once(
                    name, partial(self._slopes, config, method, base, seed, others, group, name)
                )
                for recording in group:
                    # All of them, where the method failed.
                    measured = found.get(recording.name, found)
                    rows.append(
                        {**spec, "recording": recording.name, "method": method.type, **measured}
                    )
        return rows

    def _methods(self, types: Sequence[str]) -> list[Method]:
        return [method for method in self.settings.methods if method.type in types]

    def _error(
        self,
        config: AdaptationConfig,
        method: Method,
        base: Model,
        seed: int,
        simulated: _Simulated,
        name: str,
    ) -> Row:
        adapted = self._adapted(config, method, base, seed, simulated.real, name)
        labels = read_store(adapted.after, simulated.real.clips).labels
        return {
            **_judged(adapted),
            "inside": share_inside(labels),
            **_errors(base, labels, simulated.truth),
        }

    def _slopes(
        self,
        config: AdaptationConfig,
        method: Method,
        base: Model,
        seed: int,
        others: Sequence[Recording],
        held_out: Sequence[Recording],
        name: str,
    ) -> dict[str, Row]:
        """Return the measurements of one method on each held-out recording, by recording."""
        clips = [other.segments() for other in others]
        sources = np.repeat([other.name for other in others], [len(segments) for segments in clips])
        real = RealClips(
            np.concatenate(clips),
            sources,
            split_rows(len(sources), config.split, config.seed, "evaluation.recordings"),
        )
        adapted = self._adapted(config, method, base, seed, real, name)
        judged = _judged(adapted)
        return {
            one.name: {**judged, **_slopes(adapted.after, score(adapted.after, one))}
            for one in held_out
        }

    def _adapted(
        self,
        config: AdaptationConfig,
        method: Method,
        base: Model,
        seed: int,
        real: RealClips,
        name: str,
    ) -> Adapted:
        folder = self.folder / "work" / name
        synthetic_split = split_clips(self.synthetic.dataset, config.split, config.seed)
        classifier: nn.Module | None = None
        if method.needs_classifier:
            stores, splits = (
                {"synthetic": self.synthetic.store, "real": real.clips},
                {"synthetic": synthetic_split, "real": real.split},
            )
            trained = fit_classifier(
                config, base, stores, splits, folder / "classifier", seed, self.fabric
            )
            classifier = trained.classifier.eval().requires_grad_(False)
        return adapt_model(
            config, method, base, classifier, self.synthetic, real, folder, seed, self.fabric
        )

    def _oracle(self, base: Model, seed: int, simulated: _Simulated) -> Row:
        """Return the errors of an extractor trained on the truth of half of the recordings, on the
        other half."""
        sources = simulated.real.sources
        names = np.random.default_rng(seed).permutation(np.unique(sources))
        is_known = np.isin(sources, names[: len(names) // 2])
        known, unknown = np.flatnonzero(is_known), np.flatnonzero(~is_known)
        model = base.with_extractor(copy.deepcopy(base.extractor))
        plain = base.spec.features.model_copy(update={"noise": None, "randomise": None})  # type: ignore[attr-defined]
        clips = Clips(known, simulated.real.clips, simulated.truth)
        folder = self.folder / "work" / f"oracle_{seed}"
        remove_all_ours(folder)
        training = Training(_ORACLE, folder, seed, "oracle", keeps_best=False, methods=["read"])
        train_on_clips(
            model.extractor, SupervisedLoss(plain, "l1"), clips, clips, training, self.fabric
        )
        labels = read_store(model, simulated.real.clips, unknown).labels
        return {"inside": share_inside(labels), **_errors(base, labels, simulated.truth[unknown])}

    def _once(self, name: str, measure: Callable[[], Row]) -> Row:
        """Return what `measure` found, now or in an earlier run that was stopped after it.

        Returns {"failed": why} when it could not measure.
        """
        path = self.folder / "work" / f"{name}.json"
        if not path.exists():
            try:
                write_json(path, measure(), is_durable=True)
            except TextureError as error:
                write_json(path, {"failed": str(error)}, is_durable=True)
            remove_all_ours(path.with_suffix(""))
        return read_json(path)


def _same_place(a: Recording, b: Recording, begin: Sequence[str] | None) -> bool:
    """Return whether both are one recording, or begin with one of the names that stand for a
    place."""
    return a.name == b.name or any(
        a.name.startswith(name) and b.name.startswith(name) for name in begin or ()
    )


def _held_out(recordings: Sequence[Recording], settings: EvaluationConfig) -> list[Recording]:
    """Return the recordings to hold out.

    Errors: UsageError when one is not there, or none would be left to learn from.
    """
    begin = settings.held_out
    if len(recordings) < 2:
        raise UsageError(
            "evaluation.recordings: should hold at least two recordings, so that one can be held out"
        )
    for name in begin or ():
        if not any(recording.name.startswith(name) for recording in recordings):
            names = ", ".join(recording.name for recording in recordings)
            raise UsageError(
                f'evaluation.held_out: no recording begins with "{name}" (there are {names})'
            )
    held_out = [
        recording
        for recording in recordings
        if begin is None or recording.name.startswith(tuple(begin))
    ]
    if settings.held_out_together and len(held_out) == len(recordings):
        raise UsageError(
            "evaluation.held_out_together: would leave no recording to learn from; name fewer in held_out"
        )
    return held_out


def _judged(adapted: Adapted) -> Row:
    judgement = adapted.judgement
    before, after = judgement.law_broken or (None, None)
    return {
        "is_kept": judgement.is_kept,
        "law_broken_before": before,
        "law_broken": after,
        "why": judgement.why,
    }


def _errors(model: Model, labels: np.ndarray, truth: np.ndarray) -> Row:
    errors = np.abs(labels - truth).mean(axis=0)
    by_control = {
        f"error_{name}": float(error) for name, error in zip(model.spec.names, errors, strict=True)
    }
    return {**by_control, "error": float(errors.mean())}


def _slopes(model: Model, found: SlowDownScore) -> Row:
    row: Row = {"inside": found.inside, "change_db": found.change_db}
    for index, name in enumerate(model.spec.names):
        row |= {
            f"slope_{name}": float(found.slope[index]),
            f"mixing_{name}": float(found.mixing_slope[index]),
            f"mean_{name}": float(found.mean[index]),
            f"deviation_{name}": float(found.deviation[index]),
        }
    return row
