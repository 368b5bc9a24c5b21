"""What stage 3 reads, brought to a synthesiser's sliders."""

import json
from contextlib import nullcontext

import numpy as np
import pandas as pd
import pytest

from conditioned_synthesis.evaluation.labeller import Labeller, load_labeller, on_slider
from texturelib.audio import write_wav
from texturelib.controls import Control
from texturelib.errors import TextureError, UsageError

RATE = Control("rate", 10.0, 50.0, "drops/s")


def test_a_label_is_the_place_with_the_same_physical_value():
    # The labeller's 0.3 is 30 drops a second, half of the way from 10 to 50; its 0 is none, a
    # quarter of that way below.
    assert on_slider(
        RATE, Control("rate", 0.0, 100.0, "drops/s"), [0.1, 0.3, 0.5, 0.0]
    ) == pytest.approx([0, 0.5, 1, -0.25])


def test_a_label_on_another_kind_of_slider_is_the_same_physical_value_too():
    # Its middle is 10, a half more a hundred.
    exponential = Control("rate", 1.0, 100.0, "drops/s", "exponential")
    assert on_slider(RATE, exponential, [0.5, 1.0]) == pytest.approx([0, 2.25])
    assert on_slider(exponential, RATE, [0.0]) == pytest.approx([0.5])


def test_a_value_that_a_slider_has_no_place_for_is_missing_and_nothing_warns():
    exponential = Control("rate", 1.0, 100.0, "drops/s", "exponential")
    # -5 and 0 a second.
    assert np.isnan(on_slider(exponential, Control("rate", -5.0, 5.0, "drops/s"), [0.0, 0.5])).all()


def test_where_nobody_knows_what_0_and_1_stand_for_they_are_taken_for_the_same():
    assert on_slider(Control("rate", 0.0, 1.0, "norm"), RATE, [0.2]) == pytest.approx([0.2])
    assert (
        "nothing says what 0 and 1 stand for"
        in _labeller(RATE).check([Control("rate", 0.0, 1.0, "norm")], 1.0, "key")[0]
    )


def test_a_share_is_not_taken_for_unknown():
    share = Control("wetness", 0.0, 1.0, "share")
    assert on_slider(share, Control("wetness", 0.0, 2.0, "share"), [0.4]) == pytest.approx([0.8])


def _labeller(*controls: Control) -> Labeller:
    return Labeller(
        controls,
        0.5,
        lambda _: pd.DataFrame({"rate": [0.5], "rate_interval": [0.1]}, index=["a.wav"]),
    )


def test_only_the_labels_of_wanted_controls_are_taken(tmp_path):
    table = _labeller(Control("rate", 0.0, 100.0, "drops/s")).read_as(
        [RATE, Control("size", 0.0, 1.0, "")], tmp_path
    )
    assert table.to_dict("index") == {"a.wav": {"rate": pytest.approx(1.0)}}


def test_a_labeller_that_lacks_a_control_is_noted_and_one_that_lacks_all_refused():
    size = Control("size", 0.0, 1.0, "mm")
    assert _labeller(RATE).check([RATE, size], 1.0, "key") == ["the labeller does not read size"]
    with pytest.raises(
        UsageError, match="labeller: reads rate, but the synthesiser is played with size"
    ):
        _labeller(RATE).check([size], 1.0, "key")
    with pytest.raises(
        UsageError, match="labeller: reads rate, but the synthesiser is played with no controls"
    ):
        _labeller(RATE).check([], 1.0, "key")


def test_sounds_that_are_too_short_to_be_read_are_refused():
    with pytest.raises(
        UsageError, match=r"evaluate\.seconds: 0\.2: the labeller reads clips of 0\.5 s"
    ):
        _labeller(RATE).check([RATE], 0.2, "evaluate.seconds")


def test_a_unit_of_another_name_is_noted():
    [note] = _labeller(Control("rate", 0.0, 1.0, "drops/min")).check([RATE], 1.0, "key")
    assert 'played in "drops/s", but measured in "drops/min"' in note


def test_a_folder_that_is_no_labeller_is_a_sentence(tmp_path, playable):
    with pytest.raises(TextureError, match=r"^labeller: .*nowhere: no such folder"):
        load_labeller(tmp_path / "nowhere")
    with pytest.raises(
        TextureError, match=r"^labeller: .*not a model of this toolkit that fits here"
    ):
        load_labeller(tmp_path / "out" / "synthesiser")  # a model, but none that reads
    (tmp_path / "empty").mkdir()
    with pytest.raises(TextureError, match=r"^labeller: .*model\.safetensors: no such file"):
        load_labeller(tmp_path / "empty")


