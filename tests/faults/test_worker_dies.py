"""A worker process that is killed, as by a system without memory: the job goes on with others, or
ends with a sentence and goes on at the next start.

`pytest tests/faults/test_worker_dies.py -m long` kills 20 workers of every job.
"""

import contextlib
import os
import signal
from pathlib import Path


def workers_of(process):
    found = []
    with contextlib.suppress(OSError):
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
        found = [
            int(child)
            for child in children
            if b"LokyProcess" in Path(f"/proc/{child}/cmdline").read_bytes()
        ]
    return found


def kill_workers(bench, draw, count, n_faults):
    n_hit = 0
    for _ in range(10 * n_faults):
        run = bench.start(workers=2)
        seen = []
        while run.status() is None and not seen:
            seen = workers_of(run.process)
        if not run.is_over_after(draw.uniform(0, bench.seconds)) and (
            left := workers_of(run.process)
        ):
            with contextlib.suppress(ProcessLookupError):
                os.kill(draw.choice(left), signal.SIGKILL)
                n_hit += 1
        if run.wait() == 0:
            bench.check_finished(run)
            bench.clear()
        else:
            assert "worker" in bench.check_refused(run)
            bench.check_whole()
        if n_hit == n_faults:
            break
    if bench.output.exists():
        bench.check_finished(bench.start(workers=2))
    count("worker killed", bench.name, injected=n_hit, resumed=n_hit, lost=0)
    assert n_hit == n_faults


def test_a_killed_worker_costs_nothing(bench_of, every_job, n_faults, draw, count):
    kill_workers(bench_of(every_job), draw, count, n_faults)
