"""A static page with the results of all stages: pictures, tables, players. It needs no network
and no server."""

import inspect
import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import TemplateError

from texture_pipeline.evaluation import (
    PICTURES,
    evaluation_in,
    measured_synthesiser_in,
    report_parts,
)
from texture_pipeline.stages import PAGE
from texture_pipeline.truth import HiddenTruth, hidden_truth
from texturelib.audio import read_header, read_mono
from texturelib.config import ConfigPath, StageConfig, paths_in
from texturelib.controls import Control
from texturelib.dataset import Dataset, read_dataset
from texturelib.errors import Rejected, TextureError, first_line
from texturelib.evenly import evenly_spread
from texturelib.files import link_or_copy, read_json, read_table, read_text, shown, whole_file
from texturelib.made import LIST
from texturelib.outputs import check_output, fingerprint, inputs_of
from texturelib.pages import write_page
from texturelib.progress import progress

_CLIPS_PER_CONTROL = 7
_EXAMPLES = 7


class PageConfig(StageConfig):
    """The output folders of the stages, which the page is made from."""

    title: str
    method: str
    """The adaptation method, in words."""
    synthetic: ConfigPath
    recordings: ConfigPath | None
    real: ConfigPath
    adaptation: ConfigPath
    synthesis: ConfigPath
    instruments: tuple[ConfigPath, ...]
    """The folders in which synthesisers were trained or played."""


def make_page(stages: Mapping[str, StageConfig], results: Path, title: str) -> Path:
    """Make the page, unless it is up to date, and return it: `results/page/index.html`. stages:
    the configs that were run, by name."""
    outputs = {name: config.output for name, config in stages.items()}
    played = [
        name
        for name in ("synthesis", "instrument")
        if getattr(stages.get(name), "synthesiser", None) is not None
    ]
    simulated = outputs.get("recordings")
    if simulated and not any(
        path.is_relative_to(simulated) for _, path in paths_in(stages["real"])
    ):
        simulated = None  # recordings were made, but others were used
    config = PageConfig(
        output=results / PAGE,
        title=title,
        method=_first_paragraph(stages["adaptation"].adaptation),  # type: ignore[attr-defined]
        synthetic=outputs["synthetic"],
        recordings=simulated,
        real=outputs["real"],
        adaptation=outputs["adaptation"],
        synthesis=outputs["synthesis"],
        instruments=tuple(outputs[name] for name in played),
    )
    inputs = {
        "synthetic": config.synthetic,
        "labels": config.adaptation / "labels",
        "classifier": config.adaptation / "classifier",
        "mtcrnn": config.synthesis / "mtcrnn",
        "analysis": config.synthesis / "analysis",
    }
    inputs |= {f"examples of {folder.name}": folder / "examples" for folder in config.instruments}
    if evaluation := evaluation_in(config.adaptation):
        inputs["evaluation"] = evaluation
    for folder in config.instruments:
        if measured := measured_synthesiser_in(folder):
            inputs[f"evaluation of {folder.name}"] = measured
    output = check_output(config, "texture-pipeline page", inputs=inputs, overwrite=True)
    page = output.folder / "index.html"
    print(f"\n{shown(output.folder)}: {output.why}")
    if output.is_done:
        return page
    output.begin()
    try:
        write_page(page, "texture_pipeline", "page.html", **_content(config, _Album(output.folder)))
    except (LookupError, TypeError, AttributeError, ValueError, TemplateError) as error:
        # The stages' output is not checked again: it holds some hundred numbers.
        what = f"{type(error).__name__}: {first_line(error)}"
        raise TextureError(
            f"{shown(results)}: what a stage wrote there is damaged, so it cannot be shown ({what})"
        ) from error
    output.finish()
    return page


