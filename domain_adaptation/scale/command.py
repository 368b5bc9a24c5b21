"""Train the network of relative scale."""

from typing import Any

import numpy as np
import torch

from domain_adaptation.config import AdaptationConfig
from domain_adaptation.evaluation.plots import loss_plot
from domain_adaptation.models.model_folder import new_model, save_model
from domain_adaptation.scale.held_out import held_out_slopes
from domain_adaptation.scale.outputs import scale_spec
from domain_adaptation.scale.pairs import PairLoss
from domain_adaptation.scale.recordings import Excerpts, read_excerpts
from domain_adaptation.training.augment.slow_down import most_slow_down
from domain_adaptation.training.clips import Clips, Training, train_on_clips
from texturelib.dataset import read_description
from texturelib.errors import TextureError, UsageError
from texturelib.files import write_json, write_table
from texturelib.learning.compute import start_fabric
from texturelib.outputs import Output


def train_scale(config: AdaptationConfig, output: Output) -> float:
    """Write a model folder, and return the network's median slope on recordings that it never
    heard, which is 1 where it hears all of a change of speed."""
    settings = config.wanted_scale()
    most = most_slow_down(config.features)
    if settings.slow_down[1] > most:
        raise UsageError(
            f"scale.slow_down: {settings.slow_down[1]:g} should be at most {most:.3g}: beyond, these features "
            "would hear the end of a slowed recording's spectrum"
        )
    description = read_description(config.synthetic)
    seconds, sample_rate = description["seconds"], description["sample_rate"]
    new_rate = config.features.sample_rate
    n_samples = -(-round(seconds * sample_rate) * new_rate // sample_rate)
    excerpts = read_excerpts(
        "scale.recordings",
        settings.recordings,
        max(settings.seconds, seconds),
        new_rate,
        settings.most_recordings,
    )
    split = _split(len(excerpts.names), settings.held_out, config.seed)
    fabric = start_fabric(config.compute.model_copy(update={"processes": 1}))
    spec = scale_spec(config, torch.from_numpy(excerpts.samples[[0, 0], :n_samples]).float())
    torch.manual_seed(config.seed)
    model = new_model(spec)
    output.begin()
    folder = output.folder
    _write_recordings(output, excerpts, split)
    state = train_on_clips(
        model.extractor,
        PairLoss(settings, spec.features, n_samples),
        Clips(
            _repeated(split["train"], settings.steps_per_epoch * settings.batch_size),
            excerpts.samples,
        ),
        Clips(split["held_out"], excerpts.samples),
        Training(settings, folder, config.seed, "scale", keeps_best=False),
        fabric,
    )
    model.extractor.to("cpu").eval()
    save_model(folder, model)
    slopes = held_out_slopes(model, excerpts.samples[split["held_out"]], n_samples)
    low, median, high = (float(value) for value in np.quantile(slopes, [0.25, 0.5, 0.75]))
    write_json(
        folder / "metrics.json",
        {
            "seed": config.seed,
            "n_recordings": {part: len(rows) for part, rows in split.items()},
            "n_left_out": len(excerpts.rejected),
            "kept_validation_loss": state.kept_loss,
            "held_out_slopes": {"lower_quartile": low, "median": median, "upper_quartile": high},
        },
    )
    loss_plot(folder / "loss.png", state.history, state.kept_row, "loss")
    output.finish()
    return median


def _split(n_recordings: int, held_out: float, seed: int) -> dict[str, np.ndarray]:
    """Return the rows to train on, and those that are held out, at least one of each."""
    order = np.random.default_rng(seed).permutation(n_recordings)
    n_held_out = max(1, round(held_out * n_recordings))
    if n_recordings - n_held_out < 2:
        raise TextureError(
            f"scale.recordings: {n_recordings} recordings are too few to learn scale from; some hundreds of "
            "any sounds are enough"
        )
    return {"train": np.sort(order[n_held_out:]), "held_out": np.sort(order[:n_held_out])}


def _repeated(rows: np.ndarray, n_rows: int) -> np.ndarray:
    return np.resize(rows, max(n_rows, len(rows)))


def _write_recordings(output: Output, excerpts: Excerpts, split: dict[str, np.ndarray]) -> None:
    """Write down which recordings were learnt from, which were held out, and which left out."""
    import pandas as pd

    part_of = np.empty(len(excerpts.names), dtype=object)
    for part, indices in split.items():
        part_of[indices] = part
    rows: list[dict[str, Any]] = [
        {"file_name": name, "part": part, "reason": ""}
        for name, part in zip(excerpts.names, part_of, strict=True)
    ]
    rows += [
        {"file_name": name, "part": "left out", "reason": reason}
        for name, reason in excerpts.rejected.items()
    ]
    write_table(output.folder / "recordings.csv", pd.DataFrame(rows))
