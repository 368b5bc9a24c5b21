"""Train the network that reads the controls from a synthetic clip."""

from functools import partial

import numpy as np
import torch
from torch import nn

from domain_adaptation.config import AdaptationConfig
from domain_adaptation.feature_store import synthetic_features
from domain_adaptation.model_folder import save_extractor
from domain_adaptation.networks import Extractor
from domain_adaptation.plots import loss_plot, truth_plot
from domain_adaptation.scores import mean_mae, regression_scores
from domain_adaptation.splits import split_clips, write_split
from domain_adaptation.training import Clips, fit, predict, start_fabric
from texturelib.files import write_json
from texturelib.outputs import Output

_LOSSES = {"l1": nn.functional.l1_loss, "mse": nn.functional.mse_loss}


def train_extractor(config: AdaptationConfig, output: Output) -> float:
    """Write a model folder. -> the mean absolute error on the test clips, averaged over the controls."""
    dataset, features = synthetic_features(config)
    truth = dataset.control_values()
    split = split_clips(dataset, config.split, config.seed)
    torch.manual_seed(config.seed)
    model = Extractor(config.network, features.shape[1:], len(dataset.controls))

    fabric = start_fabric(config.compute)
    output.begin()
    folder = output.folder
    write_split(folder / "splits.csv", dataset, split)
    state = fit(
        model,
        partial(_loss, config.extractor.loss),
        Clips(split["train"], features, truth),
        Clips(split["validation"], features, truth),
        config.extractor,
        folder=folder,
        seed=config.seed,
        fabric=fabric,
        label="extractor",
    )
    save_extractor(folder, model, config.network, features.shape[1:], dataset.controls)
    labels = predict(model, features)
    scores = {part: regression_scores(truth[rows], labels[rows], dataset.controls) for part, rows in split.items()}
    everything = regression_scores(truth, labels, dataset.controls)
    write_json(
        folder / "metrics.json",
        {
            "kept_epoch": state.kept_epoch + 1,
            "kept_validation_loss": state.kept_loss,
            "n_parameters": sum(parameter.numel() for parameter in model.parameters()),
            "seed": config.seed,
            "n_clips": {part: len(rows) for part, rows in split.items()},
            "test_mae": mean_mae(scores["test"]),
            "scores": {**scores, "all": everything},
        },
    )
    loss_plot(folder / "loss.png", state.history, state.kept_epoch, f"{config.extractor.loss.upper()} loss")
    test = np.sort(split["test"])
    truth_plot(folder / "test_clips.png", truth[test], labels[test], scores["test"])
    output.finish()
    return mean_mae(scores["test"])


def _loss(name: str, model: nn.Module, features: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    return _LOSSES[name](model(features), truth)
