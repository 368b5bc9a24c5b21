"""Which commands run on which configs, where their results go, and what is refused before anything
runs."""

from pathlib import Path

import pytest

from texture_pipeline.stages import plan_jobs
from texturelib.config import paths_in
from texturelib.errors import UsageError

ALL = ["synthetic", "recordings", "real", "adaptation", "synthesis", "grains", "instrument"]


@pytest.fixture
def field(tmp_path):
    """A folder of recordings beside the results, whose name begins as theirs does."""
    folder = tmp_path / "results" / "demo_field"
    folder.mkdir(parents=True)
    (folder / "river.wav").touch()
    return folder


def planned(folder, *overrides, recordings=None, output=None, executor=None):
    """Return the job of each stage, and the folder of the results."""
    jobs, results = plan_jobs(folder, overrides, recordings, output, executor)
    return {job.stage.name: job for job in jobs}, results


def names(job):
    return [command.name for command in job.commands]


def test_the_stages_of_a_folder_run_in_order_and_write_side_by_side(sound, tmp_path):
    jobs, results = planned(sound)
    assert list(jobs) == ALL
    assert results == tmp_path / "results" / "demo"
    assert {job.config.output for job in jobs.values()} == {results / name for name in ALL}
    assert [command.name for job in jobs.values() for command in job.commands] == [
        "generate",
        "simulate-recordings",
        "build",
        "train-extractor",
        "train-classifier",
        "adapt",
        "label",
        "analyse",
        "balance",
        "export",
        "train",
        "generate",
        "augment",
        *("train", "linearise", "generate", "evaluate"),
        *("train", "linearise", "generate", "evaluate"),
    ]


def test_scale_is_learnt_before_adaptation_where_the_config_says_from_what(sound, change, tmp_path):
    (tmp_path / "anything").mkdir()
    (tmp_path / "anything" / "bell.wav").touch()
    change("adaptation", scale={"recordings": str(tmp_path / "anything")})
    jobs, _ = planned(sound)
    assert names(jobs["adaptation"])[:2] == ["train-extractor", "train-scale"]


def test_without_a_synthesiser_none_is_trained_or_played(sound, change):
    change("synthesis", synthesiser=None)
    jobs, _ = planned(sound)
    assert names(jobs["synthesis"]) == ["analyse", "balance", "export"]


def test_a_labeller_measures_the_synthesiser_and_linear_sliders_come_before_it_is_played(
    sound, change, tmp_path
):
    labeller = str(tmp_path / "results" / "demo" / "adaptation" / "extractor")
    change("synthesis", labeller=labeller)
    jobs, _ = planned(sound)
    assert names(jobs["synthesis"]) == [
        "analyse",
        "balance",
        "export",
        "train",
        "generate",
        "evaluate",
    ]
    change("synthesis", labeller=labeller, linearise={})
    jobs, _ = planned(sound)
    assert names(jobs["synthesis"])[3:] == ["train", "linearise", "generate", "evaluate"]
    change("synthesis", synthesiser=None)
    jobs, _ = planned(sound)
    assert names(jobs["synthesis"]) == ["analyse", "balance", "export"]


def test_linear_sliders_without_a_labeller_are_refused_before_hours_of_work(sound, change):
    change("synthesis", linearise={})
    with pytest.raises(UsageError, match=r"water/synthesis\.json: linearise: takes a labeller"):
        planned(sound)


def test_a_labeller_and_models_to_compare_with_move_with_the_results_and_must_be_there_if_they_lie_elsewhere(
    sound, change, tmp_path
):
    inside = tmp_path / "results" / "demo" / "adaptation" / "extractor"
    other = tmp_path / "results" / "demo" / "synthesis" / "other"
    change("synthesis", labeller=str(inside), evaluate={"also": {"an other": str(other)}})
    config = planned(sound, output=tmp_path / "mine")[0]["synthesis"].config
    assert config.labeller == tmp_path / "mine" / "adaptation" / "extractor"
    assert config.evaluate.also == {"an other": tmp_path / "mine" / "synthesis" / "other"}
    change("synthesis", labeller="../../nowhere")
    with pytest.raises(
        UsageError, match=r"water/synthesis\.json: labeller: .*nowhere: no such file or folder"
    ):
        planned(sound)
    change("synthesis", labeller=str(inside), evaluate={"also": {"other": "../../nowhere"}})
    with pytest.raises(
        UsageError,
        match=r"water/synthesis\.json: evaluate\.also\.other: .*nowhere: no such file or folder",
    ):
        planned(sound)


def test_a_folder_without_simulated_recordings_has_one_stage_less(sound, field):
    (sound / "recordings.json").unlink()
    jobs, _ = planned(sound, f"real.source.path={field}")
    assert list(jobs) == ["synthetic", "real", "adaptation", "synthesis", "grains", "instrument"]


