"""A folder that may no longer be written, in the middle: one sentence, and with the permission back
the same bytes.

`pytest tests/faults/test_permission_lost.py -m long` takes it 20 times from every command.
"""


def forbid_often(bench, draw, count, n_faults):
    n_stopped = 0
    for _ in range(10 * n_faults):
        run = bench.start(obeys_modes=True)
        places = [bench.output, bench.output.with_name(f".part-new-{bench.output.name}")]
        bench.stop_when(run, lambda: any(place.exists() for place in places))  # noqa: B023 (it is asked here)
        if not bench.name.startswith("import") and draw.random() < 0.8:  # imports are over at once
            run.resume()
            run.is_over_after(draw.uniform(0, 0.7 * bench.seconds))
        set_modes(bench, 0o555)
        run.resume()
        status = run.wait()
        bench.check_whole()
        set_modes(bench, 0o755)
        if status == 0:  # it had nothing more to write
            bench.check_finished(run)
            bench.clear()
            continue
        assert "Permission denied" in bench.check_refused(run), run.said
        n_stopped += 1
        if n_stopped == n_faults:
            break
    bench.check_finished(bench.start())
    count("permission lost", bench.name, injected=n_stopped, resumed=n_stopped, lost=0)
    assert n_stopped == n_faults


def set_modes(bench, mode):
    places = [bench.results / name for name in bench.command.makes]
    # Imports are made beside their place.
    for folder in [
        *places,
        *(path for place in places for path in place.rglob("*")),
        *{place.parent for place in places},
    ]:
        if folder.is_dir():
            folder.chmod(mode)


def test_a_lost_permission_is_a_sentence_and_the_command_goes_on_when_it_is_back(
    bench_of, every_command, n_faults, draw, count
):
    forbid_often(bench_of(every_command), draw, count, n_faults)
