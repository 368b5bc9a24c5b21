"""Train the extractor, the network that reads the controls from a synthetic clip."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import nn

from domain_adaptation.config import AdaptationConfig
from domain_adaptation.data.sets import ClipSet, controls_of, synthetic_set
from domain_adaptation.data.splits import Split, split_clips, write_split
from domain_adaptation.evaluation.plots import loss_plot, truth_plot
from domain_adaptation.evaluation.scores import mean_mae, regression_scores
from domain_adaptation.features import Features
from domain_adaptation.labelling.inference import Labels, read_store
from domain_adaptation.models.card import write_model_card
from domain_adaptation.models.intervals import conformal_factors, coverage
from domain_adaptation.models.model_folder import Model, ModelSpec, new_model, save_model
from domain_adaptation.training.augment.mixing import Mixing
from domain_adaptation.training.augment.slow_down import Slowing, most_slow_down
from domain_adaptation.training.clips import Clips, Training, train_on_clips
from domain_adaptation.training.losses import Augmentation, SupervisedLoss
from texturelib.errors import TextureError, UsageError
from texturelib.files import shown, write_json
from texturelib.learning.compute import start_fabric
from texturelib.learning.loop import State
from texturelib.outputs import Output


def train_extractor(config: AdaptationConfig, output: Output) -> float:
    """Write a model folder, and return the mean absolute error on the test clips, averaged over the
    controls."""
    clips = synthetic_set(config)
    split = split_clips(clips.dataset, config.split, config.seed)
    fabric = start_fabric(config.compute)
    model = fresh_model(config, clips, config.seed)
    # What it cannot do should not cost the model that is there.
    augmentations(config, model, clips, split)
    output.begin()
    folder = output.folder
    write_split(folder / "splits.csv", clips.dataset, split)
    model, state = fit_extractor(config, model, clips, split, folder, config.seed, fabric)
    save_model(folder, model)

    truth, names, test = clips.dataset.control_values(), model.spec.names, np.sort(split["test"])
    reading = read_store(model, clips.store, augment_seed=config.seed)
    scores = {
        part: regression_scores(truth[rows], reading.labels[rows], names)
        for part, rows in split.items()
    }
    metrics = {
        "kept_epoch": state.kept_row + 1,
        "kept_validation_loss": state.kept_loss,
        "n_parameters": sum(parameter.numel() for parameter in model.extractor.parameters()),
        "seed": config.seed,
        "n_clips": {part: len(rows) for part, rows in split.items()},
        "test_mae": mean_mae(scores["test"]),
        "intervals": _interval_scores(model, reading.of(test), truth[test]),
        "scores": {**scores, "all": regression_scores(truth, reading.labels, names)},
    }
    write_json(folder / "metrics.json", metrics)
    loss_plot(
        folder / "loss.png", state.history, state.kept_row, f"{config.extractor.loss.upper()} loss"
    )
    truth_plot(folder / "test_clips.png", truth[test], reading.labels[test], scores["test"])
    write_model_card(folder, "extractor", model.spec, metrics)
    output.finish()
    return mean_mae(scores["test"])


def fresh_model(config: AdaptationConfig, clips: ClipSet, seed: int) -> Model:
    """Return an untrained model, its weights drawn from `seed`.

    Errors: UsageError when network and clips do not fit.
    """
    two = torch.from_numpy(clips.store[np.arange(min(2, len(clips.store)))].astype(np.float32))
    description = clips.dataset.description
    spec = ModelSpec(
        network=config.network,
        features=config.features,
        input_shape=tuple(config.features.compute(two).shape[1:]),
        controls=tuple(description["controls"]),
        sample_rate=clips.dataset.sample_rate,
        seconds=clips.dataset.seconds,
    )
    torch.manual_seed(seed)
    return new_model(spec)


def fit_extractor(
    config: AdaptationConfig,
    model: Model,
    clips: ClipSet,
    split: Split,
    folder: Path,
    seed: int,
    fabric: Fabric,
) -> tuple[Model, State]:
    """Return the trained model, its intervals fitted to the validation clips, and how the training
    went."""
    truth = clips.dataset.control_values()
    validation = split["validation"]
    state = train_on_clips(
        model.extractor,
        SupervisedLoss(
            config.features, config.extractor.loss, augmentations(config, model, clips, split)
        ),
        Clips(split["train"], clips.store, truth, np.arange(len(truth))),
        Clips(validation, clips.store, truth),
        Training(
            config.extractor,
            folder,
            seed,
            "extractor",
            methods=["read"],
            inspect=AnswersDiffer(config.features, clips.store[validation[:_LOOKED_AT]], truth),
        ),
        fabric,
    )
    # As for all that is chosen in training, the validation clips: the test clips can then say
    # whether it holds.
    reading = read_store(model, clips.store, validation, augment_seed=seed)
    return with_interval(model, reading, truth[validation]), state


def with_interval(model: Model, reading: Labels, truth: np.ndarray) -> Model:
    """Return the model with intervals fitted to clips that were not trained on.

    reading: of such clips. The model has no intervals where there are too few of them.
    """
    factors = conformal_factors(reading.labels, reading.scale, truth)
    interval = None if factors is None else tuple(factors.tolist())
    return Model(model.extractor, model.spec.model_copy(update={"interval": interval}))


def augmentations(
    config: AdaptationConfig, model: Model, clips: ClipSet, split: Split
) -> list[Augmentation]:
    """Return the augmentations that the config selects.

    Errors: UsageError when the engine's laws or the clips do not allow one of them.
    """
    settings, found = config.extractor, []
    controls = controls_of(model.spec.controls)
    if settings.mix:
        peaks = clips.dataset.metadata.get("peak_db")
        if peaks is None:
            raise UsageError(
                f"extractor.mix: {shown(clips.dataset.folder)}/metadata.csv has no column peak_db, which says how loud clips "
                "were; generate them anew, or set it to 0"
            )
        try:
            levels = peaks.to_numpy(np.float64)
            found.append(
                Mixing(
                    settings.mix,
                    clips.store,
                    clips.dataset.control_values(),
                    levels,
                    split["train"],
                    controls,
                )
            )
        except ValueError as error:
            raise UsageError(f"extractor.mix: {error}; set it to 0") from None
    if settings.slow_down:
        for control in controls:
            if "slow_down" not in control.laws:
                raise UsageError(
                    f"extractor.slow_down: the engine does not say how {control.name} moves then; set it to null"
                )
        most = most_slow_down(config.features)
        if settings.slow_down[1] > most:
            raise UsageError(
                f"extractor.slow_down: {settings.slow_down[1]:g} should be at most {most:.3g}: beyond, these features would hear "
                "the end of a slowed clip's spectrum"
            )
        found.append(Slowing(controls, settings.slow_down))
    return found


_LOOKED_AT = 256  # clips, after every epoch


class AnswersDiffer:
    """Checks that a network still gives different labels to different clips."""

    def __init__(self, features: Features, clips: np.ndarray, truth: np.ndarray) -> None:
        """Prepare the check.

        clips: [clips, samples] int16. truth: [any, controls], which tells how far apart labels
        should be.
        """
        self._features = features
        self._clips = clips
        self._deviation = truth.std(axis=0)

    @torch.inference_mode()
    def __call__(self, extractor: nn.Module) -> None:
        """Check the extractor. Errors: TextureError when all its labels are alike."""
        device = next(extractor.parameters()).device
        inputs = self._features.compute(torch.from_numpy(self._clips).float().to(device))
        labels = extractor(inputs).cpu().numpy()
        if len(labels) > 1 and (labels.std(axis=0) < 1e-3 * self._deviation).all():
            answer = ", ".join(f"{value:.3f}" for value in labels.mean(axis=0))
            raise TextureError(
                f"the network has collapsed: it answers {answer} to every clip; lower the learning "
                "rate, or check that the clips differ"
            )


def _interval_scores(model: Model, reading: Labels, truth: np.ndarray) -> dict[str, Any]:
    widths = model.half_widths(reading.scale)
    if widths is None:
        return {}
    covered = coverage(reading.labels, widths, truth)
    return {
        name: {"coverage": float(covered[i]), "mean_half_width": float(widths[:, i].mean())}
        for i, name in enumerate(model.spec.names)
    }
