"""How long each command will take, reckoned from what a few of everything took."""

import math
import os
from dataclasses import dataclass, field
from typing import Any

import joblib

from texture_pipeline.doctor.disk import played
from texture_pipeline.doctor.flow import Flow
from texture_pipeline.doctor.plan import Step

# A sample of seconds, on a machine that may have other things to do, says no more than this.
_LOW, _HIGH = 2 / 3, 3 / 2
_JUDGED_CLIPS, _SLOWED_CLIPS = 512, 256  # at most, of the slow-down test in `adapt` and `label`
_LOUDNESS_SOUNDS = 72  # at most, of three seconds at most, at the end of a synthesiser's training
_PICTURES = 4.0  # seconds, of the plots at a command's end
_BEGINS_LIGHTLY = 2.0  # seconds, of a command without a network


@dataclass
class Measured:
    """What the rehearsals found, by the name of the config; None where there was nothing to rehearse with.

    start: seconds that a command needs to begin with. recorded: seconds of recordings that will be cut.
    """

    start: float
    rendering: dict[str, Any] = field(default_factory=dict)
    cutting: dict[str, Any] = field(default_factory=dict)
    recorded: dict[str, float] = field(default_factory=dict)
    learning: dict[str, Any] = field(default_factory=dict)
    exporting: dict[str, Any] = field(default_factory=dict)
    synthesis: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Estimate:
    """seconds: of a command. measured: what from, in words. is_at_most: where it may end earlier."""

    seconds: float
    measured: str
    is_at_most: bool = False

    @property
    def low(self) -> float:
        return _LOW * self.seconds

    @property
    def high(self) -> float:
        return _HIGH * self.seconds


def at_once(n: int) -> float:
    """-> how many times more than one of them n processes do on this machine, with what else it has to do now.

    Each gets its part of the cores; so did the one that was measured.
    """
    n_cores, others = joblib.cpu_count(), max(0.0, os.getloadavg()[0] - 1)
    return n * min(1.0, n_cores / (n + others)) / min(1.0, n_cores / (1 + others))


def estimate_of(step: Step, flow: Flow, measured: Measured) -> Estimate | None:
    of = {
        "synthetic_datasets": _rendering,
        "real_datasets": _cutting,
        "domain_adaptation": _learning,
        "conditioned_synthesis": _synthesis,
    }
    return of[step.job.stage.package](step, flow, measured)


def _rendering(step: Step, flow: Flow, measured: Measured) -> Estimate | None:
    found = measured.rendering.get(step.job.path.name)
    clips = flow.at(step.folder / "recordings" if step.command == "simulate-recordings" else step.folder)
    if found is None or clips is None:
        return None
    # Itself, and its workers.
    seconds = 2 * measured.start + clips.n * found.each.seconds / at_once(min(found.at_once, clips.n))
    words = f"{clips.n} clips, {_each(found.each.seconds)} on a core ({found.each.n} rendered), {found.at_once} at a time"
    return Estimate(seconds, words)


def _cutting(step: Step, _: Flow, measured: Measured) -> Estimate | None:
    found, recorded = measured.cutting.get(step.job.path.name), measured.recorded.get(step.job.path.name)
    if found is None or recorded is None:
        return None
    seconds = measured.start + _PICTURES + recorded * found.each.seconds / at_once(found.at_once)
    words = f"{recorded / 3600:.2g} h of recordings, {3600 * found.each.seconds:.1f} s an hour on a core ({found.each.n} cut), "
    return Estimate(seconds, f"{words}{found.at_once} at a time")


