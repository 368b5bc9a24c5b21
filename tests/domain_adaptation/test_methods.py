"""What each way of adapting does to a trained extractor, and what it leaves as it was."""

import json
import math
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from domain_adaptation.adaptation.acceptance import judge
from domain_adaptation.adaptation.methods._adversaries import Frozen, Learning
from domain_adaptation.adaptation.methods._alignment import (
    covariance_distance,
    inverse_gram_distances,
)
from domain_adaptation.adaptation.methods.adabn import AdaBn
from domain_adaptation.adaptation.methods.adda import Adda
from domain_adaptation.adaptation.methods.adda_frozen import AddaFrozen
from domain_adaptation.adaptation.methods.dare_gram import DareGram
from domain_adaptation.adaptation.methods.deep_coral import DeepCoral
from domain_adaptation.adaptation.methods.none import NoAdaptation
from domain_adaptation.adaptation.methods.scaling_law import ScalingLaw
from domain_adaptation.adaptation.task import Problem, RealClips
from domain_adaptation.cli import app
from domain_adaptation.data.sets import real_set, synthetic_set
from domain_adaptation.data.splits import split_clips
from domain_adaptation.evaluation.laws import labels_at_speeds, law_broken_by
from domain_adaptation.features._randomise import Randomise
from domain_adaptation.features.waveform import Waveform
from domain_adaptation.labelling.inference import encode_store, read_store
from domain_adaptation.models.model_folder import load_classifier, load_model
from domain_adaptation.training.clips import Clips, Training, train_on_clips
from domain_adaptation.training.losses import SupervisedLoss
from texturelib.errors import TextureError
from texturelib.learning.compute import ComputeConfig, start_fabric

from .conftest import BANDS, make_config, make_pitch_set, make_set