def test_what_the_label_command_complains_of_is_passed_on(tmp_path, monkeypatch):
    monkeypatch.setattr("conditioned_synthesis.evaluation.labeller.sys.executable", "/bin/false")
    (tmp_path / "labels.json").write_text(json.dumps({}))
    from conditioned_synthesis.evaluation.labeller import _read

    with pytest.raises(TextureError, match="labeller: says nothing of why it failed"):
        _read(tmp_path / "model", tmp_path)


@pytest.fixture(scope="module")
def real_labeller(tmp_path_factory):
    """A network of stage 3 that was never trained: what it reads is of no worth, but always the
    same."""
    import torch

    from domain_adaptation.features.log_bands import LogBands
    from domain_adaptation.models.model_folder import ModelSpec, new_model, save_model
    from domain_adaptation.networks.band_cnn import BandCnn

    features = LogBands(type="log_bands", sample_rate=16000, n_bands=16, low_hz=40, high_hz=7000)
    spec = ModelSpec(
        network=BandCnn(type="band_cnn", channels=[4, 4], n_hidden=4),
        features=features,
        input_shape=tuple(features.compute(torch.zeros(1, 4000)).shape[1:]),
        controls=(
            Control("rate", 0.0, 100.0, "drops/s").describe(),
            Control("size", 1.0, 16.0, "mm", "exponential").describe(),
        ),
        sample_rate=16000,
        seconds=0.25,
    )
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("labeller")
    save_model(folder, new_model(spec))
    return folder


@pytest.mark.slow
def test_the_label_command_itself_is_understood(real_labeller, tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    for name in ("a/one", "a/same start", "two"):
        write_wav(
            tmp_path / "sounds" / f"{name}.wav",
            rng.normal(0, 0.1, 4000 if name == "two" else 8000),
            16000,
        )
    write_wav(tmp_path / "sounds" / "silent.wav", np.zeros(4000), 16000)
    (tmp_path / "labels").mkdir()
    kept = lambda **_: nullcontext(tmp_path / "labels")  # noqa: E731
    monkeypatch.setattr("conditioned_synthesis.evaluation.labeller.TemporaryDirectory", kept)
    labeller = load_labeller(real_labeller)
    assert [control.name for control in labeller.controls] == ["rate", "size"]
    assert labeller.seconds == 0.25
    read = labeller.read_as([RATE], tmp_path / "sounds")
    # A silent one cannot be read.
    assert sorted(read.index) == ["a/one.wav", "a/same start.wav", "two.wav"]
    assert list(read.columns) == ["rate"]
    by_clip = pd.read_csv(tmp_path / "labels" / "labels.csv")
    assert not list((tmp_path / "sounds").glob("labels*"))
    assert len(by_clip) == 5, "two clips in each of the longer sounds"
    labels = by_clip.groupby("file_name")["rate"].mean()
    assert read["rate"].to_numpy() == pytest.approx((100 * labels[read.index].to_numpy() - 10) / 40)


@pytest.mark.slow
def test_a_synthesiser_is_measured_through_the_label_command(
    real_labeller, plain, command, tmp_path, monkeypatch
):
    monkeypatch.undo()  # of the labeller that is not real, and of the sounds that only it can read
    small = [
        "--set",
        "synthesiser.validation=0.2",
        "--set",
        "evaluate.seconds=0.25",
        "--set",
        "evaluate.values=3",
    ]
    words = [
        *small,
        "--set",
        f"labeller={real_labeller}",
        "--set",
        'linearise={"values": 3, "seeds": 1, "seconds": 0.25}',
    ]
    for name in ("train", "linearise", "generate", "evaluate"):
        alone = ["--workers", "1"] if name in ("linearise", "evaluate") else []
        status, printed, errors = command(name, plain, *words, *alone)
        assert status == 0, errors
    # Clips of a tenth of a second are shorter than what this labeller reads.
    assert "note: the labeller reads clips of 0.25 s" in printed
    table = pd.read_csv(tmp_path / "out" / "evaluation" / "evaluation.csv").set_index(
        ["synthesiser", "control"]
    )
    assert table.loc[("synthesiser", "rate"), "error"] >= 0
    assert table["held_out_error"].isna().all()
