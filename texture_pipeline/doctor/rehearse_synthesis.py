"""Measure the time of stage 4: a few clips exported, a few steps of a synthesiser's training, a
moment played."""

import copy
import itertools
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from lightning_fabric import Fabric

from conditioned_synthesis.config import SynthesisConfig
from conditioned_synthesis.data.clips import Sounds, read_sounds
from conditioned_synthesis.data.export import Clip, Form, export_clip
from conditioned_synthesis.data.mtcrnn_format import find_pairs
from conditioned_synthesis.data.split import SplitSounds
from conditioned_synthesis.instrument.generate import write_sound
from conditioned_synthesis.instrument.instrument import Instrument
from conditioned_synthesis.synthesisers import TrainedSynthesiser
from conditioned_synthesis.training.command import plan_of, untrained
from texture_pipeline.doctor.scratch import (
    FEW,
    Each,
    Enough,
    Scratch,
    Stopwatch,
    seconds_of,
    seconds_of_each,
)
from texturelib.controls import Control
from texturelib.dataset import read_dataset
from texturelib.evenly import evenly_spread
from texturelib.files import link_or_copy
from texturelib.learning.compute import start_fabric
from texturelib.learning.loop import train, validate
from texturelib.learning.one_thread import one_thread
from texturelib.learning.trainable import Trainable

_MOST_STEPS, _MOST_SECONDS = 10, 2.5
_PLAYED_SECONDS = 0.25, 1.0


@dataclass
class Synthesis:
    """Measured times in seconds. read: per clip of the training. step: per step of the training,
    measured from `n_measured` of them. validation: of all held-out clips, once. picture: per
    sound that is written with one. beginning, second: of starting to play a sound, and of each
    second of it, on one core."""

    n_parameters: int
    read: float
    step: float
    n_measured: int
    validation: float
    picture: float
    beginning: float
    second: float
    clip_seconds: float


def rehearse_export(config: SynthesisConfig, scratch: Scratch) -> Each | None:
    """Measure the export; None where there are no clips to try it on. Errors: TextureError as
    the command would end with it."""
    labelled = scratch.stand_in(config.labelled)
    if labelled is None:
        return None
    dataset = read_dataset(labelled)
    folder = scratch.new("mtcrnn")
    rate = config.export.sample_rate
    names = list(config.export.controls or dataset.controls)
    described = {
        each["name"]: Control.from_description(each) for each in dataset.description["controls"]
    }
    form = Form(
        rate,
        round(dataset.n_samples * rate / dataset.sample_rate),
        [described[name] for name in names if name in described],
    )
    rng = np.random.default_rng(0)
    clips = [
        Clip(
            dataset.path(index),
            f"clip_{index}",
            {control.name: float(rng.random()) for control in form.controls},
        )
        for index in range(len(dataset))
    ]
    each = seconds_of_each(clips, lambda clip: export_clip(folder, form, clip), _MOST_SECONDS)
    scratch.put(config.mtcrnn_folder, folder)
    return each


def rehearse_synthesis(config: SynthesisConfig, n_clips: int, scratch: Scratch) -> Synthesis | None:
    """Measure training and playing; None where there are no clips to try them on. n_clips:
    number of clips of the training.

    Errors: TextureError as the command would end with it.
    """
    folder = _few_sounds(config, scratch)
    if folder is None:
        return None
    settings = config.wanted_synthesiser()
    found: list[Sounds] = []
    seconds = seconds_of(
        lambda: found.append(read_sounds(folder, config.train.controls, settings.channels_learnt))
    )
    sounds = found[0]
    instrument = untrained(settings, sounds, config.train.seed)
    fabric = start_fabric(config.compute.model_copy(update={"processes": 1}))
    rows = np.arange(len(sounds))
    watch = Stopwatch(_MOST_STEPS, _MOST_SECONDS)
    network: Any = instrument.network
    n_steps = _MOST_STEPS + 2
    learns = isinstance(settings, TrainedSynthesiser)
    few = settings.model_copy(
        update={"num_steps": n_steps, "checkpoint": n_steps} if learns else {}
    )
    held_out = np.resize(rows, max(1, round(settings.validation * n_clips)))
    split = SplitSounds(sounds, rows, held_out)
    training = few.training(network, split, config.train.seed)  # the first may compile
    preparing = 0.0
    if not learns:
        preparing = seconds_of(lambda: few.training(network, split, config.train.seed))
        preparing *= n_clips / len(sounds)
    with suppress(Enough):
        train(
            training,
            plan_of(few, scratch.new("synthesiser"), after_step=lambda _: watch.tick()),
            fabric,
        )
    network.to(fabric.device)
    validation = _validation_seconds(training, fabric)
    network.to("cpu").eval()
    beginning, second = _playing(instrument)
    picture = _picture_seconds(scratch, sounds, instrument)
    n_parameters = sum(part.numel() for part in network.parameters())
    seconds_of_clip = sounds.n_samples / sounds.sample_rate
    read = seconds / len(sounds)
    return Synthesis(
        n_parameters,
        read,
        watch.seconds if learns else preparing,
        watch.n_steps if learns else 1,
        validation,
        picture,
        beginning,
        second,
        seconds_of_clip,
    )


def _validation_seconds(training: Trainable, fabric: Fabric) -> float:
    """Return the seconds that validation takes for all held-out clips, estimated from the first
    batch of them."""
    batches = iter(training.validation(slice(None)))
    first = list(itertools.islice(batches, 1))
    if not first:
        return 0.0
    n_batches = 1 + sum(1 for _ in batches)
    only_first = copy.copy(training)
    only_first.validation = lambda _: first  # type: ignore[method-assign]
    return n_batches * seconds_of(
        lambda: validate(only_first, training.module, list(training.groups()), fabric)
    )


def _playing(instrument: Instrument) -> tuple[float, float]:
    """Return the seconds that a sound takes to begin, and the seconds for each second of it."""
    short, long = _PLAYED_SECONDS
    with one_thread():
        instrument.play({}, short, seed=0)  # the first sound compiles, and fills caches
        of_short, of_long = (
            seconds_of(lambda of=of: instrument.play({}, of, seed=1)) for of in (short, long)
        )
    # On a busy machine, the long sound may happen to be measured at a quieter moment.
    second = max((of_long - of_short) / (long - short), 0.1 * of_long / long)
    return max(0.0, of_short - short * second), second


def _picture_seconds(scratch: Scratch, sounds: Sounds, instrument: Instrument) -> float:
    path = scratch.new("examples") / "example.wav"
    samples = sounds.samples(0)
    write_sound(path, samples, instrument, {})  # warms up
    return seconds_of(lambda: write_sound(path, samples, instrument, {}))


def _few_sounds(config: SynthesisConfig, scratch: Scratch) -> Path | None:
    """Return a few of the sounds that the synthesiser would learn from; None where there are
    none."""
    if stand_in := scratch.stand_in(config.sounds_folder):
        return stand_in
    if not config.sounds_folder.is_dir():
        return None
    pairs = list(find_pairs(config.sounds_folder, config.sounds_folder).items())
    if not pairs:
        return None
    folder = scratch.new("sounds")
    for index in evenly_spread(len(pairs), max(2, FEW)):
        for path in pairs[index]:
            if path.exists():  # otherwise reading it reports that it is missing
                link_or_copy(path, folder / path.name)
    scratch.put(config.sounds_folder, folder)
    return folder
