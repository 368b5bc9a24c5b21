import pytest
import torch
from pydantic import ValidationError

from domain_adaptation.features.mel import Mel
from domain_adaptation.models.extractor import Extractor, fused
from domain_adaptation.networks.cnn import Cnn
from domain_adaptation.networks.ensemble import Ensemble
from domain_adaptation.training.losses import SupervisedLoss

SHAPE = (1, 20, 30)


def test_an_ensemble_answers_with_the_mean_and_teaches_each_member_alone():
    torch.manual_seed(0)
    extractor = Extractor(Ensemble(members=3, of=Cnn(n_blocks=2)), SHAPE, 2)
    features, truth = torch.randn(4, *SHAPE), torch.rand(4, 2)
    reading = extractor.read(features)
    assert reading.each.shape == (4, 3, 2)
    torch.testing.assert_close(reading.labels, reading.each.mean(dim=1))
    assert (reading.each.std(dim=1) > 0).all()  # weights of their own
    # The slope of a member's weights is that of its own loss: what the others answer does not
    # matter.
    bias = extractor.head.heads[1][-1][0].bias
    (shared,) = torch.autograd.grad(SupervisedLoss(Mel(), "l1").of(reading, truth), bias)
    (own,) = torch.autograd.grad((extractor.read(features).each[:, 1] - truth).abs().mean(), bias)
    torch.testing.assert_close(3 * shared, own)


def test_validation_judges_what_the_members_say_together():
    extractor = Extractor(Ensemble(members=2, of=Cnn(n_blocks=2)), SHAPE, 2).eval()
    reading = extractor.read(torch.randn(4, *SHAPE))
    torch.testing.assert_close(reading.each[:, 0], reading.labels)


def test_the_copy_for_labelling_answers_the_same():
    torch.manual_seed(0)
    extractor = Extractor(Ensemble(members=2, of=Cnn(n_blocks=2)), SHAPE, 2)
    for _ in range(20):  # so that the normalisations have something to say
        extractor(3 * torch.randn(8, *SHAPE) + 1)
    features = torch.randn(4, *SHAPE)
    torch.testing.assert_close(
        fused(extractor)(features), extractor.eval()(features), atol=1e-5, rtol=1e-5
    )


def test_an_ensemble_of_ensembles_is_refused():
    with pytest.raises(
        ValidationError,
        match="'ensemble' found using 'type' does not match any of the expected tags",
    ):
        Ensemble.model_validate({"of": {"type": "ensemble", "of": {"type": "cnn"}}})
