"""Files that change while they are read: nothing ends without a sentence, and nothing wrong passes
for right.

`pytest tests/faults/test_changing_files.py -m long` changes recordings at 20 moments of a build,
and clips at 20 of a training.
"""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import soundfile

from texturelib.audio import write_wav


def cut_off(path):
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def add_to(path):
    with path.open("ab") as file:
        file.write(bytes(1000))


def replace(path):
    write_wav(
        path, 0.1 * np.random.default_rng(1).standard_normal(4000), soundfile.info(path).samplerate
    )


def remove(path):
    path.unlink()


def overwrite(path):
    path.write_bytes(b"something else altogether")


CHANGES = (cut_off, add_to, replace, remove, overwrite)


def copied(folder, place):
    """A copy of files, not links: these may change."""
    return shutil.copytree(folder, place, copy_function=shutil.copyfile)


def change_recordings_often(bench, draw, count, n_faults):
    config = json.loads((bench.folder / "configs" / "real.json").read_text())
    # A folder of the user's own: of what the toolkit made, it says what holds.
    content = config | {
        "source": {"type": "folder", "path": "../field"},
        "max_rejected": 1.0,
        "output": "../results/field",
    }
    (bench.folder / "configs" / "real.json").unlink()
    (bench.folder / "configs" / "real.json").write_text(json.dumps(content))
    field = bench.folder / "field"
    output = bench.results / "field"
    for number in range(n_faults):
        shutil.rmtree(field, ignore_errors=True)
        shutil.rmtree(output, ignore_errors=True)
        copied(bench.results / "recordings" / "recordings", field)
        names = sorted(path.name for path in field.iterdir())
        run = bench.start(workers=draw.choice([1, 2]))
        while run.status() is None and not output.exists():
            pass
        run.is_over_after(draw.uniform(0, 0.5 * bench.seconds))
        changed = {name: draw.choice(CHANGES) for name in draw.sample(names, 5)}
        for name, change in changed.items():
            change(field / name)
        assert run.wait() == 0, run.said
        assert "Traceback" not in run.said

        found = pd.read_csv(output / "metadata.csv")
        rejected = pd.read_csv(output / "rejected.csv")
        assert set(found["source"]) | set(rejected["file"]) == set(names)
        assert not set(found["source"]) & set(rejected["file"])
        assert set(rejected["file"]) <= set(changed)
        for name in found["file_name"]:
            samples, _ = soundfile.read(output / name)
            assert len(samples) == 2000  # 0.25 s at 8 kHz
        if run.status() == 0 and number == 0:
            again = bench.start()
            assert again.wait() == 2
            assert "input changed: " in again.said
    count("recordings change", "build", injected=5 * n_faults, resumed=0, lost=0)


def test_a_recording_that_changes_is_rejected_or_noticed_by_the_next_run(
    bench_of, n_faults, draw, count
):
    change_recordings_often(bench_of("build"), draw, count, n_faults)


def change_clips_often(bench, draw, count, n_faults):
    clips = bench.results / "synthetic" / "audio"
    whole = copied(clips, bench.folder / "whole")
    n_refused = 0
    for _ in range(n_faults):
        bench.clear()
        shutil.rmtree(clips)
        copied(whole, clips)
        victim = clips / draw.choice(sorted(path.name for path in clips.iterdir()))
        run = bench.start()
        run.is_over_after(draw.uniform(0, 0.5 * bench.seconds))
        draw.choice([cut_off, remove, overwrite])(victim)
        if run.wait() == 0:  # it had read that one
            bench.check_finished(run)
            continue
        assert victim.name in bench.check_refused(run)
        n_refused += 1
        shutil.copyfile(whole / victim.name, victim)
        bench.check_finished(bench.start())
    count("clips change", bench.name, injected=n_faults, resumed=n_refused, lost=0)


@pytest.mark.parametrize(
    "name", ["train-extractor", pytest.param("train-classifier", marks=pytest.mark.long)]
)
def test_a_clip_that_changes_under_a_training_is_named(bench_of, name, n_faults, draw, count):
    change_clips_often(bench_of(name), draw, count, n_faults)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["train-extractor", "label"])
def test_what_is_made_anew_under_a_command_is_not_taken_for_what_it_was(bench_of, name):
    bench = bench_of(name)
    read, maker = {"train-extractor": ("synthetic", "generate"), "label": ("real", "build")}[name]
    run = bench.start()
    assert bench.stop_when(run, (bench.results / bench.command.makes[-1]).exists)
    assert bench.start_other(maker, "--overwrite", "--set", "seconds=0.2").wait() == 0
    run.resume()
    said = bench.check_refused(run)
    assert "was made anew while it was read" in said or read in said
    again = bench.start("--dry-run")
    again.wait()
    assert "done and unchanged" not in again.said
