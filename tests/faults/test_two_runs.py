"""Two runs on one folder: the second refuses, and names the first, which goes on undisturbed."""

import re


def hold_at_work(bench, run):
    """Stop a run for a moment, when it has begun to write."""
    locks = [bench.output / ".lock", bench.output.with_name(f".part-lock-{bench.output.name}")]
    assert bench.stop_when(
        run, lambda: any(lock.exists() and lock.stat().st_size for lock in locks)
    ), run.said


def test_the_second_run_refuses_and_names_the_first(bench_of, every_command, count):
    bench = bench_of(every_command)
    first = bench.start()
    hold_at_work(bench, first)

    said = bench.check_refused(bench.start())
    name = f"{bench.command.package}.{bench.command.words[0]}".replace("_", "-").replace(".", " ")
    assert re.fullmatch(
        rf'results/{bench.command.makes[0]}: is being written by "{name}" \(process {first.process} on \S+, '
        r"since \d\d:\d\d\); wait for it, or stop it",
        said,
    )
    first.resume()
    bench.check_finished(first)
    count("two runs at once", every_command, injected=1, resumed=1, lost=0)


def test_the_second_run_works_when_the_first_was_killed(bench_of):
    bench = bench_of("train texenv")
    first = bench.start()
    hold_at_work(bench, first)
    first.kill(whole_group=False)
    bench.check_finished(bench.start())


def test_two_trainings_side_by_side_share_the_clips_that_one_of_them_prepares(bench_of):
    bench = bench_of("train-classifier")
    other = bench.start_other("adapt")  # which is done, until its output is gone
    assert other.wait() == 0
    bench.remove("adaptation/adapted")
    runs = [bench.start(), bench.start_other("adapt")]
    for run in runs:
        assert run.wait() == 0, run.said
    bench.check_finished(runs[0])
    bench.check_made("adapt")
