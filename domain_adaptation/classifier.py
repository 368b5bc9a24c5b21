"""Train the network that tells real clips from synthetic ones by what the frozen encoder makes of them."""

import numpy as np
import torch
from torch import nn

from domain_adaptation.config import AdaptationConfig
from domain_adaptation.feature_store import real_features, synthetic_features
from domain_adaptation.model_folder import load_extractor, save_classifier
from domain_adaptation.networks import make_classifier
from domain_adaptation.plots import loss_plot
from domain_adaptation.splits import split_clips, write_split
from domain_adaptation.training import Clips, fit, predict, start_fabric
from texturelib.files import write_json
from texturelib.outputs import Output


def train_classifier(config: AdaptationConfig, output: Output) -> float:
    """Write a model folder. -> the share of test clips that are classified rightly."""
    extractor, _ = load_extractor(config.output / "extractor")
    sets = {"synthetic": synthetic_features(config), "real": real_features(config)}
    splits = {kind: split_clips(dataset, config.split, config.seed) for kind, (dataset, _) in sets.items()}
    # The encoder stands still, so what it makes of each clip needs computing only once.
    encoded = np.concatenate([predict(extractor.encoder, features) for _, features in sets.values()])
    n_synthetic = len(sets["synthetic"][0])
    is_real = (np.arange(len(encoded)) >= n_synthetic).astype(np.float32)[:, None]
    rows = {part: np.concatenate([splits["synthetic"][part], n_synthetic + splits["real"][part]]) for part in splits["real"]}

    torch.manual_seed(config.seed)
    slope = config.network.negative_slope
    model = make_classifier(config.classifier.n_layers, slope, encoded.shape[1])
    fabric = start_fabric(config.compute)
    output.begin()
    folder = output.folder
    for kind, (dataset, _) in sets.items():
        write_split(folder / f"splits_{kind}.csv", dataset, splits[kind])
    state = fit(
        model,
        _loss,
        Clips(rows["train"], encoded, is_real),
        Clips(rows["validation"], encoded, is_real),
        config.classifier,
        folder=folder,
        seed=config.seed,
        fabric=fabric,
        label="classifier",
    )
    save_classifier(folder, model, config.classifier.n_layers, slope, encoded.shape[1])
    is_right = (predict(model, encoded) > 0) == (is_real > 0)
    accuracy = {part: float(is_right[part_rows].mean()) for part, part_rows in rows.items()}
    write_json(
        folder / "metrics.json",
        {
            "kept_epoch": state.kept_epoch + 1,
            "kept_validation_loss": state.kept_loss,
            "seed": config.seed,
            "n_clips": {part: len(part_rows) for part, part_rows in rows.items()},
            "accuracy": accuracy,
        },
    )
    loss_plot(folder / "loss.png", state.history, state.kept_epoch, "binary cross-entropy")
    output.finish()
    return accuracy["test"]


def _loss(model: nn.Module, encoded: torch.Tensor, is_real: torch.Tensor) -> torch.Tensor:
    return nn.functional.binary_cross_entropy_with_logits(model(encoded), is_real)