class _Album:
    """The sounds and pictures that go with the page, copied beside it under plain names."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._clips: dict[Path, dict[str, str]] = {}
        self._names: Counter[str] = Counter()

    def _free(self, name: str) -> str:
        """Return the name, with a number from the second time on, since there may be two
        synthesisers."""
        self._names[name] += 1
        return name if self._names[name] == 1 else f"{name}_{self._names[name]}"

    def picture(self, path: Path) -> str:
        name = f"pictures/{self._free(f'{path.parent.name}_{path.stem}')}{path.suffix}"
        with whole_file(self._folder / name) as part:
            shutil.copyfile(path, part)
        return name

    def page(self, folder: Path) -> str:
        """Copy the page in a folder with everything around it, and return the copy."""
        name = self._free(folder.name)
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.name not in ("run.json", "config.json", LIST):
                link_or_copy(path, self._folder / name / path.relative_to(folder))
        return f"{name}/index.html"

    def clip(self, dataset: Dataset, index: int) -> dict[str, str]:
        """Return the sound and picture (relative paths) and the name of a clip."""
        path = dataset.path(index)
        return self._clips.get(path) or self.sound(path, dataset.clip(index), dataset.sample_rate)

    def sound(self, path: Path, samples: np.ndarray, sample_rate: int) -> dict[str, str]:
        """Return the same as `clip` for a sound. path: of a wav that holds these samples."""
        from texturelib.pictures import spectrogram_picture

        # Numbered: recordings and folders may be called anything, and a page's links should not
        # depend on it.
        stem = f"clip_{len(self._clips) + 1:03}"
        link_or_copy(path, self._folder / "sounds" / f"{stem}.wav")
        spectrogram_picture(self._folder / "sounds" / f"{stem}.png", samples, sample_rate)
        self._clips[path] = {
            "sound": f"sounds/{stem}.wav",
            "picture": f"sounds/{stem}.png",
            "name": path.stem,
        }
        return self._clips[path]


def _content(config: PageConfig, album: _Album) -> dict[str, Any]:
    steps = (_synthetic, _real, _networks, _labels, _evaluation, _synthesis, _instruments)
    content: dict[str, Any] = {"title": config.title, "is_simulated": config.recordings is not None}
    for step in progress(steps, "page", total=len(steps), unit="part"):
        content |= {step.__name__.lstrip("_"): step(config, album)}
    return content


def _synthetic(config: PageConfig, album: _Album) -> dict[str, Any]:
    from texturelib.pictures import BLUE, panels, save_picture

    dataset = read_dataset(config.synthetic)
    figure, axes = panels(len(dataset.controls))
    for axis, name in zip(axes, dataset.controls, strict=False):
        axis.hist(dataset.metadata[name], bins=20, color=BLUE)
        axis.set(xlabel=f"{name} (slider)", xlim=(0, 1))
    axes[0].set_ylabel("clips")
    save_picture(figure, config.output / "pictures" / "synthetic_controls.png")
    controls = [
        {**control, "used_physical": _physical_range(control)}
        for control in dataset.description["controls"]
    ]
    return {
        "description": dataset.description,
        "controls": controls,
        "histograms": "pictures/synthetic_controls.png",
        "clips": [album.clip(dataset, index) for index in evenly_spread(len(dataset), _EXAMPLES)],
    }


def _real(config: PageConfig, album: _Album) -> dict[str, Any]:
    dataset = read_dataset(config.real)
    sources = dataset.metadata["source"]
    rejected = read_table(config.real / "rejected.csv")
    return {
        "description": dataset.description,
        "longest_sources": sources.value_counts().head(12).to_dict(),
        "n_sources": sources.nunique(),
        "rejected": rejected.head(20).to_dict("records"),
        "n_rejected": len(rejected),
        "overview": album.picture(config.real / "overview.png"),
        "clips": [album.clip(dataset, index) for index in evenly_spread(len(dataset), _EXAMPLES)],
    }


def _networks(config: PageConfig, album: _Album) -> dict[str, Any]:
    folders = {name: config.adaptation / name for name in ("extractor", "classifier", "adapted")}
    return {
        "metrics": {name: read_json(folder / "metrics.json") for name, folder in folders.items()},
        "loss_plots": {
            name: album.picture(folder / "loss.png")
            for name, folder in folders.items()
            if (folder / "loss.png").exists()
        },
        "method_in_words": config.method,
        "test_plot": album.picture(folders["extractor"] / "test_clips.png"),
    }


def _labels(config: PageConfig, album: _Album) -> dict[str, Any]:
    folder = config.adaptation / "labels"
    dataset = read_dataset(folder)
    truth = hidden_truth(folder, config.recordings) if config.recordings else None
    if truth and not truth.controls:
        truth = None  # the labelled controls are fixed in the recordings
    by_control = {}
    for name in dataset.controls:
        order = dataset.metadata[name].to_numpy().argsort(kind="stable")
        chosen = [int(order[place]) for place in evenly_spread(len(order), _CLIPS_PER_CONTROL)]
        by_control[name] = [
            {
                **album.clip(dataset, index),
                "label": _label_in_words(dataset.metadata.iloc[index], name),
            }
            for index in chosen
        ]
    summary = read_json(folder / "summary.json")
    slopes = summary["slow_down"]["slopes"]
    return {
        "summary": summary,
        "slopes": slopes,
        "steepest": max(slopes, key=lambda name: abs(slopes[name]["by_the_law"]), default=None),
        "slow_down": album.picture(folder / "slow_down.png") if slopes else None,
        "distributions": album.picture(folder / "distributions.png"),
        "by_source": album.picture(folder / "by_source.png"),
        "by_control": by_control,
        "errors": truth.errors() if truth else None,
        "truth_plot": _truth_plot(truth, config.output) if truth else None,
    }


def _label_in_words(row: Mapping[str, Any], control: str) -> str:
    """Return a label in words. row: of the labels' table."""
    interval = row.get(f"{control}_interval")
    return f"{row[control]:.3f}" + ("" if interval is None else f" ± {interval:.2f}")


