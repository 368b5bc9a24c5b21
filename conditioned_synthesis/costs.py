"""What the commands of stage 4 produce, and their cost in disk space, memory and time."""

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import joblib

from conditioned_synthesis.augmentation.labels import relative_controls
from texturelib.audio import wav_bytes
from texturelib.costs import (
    PICTURES,
    TRAINED_PARAMETER,
    Clips,
    Estimate,
    Flow,
    Measured,
    Step,
    Written,
    at_once,
    in_words_each,
    written_clips,
)

_LOUDNESS_SOUNDS = 72  # at most, of three seconds at most, at the end of a synthesiser's training
_BEGINS_LIGHTLY = 2.0  # seconds, of a command without a network
_PICTURE = 150e3  # bytes


def makes(step: Step, flow: Flow) -> tuple[Path, Clips] | None:
    config = step.config
    if step.command == "balance" and (labelled := flow.at(config.labelled)):
        return step.folder, labelled
    if step.command == "export" and (source := flow.at(config.exported_folder)):
        controls = tuple(config.export.controls or source.controls)
        return step.folder, replace(
            source, sample_rate=config.export.sample_rate, controls=controls, n_channels=1
        )
    if step.command == "augment" and (labelled := flow.at(config.labelled)):
        settings = config.augment
        return step.folder, Clips(
            settings.n_clips,
            settings.seconds or labelled.seconds,
            settings.sample_rate or labelled.sample_rate,
            labelled.controls or tuple(each.name for each in relative_controls(settings)),
            settings.channels or labelled.n_channels,
        )
    return None


def writes(step: Step, flow: Flow, n_parameters: int) -> Iterator[Written]:
    config = step.config
    match step.command:
        case "balance":
            yield from written_clips(
                step.folder, flow.at(config.labelled), linked_from=config.labelled
            )
        case "export":
            yield from written_clips(step.folder, flow.at(step.folder), files_each=2)
        case "augment":
            yield from written_clips(step.folder, flow.at(step.folder))
        case command:
            n_sounds, seconds = played(command, config, len(_controls(config, flow)))
            of_sounds = wav_bytes(seconds, _rate(config, flow), _channels(config, flow))
            n_bytes = of_sounds + n_sounds * _PICTURE
            model = (TRAINED_PARAMETER if command in ("train", "evaluate") else 4) * n_parameters
            yield Written(
                step.folder, n_bytes + (0 if command == "analyse" else model), 3 * n_sounds + 10
            )


