"""Check that the output of one stage fits the next: sample rates, lengths, numbers of clips."""

from collections.abc import Iterator
from typing import Any

from texture_pipeline.doctor.findings import Finding
from texture_pipeline.doctor.flow import Flow
from texture_pipeline.doctor.plan import Plan, Step
from texturelib.costs import Clips
from texturelib.errors import TextureError
from texturelib.files import shown
from texturelib.memory import memory

_AREA = "data"


def look_at_fit(plan: Plan, flow: Flow) -> Iterator[Finding]:
    for step in plan.running():
        if step.job.stage.package == "synthetic_datasets":
            from synthetic_datasets.clip_memory import problem_with_memory

            if problem := problem_with_memory(step.job.config):  # type: ignore[arg-type]
                yield Finding(_AREA, "NO", f"{step.job.path.name}: {problem}", is_config=True)
            if step.command == "generate":
                yield from _planned(step)
    for job in plan.jobs:
        config: Any = job.config
        if any(step.job == job for step in plan.running()):
            if job.stage.package == "domain_adaptation":
                yield from _adaptation(job.path.name, config, flow)
            elif job.stage.package == "conditioned_synthesis":
                yield from _synthesis(job.path.name, config, flow)


def _planned(step: Step) -> Iterator[Finding]:
    distribution: Any = step.job.config.distribution  # type: ignore[attr-defined]
    if distribution.n_planned != distribution.n_clips:
        words = f"the distribution makes {distribution.n_planned} clips, not {distribution.n_clips}: agree with --yes"
        yield Finding(_AREA, "note", f"{step.job.path.name}: {words}")


def _adaptation(name: str, config: Any, flow: Flow) -> Iterator[Finding]:
    from domain_adaptation.data.splits import split_rows

    sets = {"synthetic": flow.at(config.synthetic), "real": flow.at(config.real)}
    synthetic, real = sets["synthetic"], sets["real"]
    if synthetic and real:
        for key in ("sample_rate", "seconds"):
            ours, theirs = getattr(real, key), getattr(synthetic, key)
            if ours != theirs:
                words = f"{name}: {key} of the real clips is {ours:g}, but the synthetic set's is {theirs:g}"
                yield Finding(_AREA, "NO", words, "make them alike", is_config=True)
    for key, clips in sets.items():
        if clips is None:
            continue
        whose = f"{name}: {key}: {shown(getattr(config, key))}"
        try:
            split_rows(clips.n, config.split, config.seed, whose)
        except TextureError as error:
            yield Finding(_AREA, "NO", str(error))
        yield from _rates(
            f"{name}: features", config.features.sample_rate, f"the {key} clips", clips
        )
    if synthetic and config.features.highest_hz > synthetic.sample_rate / 2:
        words = f"hear up to {config.features.highest_hz:g} Hz, but clips at {synthetic.sample_rate} Hz end at"
        yield Finding(_AREA, "note", f"{name}: features {words} {synthetic.sample_rate // 2} Hz")


def _synthesis(name: str, config: Any, flow: Flow) -> Iterator[Finding]:
    source = flow.at(config.exported_folder)
    if source and not (config.train.sounds or config.augment):
        yield from _rates(
            f"{name}: export", config.export.sample_rate, "the labelled clips", source
        )
    sounds = flow.at(config.sounds_folder)
    learnt = sounds if config.augment else source
    balanced = config.balance.control
    for key, names, clips in (
        ("export.controls", config.export.controls, source),
        ("train.controls", config.train.controls, learnt),
        ("balance.control", [balanced] if isinstance(balanced, str) else balanced, source),
    ):
        known = clips.controls if clips else ()
        for control in names or ():
            if clips and control not in known:
                from texturelib.nearest import did_you_mean

                words = (
                    f'{name}: {key}: no control "{control}" {did_you_mean(control, list(known))}'
                )
                yield Finding(_AREA, "NO", words, is_config=True)
    if config.augment and (recorded := flow.at(config.labelled)):
        rate = config.augment.sample_rate or recorded.sample_rate
        yield from _rates(f"{name}: augment", rate, "the recordings", recorded)
    if config.synthesiser and sounds and sounds.n_bytes > (free := memory()[1]):
        words = f"{name}: train holds all clips in memory, {sounds.n_bytes / 2**30:.1f} GiB, and {free / 2**30:.1f} are free"
        yield Finding(_AREA, "NO", words, "train on fewer, or at a lower sample_rate")
    labelled = flow.at(config.labelled)
    for key in ("linearise", "evaluate"):
        settings = getattr(config, key)
        # A labeller reads clips as long as those that it labelled.
        if (
            settings
            and config.labeller
            and config.synthesiser
            and labelled
            and settings.seconds < labelled.seconds
        ):
            words = f"{name}: {key}.seconds: {settings.seconds:g}: the labeller reads clips of {labelled.seconds:g} s"
            yield Finding(_AREA, "NO", words, "let it have so much", is_config=True)


def _rates(what: str, rate: int, whose: str, clips: Clips) -> Iterator[Finding]:
    if rate > clips.sample_rate:
        words = (
            f"{what} at {rate} Hz, above the {clips.sample_rate} Hz of {whose}: "
            "nothing is heard up there, only more is computed"
        )
        yield Finding(_AREA, "note", words)