def test_another_output_moves_every_path_inside_the_results_and_no_other(sound, field, tmp_path):
    override = f"real.source.path={field}"  # results/demo_field is not inside results/demo
    before, results = planned(sound, override)
    after, elsewhere = planned(sound, override, output=tmp_path / "else where" / "a=b")
    assert elsewhere == tmp_path / "else where" / "a=b"
    n_moved = 0
    for name, job in before.items():
        now = dict(paths_in(after[name].config))
        for key_path, path in paths_in(job.config):
            if path.is_relative_to(results):
                assert now[key_path] == elsewhere / path.relative_to(results), key_path
                n_moved += 1
            else:
                assert now[key_path] == path, key_path
    assert n_moved >= 8  # five outputs; adaptation's two inputs, and synthesis's one


def test_the_truth_to_evaluate_with_moves_with_the_results_and_recordings_elsewhere_stay(
    sound, change, tmp_path
):
    truth = tmp_path / "results" / "demo" / "recordings" / "hidden_controls.csv"
    change(
        "adaptation",
        evaluation={
            "methods": [{"type": "none"}],
            "truth": str(truth),
            "recordings": "../../field",
        },
    )
    jobs, _ = planned(sound, output=tmp_path / "mine")
    evaluation = jobs["adaptation"].config.evaluation
    assert evaluation.truth == tmp_path / "mine" / "recordings" / "hidden_controls.csv"
    assert evaluation.recordings == tmp_path / "field"
    assert evaluation.methods[0].type == "none"


def test_what_only_an_evaluation_reads_need_not_be_there_since_the_pipeline_does_not_evaluate(
    sound, change, tmp_path
):
    change(
        "adaptation",
        evaluation={
            "methods": [{"type": "none"}],
            "truth": "nowhere.csv",
            "recordings": "../../nowhere",
        },
    )
    jobs, _ = planned(sound)
    assert jobs["adaptation"].config.evaluation.recordings == tmp_path / "nowhere"
    assert "evaluate" not in names(jobs["adaptation"])


def test_moved_results_are_written_down_as_the_same_settings(sound, tmp_path):
    # So results that were moved, with their relative paths, are still done and unchanged.
    here, _ = planned(sound)
    there, _ = planned(sound, output=tmp_path / "elsewhere")
    for name, job in here.items():
        assert job.config.as_written(job.config.output) == there[name].config.as_written(
            there[name].config.output
        )


def test_ones_own_recordings_take_the_place_of_simulated_ones_and_results_go_beside(
    sound, field, tmp_path
):
    jobs, results = planned(sound, recordings=field)
    assert list(jobs) == ["synthetic", "real", "adaptation", "synthesis", "grains", "instrument"]
    assert jobs["real"].config.source.path == field
    assert results == tmp_path / "results" / "demo_demo_field"
    assert all(job.config.output.parent == results for job in jobs.values())
    assert jobs["adaptation"].config.real == results / "real"


def test_ones_own_recordings_and_output(sound, field, tmp_path):
    jobs, results = planned(sound, recordings=field, output=tmp_path / "mine")
    assert results == tmp_path / "mine"
    assert jobs["real"].config.source.path == field


def test_recordings_and_output_may_be_named_from_the_current_folder(
    sound, field, tmp_path, monkeypatch
):
    (field / "deep").mkdir()
    monkeypatch.chdir(field / "deep")
    jobs, results = planned(sound, recordings=Path(".."))
    assert jobs["real"].config.source.path == field
    assert results == tmp_path / "results" / "demo_demo_field"
    assert planned(sound, output=Path("../mine"))[1] == field / "mine"


def test_a_changed_value_reaches_its_own_stage_alone(sound):
    jobs, _ = planned(sound, "synthetic.seed=5", "adaptation.extractor.epochs=3")
    plain, _ = planned(sound)
    assert jobs["synthetic"].config.seed == 5
    assert jobs["synthetic"].overrides == ("seed=5",)
    assert jobs["adaptation"].config.extractor.epochs == 3
    for name in ("recordings", "real", "synthesis"):
        assert jobs[name] == plain[name]


@pytest.mark.parametrize(
    "override",
    [
        "synthetc.seed=5",
        "seed=5",
        "synthetic.seed",
        "synthetic=5",
        "=",
        "",
        "page.title=x",
        "synthetic.seed.=5",
    ],
)
def test_a_wrong_change_is_one_sentence_that_names_it(sound, override):
    with pytest.raises(UsageError) as refused:
        planned(sound, override)
    assert "\n" not in str(refused.value)
    assert override.removeprefix("synthetic.") in str(refused.value)


def test_a_wrong_stage_name_is_answered_with_the_right_ones(sound):
    with pytest.raises(
        UsageError,
        match=r"synthetc\.seed=5: .* one of synthetic, recordings, real, adaptation, synthesis",
    ):
        planned(sound, "synthetc.seed=5")


