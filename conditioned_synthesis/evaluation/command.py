"""Evaluate a synthesiser beside others, real clips and noise: does it follow its controls, and does
it sound like the clips?"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from conditioned_synthesis.config import SynthesisConfig
from conditioned_synthesis.data.clips import Sounds, read_sounds
from conditioned_synthesis.evaluation.control_metrics import Following, following
from conditioned_synthesis.evaluation.held_out import HeldOut
from conditioned_synthesis.evaluation.judges.embedding import EmbeddingNetwork
from conditioned_synthesis.evaluation.labeller import Labeller, on_slider
from conditioned_synthesis.evaluation.law_labeller import comparable_below_hz
from conditioned_synthesis.evaluation.levels import ClipLevels
from conditioned_synthesis.evaluation.page import choose_sounds, write_evaluation_page
from conditioned_synthesis.evaluation.plots import plot_target_measured
from conditioned_synthesis.evaluation.readers import Readers
from conditioned_synthesis.evaluation.realism import HALVES, HELD_OUT, NOISE, Realism
from conditioned_synthesis.evaluation.render import (
    Place,
    grid,
    play_set,
    real_time_factor,
    targets_at,
)
from conditioned_synthesis.evaluation.results import Evaluation, Measured, Points
from conditioned_synthesis.instrument.instrument import Instrument, load_instrument, new_instrument
from conditioned_synthesis.training.command import train
from texturelib.controls import Control
from texturelib.errors import TextureError, UsageError
from texturelib.files import read_json, shown, write_json, write_table, write_text
from texturelib.made import remove_all_ours
from texturelib.outputs import Output, check_output
from texturelib.sound_files import find_audio

if TYPE_CHECKING:
    import pandas as pd


def evaluate(
    config: SynthesisConfig,
    output: Output,
    labeller: Labeller | None,
    workers: int | None = None,
) -> Evaluation:
    """Write evaluation.csv, .md and .json, target_measured.png, index.html and sounds for it into
    `output`. labeller: None: what the controls do is read by their laws alone.

    The slow parts, the sounds and the synthesiser with shuffled labels, are kept when the command
    is stopped. Errors: UsageError when the settings do not fit one another; TextureError about a
    file.
    """
    settings = config.wanted_evaluate()
    instruments = _instruments(config)
    spec = instruments["synthesiser"].spec
    sounds = _sounds(config, instruments["synthesiser"])
    held = HeldOut.of(sounds, spec.synthesiser.validation, config.train.seed, settings.clips)
    readers = Readers.of(
        labeller,
        sounds,
        held.trained,
        comparable_below_hz(config.sounds_folder),
        settings.seconds,
        "evaluate.seconds",
    )
    _check_others(instruments, sounds.controls)
    judge = EmbeddingNetwork(settings.embedding) if settings.embedding else None
    realism = Realism(held, judge)  # which tries the judge before anything long begins
    notes = [*readers.notes, *realism.notes]
    if held.seconds < readers.first.seconds:
        notes.append(
            f"{readers.first.name} reads clips of {readers.first.seconds:g} s, longer than these: there are no errors on "
            "held-out clips"
        )
    output.begin()
    if settings.baselines:
        twin = _shuffled_twin(config)
        if any(True for _ in twin.network.parameters()):  # else there is nothing to train
            instruments["untrained"] = new_instrument(spec, config.train.seed)
        instruments["labels shuffled"] = twin

    played = output.folder / "played"
    places: dict[str, dict[str, Place]] = {}
    for name, instrument in instruments.items():
        places[name] = grid(instrument.spec, settings.values, settings.seeds)
        targets = {key: targets_at(place, settings.seconds) for key, place in places[name].items()}
        play_set(
            instrument,
            targets | held.targets_of(instrument),
            played / name,
            f"playing {name}",
            config.executor,
            workers,
        )
    held.write(played)
    read = {}
    for reader in filter(None, (readers.labeller, readers.law)):
        print(
            f"{shown(output.folder)}: reading {len(find_audio(played))} sounds with {reader.name}",
            flush=True,
        )
        read[reader.name] = reader.read_as(sounds.controls, played)

    varying = tuple(
        control
        for control, (low, high) in zip(sounds.controls, sounds.ranges(), strict=True)
        if low < high
    )
    levels = ClipLevels(sounds)
    points: Points = {control.name: {} for control in varying}
    measured = []
    for name in [*instruments, HELD_OUT, NOISE]:
        instrument = instruments.get(name)
        follows: dict[str, dict[str, Following]] = {}
        for reader, labels in read.items():
            own = _points(varying, instrument, places.get(name, {}), labels, name)
            follows[reader] = {
                control: following(control, target, of_all)
                for control, (target, of_all) in own.items()
            }
            if reader == readers.first.name:
                for control, (target, of_all) in own.items():
                    points[control][name] = target, of_all[control]
        measured.append(
            Measured(
                name,
                follows,
                {reader: held.errors(labels, name) for reader, labels in read.items()},
                realism.of(played, name),
                held.louder(played, name) if instrument else math.nan,
                levels.largest_deviations(instrument, places[name], played / name)
                if instrument
                else {},
                real_time_factor(instrument, settings.seconds) if instrument else math.nan,
            )
        )
    measured.insert(-1, Measured(HALVES, real=realism.of_halves()))
    found = Evaluation(varying, measured, points, len(held.rows), held.seconds, notes, tuple(read))
    _write(found, output, played, places, held, config)
    remove_all_ours(played)
    output.finish()
    return found


def _instruments(config: SynthesisConfig) -> dict[str, Instrument]:
    """Return the instruments that are already in a folder, by name.

    Errors: TextureError when one is not.
    """
    folders = {"synthesiser": config.synthesiser_folder}
    if config.linearise:
        folders["linearised"] = config.linearised_folder
    instruments = {name: load_instrument(folder) for name, folder in folders.items()}
    for name, folder in config.wanted_evaluate().also.items():
        try:
            instruments[name] = load_instrument(folder)
        except TextureError as error:
            raise UsageError(f"evaluate.also.{name}: {error}") from None
    return instruments


def _sounds(config: SynthesisConfig, instrument: Instrument) -> Sounds:
    """Return the sounds that the instrument was trained on.

    Errors: UsageError when the config differs from what it was trained with.
    """
    folder = config.synthesiser_folder
    trained, wanted = read_json(folder / "config.json"), config.wanted_synthesiser()
    try:
        seed, n_clips = (
            trained["train"]["seed"],
            sum(read_json(folder / "metrics.json")["n_clips"].values()),
        )
    except (KeyError, TypeError, AttributeError):
        raise TextureError(
            f'{shown(folder)}: its config.json or metrics.json is damaged; run "conditioned-synthesis train" anew'
        ) from None
    if instrument.spec.synthesiser != wanted or seed != config.train.seed:
        raise UsageError(
            f'synthesiser: {shown(folder)} was trained with other settings; run "conditioned-synthesis train" anew'
        )
    sounds = read_sounds(config.sounds_folder, instrument.spec.names, wanted.channels_learnt)
    if len(sounds) != n_clips:
        raise UsageError(
            f"{shown(config.sounds_folder)}: holds {len(sounds)} clips, but {shown(folder)} learnt from {n_clips}"
        )
    return sounds


def _check_others(instruments: Mapping[str, Instrument], controls: Sequence[Control]) -> None:
    names = {control.name for control in controls}
    for name, instrument in instruments.items():
        if not names & set(instrument.spec.names):
            own = ", ".join(instrument.spec.names) or "no controls"
            raise UsageError(
                f"evaluate.also.{name}: is played with {own}, but the synthesiser with "
                f"{', '.join(control.name for control in controls)}"
            )


def _shuffled_twin(config: SynthesisConfig) -> Instrument:
    """Return the same synthesiser, trained on the same clips, each with another's labels.

    Where nothing changed, the twin of an earlier run is returned.
    """
    output = check_output(
        config,
        "conditioned-synthesis evaluate",
        folder=config.shuffled_folder,
        only={"train", "synthesiser", "compute"},
        inputs={"sounds": config.sounds_folder},
        overwrite=True,
    )
    if not output.is_done:
        print(
            f"{shown(output.folder)}: training the same synthesiser on shuffled labels ({output.why})",
            flush=True,
        )
        train(config, output, labels_shuffled=True)
    return load_instrument(output.folder)


def _points(
    controls: Sequence[Control],
    instrument: Instrument | None,
    places: Mapping[str, Place],
    labels: "pd.DataFrame",
    name: str,
) -> dict[str, tuple[np.ndarray, dict[str, np.ndarray]]]:
    """Return, by control, the target values of the grid's sounds in which it moves, and the measured
    values of all controls; without those that an instrument lacks, or that nobody read."""
    found = {}
    if instrument is None:
        return found
    for control in controls:
        target, of_all = _target_and_measured(control, instrument, places, labels, name)
        if len(target) and control.name in of_all:
            found[control.name] = target, of_all
    return found


def _target_and_measured(
    control: Control,
    instrument: Instrument,
    places: Mapping[str, Place],
    labels: "pd.DataFrame",
    name: str,
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return target and measured values of the grid's sounds in which this control moves.

    Returns: the target values; the measured values by control.
    """
    of_control = {key: place for key, place in places.items() if place.control == control.name}
    values = np.array([place.value for place in of_control.values()])
    own = {
        slider.name: Control.from_description(slider.control) for slider in instrument.spec.sliders
    }
    target = on_slider(control, own[control.name], values) if of_control else values
    found = labels.reindex([f"{name}/{key}.wav" for key in of_control])
    return target, {str(other): found[other].to_numpy() for other in found.columns}


