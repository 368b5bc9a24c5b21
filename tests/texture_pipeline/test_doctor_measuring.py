"""What the doctor measures, it measures with the commands' own code, and reckons with what there
will be."""

from pathlib import Path

import pytest

from texture_pipeline.doctor.flow import Flow
from texture_pipeline.doctor.plan import make_plan
from texture_pipeline.doctor.rehearse_labels import rehearse_learning
from texture_pipeline.doctor.rehearse_sounds import (
    rehearse_cutting,
    rehearse_recording,
    rehearse_rendering,
)
from texture_pipeline.doctor.scratch import Enough, Scratch, Stopwatch, seconds_of_each
from texture_pipeline.stages import plan_jobs
from texturelib.config import load_config
from texturelib.costs import at_once
from texturelib.dataset import read_dataset


@pytest.fixture(scope="module")
def plan(small_options, tmp_path_factory):
    """Return the plan of the demo in its smallest size, with nothing done."""
    root = Path(__file__).parents[2]
    changes = [word for word in small_options if word != "--set"]
    jobs, _ = plan_jobs(
        root / "configs" / "demo", changes, None, tmp_path_factory.mktemp("none") / "results"
    )
    return make_plan(jobs, True, [])[0]


@pytest.fixture(scope="module")
def place(plan, tmp_path_factory):
    """A scratch folder in which clips were rendered, and recordings were made and cut. -> it, and
    what these rehearsals gave."""
    scratch = Scratch(tmp_path_factory.mktemp("scratch"))
    steps = {
        step.command: step for step in plan.steps if step.job.stage.package.endswith("datasets")
    }
    rendered = rehearse_rendering(steps["generate"], scratch)
    recorded = rehearse_recording(steps["simulate-recordings"], scratch)
    cut = rehearse_cutting(steps["build"], None, scratch)
    return scratch, {"generate": rendered, "simulate-recordings": recorded, "build": cut}


def job(plan, stage):
    return next(job for job in plan.jobs if job.stage.name == stage)


def test_few_clips_are_made_by_the_commands_own_code_and_stand_for_all(plan, place):
    scratch, rehearsed = place
    for name, found in rehearsed.items():
        assert found.each.seconds > 0, name
        assert not found.left_out, name
    synthetic, real = (job(plan, name).config for name in ("synthetic", "real"))
    few = read_dataset(scratch.stand_in(synthetic.output))
    assert 2 <= len(few) <= 24
    assert few.controls == list(synthetic.ranges)
    assert few.clip(0).any()
    assert few.seconds == read_dataset(scratch.stand_in(real.output)).seconds
    assert not synthetic.output.exists()


def test_it_is_known_how_many_clips_will_pass_from_command_to_command(plan):
    flow = Flow(plan, {})
    folders = {
        name: job(plan, name).config for name in ("synthetic", "real", "adaptation", "synthesis")
    }
    assert flow.at(folders["synthetic"].output).n == 60
    # 21 takes of 0.5 s, each of two segments.
    assert flow.at(folders["real"].output).n == 42
    labelled = flow.at(folders["synthesis"].labelled)
    assert (labelled.n, labelled.controls) == (42, tuple(folders["synthetic"].ranges))
    exported = flow.at(folders["synthesis"].mtcrnn_folder)
    assert (exported.n, exported.sample_rate) == (42, 16000)
    assert exported.n_bytes == 42 * 0.25 * 16000 * 2


@pytest.mark.parametrize(
    "method", ["adabn", "adda", "adda_frozen", "dare_gram", "none", "scaling_law"]
)
def test_every_kind_of_adaptation_can_be_rehearsed(plan, place, method):
    adaptation = job(plan, "adaptation")
    changes = [
        f"synthetic={adaptation.config.synthetic}",
        f"real={adaptation.config.real}",
        f"output={adaptation.config.output}",
    ]
    own = [
        each
        for each in adaptation.overrides
        if not each.startswith(("adaptation=", "synthetic=", "real=", "output="))
    ]
    config = load_config(
        adaptation.path,
        type(adaptation.config),
        [*own, *changes, f'adaptation={{"type": "{method}"}}'],
    )
    found = rehearse_learning(config, ["adapt"], place[0])
    assert found.read > 0
    assert found.n_parameters > 0
    if method in ("adabn", "none"):
        assert found.adapt_length is None
    else:
        epochs, batch_size, n_clips = found.adapt_length
        assert (epochs, batch_size) == (config.adaptation.epochs, config.adaptation.batch_size)
        assert n_clips == (
            config.adaptation.steps_per_epoch * batch_size if method == "scaling_law" else None
        )
        assert found.trainings["adapt"].step > 0
    assert not config.output.exists()


@pytest.fixture
def clock(monkeypatch):
    """A clock that shows these times, one after the other."""

    def show(*times):
        monkeypatch.setattr("time.perf_counter", iter(times).__next__)

    return show


def test_a_training_is_ended_after_enough_steps_and_the_first_step_does_not_count(clock):
    clock(0, 90, 92, 95, 96)
    watch = Stopwatch(most_steps=4, most_seconds=1000)
    for _ in range(4):
        watch.tick()
    with pytest.raises(Enough):
        watch.tick()
    assert (watch.n_steps, watch.seconds) == (3, 2)


def test_a_slow_training_is_ended_after_three_steps(clock):
    clock(0, 90, 180, 280)
    watch = Stopwatch(most_steps=100, most_seconds=1)
    for _ in range(3):
        watch.tick()
    with pytest.raises(Enough):
        watch.tick()
    assert (watch.n_steps, watch.seconds) == (2, 100)


def test_items_are_done_as_long_as_there_is_time_and_the_first_one_does_not_count(clock):
    done = []
    clock(0, 50, 50, 52, 52, 56)
    each = seconds_of_each(range(100), done.append, most_seconds=5)
    assert done == [0, 1, 2]
    assert (each.seconds, each.n) == (3, 2)


def test_processes_beside_other_work_do_less_than_their_number(monkeypatch):
    monkeypatch.setattr("os.getloadavg", lambda: (1.0, 0, 0))
    monkeypatch.setattr("joblib.cpu_count", lambda: 4)
    assert at_once(4) == 4
    assert at_once(8) == 4
    monkeypatch.setattr("os.getloadavg", lambda: (5.0, 0, 0))
    # Four others and one of four cores' worth: the one got 4/5 of a core, each of four gets 4/8.
    assert at_once(4) == pytest.approx(2.5)
