"""What the commands of stage 3 produce, and their cost in disk space, memory and time."""

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from texturelib.costs import (
    PICTURES,
    TRAINED_PARAMETER,
    Clips,
    Estimate,
    Flow,
    Measured,
    Step,
    Written,
    in_words_each,
    written_clips,
)

_JUDGED_CLIPS, _SLOWED_CLIPS = 512, 256  # at most, of the slow-down test in `adapt` and `label`


def makes(step: Step, flow: Flow) -> tuple[Path, Clips] | None:
    if step.command != "label":
        return None
    real, synthetic = flow.at(step.config.real), flow.at(step.config.synthetic)
    return (step.folder, replace(real, controls=synthetic.controls)) if real and synthetic else None


def writes(step: Step, flow: Flow, n_parameters: int) -> Iterator[Written]:
    config = step.config
    if step.command == "label":
        yield from written_clips(step.folder, flow.at(config.real), linked_from=config.real)
        return
    yield Written(step.folder, TRAINED_PARAMETER * n_parameters, 20)
    if step.command == "train-scale":
        return
    for name in ("synthetic", "real") if step.command != "train-extractor" else ("synthetic",):
        if clips := flow.at(getattr(config, name)):
            samples = clips.n * math.ceil(clips.seconds * config.features.sample_rate)
            yield Written(config.output / "clips" / name, 2 * samples, 1)


def takes(step: Step, flow: Flow, measured: Measured) -> Estimate | None:
    config: Any = step.config
    found = measured.learning.get(step.config_name)
    synthetic, real = flow.at(config.synthetic), flow.at(config.real)
    reads_real = step.command not in ("train-extractor", "train-scale")
    if found is None or synthetic is None or (real is None and reads_real):
        return None
    n_synthetic, n_real = synthetic.n, real.n if real else 0
    processes = config.compute.processes
    share = config.split
    begins = measured.start + PICTURES
    match step.command:
        case "train-extractor":
            settings, steps = config.extractor, found.trainings["train-extractor"]
            n_steps = settings.epochs * math.ceil(share.train * n_synthetic / settings.batch_size)
            validated = settings.epochs * (
                share.validation * n_synthetic * steps.validation_clip / processes
                + 256 * found.read
            )
            seconds = (
                n_synthetic * (found.store + found.read_augmented)
                + n_steps * steps.step
                + validated
            )
            return Estimate(
                begins + seconds, _steps(n_steps, steps, processes), settings.patience is not None
            )
        case "train-scale":
            steps = found.trainings["train-scale"]
            n_steps = config.scale.epochs * config.scale.steps_per_epoch
            return Estimate(
                begins + n_steps * steps.step,
                f"{_steps(n_steps, steps, 1)}, without reading the recordings",
            )
        case "train-classifier":
            settings, steps = config.classifier, found.trainings["train-classifier"]
            n_steps = settings.epochs * math.ceil(
                share.train * (n_synthetic + n_real) / settings.batch_size
            )
            read = n_synthetic * found.read_augmented + n_real * (found.store + found.read)
            words = (
                f"{_steps(n_steps, steps, processes)}, after {n_synthetic + n_real} clips are read, "
                f"{in_words_each(found.read)}"
            )
            return Estimate(
                begins + read + n_steps * steps.step, words, settings.patience is not None
            )
        case "adapt":
            read = (
                2 * n_real * found.read + 3 * share.validation * n_synthetic * found.read_augmented
            )
            judged = 2 * min(_JUDGED_CLIPS, (1 - share.train) * n_real) * found.at_speeds
            if found.adapt_length is None:
                seconds, words = (
                    share.train * n_real * found.adapt_clip,
                    f"{n_real} clips, {in_words_each(found.adapt_clip)}",
                )
            else:
                epochs, batch_size, n_clips = found.adapt_length
                steps = found.trainings["adapt"]
                n_steps = epochs * math.ceil((n_clips or share.train * n_real) / batch_size)
                seconds = (
                    n_steps * steps.step
                    + epochs * share.validation * n_real * steps.validation_clip
                )
                words = _steps(n_steps, steps, 1)
            return Estimate(begins + seconds + read + judged, f"{words}, then it is judged")
        case "label":
            slowed = 2 * (min(_SLOWED_CLIPS, n_real) * found.at_speeds)
            seconds = 2 * n_real * found.label + slowed
            return Estimate(
                begins + seconds,
                f"{n_real} clips, {in_words_each(found.label)}, twice, and once more at other speeds",
            )
    return None


def _steps(n_steps: int, steps: Any, processes: int) -> str:
    shared = f" in each of {processes} processes" if processes > 1 else ""
    return f"{n_steps} steps, {in_words_each(steps.step)}{shared} ({steps.n_measured} made)"
