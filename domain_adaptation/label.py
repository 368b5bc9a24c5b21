"""Label the real set with continuous controls."""

from typing import Any

import numpy as np

from domain_adaptation.config import AdaptationConfig
from domain_adaptation.feature_store import real_features
from domain_adaptation.model_folder import load_extractor
from domain_adaptation.plots import distribution_plot
from domain_adaptation.scores import share_inside
from domain_adaptation.training import predict
from texturelib.dataset import read_dataset, write_dataset
from texturelib.files import link_or_copy, write_json, write_table
from texturelib.outputs import Output


def label(config: AdaptationConfig, output: Output) -> dict[str, Any]:
    """Write a dataset folder: the real clips with a column per control, read by the adapted network, not clipped.

    labels_before.csv holds what the network read before it was adapted. -> what summary.json says.
    """
    import pandas as pd

    dataset, features = real_features(config)
    extractor, controls = load_extractor(config.output / "extractor")
    adapted, _ = load_extractor(config.output / "adapted")
    before, after = predict(extractor, features), predict(adapted, features)

    output.begin()
    folder = output.folder
    names = dataset.metadata[["file_name"]]
    others = dataset.metadata.drop(columns=["file_name", *controls], errors="ignore")
    for index, name in enumerate(names["file_name"]):
        link_or_copy(dataset.path(index), folder / name)
    write_table(folder / "labels_before.csv", pd.concat([names, _table(before, controls)], axis=1))
    summary = {
        "n_clips": len(dataset),
        "share_of_labels_within_0_1": {"before": share_inside(before), "after": share_inside(after)},
        "controls": {name: _summary(before[:, i], after[:, i]) for i, name in enumerate(controls)},
    }
    write_json(folder / "summary.json", summary)
    distribution_plot(folder / "distributions.png", before, after, controls)
    write_dataset(
        folder,
        pd.concat([names, _table(after, controls), others], axis=1),
        sample_rate=dataset.sample_rate,
        seconds=dataset.seconds,
        controls=read_dataset(config.synthetic).description["controls"],
        provenance={"kind": "labelled by domain-adaptation", "of": dataset.description.get("provenance")},
    )
    output.finish()
    return summary


def _table(labels: np.ndarray, controls: list[str]) -> Any:
    import pandas as pd

    return pd.DataFrame(labels.astype(np.float64).round(6), columns=controls)


def _summary(before: np.ndarray, after: np.ndarray) -> dict[str, dict[str, float]]:
    return {
        when: {
            "share_within_0_1": share_inside(labels),
            "mean": float(labels.mean()),
            "std": float(labels.std()),
            "min": float(labels.min()),
            "max": float(labels.max()),
        }
        for when, labels in (("before", before), ("after", after))
    }
