"""kill -9 at any moment: the same command goes on, and ends with the bytes of a run that nothing
interrupted.

`pytest tests/faults/test_killed.py -m long` kills every command at least 20 times.
"""

import signal
import time

import pytest


def kill_often(bench, draw, count, n_kills):
    """Kill a command at random moments until this has hit it `n_kills` times; at every end, compare
    all that it made.

    Half of the kills are of the process alone, whose workers must then end by themselves. The
    number of workers changes from start to start.
    """
    n_hit = 0
    while n_hit < n_kills:
        run = bench.start(workers=draw.choice([1, 1, 2]))
        if run.is_over_after(draw.uniform(0, bench.seconds)):
            bench.check_finished(run)
            bench.clear()
            continue
        run.kill(whole_group=draw.random() < 0.5)
        bench.check_whole()
        n_hit += run.status() == -signal.SIGKILL  # else it ended just then
    bench.check_finished(bench.start(workers=draw.choice([1, 2])))
    count("kill -9", bench.name, injected=n_hit, resumed=n_hit, lost=0)


def test_a_killed_command_goes_on_and_ends_with_the_same_bytes(
    bench_of, every_command, n_faults, draw, count
):
    kill_often(bench_of(every_command), draw, count, n_faults)


def kill_pipeline(bench_of, draw, count, n_kills):
    """Kill texture-pipeline alone while one of its commands is at work, of which every second time
    has lost its output."""
    bench = bench_of("build")
    pipeline = ("texture_pipeline", ["configs"], bench.folder)
    for _ in range(n_kills):
        run = bench.warm.start(*pipeline)
        made = bench.output / "run.json"
        while not made.exists():
            assert run.status() is None, run.said
            time.sleep(0.002)
        assert not run.is_over_after(draw.uniform(0, 1.0)), run.said
        run.kill(whole_group=False)  # its command must end by itself
        bench.check_whole()
        if draw.random() < 0.5:
            bench.clear()
    run = bench.warm.start(*pipeline)
    bench.check_finished(run)
    assert "Traceback" not in run.said
    count("kill -9", "texture-pipeline", injected=n_kills, resumed=n_kills, lost=0)


@pytest.mark.slow
def test_a_killed_pipeline_takes_its_command_along_and_goes_on(bench_of, n_faults, draw, count):
    kill_pipeline(bench_of, draw, count, n_faults)