def takes(step: Step, flow: Flow, measured: Measured) -> Estimate | None:
    config: Any = step.config
    labelled, sounds = flow.at(config.labelled), flow.at(config.sounds_folder)
    if step.command in ("analyse", "balance"):
        if labelled is None:
            return None
        return Estimate(
            _BEGINS_LIGHTLY + PICTURES, "a table, pictures and links; by experience, not measured"
        )
    if step.command == "export":
        each, clips = measured.exporting.get(step.config_name), flow.at(step.folder)
        if each is None or clips is None:
            return None
        seconds = clips.n * each.seconds / at_once(joblib.cpu_count())
        return Estimate(
            measured.start + seconds,
            f"at most {clips.n} clips, {in_words_each(each.seconds)} on a core ({each.n} exported)",
        )
    if step.command == "augment":
        each, clips = measured.augmenting.get(step.config_name), flow.at(step.folder)
        if each is None or clips is None:
            return None
        n_times = 2  # where one clip would be too loud, all are made again
        seconds = n_times * clips.n * each.seconds / at_once(joblib.cpu_count())
        words = f"{clips.n} clips, {in_words_each(each.seconds)} on a core ({each.n} made), once or twice"
        return Estimate(measured.start + PICTURES + seconds, words, is_at_most=True)
    found = measured.synthesis.get(step.config_name)
    if found is None or sounds is None:
        return None
    settings = config.synthesiser
    n_controls = len(config.train.controls or sounds.controls)
    n_sounds, seconds = played(step.command, config, n_controls)
    playing = n_sounds * found.beginning + seconds * found.second
    factor = f"a second of sound takes {found.second:.2g} s on a core"
    n_workers = joblib.cpu_count()
    n_steps, checkpoint = settings.steps()
    n_checkpoints = math.ceil(n_steps / checkpoint)
    loudness = _LOUDNESS_SOUNDS * (
        found.beginning + min(4 * found.clip_seconds, 3.0) * found.second
    )
    training = (
        sounds.n * found.read
        + n_steps * found.step
        + n_checkpoints * (found.validation + found.picture)
    )
    training += loudness + (playing if step.command == "train" else 0.0)
    match step.command:
        case "train":
            steps = f"{n_steps} steps" if n_steps > 1 else "an index of the clips"
            words = f"{steps}, {in_words_each(found.step)} ({found.n_measured} made); {factor}"
            return Estimate(measured.start + training, words)
        case "listening-test":
            return Estimate(measured.start + playing, f"{n_sounds} sounds; {factor}")
        case "generate":
            return Estimate(
                measured.start + playing + n_sounds * found.picture,
                f"{n_sounds} sounds, {seconds:.0f} s; {factor}",
            )
        case "linearise" | "evaluate":
            total = playing / at_once(n_workers) + _reading(seconds / found.clip_seconds, measured)
            if step.command == "evaluate" and config.evaluate.baselines:
                total += training  # with shuffled labels, to compare with
            words = f"{n_sounds} sounds, {seconds:.0f} s; {factor}, {n_workers} at a time"
            # Itself, its workers, and the labeller, which `linearise` calls twice.
            n_starts = 4 if step.command == "linearise" else 3
            return Estimate(n_starts * measured.start + PICTURES + total, words)
    return None


def _reading(n_clips: float, measured: Measured) -> float:
    """Return the time that the labeller takes for `n_clips` clips, in seconds.

    The speed is that measured for a network of this plan; 0 where there is none.
    """
    found = next((each for each in measured.learning.values() if each), None)
    return n_clips * found.label if found else 0.0


def _controls(config: Any, flow: Flow) -> tuple[str, ...]:
    sounds = flow.at(config.sounds_folder)
    return tuple(config.train.controls or (sounds.controls if sounds else ()))


def _rate(config: Any, flow: Flow) -> int:
    sounds = flow.at(config.sounds_folder)
    return sounds.sample_rate if sounds else config.export.sample_rate


def _channels(config: Any, flow: Flow) -> int:
    sounds = flow.at(config.sounds_folder)
    settings = config.synthesiser
    return settings.channels_learnt(sounds.n_channels) if sounds and settings else 1


def played(command: str, config: Any, n_controls: int) -> tuple[int, float]:
    """Return how many sounds, and how many seconds of sound in all, lie in the folder at a time."""
    match command:
        case "analyse":
            return 2, 0.0  # pictures
        case "train":
            n_steps, checkpoint = config.synthesiser.steps()
            n = math.ceil(n_steps / checkpoint)
            return n, 2.0 * n
        case "generate":
            n = n_controls * (config.generate.values + 1)
            return n, n_controls * (
                config.generate.values * config.generate.seconds + config.generate.sweep_seconds
            )
        case "linearise":
            n = 2 * n_controls * config.linearise.values * config.linearise.seeds
            return n, n * config.linearise.seconds
        case "listening-test":
            settings, n_models = config.listening, max(1, len(config.listening.models))
            n_clips = settings.ratings * (3 + n_models) + settings.abx * 3 * n_models
            n = n_clips + 2 * settings.pairs * n_models * n_controls
            return n, 2.0 * n
        case "evaluate":
            settings = config.evaluate
            n_instruments = 2 + 2 * settings.baselines + len(settings.also)
            n = n_instruments * (n_controls * settings.values * settings.seeds + 2 * settings.clips)
            return n, n * settings.seconds
    return 0, 0.0
