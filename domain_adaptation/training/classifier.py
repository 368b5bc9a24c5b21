"""Train the classifier, which tells real clips from synthetic ones by their encodings from the
frozen encoder."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import nn

from domain_adaptation.config import AdaptationConfig
from domain_adaptation.data.sets import real_set, synthetic_set
from domain_adaptation.data.splits import Split, split_clips, write_split
from domain_adaptation.evaluation.plots import loss_plot
from domain_adaptation.labelling.inference import encode_store
from domain_adaptation.models.card import write_classifier_card
from domain_adaptation.models.extractor import make_classifier
from domain_adaptation.models.model_folder import (
    Model,
    check_same_features,
    load_model,
    save_classifier,
)
from domain_adaptation.training.clips import Clips, Rows, Training, predict, train_on_clips
from texturelib.files import write_json
from texturelib.learning.compute import start_fabric
from texturelib.learning.loop import State
from texturelib.outputs import Output


@dataclass(frozen=True)
class TrainedClassifier:
    """A trained classifier and its accuracy.

    accuracy: by part of the split, the share of clips that are classified correctly.
    """

    classifier: nn.Sequential
    state: State
    n_clips: dict[str, int]
    accuracy: dict[str, float]


def train_classifier(config: AdaptationConfig, output: Output) -> float:
    """Write a model folder, and return the share of test clips that are classified correctly."""
    model = load_model(config.output / "extractor")
    check_same_features(config.output / "extractor", model, config.features)
    sets = {"synthetic": synthetic_set(config), "real": real_set(config)}
    splits = {
        kind: split_clips(clips.dataset, config.split, config.seed) for kind, clips in sets.items()
    }
    fabric = start_fabric(config.compute)
    output.begin()
    folder = output.folder
    for kind, clips in sets.items():
        write_split(folder / f"splits_{kind}.csv", clips.dataset, splits[kind])
    stores = {kind: clips.store for kind, clips in sets.items()}
    trained = fit_classifier(config, model, stores, splits, folder, config.seed, fabric)
    settings, n_features = config.classifier, model.extractor.n_features
    save_classifier(
        folder, trained.classifier, settings.n_layers, settings.negative_slope, n_features
    )
    metrics = {
        "kept_epoch": trained.state.kept_row + 1,
        "kept_validation_loss": trained.state.kept_loss,
        "seed": config.seed,
        "n_clips": trained.n_clips,
        "accuracy": trained.accuracy,
    }
    write_json(folder / "metrics.json", metrics)
    loss_plot(
        folder / "loss.png", trained.state.history, trained.state.kept_row, "binary cross-entropy"
    )
    write_classifier_card(folder, metrics)
    output.finish()
    return trained.accuracy["test"]


def fit_classifier(
    config: AdaptationConfig,
    model: Model,
    stores: Mapping[str, Rows],
    splits: Mapping[str, Split],
    folder: Path,
    seed: int,
    fabric: Fabric,
) -> TrainedClassifier:
    """Train a classifier on encodings of both sets.

    stores, splits: of the "synthetic" clips and of the "real" ones.
    """
    # The encoder is frozen, so each clip needs to be encoded only once.
    synthetic = encode_store(model, stores["synthetic"], augment_seed=seed)
    encoded = np.concatenate([synthetic, encode_store(model, stores["real"])])
    is_real = (np.arange(len(encoded)) >= len(synthetic)).astype(np.float32)[:, None]
    rows = {
        part: np.concatenate([splits["synthetic"][part], len(synthetic) + splits["real"][part]])
        for part in splits["real"]
    }

    torch.manual_seed(seed)
    classifier = make_classifier(
        config.classifier.n_layers, config.classifier.negative_slope, encoded.shape[1]
    )
    state = train_on_clips(
        classifier,
        classifier_loss,
        Clips(rows["train"], encoded, is_real),
        Clips(rows["validation"], encoded, is_real),
        Training(config.classifier, folder, seed, "classifier"),
        fabric,
    )
    is_right = (predict(classifier, encoded) > 0) == (is_real > 0)
    return TrainedClassifier(
        classifier,
        state,
        {part: len(part_rows) for part, part_rows in rows.items()},
        {part: float(is_right[part_rows].mean()) for part, part_rows in rows.items()},
    )


def classifier_loss(
    classifier: nn.Module, encoded: torch.Tensor, is_real: torch.Tensor
) -> torch.Tensor:
    """Return the binary cross-entropy of the classifier.

    encoded: [batch, n_features]. is_real: [batch, 1], 0 or 1.
    """
    return nn.functional.binary_cross_entropy_with_logits(classifier(encoded), is_real)
