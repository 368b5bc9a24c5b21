"""A disk that is full in the middle: one sentence, what is finished is kept, and with room again
the same bytes.

`pytest tests/faults/test_disk_full.py -m long` fills it at 20 places of every command's output.
"""

import os

PAGE = 4096


def fill_often(bench_on, disk, name, draw, count, n_faults):
    n_full = 0
    for _ in range(n_faults):
        place = disk("size=64m")
        bench = bench_on(place, name)
        used = sum(-(-size // PAGE) * PAGE for size, _ in bench.wanted.values())
        disk(f"size={space_used(place) + int(draw.uniform(0, 0.9) * used / PAGE) * PAGE}")
        run = bench.start()
        if run.wait() == 0:  # what is linked elsewhere takes no room
            bench.check_finished(run)
            continue
        assert "the disk is full" in bench.check_refused(run), run.said
        bench.check_whole()
        disk("size=64m")
        bench.check_finished(bench.start())
        n_full += 1
    count("disk full", name, injected=n_full, resumed=n_full, lost=0)
    assert n_full


def space_used(place):
    found = os.statvfs(place)
    return (found.f_blocks - found.f_bfree) * found.f_frsize


def test_a_full_disk_is_a_sentence_and_the_command_goes_on_when_there_is_room(
    bench_on, disk, every_command, n_faults, draw, count
):
    fill_often(bench_on, disk, every_command, draw, count, n_faults)
