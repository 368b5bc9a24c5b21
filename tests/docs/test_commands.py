"""Every command in the documentation runs as it stands there: in a copy of the configs made small,
page by page, in order.

Just above a block of commands, a comment may say why a test does not run it so: `not run: why`;
`long: why` (as a dry run, and with -m long as it stands there); or `needs PROGRAM`.
"""

import os
import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# What runs these very tests, or checks the code.
_ELSEWHERE = {"make test"}

_NOT_RUN = {
    "make test",
    "make setup",
    "make lint",
    "make schemas",
    "make docs",
    "export FREESOUND_API_KEY=...",
    "real-datasets build configs/freesound/real.json --dry-run",
    "real-datasets build configs/freesound/real.json",
    "domain-adaptation import-thesis path/to/published/NAME --output models",
    "pip install ./texture-pink",
    "conditioned-synthesis listening-results results/demo/synthesis/listening",
    "conditioned-synthesis train configs/demo/synthesis.json --set output=results/demo_pink --set "
    """'synthesiser={"type": "pink", "num_steps": 200, "part_seconds": 0.05}' --set train.sounds=results/demo/synthesis/mtcrnn""",
    "conditioned-synthesis generate --model results/instrument_recordings/texenv/instrument --output growing.wav "
    "--seconds 10 --control size=0:0,10:1",
    "conditioned-synthesis export-page --model results/instrument_recordings/texenv/instrument --output recordings.html",
    "conditioned-synthesis export-pd --model results/instrument_recordings/texenv/instrument "
    "--output patch/recordings.texinst",
    "conditioned-synthesis export-plugin --model results/demo/instrument/instrument --output ~/.lv2/water.lv2",
    "conditioned-synthesis export-plugin --model results/demo/instrument/instrument --output ~/.vst3/water.vst3",
    "conditioned-synthesis export-plugin --model results/demo/instrument/instrument --output ~/.clap/water.clap",
    "pip install 'texture-toolkit[live]'",
    "conditioned-synthesis play --model results/demo/instrument/instrument",
    "domain-adaptation label --model models/adapted --audio path/to/sounds --output labels.csv",
    "pip install 'texture-toolkit[dask]'",
    "dask scheduler --host 10.0.0.7",
    "dask worker tcp://10.0.0.7:8786 --nworkers auto --nthreads 1",
    "texture-pipeline configs/demo --executor dask=tcp://10.0.0.7:8786",
    "export RAY_AUTH_MODE=token RAY_AUTH_TOKEN=...",
    "ray start --head --port=6379",
    "ray start --address=10.0.0.7:6379",
    "texture-pipeline configs/demo --executor ray=10.0.0.7:6379",
}


def _as_dry_run(command: str) -> str:
    return (
        f"{command} OPTIONS=--dry-run"
        if command.startswith(("make demo", "make instrument"))
        else f"{command} --dry-run"
    )


def _needs(remark: str) -> str | None:
    """Return the program that is needed and not there; where tests must not be skipped, as in CI,
    its absence shows as failures."""
    program = remark.removeprefix("needs ") if remark.startswith("needs ") else ""
    return program if program and not shutil.which(program) and not os.environ.get("CI") else None


@pytest.mark.slow
def test_the_commands_of_a_page_run_in_order(page, request):
    steps = [
        fence
        for fence in page.fences
        if fence.commands or fence.title or fence.language == "python"
    ]
    steps = [fence for fence in steps if not fence.remark.startswith("not run: ")]
    if not steps:
        pytest.skip("has no commands")
    workspace = request.getfixturevalue("demo")
    for fence in steps:
        if fence.title:
            workspace.write(fence.title, fence.text)
        if missing := _needs(fence.remark):
            pytest.skip(f"needs {missing}")
        for command in fence.commands:
            if command not in _ELSEWHERE:
                workspace.run(
                    _as_dry_run(command) if fence.remark.startswith("long: ") else command
                )
    if snippets := [fence.text for fence in steps if fence.language == "python"]:
        workspace.write("snippets.py", "\n\n".join(snippets))
        workspace.run(f"{shlex.quote(sys.executable)} snippets.py")


@pytest.mark.long
def test_the_long_commands_of_a_page_run(page, request):
    commands = [
        command
        for fence in page.fences
        if fence.remark.startswith("long: ")
        for command in fence.commands
    ]
    if not commands:
        pytest.skip("has no long commands")
    workspace = request.getfixturevalue("demo")
    for command in commands:
        workspace.run(command)


def test_few_commands_are_not_run(pages):
    fences = [fence for page in pages for fence in page.fences]
    left_out = {
        command
        for fence in fences
        if fence.remark.startswith("not run: ")
        for command in fence.commands
    }
    there = {command for fence in fences for command in fence.commands}
    assert left_out | (_ELSEWHERE & there) == _NOT_RUN


def test_every_remark_on_a_block_is_one_that_is_known(page):
    remarks = [fence.remark for fence in page.fences if fence.remark]
    assert all(re.match(r"(not run: |long: |needs \w+$)", remark) for remark in remarks)


def test_every_block_says_what_it_is(page):
    known = {"sh", "json", "python", "csv", "text"}
    assert {fence.language for fence in page.fences} <= known


@pytest.mark.slow
def test_the_commands_of_the_benchmarks_still_exist(results_page, workspace):
    """Each takes minutes or hours, so they are dry runs, and programs of our own are looked at."""
    for fence in results_page.fences:
        for command in fence.commands:
            words = [word for word in shlex.split(command) if not re.fullmatch(r"[A-Z]+=/.*", word)]
            if words[0].startswith(".venv/bin/"):
                program = next(word for word in words[1:] if not word.startswith("-"))
                assert (ROOT / program).exists(), command
                if not words[0].endswith("pytest"):
                    source = (ROOT / program).read_text()
                    assert all(
                        option in source for option in words[2:] if option.startswith("--")
                    ), command
            else:
                dry = (
                    command.replace('OPTIONS="', 'OPTIONS="--dry-run ')
                    if words[0] == "make"
                    else f"{command} --dry-run"
                )
                workspace.run(dry)