def _write(
    found: Evaluation,
    output: Output,
    played: Path,
    places: Mapping[str, Mapping[str, Place]],
    held: HeldOut,
    config: SynthesisConfig,
) -> None:
    import pandas as pd

    folder = output.folder
    write_table(folder / "evaluation.csv", pd.DataFrame(found.rows()))
    write_text(folder / "evaluation.md", found.markdown() + "\n")
    content = {
        "settings": config.wanted_evaluate().model_dump(mode="json", exclude={"also"}),
        "n_held_out_clips": found.n_clips,
        "clip_seconds": found.clip_seconds,
        "read_by": list(found.read_by),
        "controls": [control.describe() for control in found.controls],
        "rows": [{key: _number(value) for key, value in row.items()} for row in found.rows()],
        "notes": found.notes,
    }
    write_json(folder / "evaluation.json", content)
    shown_points = {
        control: of_control for control, of_control in found.points.items() if of_control
    }
    if shown_points:
        plot_target_measured(
            folder / "target_measured.png", shown_points, [each.name for each in found.measured]
        )
    chosen = choose_sounds(played, folder / "sounds", found, places, held.controls)
    write_evaluation_page(
        folder / "index.html",
        found,
        chosen,
        has_plot=bool(shown_points),
        settings=config.wanted_evaluate(),
    )


def _number(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
