from pathlib import Path

import pytest

from conditioned_synthesis.config import SynthesisConfig
from texturelib.config import load_config

CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.mark.parametrize("name", ["demo", "thesis_waterflow"])
def test_the_shipped_config_reads_the_labels_of_its_own_sound(name):
    config = load_config(CONFIGS / name / "synthesis.json", SynthesisConfig)
    assert config.output == CONFIGS.parent / "results" / name / "synthesis"
    assert config.labelled == CONFIGS.parent / "results" / name / "adaptation" / "labels"


def test_the_thesis_config_has_the_thesis_figures():
    config = load_config(CONFIGS / "thesis_waterflow" / "synthesis.json", SynthesisConfig)
    assert (config.balance.control, config.balance.bins, config.balance.clips_per_bin) == (
        "expRadius",
        10,
        77,
    )
    assert config.export.sample_rate == 16000