def _learning(step: Step, flow: Flow, measured: Measured) -> Estimate | None:
    config: Any = step.job.config
    found = measured.learning.get(step.job.path.name)
    synthetic, real = flow.at(config.synthetic), flow.at(config.real)
    if found is None or synthetic is None or (real is None and step.command != "train-extractor"):
        return None
    n_synthetic, n_real = synthetic.n, real.n if real else 0
    processes = config.compute.processes
    share = config.split
    begins = measured.start + _PICTURES
    match step.command:
        case "train-extractor":
            settings, steps = config.extractor, found.trainings["train-extractor"]
            n_steps = settings.epochs * math.ceil(share.train * n_synthetic / settings.batch_size)
            validated = settings.epochs * (share.validation * n_synthetic * steps.validation_clip / processes + 256 * found.read)
            seconds = n_synthetic * (found.store + found.read_disturbed) + n_steps * steps.step + validated
            return Estimate(begins + seconds, _steps(n_steps, steps, processes), settings.patience is not None)
        case "train-classifier":
            settings, steps = config.classifier, found.trainings["train-classifier"]
            n_steps = settings.epochs * math.ceil(share.train * (n_synthetic + n_real) / settings.batch_size)
            read = n_synthetic * found.read_disturbed + n_real * (found.store + found.read)
            words = f"{_steps(n_steps, steps, processes)}, after {n_synthetic + n_real} clips are read, {_each(found.read)}"
            return Estimate(begins + read + n_steps * steps.step, words, settings.patience is not None)
        case "adapt":
            read = 2 * n_real * found.read + 3 * share.validation * n_synthetic * found.read_disturbed
            judged = 2 * min(_JUDGED_CLIPS, (1 - share.train) * n_real) * found.at_speeds
            if found.adapt_length is None:
                seconds, words = share.train * n_real * found.adapt_clip, f"{n_real} clips, {_each(found.adapt_clip)}"
            else:
                epochs, batch_size, n_clips = found.adapt_length
                steps = found.trainings["adapt"]
                n_steps = epochs * math.ceil((n_clips or share.train * n_real) / batch_size)
                seconds = n_steps * steps.step + epochs * share.validation * n_real * steps.validation_clip
                words = _steps(n_steps, steps, 1)
            return Estimate(begins + seconds + read + judged, f"{words}, then it is judged")
        case "label":
            slowed = 2 * (min(_SLOWED_CLIPS, n_real) * found.at_speeds)
            seconds = 2 * n_real * found.label + slowed
            return Estimate(begins + seconds, f"{n_real} clips, {_each(found.label)}, twice, and once more at other speeds")
    return None


def _synthesis(step: Step, flow: Flow, measured: Measured) -> Estimate | None:
    config: Any = step.job.config
    labelled, sounds = flow.at(config.labelled), flow.at(config.sounds_folder)
    if step.command in ("analyse", "balance"):
        if labelled is None:
            return None
        return Estimate(_BEGINS_LIGHTLY + _PICTURES, "a table, pictures and links; by experience, not measured")
    if step.command == "export":
        each, clips = measured.exporting.get(step.job.path.name), flow.at(step.folder)
        if each is None or clips is None:
            return None
        seconds = clips.n * each.seconds / at_once(joblib.cpu_count())
        return Estimate(measured.start + seconds, f"at most {clips.n} clips, {_each(each.seconds)} on a core ({each.n} exported)")
    found = measured.synthesis.get(step.job.path.name)
    if found is None or sounds is None:
        return None
    settings = config.synthesiser
    n_controls = len(config.train.controls or sounds.controls)
    n_sounds, seconds = played(step.command, config, n_controls)
    playing = n_sounds * found.beginning + seconds * found.second
    factor = f"a second of sound takes {found.second:.2g} s on a core"
    n_workers = joblib.cpu_count()
    n_checkpoints = math.ceil(settings.num_steps / settings.checkpoint)
    loudness = _LOUDNESS_SOUNDS * (found.beginning + min(4 * found.clip_seconds, 3.0) * found.second)
    training = sounds.n * found.read + settings.num_steps * found.step + n_checkpoints * (found.validation + found.picture)
    training += loudness + (playing if step.command == "train" else 0.0)
    match step.command:
        case "train":
            words = f"{settings.num_steps} steps, {_each(found.step)} ({found.n_measured} made); {factor}"
            return Estimate(measured.start + training, words)
        case "generate":
            return Estimate(measured.start + playing + n_sounds * found.picture, f"{n_sounds} sounds, {seconds:.0f} s; {factor}")
        case "linearise" | "evaluate":
            total = playing / at_once(n_workers) + _reading(seconds / found.clip_seconds, measured)
            if step.command == "evaluate" and config.evaluate:
                total += training  # with shuffled labels, to compare with
            words = f"{n_sounds} sounds, {seconds:.0f} s; {factor}, {n_workers} at a time"
            # Itself, its workers, and the labeller, which `linearise` calls twice.
            n_starts = 4 if step.command == "linearise" else 3
            return Estimate(n_starts * measured.start + _PICTURES + total, words)
    return None


def _reading(n_clips: float, measured: Measured) -> float:
    """n_clips: that the labeller reads; as fast as a network of this plan, where there is one."""
    found = next((each for each in measured.learning.values() if each), None)
    return n_clips * found.label if found else 0.0


def _steps(n_steps: int, steps: Any, processes: int) -> str:
    shared = f" in each of {processes} processes" if processes > 1 else ""
    return f"{n_steps} steps, {_each(steps.step)}{shared} ({steps.n_measured} made)"


def _each(seconds: float) -> str:
    return f"{seconds:.2f} s each" if seconds >= 0.1 else f"{1000 * seconds:.2g} ms each"
