"""Adapt an extractor to real clips, without labels, and keep the result only where it does no
harm."""

import copy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import nn

from domain_adaptation.adaptation.acceptance import Judgement, judge, not_attempted
from domain_adaptation.adaptation.methods import Method
from domain_adaptation.adaptation.task import Problem, RealClips
from domain_adaptation.config import AdaptationConfig
from domain_adaptation.data.sets import (
    ClipSet,
    check_clips_alike,
    real_set,
    sources_of,
    synthetic_set,
)
from domain_adaptation.data.splits import split_clips, write_split
from domain_adaptation.evaluation.plots import loss_plot
from domain_adaptation.labelling.inference import read_store
from domain_adaptation.models.card import write_model_card
from domain_adaptation.models.model_folder import (
    Model,
    check_same_features,
    load_classifier,
    load_model,
    save_model,
)
from domain_adaptation.training.extractor import with_interval
from domain_adaptation.training.losses import SupervisedLoss
from texturelib.files import write_json
from texturelib.learning.compute import start_fabric
from texturelib.learning.loop import State
from texturelib.outputs import Output


@dataclass(frozen=True)
class Adapted:
    """A model before and after adaptation, and whether the result is kept.

    before, after: the model before adaptation, and adapted. state: how the training went, None
    where there was none.
    """

    before: Model
    after: Model
    state: State | None
    judgement: Judgement

    @property
    def model(self) -> Model:
        """The model to use: the adapted one if it was accepted, else the one before."""
        return self.after if self.judgement.is_kept else self.before


def adapt(config: AdaptationConfig, output: Output) -> Judgement:
    """Adapt an extractor and write the result, a model folder.

    The extractor is written as it was where adaptation is judged to do harm.
    """
    model = load_model(config.output / "extractor")
    check_same_features(config.output / "extractor", model, config.features)
    classifier = (
        load_classifier(config.output / "classifier")
        if config.adaptation.needs_classifier
        else None
    )
    synthetic, real = synthetic_set(config), real_set(config)
    spec = model.spec
    check_clips_alike(
        "real", real.dataset, "that of the clips the extractor learnt from", spec.model_dump()
    )
    split = split_clips(real.dataset, config.split, config.seed)
    fabric = start_fabric(config.compute.model_copy(update={"processes": 1}))

    output.begin()
    folder = output.folder
    write_split(folder / "splits.csv", real.dataset, split)
    clips = RealClips(real.store, sources_of(real.dataset), split)
    if why := _too_few(config, clips):
        adapted = Adapted(model, model, None, not_attempted(model, clips, why))
    else:
        adapted = adapt_model(
            *(config, config.adaptation, model, classifier, synthetic, clips, folder),
            config.seed,
            fabric,
        )
    save_model(folder, adapted.model)
    metrics = {
        "method": config.adaptation.type,
        "seed": config.seed,
        "n_clips": {part: len(rows) for part, rows in split.items()},
        **adapted.judgement.describe(),
    }
    if adapted.state:
        metrics |= {
            "kept_epoch": adapted.state.kept_row + 1,
            "kept_validation_loss": adapted.state.kept_loss,
        }
        loss_plot(folder / "loss.png", adapted.state.history, adapted.state.kept_row, "loss")
    write_json(folder / "metrics.json", metrics)
    write_model_card(folder, "adapted", adapted.model.spec, metrics)
    output.finish()
    return adapted.judgement


def _too_few(config: AdaptationConfig, real: RealClips) -> str:
    """Return why adaptation is not attempted, "" where it is."""
    n_recordings = len(np.unique(real.sources))
    if (
        config.adaptation.type == "none"
        or config.scale_folder is None
        or n_recordings >= config.adapts_from
    ):
        return ""
    words = "one recording is" if n_recordings == 1 else f"{n_recordings} recordings are"
    return (
        f"{words} too few to learn from what holds for others (adapts_from is {config.adapts_from}): the "
        "extractor is kept as it was, and its labels are brought to the engine's laws by relative scale"
    )


def adapt_model(
    config: AdaptationConfig,
    method: Method,
    model: Model,
    classifier: nn.Module | None,
    synthetic: ClipSet,
    real: RealClips,
    folder: Path,
    seed: int,
    fabric: Fabric,
) -> Adapted:
    """Adapt a copy of `model` and judge the result; `model` itself is not changed."""
    synthetic_split = split_clips(synthetic.dataset, config.split, config.seed)
    problem = Problem(
        model=model.with_extractor(copy.deepcopy(model.extractor)),
        classifier=classifier,
        synthetic=synthetic.store,
        truth=synthetic.dataset.control_values(),
        synthetic_split=synthetic_split,
        real=real,
        supervised=SupervisedLoss(model.spec.features, config.extractor.loss),
        folder=folder,
        seed=seed,
        fabric=fabric,
    )
    torch.manual_seed(seed)
    state = method.adapt(problem)
    problem.model.extractor.to("cpu").eval()
    judgement = judge(model, problem, method.reads_both)
    return Adapted(model, _with_interval(problem, method), state, judgement)


def _with_interval(problem: Problem, method: Method) -> Model:
    """Return the adapted model with intervals fitted anew to synthetic clips.

    It has no intervals where it no longer reads synthetic clips.
    """
    model = problem.model
    if not method.reads_both:
        return Model(model.extractor, model.spec.model_copy(update={"interval": None}))
    rows = problem.synthetic_split["validation"]
    reading = read_store(model, problem.synthetic, rows, augment_seed=problem.seed)
    return with_interval(model, reading, problem.truth[rows])
