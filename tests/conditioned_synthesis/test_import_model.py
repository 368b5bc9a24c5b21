"""MTCRNN's checkpoints: a state dict of i2d, gru and h2o."""

import pytest
import soundfile
import torch
from torch import nn

from conditioned_synthesis.instrument.instrument import load_instrument


class _Theirs(nn.Module):
    def __init__(self, n_inputs: int = 3, hidden: int = 10, n_layers: int = 2) -> None:
        super().__init__()
        self.i2d = nn.Linear(n_inputs, hidden)
        self.gru = nn.GRU(hidden, hidden, n_layers, batch_first=True)
        self.h2o = nn.Linear(hidden, 256)


@pytest.fixture
def checkpoint(tmp_path):
    torch.save(_Theirs().state_dict(), tmp_path / "model_1000.pkl")
    return tmp_path / "model_1000.pkl"


def test_a_checkpoint_becomes_a_model_folder_that_plays(checkpoint, command, tmp_path):
    words = [
        "import-model",
        checkpoint,
        "--output",
        tmp_path / "model",
        "--control",
        "rate",
        "--control",
        "pitch",
    ]
    status, printed, _ = command(*words)
    assert status == 0
    assert "2 x 10 units, controls rate, pitch" in printed
    loaded = load_instrument(tmp_path / "model").network.state_dict()
    theirs = torch.load(checkpoint, weights_only=True)
    assert all(torch.equal(loaded[name], theirs[name]) for name in theirs)
    assert (
        command(
            "generate",
            "--model",
            tmp_path / "model",
            "--output",
            tmp_path / "a.wav",
            "--seconds",
            "0.1",
        )[0]
        == 0
    )
    assert soundfile.info(tmp_path / "a.wav").frames == 1600


def test_a_one_hot_checkpoint_is_known_by_its_width(command, tmp_path):
    torch.save(_Theirs(n_inputs=257).state_dict(), tmp_path / "model.pkl")
    assert (
        command(
            "import-model",
            tmp_path / "model.pkl",
            "--output",
            tmp_path / "model",
            "--control",
            "rate",
        )[0]
        == 0
    )
    assert load_instrument(tmp_path / "model").spec.synthesiser.onehot  # type: ignore[attr-defined]


@pytest.mark.parametrize("n_inputs", [1, 256])  # the last sample as a number, and as one of 256
def test_a_network_without_controls_becomes_an_instrument_without_sliders(
    command, tmp_path, n_inputs
):
    torch.save(_Theirs(n_inputs).state_dict(), tmp_path / "model.pkl")
    status, printed, errors = command(
        "import-model", tmp_path / "model.pkl", "--output", tmp_path / "model"
    )
    assert status == 0, errors
    assert "controls none" in printed
    card = (tmp_path / "model/README.md").read_text()
    assert "with no controls." in card
    assert "--control" not in card
    words = [
        "generate",
        "--model",
        tmp_path / "model",
        "--output",
        tmp_path / "a.wav",
        "--seconds",
        "0.1",
    ]
    assert command(*words)[0] == 0
    assert soundfile.info(tmp_path / "a.wav").frames == 1600
    status, _, errors = command(*words, "--overwrite", "--control", "rate=1")
    assert status == 2
    assert 'no control "rate" (there are none)' in errors


def _refused(command, path, *words) -> str:
    status, _, errors = command("import-model", path, "--output", path.parent / "model", *words)
    assert status in (1, 2)
    assert len(errors.strip().splitlines()) == 1
    assert not (path.parent / "model").exists()
    return errors


def test_another_number_of_controls_is_refused(checkpoint, command):
    assert "has 2 controls, 1 named; name each, in the order of --prop" in _refused(
        command, checkpoint, "--control", "rate"
    )


def test_a_checkpoint_that_would_run_code_is_refused(command, tmp_path):
    class Harm:
        def __reduce__(self):
            return print, ("harm done",)

    torch.save(Harm(), tmp_path / "model.pkl")
    assert "not a checkpoint that holds tensors alone" in _refused(command, tmp_path / "model.pkl")


def test_a_checkpoint_of_another_network_is_refused(command, tmp_path):
    torch.save(nn.Linear(2, 2).state_dict(), tmp_path / "model.pkl")
    assert "should hold the weights of MTCRNN's audio network" in _refused(
        command, tmp_path / "model.pkl"
    )
    weights = _Theirs().state_dict()
    del weights["h2o.bias"]
    torch.save(weights, tmp_path / "part.pkl")
    words = ["--control", "rate", "--control", "pitch"]
    assert "not those of MTCRNN's audio network (h2o.bias: none, but should be 256)" in _refused(
        command, tmp_path / "part.pkl", *words
    )


def test_controls_of_the_same_name_are_refused(checkpoint, command):
    errors = _refused(command, checkpoint, "--control", "rate", "--control", "rate")
    assert "need names that differ; rate, rate do not" in errors


def _theirs_but(**changed: tuple[int, ...]) -> dict[str, torch.Tensor]:
    return _Theirs().state_dict() | {
        name.replace("__", "."): torch.zeros(shape) for name, shape in changed.items()
    }


@pytest.mark.parametrize(
    ("weights", "sentence"),
    [
        (_Theirs(n_layers=17).state_dict(), "has 17 layers, which are too many; 16 can be played"),
        (_theirs_but(i2d__weight=(10, 0)), "should hold the weights of MTCRNN's audio network"),
        (_theirs_but(gru__weight_hh_l0=(0, 0)), "gru.weight_hh_l0: 0 x 0, but should be 30 x 10"),
        (
            _theirs_but(gru__weight_hh_l0_reverse=(30, 10)),
            "gru.weight_hh_l0_reverse: 30 x 10, but should be none",
        ),
        (_theirs_but(gru__weight_hh_l3=(30, 10)), "gru.weight_ih_l2: none, but should be 30 x 10"),
        (_theirs_but(h2o__weight=(512, 10)), "h2o.weight: 512 x 10, but should be 256 x 10"),
    ],
    ids=[
        "more layers",
        "no inputs",
        "no units",
        "both directions",
        "a layer left out",
        "more levels",
    ],
)
def test_networks_of_other_sizes_are_refused(command, tmp_path, weights, sentence):
    torch.save(weights, tmp_path / "model.pkl")
    assert sentence in _refused(
        command, tmp_path / "model.pkl", "--control", "rate", "--control", "pitch"
    )


def test_a_missing_or_cut_checkpoint_is_refused(checkpoint, command, tmp_path):
    assert "no such file" in _refused(command, tmp_path / "none.pkl")
    (tmp_path / "cut.pkl").write_bytes(checkpoint.read_bytes()[:500])
    assert "not a checkpoint" in _refused(command, tmp_path / "cut.pkl")


def test_a_checkpoint_with_weights_that_are_not_finite_is_refused(command, tmp_path):
    weights = _Theirs().state_dict()
    weights["gru.bias_hh_l1"][3] = float("inf")
    torch.save(weights, tmp_path / "model.pkl")
    error = _refused(command, tmp_path / "model.pkl", "--control", "rate", "--control", "pitch")
    assert "model.pkl: gru.bias_hh_l1: 1 of its 30 numbers are NaN or infinite" in error