def _truth_plot(truth: HiddenTruth, page: Path) -> str:
    from texturelib.pictures import BLUE, GREY, ORANGE, panels, save_picture

    figure, axes = panels(len(truth.controls))
    for index, (axis, name) in enumerate(zip(axes, truth.controls, strict=False)):
        for labels, colour, when in ((truth.before, GREY, "before"), (truth.after, BLUE, "after")):
            axis.plot(
                truth.truth[:, index],
                labels[:, index],
                ".",
                color=colour,
                markersize=3,
                alpha=0.5,
                label=when,
            )
        ends = [truth.truth[:, index].min(), truth.truth[:, index].max()]
        axis.plot(ends, ends, color=ORANGE, linewidth=1.5, label="right")
        axis.set(xlabel=f"true {name}")
    axes[0].set_ylabel("label")
    axes[0].legend(frameon=False, fontsize=8, markerscale=3)
    save_picture(figure, page / "pictures" / "hidden_truth.png")
    return "pictures/hidden_truth.png"


def _evaluation(config: PageConfig, album: _Album) -> dict[str, Any] | None:
    folder = evaluation_in(config.adaptation)
    if folder is None:
        return None
    made_from = inputs_of(folder)
    inputs = (
        ("synthetic clips", config.synthetic, made_from.get("synthetic")),
        ("recorded clips", config.real, made_from.get("real")),
    )
    return {
        "parts": report_parts(read_text(folder / "report.md")),
        "pictures": {
            name: album.picture(folder / name) for name in PICTURES if (folder / name).exists()
        },
        "changed_since": [
            words for words, path, then in inputs if then and then != fingerprint(path)
        ],
    }


def _synthesis(config: PageConfig, album: _Album) -> dict[str, Any]:
    folder = config.synthesis
    parameter_files = sorted((folder / "mtcrnn").rglob("*.params"))
    return {
        "statistics": read_json(folder / "analysis" / "statistics.json"),
        "balance": read_json(folder / "balanced" / "balance.json"),
        "pictures": [
            album.picture(path)
            for name in ("analysis", "balanced")
            for path in sorted((folder / name).glob("*.png"))
        ],
        "n_exported": len(parameter_files),
        "example": read_text(parameter_files[0]),
        "example_name": parameter_files[0].name,
    }


def _instruments(config: PageConfig, album: _Album) -> list[dict[str, Any]]:
    return [_instrument(folder, album) for folder in config.instruments]


def _instrument(folder: Path, album: _Album) -> dict[str, Any]:
    model, examples = folder / "synthesiser", folder / "examples"
    sounds: dict[str, list[dict[str, str]]] = {}
    for row in read_table(examples / "examples.csv", ("file_name", "control")).to_dict("records"):
        moves = row["begins_at"] != row["ends_at"]
        label = (
            f"{row['begins_at']:.2f} to {row['ends_at']:.2f}"
            if moves
            else f"{row['begins_at']:.2f}"
        )
        path = examples / Path(row["file_name"]).name
        clip = album.sound(path, *_read(path))
        sounds.setdefault(row["control"], []).append({**clip, "label": label})
    measured = measured_synthesiser_in(folder)
    return {
        "settings": read_json(model / "config.json")["synthesiser"],
        "is_linear": (folder / "instrument").exists(),
        "metrics": read_json(model / "metrics.json"),
        "loss_plot": album.picture(model / "loss.png"),
        "sounds": sounds,
        "evaluation": album.page(measured) if measured else None,
    }


def _read(wav: Path) -> tuple[np.ndarray, int]:
    """Return the samples and their sample rate. Errors: TextureError."""
    try:
        rate = read_header(wav).sample_rate
        return read_mono(wav, rate), rate
    except Rejected as reason:
        raise TextureError(f"{shown(wav)}: {reason}") from None


def _first_paragraph(documented: object) -> str:
    return " ".join((inspect.getdoc(type(documented)) or "").split("\n\n")[0].split())


def _physical_range(control: Mapping[str, Any]) -> list[float]:
    return Control.from_description(control).to_physical(np.array(control["used"])).tolist()
