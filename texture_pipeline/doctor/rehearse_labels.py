"""Measure the time of stage 3: a few steps of each training, and a few clips read."""

import copy
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from lightning_fabric import Fabric
from torch import nn

from domain_adaptation.adaptation.task import Objective, Problem, RealClips
from domain_adaptation.config import AdaptationConfig
from domain_adaptation.data.clip_store import batches_of, read_batch
from domain_adaptation.data.sets import ClipSet, real_set, synthetic_set
from domain_adaptation.evaluation.laws import can_be_slowed, labels_at_speeds
from domain_adaptation.labelling.inference import read_clips, read_store
from domain_adaptation.models.extractor import make_classifier
from domain_adaptation.models.model_folder import Model, new_model
from domain_adaptation.scale.outputs import scale_spec
from domain_adaptation.scale.pairs import PairLoss
from domain_adaptation.training.classifier import classifier_loss
from domain_adaptation.training.clips import (
    Clips,
    Settings,
    Training,
    train_on_clips,
    validation_loss,
)
from domain_adaptation.training.extractor import augmentations, fresh_model
from domain_adaptation.training.losses import SupervisedLoss
from texture_pipeline.doctor.scratch import Enough, Scratch, Stopwatch, seconds_of
from texturelib.dataset import Dataset, write_dataset
from texturelib.files import link_or_copy
from texturelib.learning.compute import start_fabric
from texturelib.learning.loop import State

_MOST_STEPS, _MOST_SECONDS = 10, 2.0  # of each training
_READ = 128  # clips


@dataclass(frozen=True)
class Steps:
    """The time of a training: seconds per step and per validation clip, and the number of steps
    that were measured."""

    step: float
    validation_clip: float
    n_measured: int


@dataclass
class Learning:
    """Measured times of stage 3: seconds per clip, on all cores.

    store: decoding the clip for the trainings. read, read_augmented: reading it from there by the
    network. at_speeds: reading it at all speeds of the slow-down test. label: decoding and reading
    it.

    trainings: by command. adapt_length: epochs, batch size and clips per epoch of the adaptation;
    the clips are None where these are all real clips. Where the adaptation has no steps,
    adapt_length is None and `adapt_clip` is what a real clip takes.
    """

    n_parameters: int
    store: float = 0.0
    read: float = 0.0
    read_augmented: float = 0.0
    at_speeds: float = 0.0
    label: float = 0.0
    trainings: dict[str, Steps] = field(default_factory=dict)
    adapt_length: tuple[int, int, int | None] | None = None
    adapt_clip: float = 0.0


def rehearse_learning(
    config: AdaptationConfig, commands: Collection[str], scratch: Scratch
) -> Learning | None:
    """Measure what the commands of stage 3 take; None where there are no clips to try them on.
    commands: those that will run.

    Errors: TextureError as the commands would end with it.
    """
    synthetic_folder = scratch.stand_in(config.synthetic)
    # Every clip is the same work for a network.
    real_folder = scratch.stand_in(config.real) or synthetic_folder
    if synthetic_folder is None or real_folder is None:
        return None
    one = config.compute.model_copy(update={"processes": 1})
    small = config.model_copy(
        update={
            "output": scratch.new("adaptation"),
            "synthetic": synthetic_folder,
            "real": real_folder,
            "compute": one,
        }
    )
    fabric = start_fabric(one)
    real = real_set(small)  # the first one warms up
    sets: list[ClipSet] = []
    seconds = seconds_of(lambda: sets.append(synthetic_set(small)))
    synthetic = sets[0]
    model = fresh_model(small, synthetic, config.seed)
    found = Learning(
        sum(each.numel() for each in model.extractor.parameters()),
        store=seconds / len(synthetic.dataset),
    )
    _label_folder(config, scratch, synthetic.dataset, real.dataset)
    if "train-extractor" in commands:
        found.trainings["train-extractor"] = _extractor(
            small, config.compute.processes, model, synthetic, fabric
        )
    if "train-scale" in commands:
        found.trainings["train-scale"] = _scale(small, synthetic, fabric)
    model.extractor.to("cpu").eval()
    _read(found, model, synthetic, real)
    if "train-classifier" in commands:
        found.trainings["train-classifier"] = _classifier(
            small, config.compute.processes, model, fabric
        )
    if "adapt" in commands:
        _adapt(small, found, model, synthetic, real, fabric)
    return found


