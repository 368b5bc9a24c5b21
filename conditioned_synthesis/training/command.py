"""Train a synthesiser on labelled sounds."""

import math
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from conditioned_synthesis.config import SynthesisConfig
from conditioned_synthesis.data.clips import Sounds, read_sounds
from conditioned_synthesis.data.split import SplitSounds, split_sounds
from conditioned_synthesis.instrument.card import write_trained_card
from conditioned_synthesis.instrument.instrument import (
    Instrument,
    ModelSpec,
    Slider,
    new_instrument,
    save_instrument,
)
from conditioned_synthesis.instrument.loudness import as_loud_as
from conditioned_synthesis.instrument.output_checks import flatness, quality_warning
from conditioned_synthesis.instrument.plots import plot_history
from conditioned_synthesis.synthesisers import Synthesiser
from texturelib.audio import level_dbfs, write_wav
from texturelib.dataset import versions
from texturelib.errors import UsageError
from texturelib.files import shown, write_json
from texturelib.learning import loop
from texturelib.learning.compute import start_fabric
from texturelib.learning.loop import Plan, State
from texturelib.outputs import Output
from texturelib.pictures import spectrogram_picture

_EXAMPLE_SECONDS = 2.0
_LOOKED_AT = 64  # clips, whose level and flatness stand for all


def train(
    config: SynthesisConfig, output: Output, *, labels_shuffled: bool = False
) -> dict[str, Any]:
    """Write a model folder into `output`: weights, metrics, history, examples. Returns what
    metrics.json says.

    labels_shuffled: each clip has the controls of another, so there is nothing to learn of them.
    Errors: UsageError when the sounds are not what the settings want; TextureError about a file.
    """
    settings = config.wanted_synthesiser()
    sounds = read_sounds(config.sounds_folder, config.train.controls, settings.channels_learnt)
    if labels_shuffled:
        sounds = sounds.shuffled(config.train.seed)
    instrument = untrained(settings, sounds, config.train.seed)
    clips = split_sounds(sounds, settings.validation, config.train.seed)
    training = settings.training(instrument.network, clips, config.train.seed)
    fabric = start_fabric(config.compute)
    output.begin()
    state = loop.train(
        training,
        plan_of(settings, output.folder, partial(_hear, instrument, output.folder)),
        fabric,
    )
    instrument = as_loud_as(sounds, instrument)
    save_instrument(output.folder, instrument)
    plot_history(output.folder / "loss.png", state.history, str(instrument.network.loss_in_words))
    metrics = _metrics(instrument, clips, state)
    write_json(output.folder / "metrics.json", metrics)
    write_trained_card(output.folder, instrument.spec, metrics)
    output.finish(discard=("last.ckpt",))
    return metrics


def plan_of(
    settings: Synthesiser,
    folder: Path,
    at_checkpoint: Callable[[int], None] | None = None,
    after_step: Callable[[int], None] | None = None,
) -> Plan:
    """Return the plan of a training.

    after_step: None prints how long the training will take, as soon as that is known.
    """
    return Plan(
        folder,
        "training",
        *settings.steps(),
        learning_rate="synthesiser.lr",
        at_checkpoint=at_checkpoint,
        after_step=after_step or _Clock(settings.steps().total).tick,
    )


def untrained(settings: Synthesiser, sounds: Sounds, seed: int) -> Instrument:
    """Return an instrument that has yet to learn from these sounds.

    Errors: UsageError when there is too little to learn from.
    """
    heard = sounds.samples(slice(_LOOKED_AT))
    heard = heard.reshape(-1, *heard.shape[2:])
    level = float(level_dbfs(heard))
    spec = ModelSpec(
        synthesiser=settings,
        sliders=tuple(
            Slider(control=control.describe(), low=low, high=high)
            for control, (low, high) in zip(sounds.controls, sounds.ranges(), strict=True)
        ),
        sample_rate=sounds.sample_rate,
        channels=sounds.n_channels,
        level_dbfs=level if math.isfinite(level) else None,
        flatness=flatness(heard),
    )
    instrument = new_instrument(spec, seed)
    _check(sounds, instrument)
    return instrument


def _check(sounds: Sounds, instrument: Instrument) -> None:
    """Check that the sounds are enough to train on. Errors: UsageError when they are not."""
    if len(sounds) < 2:
        raise UsageError("train: there is one clip; it takes two or more, as some are held out")
    silent = [slider.name for slider in instrument.spec.sliders if slider.low == slider.high]
    if len(silent) == len(instrument.spec.sliders):
        raise UsageError(
            f"train.controls: no clip differs from another in {', '.join(silent)}, so there is no control to learn"
        )


def _hear(instrument: Instrument, output_folder: Path, step: int) -> None:
    """Write an example with all controls in their middle, and print a quality warning if there is
    one."""
    spec = instrument.spec
    samples = instrument.play({}, _EXAMPLE_SECONDS, seed=step)
    folder = output_folder / "examples"
    folder.mkdir(exist_ok=True)
    write_wav(folder / f"step_{step:07}.wav", samples, spec.sample_rate)
    spectrogram_picture(folder / f"step_{step:07}.png", samples, spec.sample_rate)
    if words := quality_warning(samples, spec.level_dbfs, spec.flatness):
        print(
            f"note: what it plays after {step} steps {words}; {shown(folder / f'step_{step:07}.wav')}"
        )


class _Clock:
    """A clock that prints once how long the training will take, as soon as that is known."""

    _FIRST, _LAST = 5, 25  # steps; the first ones are slower

    def __init__(self, num_steps: int) -> None:
        self._num_steps = num_steps
        self._n_ticks = 0
        self._began = 0.0

    def tick(self, step: int) -> None:
        self._n_ticks += 1
        if self._n_ticks == self._FIRST:
            self._began = time.monotonic()
        if self._n_ticks == self._LAST:
            seconds = (
                (time.monotonic() - self._began)
                / (self._LAST - self._FIRST)
                * (self._num_steps - step)
            )
            print(f"{self._num_steps - step} steps to go: about {_in_words(seconds)}", flush=True)


def _in_words(seconds: float) -> str:
    return (
        f"{seconds:.0f} s"
        if seconds < 100
        else f"{seconds / 60:.0f} min"
        if seconds < 6000
        else f"{seconds / 3600:.1f} h"
    )


def _three_figures(number: float) -> float:
    return float(f"{number:.3g}")


def _metrics(instrument: Instrument, clips: SplitSounds, state: State) -> dict[str, Any]:
    sounds = clips.sounds
    return {
        **state.history[-1],  # the step, and the losses by name
        "loss_in_words": instrument.network.loss_in_words,
        "n_clips": {"train": len(clips.train), "validation": len(clips.held_out)},
        "hours": round(len(sounds) * sounds.n_samples / sounds.sample_rate / 3600, 4),
        "n_parameters": sum(part.numel() for part in instrument.network.parameters()),
        "megabytes": _three_figures(
            sum(part.nbytes for part in instrument.network.state_dict().values()) / 1e6
        ),
        "versions": versions("torch"),
    }
