"""Measure the time of augmenting: a few clips made of a few others."""

from dataclasses import replace

import numpy as np

from conditioned_synthesis.augmentation.command import clip_of, form_of, plan_clips, table_of
from conditioned_synthesis.augmentation.draws import Draw, Draws
from conditioned_synthesis.augmentation.examine import Examined
from conditioned_synthesis.augmentation.labels import labels_of
from conditioned_synthesis.augmentation.parts import divided
from conditioned_synthesis.augmentation.render import write_clip
from conditioned_synthesis.config import SynthesisConfig
from texture_pipeline.doctor.scratch import FEW, Each, Scratch, seconds_of_each
from texturelib.dataset import read_dataset, write_dataset
from texturelib.errors import Rejected

_MOST_SECONDS = 2.5


def rehearse_augment(config: SynthesisConfig, scratch: Scratch) -> Each | None:
    """Measure the augmentation; None where there are no clips to try it on, or too few of them.

    Errors: TextureError as the command would end with it.
    """
    labelled = scratch.stand_in(config.labelled)
    if labelled is None:
        return None
    few = read_dataset(labelled)
    # As if they followed one another in one recording.
    one = few.metadata.assign(source="recording", start_seconds=np.arange(len(few)) * few.seconds)
    dataset = replace(few, metadata=one.drop(columns="split", errors="ignore"))
    settings = config.wanted_augment().model_copy(update={"n_clips": FEW})
    plan = plan_clips(dataset, settings)
    if not plan.recordings:
        return None
    parts = divided(plan.recordings, {}, settings.held_out, plan.shortest, settings.seed)
    labels = labels_of(dataset, settings)
    examined = Examined({"recording": dataset.sample_rate / 2}, {})
    form = form_of(plan, settings, examined)
    folder = scratch.new("augmented")
    made: dict[str, Draw] = {}
    outcomes: dict[str, dict[str, float]] = {}

    def work(numbered: tuple[int, Draw]) -> None:
        name = f"clip_{numbered[0]}"
        try:
            clip = clip_of(dataset, numbered[1], name, examined)
            outcomes[name] = write_clip(form, 1.0, folder, clip)
        except Rejected:
            return
        made[name] = numbered[1]

    draws = [draw for draw in Draws(settings, parts, labels, plan.samples_at_speed_1) if draw]
    if not draws:
        return None
    each = seconds_of_each(enumerate(draws), work, _MOST_SECONDS)
    if made:
        write_dataset(
            folder,
            table_of(dataset, labels, made, outcomes),
            sample_rate=plan.sample_rate,
            seconds=plan.seconds,
            n_channels=plan.n_channels,
            controls=[control.describe() for control in labels.controls],
        )
        scratch.put(config.augmented_folder, folder)
    return each
