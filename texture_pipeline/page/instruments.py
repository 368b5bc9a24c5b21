"""The page's part on the synthesisers: what each slider does, to be heard, and how well the sound
follows it."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from texture_pipeline.page.album import Album
from texture_pipeline.page.config import PageConfig
from texture_pipeline.page.evaluation import measured_synthesiser_in
from texture_pipeline.page.heard import heard_in, note_on
from texturelib.controls import Control, three_figures
from texturelib.dataset import read_dataset
from texturelib.files import read_json, read_table

_FOLLOWED, _SOMEWHAT = 0.9, 0.5  # rank correlations


def instruments(config: PageConfig, album: Album) -> list[dict[str, Any]]:
    controls, rows = _controls(config), heard_in(config.augmented)
    found = [_instrument(folder, controls, album) for folder in config.instruments]
    for slider in (slider for instrument in found for slider in instrument["sliders"]):
        control = slider["control"]
        slider["note"] = note_on(control, rows) if control else None
    return found


def _controls(config: PageConfig) -> dict[str, Control]:
    """Return the controls of the sets that synthesisers learn from, by name."""
    found: dict[str, Control] = {}
    labelled = config.adaptation / "labels" if config.adaptation else None
    for folder in (labelled, config.augmented):
        for description in read_dataset(folder).description["controls"] if folder else ():
            control = Control.from_description(description)
            found[control.name] = control
    return found


def _instrument(folder: Path, controls: Mapping[str, Control], album: Album) -> dict[str, Any]:
    model, examples = folder / "synthesiser", folder / "examples"
    evaluation = measured_synthesiser_in(folder)
    rows = read_table(examples / "examples.csv", ("file_name", "control")).to_dict("records")
    sliders = {
        name: {"name": name, "control": controls.get(name), "clips": []}
        for name in dict.fromkeys(str(row["control"]) for row in rows)
    }
    for row in rows:
        name = str(row["control"])
        clip = album.sound(examples / Path(row["file_name"]).name)
        ends = row["begins_at"], row["ends_at"]
        label = _in_words(controls.get(name), ends) if name else "no control varies"
        sliders[name]["clips"].append({**clip, "label": label})
    loss_plot, played = model / "loss.png", examples / "play.html"
    return {
        "folder": folder.name,
        "settings": read_json(model / "config.json")["synthesiser"],
        "is_linear": (folder / "instrument").exists(),
        "metrics": read_json(model / "metrics.json"),
        "played": album.copy(played, f"play_{folder.name}.html") if played.exists() else None,
        "loss_plot": album.picture(loss_plot) if loss_plot.exists() else None,
        "sliders": list(sliders.values()),
        "measured": measured(evaluation) if evaluation else [],
        "evaluation": album.page(evaluation) if evaluation else None,
    }


def measured(evaluation: Path) -> list[dict[str, str]]:
    """Return what was measured of the synthesiser that is played, by control, in words.

    evaluation: the folder of `conditioned-synthesis evaluate`.
    """
    rows = read_json(evaluation / "evaluation.json")["rows"]
    names = {row["synthesiser"] for row in rows}
    played = "linearised" if "linearised" in names else "synthesiser"
    return [_row(row) for row in rows if row["synthesiser"] == played]


def _row(row: Mapping[str, Any]) -> dict[str, str]:
    word = _word(row["rho"])
    leaks = f"{row['leakage']:.2f} into {row['leaks_into']}" if row["leaks_into"] else ""
    numbers = {key: "" if row[key] is None else f"{row[key]:.2f}" for key in ("rho", "r2", "error")}
    mark = {"followed": "followed", "followed somewhat": "somewhat"}.get(word, "not")
    return {"control": row["control"], "word": word, "mark": mark, "leakage": leaks, **numbers}


def _word(rho: float | None) -> str:
    """Return a word for a rank correlation of what was asked and what was measured.

    >>> _word(0.97), _word(0.6), _word(-0.7), _word(None)
    ('followed', 'followed somewhat', 'backwards', 'not measured')
    """
    if rho is None:
        return "not measured"
    if rho <= -_SOMEWHAT:
        return "backwards"
    if rho >= _FOLLOWED:
        return "followed"
    return "followed somewhat" if rho >= _SOMEWHAT else "not followed"


def _in_words(control: Control | None, ends: Iterable[float]) -> str:
    """Return what a sound was played with, in the control's unit; as slider values where the
    control is not known.

    >>> _in_words(Control("size", 0.5, 2.0, "x", "exponential"), (0.5, 0.5))
    '1 x'
    >>> _in_words(None, (0.0, 1.0))
    '0.00 to 1.00'
    """
    begin, end = ends
    if control is None:
        return f"{begin:.2f}" if begin == end else f"{begin:.2f} to {end:.2f}"
    first, last = (three_figures(float(control.to_physical(each))) for each in (begin, end))
    return f"{first} {control.unit}" if begin == end else f"{first} to {last} {control.unit}"
