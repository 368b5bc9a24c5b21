"""Play a trained synthesiser: one requested sound, or a set of examples of what each control
does."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from conditioned_synthesis.config import SynthesisConfig
from conditioned_synthesis.data.mtcrnn_format import params
from conditioned_synthesis.exporters.page import page_of
from conditioned_synthesis.instrument.automation import Automation, constant
from conditioned_synthesis.instrument.instrument import Instrument, load_instrument
from conditioned_synthesis.instrument.output_checks import quality_warning
from conditioned_synthesis.instrument.parse import read_automations
from conditioned_synthesis.instrument.plots import plot_sound
from conditioned_synthesis.portable.make import is_portable, portable_of
from texturelib.audio import level_dbfs, read_mono, write_wav
from texturelib.controls import Control
from texturelib.durable import sync_files
from texturelib.errors import Rejected, TextureError, UsageError
from texturelib.files import shown, write_json, write_table, write_text
from texturelib.made import named_by_the_user
from texturelib.markdown import in_channels
from texturelib.outputs import Output, check_file_place
from texturelib.progress import progress

PLAYED_PAGE = "play.html"
"""Name of the page, among the examples, that plays the instrument."""

_LONGEST_NAME = 100  # characters of a control's in a file's name, which may have 255 bytes


@dataclass(frozen=True)
class GenerateRequest:
    """One sound, as requested on the command line. controls: as `read_automations` takes them."""

    controls: Sequence[str]
    seconds: float
    seed: int
    temperature: float
    prime: Path | None
    fast: bool


def generate_sound(
    folder: Path, path: Path, request: GenerateRequest, overwrite: bool, dry_run: bool
) -> None:
    """Play the synthesiser in `folder` into `path`, and write its controls and a plot beside it.

    Errors: UsageError, TextureError about a file.
    """
    if path.suffix != ".wav":
        raise UsageError(f"--output {shown(path)}: should end in .wav")
    check_file_place(path, overwrite, path.with_suffix(".params"), path.with_suffix(".png"))
    instrument = load_instrument(folder)
    automations, notes = read_automations(request.controls, instrument.spec, request.seconds)
    for note in notes:
        print(f"note: {note}")
    own = _own_arguments(instrument, request)
    rate = f"{instrument.spec.sample_rate} Hz{in_channels(instrument.spec.channels)}"
    asked = ", ".join(
        f"{name} {automation.at(0):.2g} to {automation.at(request.seconds):.2g}"
        for name, automation in automations.items()
    )
    if dry_run:
        print(
            f"{shown(path)}: {request.seconds:g} s at {rate}, {asked or 'all controls in the middle'}"
        )
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = instrument.play(
        automations, request.seconds, request.seed, temperature=request.temperature, **own
    )
    with named_by_the_user():
        quality_warning = write_sound(path, samples, instrument, automations)
    if quality_warning:
        print(f"note: the sound {quality_warning}")
    sync_files(path, path.with_suffix(".params"), path.with_suffix(".png"))
    print(f"{shown(path)}: {request.seconds:g} s at {rate}, {level_dbfs(samples):.1f} dBFS")


def _own_arguments(instrument: Instrument, request: GenerateRequest) -> dict[str, Any]:
    """Return the requested arguments that not every kind of synthesiser has.

    Errors: UsageError where this kind does not have one.
    """
    own: dict[str, Any] = _if_faster(instrument, request.fast)
    if request.prime:
        if not instrument.takes("prime"):
            kind = instrument.spec.synthesiser.type  # type: ignore[attr-defined]
            raise UsageError(
                f'--prime: a synthesiser of type "{kind}" has no memory of a sound to go on from'
            )
        own["prime"] = _prime(request.prime, instrument.spec.sample_rate)
    return own


def _if_faster(instrument: Instrument, fast: bool) -> dict[str, bool]:
    """Return the argument for faster, rougher playing, where this kind of synthesiser has it."""
    return {"fast": True} if fast and instrument.takes("fast") else {}


def _prime(path: Path, sample_rate: int) -> np.ndarray:
    try:
        return read_mono(path, sample_rate)
    except (Rejected, FileNotFoundError) as reason:
        words = "no such file" if isinstance(reason, FileNotFoundError) else reason
        raise TextureError(f"--prime: {shown(path)}: {words}") from None


def generate_examples(config: SynthesisConfig, output: Output) -> tuple[int, list[str]]:
    """Write examples of each control, examples.csv and, where a browser can play the instrument,
    its page; return how many sounds there are and their quality warnings.

    For each control: sounds at values evenly spaced over its range, and one that moves through it,
    the others in their middle. One sound where no control varies.
    """
    import pandas as pd

    instrument = load_instrument(config.played_folder)
    settings = config.generate
    output.begin()
    rows, notes = [], []
    own = _if_faster(instrument, settings.fast)
    wanted: list[tuple[str, str, Automation | None, float]] = []
    for number, slider in enumerate(instrument.spec.sliders, 1):
        if slider.low == slider.high:
            continue  # there is nothing to hear
        stem = _stem(number, slider.name)
        for value in np.linspace(slider.low, slider.high, settings.values):
            wanted.append((f"{stem}_{value:.3f}", slider.name, constant(value), settings.seconds))
        sweep = Automation(
            np.array([0.0, settings.sweep_seconds]), np.array([slider.low, slider.high])
        )
        wanted.append((f"{stem}_sweep", slider.name, sweep, settings.sweep_seconds))
    if not wanted:
        wanted.append(("sound", "", None, settings.seconds))
    for stem, name, automation, seconds in progress(wanted, "examples", unit="sound"):
        path = output.folder / f"{stem}.wav"
        automations = {name: automation} if automation else {}
        samples = instrument.play(
            automations, seconds, settings.seed, temperature=settings.temperature, **own
        )
        if note := write_sound(path, samples, instrument, automations):
            notes.append(f"{stem} {note}")
        first, last = automation.values[[0, -1]].tolist() if automation else (None, None)
        level = round(float(level_dbfs(samples)), 2)
        rows.append(
            {
                "file_name": path.name,
                "control": name,
                "begins_at": first,
                "ends_at": last,
                "seconds": seconds,
                "level_dbfs": level,
            }
        )
    write_table(output.folder / "examples.csv", pd.DataFrame(rows))
    if is_portable(instrument):
        page = page_of(portable_of(instrument, "float16", "small"), config.output.name)
        write_text(output.folder / PLAYED_PAGE, page)
    output.finish()
    return len(rows), notes


def _stem(number: int, control: str) -> str:
    """Return the beginning of the names of a control's files, valid whatever the control is called.

    >>> _stem(1, "rate/s"), len(_stem(2, "x" * 300))
    ('1_rate_s', 102)
    """
    return f"{number}_{re.sub(r'[^A-Za-z0-9-]+', '_', control)[:_LONGEST_NAME]}"


def write_sound(
    path: Path, samples: np.ndarray, instrument: Instrument, automations: Mapping[str, Automation]
) -> str | None:
    """Write the sound, its controls beside it in MTCRNN's format, and a plot of both; return a
    quality warning, or None."""
    spec = instrument.spec
    seconds = len(samples) / spec.sample_rate
    write_wav(path, samples, spec.sample_rate)
    complete = {
        slider.name: automations.get(slider.name, constant(slider.middle))
        for slider in spec.sliders
    }
    controls = [Control.from_description(slider.control) for slider in spec.sliders]
    write_json(path.with_suffix(".params"), params(path.name, complete, seconds, controls))
    plot_sound(path.with_suffix(".png"), samples, spec.sample_rate, complete)
    return quality_warning(samples, spec.level_dbfs, spec.flatness)