def _label_folder(
    config: AdaptationConfig, scratch: Scratch, synthetic: Dataset, real: Dataset
) -> None:
    """Give the few real clips labels, so that later commands have something to read."""
    folder = scratch.new("labels")
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"file_name": real.metadata["file_name"]})
    for name in synthetic.controls:
        table[name] = rng.random(len(real))
    for index, name in enumerate(table["file_name"]):
        link_or_copy(real.path(index), folder / name)
    controls = synthetic.description["controls"]
    write_dataset(
        folder,
        table,
        sample_rate=real.sample_rate,
        seconds=real.seconds,
        n_channels=real.n_channels,
        controls=controls,
    )
    scratch.put(config.output / "labels", folder)


def _some(clips: ClipSet, n: int) -> np.ndarray:
    """Return n rows, repeated as often as necessary."""
    return np.resize(np.arange(len(clips.store)), n)


def _timed(
    module: nn.Module,
    loss: Any,
    train: Clips,
    settings: Settings,
    folder: Any,
    methods: list[str],
    fabric: Fabric,
) -> Stopwatch:
    watch = Stopwatch(_MOST_STEPS, _MOST_SECONDS)

    def ticking(*arguments: Any) -> torch.Tensor:
        watch.tick()
        return loss(*arguments)

    with suppress(Enough):
        train_on_clips(
            module,
            ticking,
            train,
            train,
            Training(settings, folder, 0, "rehearsal", methods=methods),
            fabric,
        )
    return watch


def _validation(
    module: nn.Module, loss: Any, clips: Clips, settings: Settings, fabric: Fabric
) -> float:
    """Return the seconds that validation takes per clip."""
    module.to(fabric.device)
    training = Training(settings, Path(), 0, "rehearsal")
    return seconds_of(lambda: validation_loss(module, loss, clips, training, fabric)) / len(clips)