def test_a_change_of_a_stage_that_does_not_run_is_not_silently_dropped(sound, field):
    with pytest.raises(
        UsageError, match=r"--set recordings\.seed=2: this run has no stage recordings"
    ):
        planned(sound, "recordings.seed=2", recordings=field)


def test_outputs_that_are_not_side_by_side_are_refused(sound, change):
    change("synthesis", output="../../results/other/synthesis")
    with pytest.raises(UsageError, match="put their outputs side by side"):
        planned(sound)


def test_two_stages_that_write_the_same_folder_are_refused(sound, change):
    # The second would replace what the first has made, time and again.
    change("real", output="../../results/demo/synthetic")
    with pytest.raises(UsageError, match=r"demo/synthetic is another stage's or the page's"):
        planned(sound)


def test_the_pages_folder_is_the_pages(sound, change):
    change("synthesis", output="../../results/demo/page")
    with pytest.raises(UsageError, match=r"demo/page is another stage's or the page's"):
        planned(sound)


@pytest.mark.parametrize(
    ("name", "reader"),
    [
        ("synthetic", r"adaptation\.json: synthetic"),
        ("recordings", r"real\.json: source\.path"),
        ("real", r"adaptation\.json: real"),
        ("adaptation", r"synthesis\.json: labelled"),
        ("grains", r"instrument\.json: train\.sounds"),
    ],
)
def test_a_config_that_others_need_may_be_missing_only_where_its_output_is_there(
    sound, name, reader, tmp_path
):
    (sound / f"{name}.json").unlink()
    with pytest.raises(
        UsageError,
        match=rf"water/{reader}: \S+: no such file or folder, and no config in .*water writes it",
    ):
        planned(sound)
    results = tmp_path / "results" / "demo"
    for made in (
        "adaptation/labels",
        "adaptation/adapted",
        f"{name}/augmented",
        f"{name}/recordings",
    ):
        (results / made).mkdir(parents=True, exist_ok=True)
    assert name not in planned(sound)[0]


def test_any_config_makes_a_stage_and_none_makes_none(sound, field):
    for name in set(ALL) - {"real"}:
        (sound / f"{name}.json").unlink()
    assert list(planned(sound, recordings=field)[0]) == ["real"]
    (sound / "real.json").unlink()
    with pytest.raises(UsageError, match=r"water: holds no config of a stage; it should have syn"):
        planned(sound)


def test_recordings_want_a_config_that_says_how_they_are_cut(sound, field):
    (sound / "real.json").unlink()
    with pytest.raises(UsageError, match=r"--recordings: .*water has no real\.json"):
        planned(sound, recordings=field)


def test_one_recording_is_a_file_and_results_are_called_after_it(sound, field, tmp_path):
    jobs, results = planned(sound, recordings=field / "river.wav")
    assert jobs["real"].config.source.path == field / "river.wav"
    assert results == tmp_path / "results" / "demo_river"


def test_a_wrong_key_names_file_and_key(sound, change):
    change("adaptation", sede=3)
    with pytest.raises(
        UsageError, match=r'water/adaptation\.json: sede: no such key \(did you mean "seed"'
    ):
        planned(sound)


def test_a_missing_folder_of_configs_is_named(tmp_path):
    with pytest.raises(
        UsageError, match=r"nowhere: no such folder; name one with synthetic\.json, "
    ):
        planned(tmp_path / "nowhere")


def test_missing_recordings_are_noticed_before_hours_of_work_and_not_after(sound, change, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").touch()
    for name in ("nowhere", "empty", "notes.txt"):
        with pytest.raises(
            UsageError,
            match=rf"--recordings: .*{name}: should be a folder that holds sound files, or a sound file",
        ):
            planned(sound, recordings=tmp_path / name)
    change("real", source={"type": "folder", "path": "../../my_recordings"})
    with pytest.raises(
        UsageError,
        match=r"water/real\.json: source\.path: .*my_recordings: no such file or folder; --recordings",
    ):
        planned(sound)
    # What an earlier stage makes need not be there yet.
    change("real", source={"type": "folder", "path": "../../results/demo/recordings/recordings"})
    planned(sound)


def test_an_executor_is_that_of_every_stage_but_where_one_is_given_its_own(sound):
    jobs, _ = planned(
        sound, 'real.executor={"type": "local", "workers": 1}', executor="dask=tcp://10.0.0.7:8786"
    )
    own = {name: job.config.executor for name, job in jobs.items()}
    assert own.pop("real").model_dump() == {"type": "local", "workers": 1}
    assert {(each.type, each.address) for each in own.values()} == {("dask", "tcp://10.0.0.7:8786")}
    with pytest.raises(UsageError, match="--executor slurm: should be one of dask, local, ray"):
        planned(sound, executor="slurm")
