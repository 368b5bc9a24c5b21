"""Make the page: from which folders, and whether it is up to date."""

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import TemplateError

from texture_pipeline.page.album import Album
from texture_pipeline.page.config import PageConfig
from texture_pipeline.page.evaluation import evaluation_in, measured_synthesiser_in
from texture_pipeline.page.heard import heard
from texture_pipeline.page.instruments import instruments
from texture_pipeline.page.labels import evaluation, labels, networks, synthesis
from texture_pipeline.page.recordings import real, synthetic
from texture_pipeline.stages import PAGE, SYNTHESISERS
from texturelib.config import StageConfig, paths_in
from texturelib.errors import TextureError, first_line
from texturelib.files import shown
from texturelib.outputs import check_output
from texturelib.pages import write_page
from texturelib.progress import progress

_PARTS = (synthetic, real, networks, labels, evaluation, synthesis, heard, instruments)


def make_page(stages: Mapping[str, StageConfig], results: Path, title: str) -> Path:
    """Make the page, unless it is up to date, and return it: `results/page/index.html`. stages:
    the configs that were run, by name."""
    config = _page_of(stages, results, title)
    inputs = _inputs(config)
    output = check_output(config, "texture-pipeline page", inputs=inputs, overwrite=True)
    page = output.folder / "index.html"
    print(f"\n{shown(output.folder)}: {output.why}")
    if output.is_done:
        return page
    output.begin()
    try:
        write_page(page, "texture_pipeline", "page.html", **_content(config, Album(output.folder)))
    except (LookupError, TypeError, AttributeError, ValueError, TemplateError) as error:
        # The stages' output is not checked again: it holds some hundred numbers.
        what = f"{type(error).__name__}: {first_line(error)}"
        raise TextureError(
            f"{shown(results)}: what a stage wrote there is damaged, so it cannot be shown ({what})"
        ) from error
    output.finish()
    return page


def _page_of(stages: Mapping[str, StageConfig], results: Path, title: str) -> PageConfig:
    outputs = {name: config.output for name, config in stages.items()}
    simulated = outputs.get("recordings")
    if simulated and not any(
        path.is_relative_to(simulated) for _, path in paths_in(stages["real"])
    ):
        simulated = None  # recordings were made, but others were used
    adaptation: Any = stages.get("adaptation")
    synthesisers = {name: stages[name] for name in SYNTHESISERS if name in stages}
    return PageConfig(
        output=results / PAGE,
        title=title,
        method=_first_paragraph(adaptation.adaptation) if adaptation else None,
        synthetic=outputs.get("synthetic"),
        recordings=simulated,
        real=outputs.get("real"),
        adaptation=outputs.get("adaptation"),
        synthesis=outputs.get("synthesis"),
        augmented=next(filter(None, map(_augmented, synthesisers.values())), None),
        instruments=tuple(
            config.output
            for config in synthesisers.values()
            if getattr(config, "synthesiser", None) is not None
        ),
    )


def _augmented(config: Any) -> Path | None:
    return config.output / "augmented" if getattr(config, "augment", None) else None


def _inputs(config: PageConfig) -> dict[str, Path]:
    """Return the folders that the page shows, by name."""
    inputs: dict[str, Path | None] = {
        "synthetic": config.synthetic,
        # The labels' fingerprint covers the clips that were labelled.
        "real": None if config.adaptation else config.real,
        "augmented": config.augmented,
    }
    if config.adaptation:
        inputs["labels"] = config.adaptation / "labels"
        inputs["classifier"] = config.adaptation / "classifier"
        inputs["evaluation"] = evaluation_in(config.adaptation)
    if config.synthesis:
        inputs["mtcrnn"] = config.synthesis / "mtcrnn"
        inputs["analysis"] = config.synthesis / "analysis"
    for folder in config.instruments:
        inputs[f"examples of {folder.name}"] = folder / "examples"
        inputs[f"evaluation of {folder.name}"] = measured_synthesiser_in(folder)
    return {name: path for name, path in inputs.items() if path}


def _content(config: PageConfig, album: Album) -> dict[str, Any]:
    content: dict[str, Any] = {"title": config.title, "is_simulated": config.recordings is not None}
    for part in progress(_PARTS, "page", total=len(_PARTS), unit="part"):
        content[part.__name__] = part(config, album)
    return content


def _first_paragraph(documented: object) -> str:
    return " ".join((inspect.getdoc(type(documented)) or "").split("\n\n")[0].split())