def _extractor(
    config: AdaptationConfig, n_processes: int, model: Model, clips: ClipSet, fabric: Fabric
) -> Steps:
    settings = config.extractor.model_copy(
        update={"batch_size": -(-config.extractor.batch_size // n_processes)}
    )
    rows = _some(clips, settings.batch_size * (_MOST_STEPS + 2))
    truth = clips.dataset.control_values()
    loss = SupervisedLoss(
        config.features, settings.loss, augmentations(config, model, clips, {"train": rows})
    )
    train = Clips(rows, clips.store, truth, np.arange(len(truth)))
    watch = _timed(
        model.extractor, loss, train, settings, config.output / "extractor", ["read"], fabric
    )
    few = Clips(rows[: settings.batch_size], clips.store, truth)
    return Steps(
        watch.seconds, _validation(model.extractor, loss, few, settings, fabric), watch.n_steps
    )


def _scale(config: AdaptationConfig, clips: ClipSet, fabric: Fabric) -> Steps:
    """Return what a training of relative scale takes, on noise in place of its recordings."""
    settings = config.wanted_scale()
    two = torch.from_numpy(clips.store[_some(clips, 2)]).float()
    spec = scale_spec(config, two)
    model = new_model(spec)
    n_samples = round(settings.seconds * spec.features.sample_rate)
    noise = np.random.default_rng(0).integers(-9000, 9000, (settings.batch_size, n_samples))
    rows = np.resize(np.arange(len(noise)), settings.batch_size * (_MOST_STEPS + 2))
    watch = _timed(
        model.extractor,
        PairLoss(settings, spec.features, two.shape[1]),
        Clips(rows, noise.astype(np.int16)),
        settings,
        config.output / "scale",
        [],
        fabric,
    )
    return Steps(watch.seconds, 0.0, watch.n_steps)


def _classifier(config: AdaptationConfig, n_processes: int, model: Model, fabric: Fabric) -> Steps:
    settings = config.classifier.model_copy(
        update={"batch_size": -(-config.classifier.batch_size // n_processes)}
    )
    n_features = model.extractor.n_features
    n = settings.batch_size * (_MOST_STEPS + 2)
    encoded = np.random.default_rng(0).standard_normal((n, n_features)).astype(np.float32)
    is_real = (np.arange(n) % 2).astype(np.float32)[:, None]
    classifier = make_classifier(settings.n_layers, settings.negative_slope, n_features)
    clips = Clips(np.arange(n), encoded, is_real)
    watch = _timed(
        classifier, classifier_loss, clips, settings, config.output / "classifier", [], fabric
    )
    return Steps(
        watch.seconds,
        _validation(classifier, classifier_loss, clips, settings, fabric),
        watch.n_steps,
    )


def _read(found: Learning, model: Model, synthetic: ClipSet, real: ClipSet) -> None:
    some = _some(real, _READ)
    read_store(model, real.store, some[:64])  # warms up
    found.read = seconds_of(lambda: read_store(model, real.store, some)) / _READ
    half = _some(synthetic, _READ // 2)
    found.read_augmented = seconds_of(
        lambda: read_store(model, synthetic.store, half, augment_seed=0)
    ) / len(half)
    found.label = seconds_of(lambda: _label(model, real.dataset)) / len(real.dataset)
    if can_be_slowed(model):
        few = real.store[_some(real, 16)]
        found.at_speeds = seconds_of(lambda: labels_at_speeds(model, few)) / len(few)


class _Ticking:
    """An objective that ticks whenever it is evaluated in training."""

    def __init__(self, objective: Objective, watch: Stopwatch) -> None:
        self._objective = objective
        self._watch = watch

    def __call__(self, module: nn.Module, real: torch.Tensor) -> torch.Tensor:
        if module.training:
            self._watch.tick()
        return self._objective(module, real)

    def state_dict(self) -> dict[str, Any]:
        return self._objective.state_dict()

    def load_state_dict(self, state: Any) -> None:
        self._objective.load_state_dict(state)


@dataclass(frozen=True)
class _Rehearsal(Problem):
    """A problem whose training ends after a few steps. heard: what training was asked for, and
    what it took."""

    heard: dict[str, Any] = field(default_factory=dict)

    def train(
        self,
        module: nn.Module,
        objective: Objective,
        settings: Settings,
        *,
        keeps_best: bool,
        n_clips: int | None = None,
        methods: tuple[str, ...] = (),
    ) -> State:
        watch = Stopwatch(_MOST_STEPS, _MOST_SECONDS)
        self.heard.update(length=(settings.epochs, settings.batch_size, n_clips), watch=watch)
        rows = np.resize(np.arange(len(self.real.clips)), settings.batch_size * (_MOST_STEPS + 2))
        longer = replace(self, real=replace(self.real, split={**self.real.split, "train": rows}))
        with suppress(Enough):
            Problem.train(
                longer,
                module,
                _Ticking(objective, watch),
                settings,
                keeps_best=keeps_best,
                methods=methods,
            )
        few = Clips(rows[: settings.batch_size], self.real.clips)
        self.heard["validation_clip"] = _validation(module, objective, few, settings, self.fabric)
        return State()


def _label(model: Model, dataset: Dataset) -> None:
    for names in batches_of(dataset).values():
        paths = [dataset.folder / name for name in names]
        clips = read_batch(paths, dataset.sample_rate, dataset.n_samples, dataset.n_channels)
        read_clips(model, clips)


def _adapt(
    config: AdaptationConfig,
    found: Learning,
    model: Model,
    synthetic: ClipSet,
    real: ClipSet,
    fabric: Fabric,
) -> None:
    method, n_features = config.adaptation, model.extractor.n_features
    settings = config.classifier
    classifier = make_classifier(
        settings.n_layers, settings.negative_slope, n_features
    ).requires_grad_(False)
    rows = _some(real, _READ)
    problem = _Rehearsal(
        model=model.with_extractor(copy.deepcopy(model.extractor)),
        classifier=classifier if method.needs_classifier else None,
        synthetic=synthetic.store,
        truth=synthetic.dataset.control_values(),
        synthetic_split=dict.fromkeys(
            ("train", "validation", "test"), np.arange(len(synthetic.store))
        ),
        real=RealClips(
            real.store,
            np.full(len(real.store), ""),
            dict.fromkeys(("train", "validation", "test"), rows),
        ),
        supervised=SupervisedLoss(model.spec.features, config.extractor.loss),
        folder=config.output / "adapted",
        seed=config.seed,
        fabric=fabric,
    )
    seconds = seconds_of(lambda: method.adapt(problem))
    if problem.heard:
        watch: Stopwatch = problem.heard["watch"]
        found.adapt_length = problem.heard["length"]
        found.trainings["adapt"] = Steps(
            watch.seconds, problem.heard["validation_clip"], watch.n_steps
        )
    else:
        found.adapt_clip = seconds / len(rows)
