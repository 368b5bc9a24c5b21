"""Model folders of earlier versions read clips as they did when they were trained."""

import pytest

from domain_adaptation.features.log_bands import LogBands
from domain_adaptation.features.mel import Mel
from domain_adaptation.models.model_folder import ModelSpec
from domain_adaptation.networks.cnn import Cnn

CONTROL = {"name": "rate", "low": 1.0, "high": 9.0, "unit": "1/s", "curve": "linear"}


def saved(features: object) -> dict:
    """Return what a model folder of now says."""
    sizes = {"input_shape": (1, 8, 5), "controls": (CONTROL,), "sample_rate": 8000, "seconds": 0.1}
    return ModelSpec(network=Cnn(n_blocks=1), features=features, **sizes).model_dump(mode="json")


@pytest.mark.parametrize("remove_mean", [True, False])
def test_a_model_of_now_says_whether_it_hears_a_mean(remove_mean):
    assert (
        ModelSpec(**saved(Mel(n_mels=8, remove_mean=remove_mean))).features.remove_mean
        is remove_mean
    )


def test_a_model_from_before_clips_lost_their_mean_keeps_it():
    older = saved(Mel(n_mels=8))
    del older["features"]["remove_mean"]
    assert ModelSpec(**older).features.remove_mean is False


def test_features_that_know_no_mean_are_left_as_they_are():
    described = saved(LogBands(sample_rate=8000, n_bands=8, low_hz=40, high_hz=2500))
    assert ModelSpec(**described).model_dump(mode="json") == described
