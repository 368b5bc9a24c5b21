"""How large, how late and how fast is each way of playing an instrument? python
benchmarks/instrument_routes.py [--seconds N]

A `texenv` as its settings come, of two sliders, with untrained weights, at 48 kHz: size and speed do
not depend on what it has learnt. Each route plays so many seconds on one core, as fast as it can;
processor time, without what begins it: that is in a column of its own. Prints Markdown; a route
whose programs are not installed is left out by name.
"""

import argparse
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

os.environ["OMP_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).parents[1]))  # for the browser of the tests

import numpy as np
import torch

from conditioned_synthesis.exporters.nn_tilde import export_nn_tilde
from conditioned_synthesis.exporters.onnx import export_onnx
from conditioned_synthesis.exporters.page import export_page
from conditioned_synthesis.exporters.plugin import export_plugin
from conditioned_synthesis.exporters.portable import export_c
from conditioned_synthesis.exporters.puredata import export_pd
from conditioned_synthesis.instrument.instrument import (
    ModelSpec,
    Slider,
    load_instrument,
    new_instrument,
    save_instrument,
)
from conditioned_synthesis.live.command import usual_block
from conditioned_synthesis.live.engine import Engine
from conditioned_synthesis.live.voice import Voice
from conditioned_synthesis.portable.instrument_file import read_instrument_file
from conditioned_synthesis.portable.make import Plays, player_of
from conditioned_synthesis.synthesisers.texenv.settings import TexEnv
from texturelib.controls import Control

Made = TypeVar("Made")

RATE = 48000
PD_BLOCK = 64
PAGE_BLOCK = 128  # samples, of the Web Audio API
NN_BUFFER = 512
PATCH = """#N canvas 0 0 450 300 10;
#X obj 10 100 texture~ water.texinst 1;
#X obj 10 10 loadbang;
#X msg 100 40 \\; pd dsp 1;
#X obj 200 40 delay {milliseconds};
#X msg 200 60 \\; pd quit;
#X connect 1 0 2 0;
#X connect 1 0 3 0;
#X connect 3 0 4 0;
"""


class Row(NamedTuple):
    """What was measured of a route.

    size: in bytes. latency: in samples, None where the host decides. seconds: of processor time, for
    the sound. opening: of processor time, before the first sample.
    """

    route: str
    size: int
    latency: int | None
    seconds: float | None
    opening: float | None


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=int, default=10, help="of sound, for each route")
    seconds = parser.parse_args().seconds
    torch.set_num_threads(1)
    print("| route | size, kB | latency | x real time | to open, s |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="texture-benchmark-") as name:
        folder = Path(name)
        model = make_model(folder / "model")
        frame = load_instrument(model).network.hop
        for route in ROUTES:
            for row in route(model, folder, seconds):
                _print(row, seconds, int(frame))  # type: ignore[arg-type]


def _print(row: Row, seconds: int, frame: int) -> None:
    late = "its host's" if row.latency is None else f"{1e3 * row.latency / RATE:.1f} ms"
    speed = "" if row.seconds is None else f"{seconds / row.seconds:.3g}"
    opening = "" if row.opening is None else f"{row.opening:.2f}"
    print(
        f"| {row.route} | {row.size / 1e3:,.0f} | {late} + {1e3 * frame / RATE:.0f} ms | {speed} | {opening} |",
        flush=True,
    )


def make_model(folder: Path) -> Path:
    controls = (Control("size", 0.5, 2.0, "x", "exponential"), Control("rate", 1.0, 8.0, "drops/s"))
    sliders = tuple(Slider(control=each.describe(), low=0.0, high=1.0) for each in controls)
    spec = ModelSpec(synthesiser=TexEnv(), sliders=sliders, sample_rate=RATE)
    folder.mkdir()
    save_instrument(folder, new_instrument(spec, seed=0))
    return folder


def timed(run: Callable[[], Made]) -> tuple[Made, float]:
    """Return what a call returns, and its processor time in seconds, that of programs that it runs
    to their end included."""

    def now() -> float:
        own, others = (
            resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        )
        return own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime

    began = now()
    made = run()
    return made, now() - began


def apart(run: Callable[[float], object], seconds: float) -> tuple[float, float]:
    """Return the processor time of so many seconds of sound, and that of what comes before it.

    run: plays so many seconds, from the beginning.
    """
    _, short = timed(lambda: run(0.1))
    _, long = timed(lambda: run(0.1 + seconds))
    return long - short, short


def page(model: Path, folder: Path, seconds: int) -> Iterator[Row]:
    """Plays in Chromium, without a window, as fast as it goes."""
    from tests.chromium import PROGRAM, browser

    if not PROGRAM:
        print("| (page: chromium is not installed) | | | | |")
        return
    path = folder / "water.html"
    export_page(model, path, "float16", "", overwrite=False)
    with browser(folder) as opened:
        opened.open(path)
        processes = _descendants(os.getpid())

        def play(length: float) -> None:
            opened.evaluate(f"selfTest({RATE}, {length}, 1, []).then((samples) => samples.length)")

        def now() -> float:
            return sum(_seconds_of(each) for each in processes)

        play(0.1)  # compiles
        times = [now()]
        for length in (0.1, 0.1 + seconds):
            play(length)
            times.append(now())
    short, long = np.diff(times)
    yield Row("page, Chromium", path.stat().st_size, PAGE_BLOCK, long - short, None)


def _descendants(process: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{process}/task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            found += [child, *_descendants(child)]
    return found


def _seconds_of(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def c(model: Path, folder: Path, seconds: int) -> Iterator[Row]:
    own = folder / "c"
    export_c(model, own / "water.texinst", "float16", overwrite=False)
    if not shutil.which("cc"):
        print("| (C: no compiler is installed) | | | | |")
        return
    subprocess.run(["cc", "-O3", "-o", "render", "render.c", "-lm"], cwd=own, check=True)

    def play(length: float) -> None:
        subprocess.run([own / "render", "water.texinst", "a.wav", str(length)], cwd=own, check=True)

    sound, opening = apart(play, 10 * seconds)
    yield Row("C", (own / "water.texinst").stat().st_size, 0, sound / 10, opening)


def pure_data(model: Path, folder: Path, seconds: int) -> Iterator[Row]:
    own = folder / "pd"
    _, problem = export_pd(model, own / "water.texinst", "float16", overwrite=False)
    if problem or not shutil.which("pd"):
        print(f"| (Pure Data: {problem or 'pd is not installed'}) | | | | |")
        return

    def play(length: float) -> None:
        (own / "test.pd").write_text(PATCH.format(milliseconds=round(1000 * length)))
        words = ["-nogui", "-noaudio", "-nomidi", "-noprefs", "-batch", "-r", str(RATE)]
        subprocess.run(["pd", *words, "-open", "test.pd"], cwd=own, check=True, capture_output=True)

    size = sum((own / name).stat().st_size for name in ("water.texinst", "texture~.pd_linux"))
    sound, opening = apart(play, 10 * seconds)
    yield Row("Pure Data, [texture~]", size, PD_BLOCK, sound / 10, opening)


def plugins(model: Path, folder: Path, seconds: int) -> Iterator[Row]:
    for kind in ("lv2", "vst3", "clap"):
        path = folder / f"water.{kind}"
        export_plugin(model, path, "float16", overwrite=False)
        files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
        size = sum(each.stat().st_size for each in files)
        played = (
            {"vst3": _vst3, "lv2": _lv2}[kind](path, seconds) if kind != "clap" else (None, None)
        )
        yield Row(f"plugin, {kind.upper()}", size, None, *played)


def _lv2(path: Path, seconds: int) -> tuple[float | None, float | None]:
    if not shutil.which("lv2bench"):
        return None, None
    manifest = (path / "manifest.ttl").read_text()
    [name] = set(re.findall(r"<(urn:[^>]+)>", manifest))
    there = os.environ | {"LV2_PATH": str(path.parent)}

    def play(length: float) -> None:
        words = ["lv2bench", "-b", str(PD_BLOCK), "-n", str(round(length * RATE)), name]
        subprocess.run(words, env=there, check=True, capture_output=True)

    sound, opening = apart(play, 10 * seconds)
    return sound / 10, opening


def _vst3(path: Path, seconds: int) -> tuple[float | None, float | None]:
    try:
        from pedalboard import load_plugin  # type: ignore[import-not-found,unused-ignore]
    except ModuleNotFoundError:
        return None, None

    def render(plugin: Any, length: float, reset: bool) -> None:
        words = {"sample_rate": RATE, "num_channels": 2, "buffer_size": PD_BLOCK}
        plugin([], duration=length, reset=reset, **words)

    def load() -> Any:
        plugin = load_plugin(str(path))
        render(plugin, 0.1, reset=True)
        return plugin

    plugin, opening = timed(load)
    _, sound = timed(lambda: render(plugin, seconds, reset=False))
    return sound, opening


def onnx(model: Path, folder: Path, seconds: int) -> Iterator[Row]:
    import onnxruntime

    path = folder / "water.onnx"
    about = export_onnx(model, path, overwrite=False)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session, opening = timed(lambda: onnxruntime.InferenceSession(str(path), options))
    n_frames = 3  # some 500 samples
    shapes = {each.name: each.shape for each in session.get_inputs()}
    names = [each.name for each in session.get_outputs()]
    rng = np.random.default_rng(0)
    kept = {
        name: np.zeros(shape, np.int64 if name == "places" else np.float32)
        for name, shape in shapes.items()
        if name not in ("controls", "noise")
    }
    controls = np.full((1, n_frames, len(about["sliders"])), 0.5, np.float32)

    def play() -> None:
        for _ in range(seconds * RATE // (n_frames * about["hop"])):
            noise = rng.standard_normal((1, n_frames, about["n_noises"]), dtype=np.float32)
            found = session.run(names, {"controls": controls, "noise": noise, **kept})
            kept.update(
                {
                    name.removesuffix("_after"): each
                    for name, each in zip(names[1:], found[1:], strict=True)
                }
            )

    _, sound = timed(play)
    size, block = path.stat().st_size, n_frames * about["hop"]
    yield Row(f"ONNX, {n_frames} frames a call", size, block, sound, opening)


def python(model: Path, folder: Path, seconds: int) -> Iterator[Row]:
    size = sum(each.stat().st_size for each in model.iterdir())
    block = usual_block(RATE)

    voice = Voice(load_instrument(model))
    voice.render(block)
    latency = round(Engine(voice, block).latency_seconds * RATE)

    def play() -> None:
        for _ in range(seconds * RATE // block):
            voice.render(block)

    _, sound = timed(play)
    yield Row(f"Python, play, blocks of {block}", size, latency, sound, None)
    path = folder / "c" / "water.texinst"
    portable = read_instrument_file(path)

    def load_portable() -> Plays:
        player = player_of(portable, RATE)
        player.render(1)
        return player

    player, opening = timed(load_portable)
    _, sound = timed(lambda: player.render(seconds * RATE))
    yield Row("Python, the portable player", path.stat().st_size, 0, sound, opening)


def nn_tilde(model: Path, folder: Path, seconds: int) -> Iterator[Row]:
    path, _ = export_nn_tilde(model, folder / "water.ts", RATE, overwrite=False)
    n_inlets, ratio = 2, 64
    given = torch.full((1, n_inlets, NN_BUFFER // ratio), 0.5)

    def load() -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            loaded = torch.jit.load(path)
        for _ in range(RATE // NN_BUFFER):  # it is compiled as it is called
            loaded.forward(given)
        return loaded

    with torch.inference_mode():
        loaded, opening = timed(load)

        def play() -> None:
            for _ in range(seconds * RATE // NN_BUFFER):
                loaded.forward(given)

        _, sound = timed(play)
    # nn~ computes a buffer while the one before is played.
    yield Row(f"nn~, buffers of {NN_BUFFER}", path.stat().st_size, 2 * NN_BUFFER, sound, opening)


ROUTES = (page, c, pure_data, plugins, onnx, python, nn_tilde)

if __name__ == "__main__":
    main()