RNG = np.random.default_rng(0)
SYNTHETIC = torch.from_numpy(RNG.standard_normal((400, 4)).astype(np.float32))
# Far from the synthetic ones, and closer together.
REAL = (RNG.standard_normal((300, 4)) * 0.5 + 3).astype(np.float32)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return a config, with an extractor that reads brightness and a classifier."""
    folder = tmp_path_factory.mktemp("brightness")
    make_set(folder / "synthetic", 60, is_real=False)
    make_set(folder / "real", 40, is_real=True)
    split = {"train": 0.6, "validation": 0.2, "test": 0.2}
    config = make_config(
        folder, extractor={"epochs": 15, "batch_size": 8, "learning_rate": 0.003}, split=split
    )
    for command in ("train-extractor", "train-classifier"):
        app([command, str(folder / "adaptation.json")], standalone_mode=False)
    return config


@pytest.fixture(scope="module")
def trained_on_pitch(tmp_path_factory):
    """Return a config, with an extractor that reads pitch; the true pitches of the real clips."""
    folder = tmp_path_factory.mktemp("pitch")
    make_pitch_set(folder / "synthetic", 100, is_real=False)
    _, pitch = make_pitch_set(folder / "real", 60, is_real=True)
    config = make_config(
        folder,
        features=BANDS,
        network={"type": "band_cnn", "channels": [16, 16], "n_hidden": 16, "dropout": 0.0},
        extractor={"epochs": 15, "batch_size": 16, "learning_rate": 0.003},
        split={"train": 0.6, "validation": 0.2, "test": 0.2},
    )
    app(["train-extractor", str(folder / "adaptation.json")], standalone_mode=False)
    return config, pitch


@pytest.fixture
def problem_of(tmp_path):
    """Return a fresh problem from a trained config; arguments replace what it would hold."""

    def make(config, **changes: object) -> Problem:
        synthetic, real = synthetic_set(config), real_set(config)
        model = load_model(config.output / "extractor")
        given = {
            "model": model,
            "classifier": load_classifier(config.output / "classifier")
            if (config.output / "classifier").exists()
            else None,
            "synthetic": synthetic.store,
            "truth": synthetic.dataset.control_values(),
            "synthetic_split": split_clips(synthetic.dataset, config.split, config.seed),
            "real": RealClips(
                real.store,
                np.full(len(real.store), "river.mp3"),
                split_clips(real.dataset, config.split, config.seed),
            ),
            "supervised": SupervisedLoss(model.spec.features, config.extractor.loss),
            "folder": tmp_path,
            "seed": config.seed,
            "fabric": start_fabric(ComputeConfig(accelerator="cpu")),
            **changes,
        }
        return Problem(**given)

    return make


def real_of(clips, **split: np.ndarray) -> RealClips:
    return RealClips(clips, np.full(len(clips), "river.mp3"), split)


def weights_of(module: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def changed(before: dict[str, torch.Tensor], module: nn.Module) -> set[str]:
    return {
        name for name, value in module.state_dict().items() if not torch.equal(value, before[name])
    }


# None, and statistics alone. ------------------------------------------------------------------------------------------


def test_without_adaptation_the_extractor_stays_as_it_was_and_is_kept(trained, problem_of):
    problem = problem_of(trained)
    before = weights_of(problem.model.extractor)
    assert NoAdaptation().adapt(problem) is None
    assert not changed(before, problem.model.extractor)
    judgement = judge(load_model(trained.output / "extractor"), problem, reads_both=True)
    assert judgement.is_kept
    assert judgement.inside[0] == judgement.inside[1]


def test_batch_normalisation_takes_its_statistics_from_the_real_clips_and_nothing_else_changes(
    trained, problem_of
):
    problem = problem_of(trained)
    extractor = problem.model.extractor
    before = weights_of(extractor)
    AdaBn().adapt(problem)
    assert not extractor.training
    assert {name.split(".")[-1] for name in changed(before, extractor)} == {
        "running_mean",
        "running_var",
        "num_batches_tracked",
    }
    first = extractor.encoder.blocks[0]
    with torch.no_grad():
        clips = torch.from_numpy(problem.real.clips[problem.real.split["train"]]).float()
        convolved = first[0](problem.features.compute(clips))
    torch.testing.assert_close(
        first[1].running_mean, convolved.mean(dim=(0, 2, 3)), atol=1e-5, rtol=1e-4
    )
    torch.testing.assert_close(
        first[1].running_var, convolved.var(dim=(0, 2, 3)), atol=1e-5, rtol=1e-4
    )
    assert first[1].momentum == 0.1  # as it was, for what may be trained on from here


@pytest.mark.parametrize("n_clips", [129, 130, 200, 257])
def test_every_real_clip_counts_as_much_in_the_statistics_as_any_other(
    trained, problem_of, n_clips
):
    # Batches are cut at some length; the clips of a short last one are quite unlike the others
    # here.
    clips = np.concatenate([problem_of(trained).real.clips[np.arange(32)]] * 9)[:n_clips].copy()
    clips[-2:] = RNG.integers(-32767, 32767, clips[-2:].shape)
    rows = np.arange(n_clips)
    problem = problem_of(
        trained, real=real_of(clips, train=rows, validation=rows[:8], test=rows[:8])
    )
    AdaBn().adapt(problem)
    first = problem.model.extractor.encoder.blocks[0]
    with torch.no_grad():
        convolved = first[0](problem.features.compute(torch.from_numpy(clips).float()))
    # A tenth of a deviation: two of 200 clips alone cannot move a mean that far.
    deviation = convolved.std(dim=(0, 2, 3))
    off = ((first[1].running_mean - convolved.mean(dim=(0, 2, 3))) / deviation).abs()
    assert float(off.max()) < 0.1


def test_one_real_clip_leaves_the_statistics_of_something(trained, problem_of):
    clips = problem_of(trained).real.clips
    problem = problem_of(
        trained,
        real=real_of(clips, train=np.array([0]), validation=np.array([1]), test=np.array([2])),
    )
    AdaBn().adapt(problem)
    first = problem.model.extractor.encoder.blocks[0][1]
    assert float(first.running_mean.abs().max()) > 0  # reset, these are 0 and 1, which fit nothing


# Adversaries. ---------------------------------------------------------------------------------------------------------


def linear_encoder() -> nn.Module:
    """Leaves its input as it is, at first."""
    encoder = nn.Linear(4, 4)
    with torch.no_grad():
        encoder.weight.copy_(torch.eye(4))
        encoder.bias.zero_()
    return encoder


class AsTheyAre:
    """In the place of features: points in a plane of four dimensions are nothing that a spectrum
    could be taken of."""

    def compute(self, clips: torch.Tensor) -> torch.Tensor:
        return clips


def chase(folder, epochs, schedule="constant"):
    torch.manual_seed(0)
    settings = Adda(epochs=epochs, batch_size=64, learning_rate=0.01, schedule=schedule)
    encoder, objective = linear_encoder(), Learning(SYNTHETIC, AsTheyAre(), 64, 0.01)
    train_on_clips(
        encoder,
        objective,
        Clips(np.arange(250), REAL),
        Clips(np.arange(250, 300), REAL),
        Training(settings, folder, 0, "adaptation", keeps_best=False, also_saved=objective),
        start_fabric(ComputeConfig(accelerator="cpu")),
    )
    return encoder


def test_a_frozen_classifier_is_asked_for_the_cross_entropy_of_synthetic():
    always_even = nn.Linear(4, 1)
    nn.init.zeros_(always_even.weight)
    nn.init.zeros_(always_even.bias)
    # A logit of 0 is "as likely real as synthetic": -log(1/2).
    loss = Frozen(always_even, AsTheyAre())(linear_encoder(), SYNTHETIC)
    assert float(loss.detach()) == pytest.approx(math.log(2))


def test_a_learning_discriminator_brings_real_clips_to_where_the_synthetic_ones_are(tmp_path):
    encoder = chase(tmp_path, 60, schedule="cosine")
    with torch.no_grad():
        moved = encoder(torch.from_numpy(REAL))
    # They began 3 away in each of 4 directions. Two networks that chase each other come to no full
    # rest: a quarter of the way.
    assert float((moved.mean(dim=0) - SYNTHETIC.mean(dim=0)).norm()) < 0.25 * (4 * 3**2) ** 0.5


def test_an_adaptation_that_was_stopped_goes_on_with_its_discriminator(tmp_path):
    unbroken = chase(tmp_path / "unbroken", 6)
    chase(tmp_path / "stopped", 3)
    resumed = chase(tmp_path / "stopped", 6)
    assert torch.equal(unbroken.weight, resumed.weight)


def test_the_discriminator_does_not_learn_from_validation_clips():
    torch.manual_seed(0)
    objective = Learning(SYNTHETIC, AsTheyAre(), hidden_size=8, learning_rate=0.1)
    encoder, real = linear_encoder().eval(), torch.from_numpy(REAL)
    losses = [float(objective(encoder, real).detach()) for _ in range(2)]
    assert losses[0] == losses[1]
    objective(encoder.train(), real)
    assert float(objective(encoder.eval(), real).detach()) != losses[0]


@pytest.mark.parametrize(
    "method",
    [AddaFrozen(epochs=3, batch_size=8), Adda(epochs=3, batch_size=8, learning_rate=0.001)],
)
def test_adversaries_change_the_encoder_and_leave_what_reads_from_it(trained, problem_of, method):
    problem = problem_of(trained)
    extractor = problem.model.extractor
    before, classifier = weights_of(extractor), weights_of(problem.classifier)
    state = method.adapt(problem)
    assert {name.split(".")[0] for name in changed(before, extractor)} == {"encoder"}
    assert not changed(classifier, problem.classifier)
    assert len(state.history) == 3


def test_real_clips_fool_the_frozen_classifier_more_after_than_before(trained, problem_of):
    problem = problem_of(trained)
    before = problem.classifier(torch.from_numpy(encode_store(problem.model, problem.real.clips)))
    AddaFrozen(epochs=15, batch_size=8).adapt(problem)
    after = problem.classifier(torch.from_numpy(encode_store(problem.model, problem.real.clips)))
    # A logit; it began over 0.1.
    assert float(after.mean().detach()) < float(before.mean().detach()) - 0.1


# Alignment. -----------------------------------------------------------------------------------------------------------


def points(seed: int, n_clips: int = 200, n_features: int = 6) -> torch.Tensor:
    return torch.randn(n_clips, n_features, generator=torch.Generator().manual_seed(seed))


def gram(a: torch.Tensor, b: torch.Tensor) -> float:
    angle, scale = inverse_gram_distances(a, b, 0.95)
    return float(angle + scale)


@pytest.mark.parametrize("distance", [covariance_distance, gram])
def test_equal_sets_are_no_distance_apart_in_whatever_order(distance):
    a = points(0)
    assert float(distance(a, a)) == pytest.approx(0, abs=1e-5)  # float32
    assert float(distance(a, a.flip(0))) == pytest.approx(0, abs=1e-4)  # sums in another order


def test_covariances_move_apart_with_scale_and_not_with_place():
    a = points(0)
    distances = [float(covariance_distance(a, scale * a)) for scale in (1.0, 1.5, 2.0, 4.0)]
    assert distances == sorted(distances)
    # 4 n^2 under a difference of 3 covariances: about n * 3^2 / (4 n^2) for independent features, here n = 6.
    assert distances[2] == pytest.approx(6 * 9 / (4 * 36), rel=0.3)
    assert float(covariance_distance(a, a + 5)) == pytest.approx(0, abs=1e-4)


def test_inverse_gram_matrices_move_apart_with_scale_and_with_place():
    a = points(0)
    for other in (
        [scale * a for scale in (1.0, 1.5, 2.0, 4.0)],
        [a + shift for shift in (0.0, 0.5, 1.0, 2.0)],
    ):
        angles, scales = zip(
            *(map(float, inverse_gram_distances(a, b, 0.99)) for b in other), strict=True
        )
        assert scales == tuple(sorted(scales))
        assert angles[-1] > angles[0] + 0.001


def test_distances_can_be_descended():
    for distance in (covariance_distance, lambda a, b: sum(inverse_gram_distances(a, b, 0.95))):
        a, b = points(0), (2 * points(1) + 1).requires_grad_()
        before = distance(a, b)
        before.backward()
        assert torch.isfinite(b.grad).all()
        with torch.no_grad():
            step = b - 0.01 * b.grad / b.grad.norm() * b.norm()
            assert float(distance(a, step).detach()) < float(before.detach())


@pytest.mark.parametrize("n_clips", [1, 2, 3])
def test_distances_between_few_clips_are_numbers(n_clips):
    # A validation part may leave a last batch of so few.
    a, b = points(0, n_clips), points(1, n_clips)
    assert math.isfinite(float(covariance_distance(a, b)))
    assert math.isfinite(gram(a, b))


@pytest.mark.parametrize(
    "method", [DeepCoral(epochs=4, batch_size=8, weight=10.0), DareGram(epochs=4, batch_size=8)]
)
def test_alignment_teaches_the_whole_extractor(trained, problem_of, method):
    problem = problem_of(trained)
    before = weights_of(problem.model.extractor)
    state = method.adapt(problem)
    assert {name.split(".")[0] for name in changed(before, problem.model.extractor)} == {
        "encoder",
        "head",
        "scale",
    }
    assert all(math.isfinite(row["train_loss"]) for row in state.history)


def test_correlation_alignment_brings_the_covariances_together(trained, problem_of):
    def apart(model) -> float:
        synthetic, real = (
            problem.synthetic[problem.synthetic_split["train"]],
            problem.real.clips[problem.real.split["train"]],
        )
        sides = [torch.from_numpy(encode_store(model, clips)) for clips in (synthetic, real)]
        return float(covariance_distance(*sides))

    problem = problem_of(trained)
    before = apart(problem.model)
    DeepCoral(epochs=15, batch_size=24, weight=1000.0, learning_rate=0.002).adapt(problem)
    assert apart(problem.model) < 0.5 * before


@pytest.mark.parametrize("kind", [DeepCoral, DareGram, Adda])
def test_a_validation_batch_of_one_clip_is_no_obstacle(trained, problem_of, kind):
    method = kind(epochs=1, batch_size=4)
    clips = problem_of(trained).real.clips
    real = real_of(clips, train=np.arange(20), validation=np.arange(20, 25), test=np.arange(25, 40))
    state = method.adapt(problem_of(trained, real=real))
    assert math.isfinite(state.kept_loss)


# The law of scaling. --------------------------------------------------------------------------------------------------


def law_violation(model, clips: np.ndarray) -> float:
    broken = law_broken_by(model.spec, labels_at_speeds(model, clips))
    assert broken is not None
    return broken


QUICK = ScalingLaw(
    epochs=4, steps_per_epoch=12, batch_size=16, synthetic_batch_size=16, learning_rate=0.003
)


@pytest.mark.slow
def test_labels_follow_the_law_better_after_learning_it(trained_on_pitch, problem_of):
    config, pitch = trained_on_pitch
    problem, before = problem_of(config), load_model(config.output / "extractor")
    unheard = problem.real.clips[
        np.sort(np.concatenate([problem.real.split["validation"], problem.real.split["test"]]))
    ]
    QUICK.adapt(problem)
    judgement = judge(before, problem, reads_both=False)
    assert judgement.law_broken == pytest.approx(
        (law_violation(before, unheard), law_violation(problem.model, unheard))
    )
    assert judgement.law_broken[1] < 0.8 * judgement.law_broken[0]
    assert judgement.is_kept
    # What labels are for: no law names the true pitch of any clip, and still they come nearer to
    # it, or stay as near.
    errors = [
        np.abs(read_store(model, problem.real.clips).labels[:, 0] - pitch).mean()
        for model in (before, problem.model)
    ]
    assert errors[1] < errors[0] * 1.25


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_the_law_can_be_learnt_from_recordings_or_from_textures_alone(
    trained_on_pitch, problem_of, share
):
    config, _ = trained_on_pitch
    problem, before = problem_of(config), load_model(config.output / "extractor")
    clips = problem.real.clips[np.arange(len(problem.real.clips))]
    QUICK.model_copy(update={"textures": share}).adapt(problem)
    assert law_violation(problem.model, clips) < 0.8 * law_violation(before, clips)


def test_a_share_of_the_way_is_a_share_of_every_change(trained_on_pitch, problem_of, tmp_path):
    config, _ = trained_on_pitch
    ends = []
    for how_far in (0.25, 1.0, 1.5):
        problem = problem_of(config, folder=tmp_path / str(how_far))
        problem.folder.mkdir()
        ScalingLaw(
            epochs=1, steps_per_epoch=2, batch_size=8, synthetic_batch_size=8, how_far=how_far
        ).adapt(problem)
        ends.append(problem.model.extractor.state_dict())
    before = load_model(config.output / "extractor").extractor.state_dict()
    short, end, beyond = ends
    for name, old in before.items():
        if name.endswith("running_var"):
            torch.testing.assert_close(
                short[name].log(), old.log() + 0.25 * (end[name] / old).log()
            )
            assert (beyond[name] > 0).all()
        elif old.is_floating_point():
            torch.testing.assert_close(short[name], old + 0.25 * (end[name] - old))
            torch.testing.assert_close(beyond[name], old + 1.5 * (end[name] - old))


def test_a_network_that_knows_the_law_breaks_it_less_than_one_that_answers_anything(
    trained_on_pitch, problem_of
):
    config, _ = trained_on_pitch
    problem = problem_of(config)
    clips = problem.real.clips[np.arange(20)]
    trained_one = law_violation(problem.model, clips)
    nn.init.zeros_(problem.model.extractor.head.linear.weight)
    # The same answer at every speed has no slope; the law asks for a third of an octave's slide.
    assert law_violation(problem.model, clips) == pytest.approx(1 / np.log(8), rel=0.02)
    assert trained_one < law_violation(problem.model, clips)


def test_controls_without_a_law_are_refused_with_a_sentence(trained, run_command):
    folder = trained.output.parent
    same = {"split": trained.split.model_dump(), "extractor": trained.extractor.model_dump()}
    make_config(folder, adaptation={"type": "scaling_law"}, **same)
    done = run_command(app, "adapt", folder / "adaptation.json")
    assert done.status == 1
    assert (
        'adaptation.type: "scaling_law" needs an engine that says how its controls move when a sound is slowed'
        in done.err
    )
    assert len(done.err.strip().splitlines()) == 1


def test_speeds_that_do_not_rise_are_named(sets, config_of):
    with pytest.raises(
        TextureError,
        match=r"adaptation\.slow_down: \[1\.6, 0\.65\] should be a range \[low, high\]",
    ):
        config_of(sets, adaptation={"type": "scaling_law", "slow_down": [1.6, 0.65]})


# Kept or not. ---------------------------------------------------------------------------------------------------------


def test_an_adaptation_that_did_harm_is_not_kept_and_says_so(trained_on_pitch, run_command):
    config, _ = trained_on_pitch
    folder = config.output.parent
    # Steps so large that what was learnt of synthetic clips is lost.
    harmful = {"type": "deep_coral", "epochs": 1, "batch_size": 8, "learning_rate": 0.3}
    change = partial(
        make_config,
        folder,
        features=BANDS,
        network=config.network.model_dump(),
        split=config.split.model_dump(),
    )
    change(extractor=config.extractor.model_dump(), adaptation=harmful)
    done = run_command(app, "adapt", folder / "adaptation.json", "--overwrite")
    assert done.status == 0, done.err
    assert "not adapted: " in done.out
    assert "so the extractor is kept as it was" in done.out
    metrics = json.loads((config.output / "adapted/metrics.json").read_text())
    assert metrics["is_kept"] is False
    assert "so the extractor is kept as it was" in metrics["why"]
    models = [load_model(config.output / name) for name in ("extractor", "adapted")]
    assert not changed(weights_of(models[0].extractor), models[1].extractor)
    assert run_command(app, "label", folder / "adaptation.json").status == 0
    summary = json.loads(
        (config.output / "labels/summary.json").read_text(), parse_constant=pytest.fail
    )["slow_down"]
    # Three octaves fill the slider.
    assert summary["slopes"]["pitch"]["by_the_law"] == pytest.approx(-1 / math.log(8))
    assert summary["slopes"]["pitch"]["before"] == summary["slopes"]["pitch"]["after"]
    assert (config.output / "labels/slow_down.png").exists()
    labels = (config.output / "labels/labels.csv").read_text().splitlines()
    without = (config.output / "labels/labels_before.csv").read_text().splitlines()
    assert [line.split(",")[:2] for line in labels] == [line.split(",") for line in without]
    assert "not kept" in (config.output / "adapted/README.md").read_text()


def test_labels_that_have_become_all_alike_are_harm(trained, problem_of):
    problem, before = problem_of(trained), load_model(trained.output / "extractor")
    nn.init.zeros_(problem.model.extractor.head[0][0].weight)
    judgement = judge(before, problem, reads_both=False)
    assert not judgement.is_kept
    assert judgement.relative_deviation < 0.01
    assert judgement.why.startswith(
        "the labels of some control spread only 0% as far as before: adaptation looks harmful"
    )


def test_reading_randomised_clips_worse_is_harm_also_where_a_method_leaves_them_aside(
    trained_on_pitch, problem_of
):
    config, _ = trained_on_pitch
    before = load_model(config.output / "extractor")
    plain = problem_of(config)
    spec = plain.model.spec
    features = spec.features.model_copy(update={"randomise": Randomise()})
    randomised = replace(
        plain, model=replace(plain.model, spec=spec.model_copy(update={"features": features}))
    )
    # Labels 0.15 x 2 too high; both problems share it.
    nn.init.constant_(plain.model.extractor.head.linear.bias, 2.0)
    assert judge(before, plain, reads_both=False).synthetic_error is None
    judgement = judge(before, randomised, reads_both=False)
    assert not judgement.is_kept
    assert judgement.why.startswith("the error on synthetic clips rose from")


def test_without_a_law_fewer_labels_within_the_range_are_harm(trained, problem_of):
    problem, before = problem_of(trained), load_model(trained.output / "extractor")
    last = problem.model.extractor.head[-1][0]
    nn.init.constant_(last.bias, 5.0)
    judgement = judge(before, problem, reads_both=False)
    assert not judgement.is_kept
    assert judgement.inside[1] == 0
    assert judgement.why.startswith("labels within 0..1: 0.0%, before ")
    assert judgement.law_broken is None


def test_features_of_an_adversary_are_those_of_the_model(trained, problem_of):
    problem = problem_of(trained)
    seen = []

    class Seen(Waveform):
        def compute(self, clips):
            seen.append(clips.dtype)
            return super().compute(clips)

    Frozen(nn.Linear(8, 1), Seen())(
        nn.Sequential(nn.Flatten(), nn.Linear(64, 8)), torch.randint(-9, 9, (2, 64)).short()
    )
    assert seen == [torch.float32]  # clips come as 16-bit numbers
    assert problem.features == trained.features
