"""Adapt the encoder to real clips, without labels."""

import copy

import torch

from domain_adaptation.config import AdaptationConfig
from domain_adaptation.feature_store import real_features, synthetic_features
from domain_adaptation.model_folder import load_classifier, load_extractor, save_extractor
from domain_adaptation.plots import loss_plot
from domain_adaptation.scores import share_inside
from domain_adaptation.splits import split_clips, write_split
from domain_adaptation.training import Clips, fit, predict, start_fabric
from texturelib.files import write_json
from texturelib.outputs import Output


def adapt(config: AdaptationConfig, output: Output) -> tuple[float, float]:
    """Write a model folder: the extractor with its encoder adapted and its head as it was.

    -> the share of real labels within 0..1 before and after.
    """
    extractor, controls = load_extractor(config.output / "extractor")
    classifier = load_classifier(config.output / "classifier")
    _, synthetic = synthetic_features(config)
    dataset, features = real_features(config)
    split = split_clips(dataset, config.split, config.seed)
    adapted = copy.deepcopy(extractor)
    fabric = start_fabric(config.compute)
    torch.manual_seed(config.seed)
    encoded = torch.from_numpy(predict(extractor.encoder, synthetic))
    objective = config.adaptation.objective(classifier.to(fabric.device), encoded.to(fabric.device))

    output.begin()
    folder = output.folder
    write_split(folder / "splits.csv", dataset, split)
    state = fit(
        adapted.encoder,
        objective,
        Clips(split["train"], features),
        Clips(split["validation"], features),
        config.adaptation,
        folder=folder,
        seed=config.seed,
        fabric=fabric,
        label="adaptation",
        keeps_best=config.adaptation.keeps_best,
        also_saved=objective,
    )
    adapted.to("cpu")
    save_extractor(folder, adapted, config.network, features.shape[1:], controls)
    before, after = share_inside(predict(extractor, features)), share_inside(predict(adapted, features))
    write_json(
        folder / "metrics.json",
        {
            "kept_epoch": state.kept_epoch + 1,
            "kept_validation_loss": state.kept_loss,
            "seed": config.seed,
            "n_clips": {part: len(rows) for part, rows in split.items()},
            "share_of_labels_within_0_1": {"before": before, "after": after},
        },
    )
    loss_plot(folder / "loss.png", state.history, state.kept_epoch, "binary cross-entropy,\ntarget: synthetic")
    output.finish()
    return before, after
