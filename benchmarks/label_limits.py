"""How much of a reader's error is the second's own: python benchmarks/label_limits.py RESULTS

RESULTS is a folder with a set of the liquid engine in `synthetic`, and an extractor in
`adaptation/extractor` that was trained on it, such as results/waterflow. Which bubbles formed in a
clip is known from its seed. A small network learns the controls from these alone: their number, and
what radius is reached by what share of them. It sees through everything that a reader of sound has
to deal with, of every clip, and is still off where there are too few bubbles to tell by.

Prints Markdown: mean absolute errors of both on the extractor's test clips, by how many bubbles
form in a second.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn

from domain_adaptation.data.clip_store import clip_store
from domain_adaptation.labelling.inference import read_store
from domain_adaptation.models.model_folder import load_model
from synthetic_datasets.config import SyntheticConfig
from synthetic_datasets.engines.liquid import Liquid
from texturelib.config import load_config
from texturelib.dataset import read_dataset
from texturelib.progress import progress

_SHARES = np.concatenate(
    [
        [0, 0.002, 0.005, 0.01, 0.02, 0.035],
        np.linspace(0.05, 0.95, 19),
        [0.965, 0.98, 0.99, 0.995, 0.998, 1],
    ]
)
_EPOCHS, _BATCH, _LEARNING_RATE = 60, 64, 0.002


def what_formed(config: SyntheticConfig, metadata: pd.DataFrame) -> np.ndarray:
    """Return facts about the bubbles of each clip, [clips, facts]."""
    assert isinstance(config.engine, Liquid)
    names = [control.name for control in config.engine.available]
    facts = []
    for row in progress(metadata.to_dict("records"), "bubbles", unit="clip"):
        assert not row["redraws"], "a clip that was drawn again has another seed"
        number = int(Path(row["file_name"]).stem.rpartition("_")[2])
        rng = np.random.default_rng([config.seed, number - 1])
        starts, radius = config.engine.bubbles(
            {name: row[name] for name in names}, config.seconds, config.sample_rate, rng
        )
        heard = np.log(radius[starts >= 0]) if (starts >= 0).any() else np.zeros(1)
        facts.append(
            [
                np.log(max(0.5, float((starts >= 0).sum()))),
                *np.quantile(heard, _SHARES),
                heard.mean(),
                heard.std(),
            ]
        )
    return np.array(facts, np.float32)


def read_from(facts: np.ndarray, truth: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Return the controls, [clips, controls], as read by a network that has learnt from the rows
    `train`."""
    torch.manual_seed(0)
    inputs = torch.from_numpy((facts - facts[train].mean(axis=0)) / facts[train].std(axis=0))
    wanted = torch.from_numpy(truth)
    network = nn.Sequential(
        nn.Linear(facts.shape[1], 256),
        nn.GELU(),
        nn.Linear(256, 256),
        nn.GELU(),
        nn.Linear(256, truth.shape[1]),
    )
    optimizer = torch.optim.AdamW(network.parameters(), _LEARNING_RATE, weight_decay=0.01)
    n_steps = _EPOCHS * len(list(_batches(train)))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _LEARNING_RATE, total_steps=n_steps)
    for _ in progress(range(_EPOCHS), "learning from bubbles", unit="epoch"):
        for rows in _batches(train):
            loss = (0.5 + 0.15 * network(inputs[rows]) - wanted[rows]).abs().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    with torch.inference_mode():
        return (0.5 + 0.15 * network(inputs)).numpy()


def _batches(train: np.ndarray) -> Iterator[np.ndarray]:
    order = train[torch.randperm(len(train)).numpy()]
    yield from (
        order[start : start + _BATCH] for start in range(0, len(train) - _BATCH + 1, _BATCH)
    )


def main() -> None:
    results = Path(sys.argv[1])
    dataset = read_dataset(results / "synthetic")
    model = load_model(results / "adaptation/extractor")
    config = load_config(results / "synthetic/config.json", SyntheticConfig)
    parts = pd.read_csv(results / "adaptation/extractor/splits.csv").set_index("file_name")["split"]
    part = parts.reindex(dataset.metadata["file_name"]).to_numpy()
    train, test = np.flatnonzero(part == "train"), np.flatnonzero(part == "test")
    truth = dataset.control_values().astype(np.float32)
    store = clip_store(
        dataset, model.spec.features.sample_rate, results / "adaptation/clips/synthetic"
    )
    seed = 42  # of the noise: that of the presets
    errors = {
        "extractor": np.abs(read_store(model, store, test, augment_seed=seed).labels - truth[test]),
        "bubbles": np.abs(
            read_from(what_formed(config, dataset.metadata), truth, train)[test] - truth[test]
        ),
    }
    controls = {control.name: control for control in Liquid.available}
    per_second = controls["avgRate"].to_physical(truth[test, dataset.controls.index("avgRate")])
    print(
        f"\n| bubbles/s | clips | {' | '.join(f'{name}: from sound, from its bubbles' for name in dataset.controls)} | mean |"
    )
    print("|" + "---|" * (len(dataset.controls) + 3))
    for rate in [*np.unique(per_second.round(1)), None]:
        rows = np.ones(len(test), bool) if rate is None else per_second.round(1) == rate
        pairs = [
            ", ".join(f"{found[rows, i].mean():.4f}" for found in errors.values())
            for i in range(len(dataset.controls))
        ]
        mean = ", ".join(f"{found[rows].mean():.4f}" for found in errors.values())
        print(
            f"| {'all' if rate is None else f'{rate:g}'} | {rows.sum()} | {' | '.join(pairs)} | {mean} |"
        )


if __name__ == "__main__":
    main()
