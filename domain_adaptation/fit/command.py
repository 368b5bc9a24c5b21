"""Compare recordings with the sounds of engines."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field, PositiveInt

from domain_adaptation.fit.statistics import Space, distances, own_spread, texture_statistics
from texturelib.audio import read_mono, write_wav
from texturelib.config import ConfigPath, StageConfig
from texturelib.dataset import Dataset, clip_at, read_dataset
from texturelib.errors import Rejected, TextureError
from texturelib.evenly import evenly_spread
from texturelib.files import shown, write_table
from texturelib.outputs import Output
from texturelib.pages import write_page
from texturelib.pictures import BLUE, GREY, ORANGE, panels, save_picture
from texturelib.progress import progress
from texturelib.sound_files import find_audio

_NEAREST = 5  # clips of a set, for each clip of a recording
_AT_THE_END = 0.05  # of the range of a control that a set covers
_FEW = 20  # clips, too few to say how far a set spreads
_COLOURS = (GREY, BLUE, ORANGE, "#2f855a", "#805ad5")


class FitConfig(StageConfig):
    """What `domain-adaptation fit` compares, from its command line."""

    recordings: ConfigPath
    """Folder of recordings."""
    synthetic: Annotated[tuple[ConfigPath, ...], Field(min_length=1)]
    """Synthetic sets, from `synthetic-datasets generate`."""
    clips_per_recording: PositiveInt = 12
    """Number of clips that are taken of each recording at most, spread evenly."""
    clips_per_set: PositiveInt = 500
    """Number of clips that are taken of each set at most, spread evenly."""


@dataclass(frozen=True)
class _Set:
    """A synthetic set. rows: the clips that are taken. places: of these. spread: see
    `own_spread`."""

    name: str
    dataset: Dataset
    rows: np.ndarray
    clips: np.ndarray

    def pressed(self, nearest: np.ndarray) -> list[str]:
        """Return at which ends of which controls the nearest clips lie. nearest: rows of the
        metadata."""
        found = []
        for control in self.dataset.description["controls"]:
            low, high = control.get("used", (0.0, 1.0))
            values = self.dataset.metadata[control["name"]].to_numpy(np.float64)[nearest]
            place = (np.median(values) - low) / max(high - low, 1e-9)
            if place < _AT_THE_END:
                found.append(f"{control['name']} at its low end")
            elif place > 1 - _AT_THE_END:
                found.append(f"{control['name']} at its high end")
        return found


def fit(config: FitConfig, output: Output) -> list[dict[str, Any]]:
    """Write fit.csv (a row per recording and set), a picture and a page with players, and return the
    rows.

    Errors: TextureError when the sets differ in the form of their clips, or no recording can be
    read.
    """
    sets = [_open(path, config.clips_per_set) for path in config.synthetic]
    first = sets[0].dataset
    for each in sets[1:]:
        form = (each.dataset.sample_rate, each.dataset.n_samples)
        if form != (first.sample_rate, first.n_samples):
            raise TextureError(
                f"--synthetic: {shown(each.dataset.folder)}: its clips have another sample rate or length than those of "
                f"{shown(first.folder)}; make them alike"
            )
    recordings, rejected = _recordings(config, first.sample_rate, first.n_samples)
    of_sets = [texture_statistics(each.clips, first.sample_rate) for each in sets]
    of_recordings = {
        name: texture_statistics(clips, first.sample_rate) for name, clips in recordings.items()
    }
    space = Space.of(np.concatenate([*of_sets, *of_recordings.values()], axis=1))
    output.begin()
    rows: list[dict[str, Any]] = []
    shown_recordings = []
    set_places = [space.places(each) for each in of_sets]
    places = {name: space.places(each) for name, each in of_recordings.items()}
    own_units = [_own_unit(each) for each in of_sets]
    for number, (name, clips) in enumerate(recordings.items()):
        own: list[dict[str, Any]] = []
        for index, each in enumerate(sets):
            apart = distances(places[name], set_places[index])
            own_space, spread = own_units[index]
            in_own = distances(
                own_space.places(of_recordings[name]), own_space.places(of_sets[index])
            )
            order = np.argsort(apart, axis=1)[:, :_NEAREST]
            own.append(
                {
                    "recording": name,
                    "set": each.name,
                    "distance": float(np.median(apart.min(axis=1))),
                    "spreads": float(np.median(in_own.min(axis=1))) / spread,
                    "pressed": "; ".join(each.pressed(each.rows[order.ravel()])),
                    "_pair": np.unravel_index(int(apart.argmin()), apart.shape),
                    "_index": index,
                }
            )
        best = min(own, key=lambda row: row["distance"])
        row_of_clip, row_of_set = best["_pair"]
        pair = {
            "recorded": (clips[row_of_clip], f"audio/{number}_recorded.wav"),
            "nearest": (sets[best["_index"]].clips[row_of_set], f"audio/{number}_nearest.wav"),
        }
        for samples, place in pair.values():
            write_wav(
                output.folder / place,
                0.5 * samples / max(1e-9, float(np.abs(samples).max())),
                first.sample_rate,
            )
        for row in own:
            row["is_best"] = row is best
            del row["_pair"], row["_index"]
        rows += own
        shown_recordings.append(
            {"name": name, "rows": own, **{key: place for key, (_, place) in pair.items()}}
        )
    import pandas as pd

    write_table(output.folder / "fit.csv", pd.DataFrame(rows).round(3))
    _picture(output.folder / "fit.png", [each.name for each in sets], set_places, places)
    write_page(
        output.folder / "index.html",
        "domain_adaptation",
        "fit.html",
        recordings=shown_recordings,
        sets=[each.name for each in sets],
        rejected=rejected,
    )
    output.finish()
    return rows


def _open(folder: Path, most: int) -> _Set:
    dataset = read_dataset(folder)
    if not dataset.controls:
        raise TextureError(
            f"--synthetic: {shown(folder)}: has no controls; it should come from synthetic-datasets generate"
        )
    if len(dataset) < _FEW:
        raise TextureError(
            f"--synthetic: {shown(folder)}: has {len(dataset)} clips; {_FEW} or more say how far a set spreads"
        )
    rows = evenly_spread(len(dataset), most)
    clips = [
        clip_at(dataset.path(row), dataset.sample_rate, dataset.n_samples, dataset.n_channels)
        for row in progress(rows, "synthetic clips", unit="clip")
    ]
    engine = (dataset.description.get("provenance") or {}).get("engine") or {}
    name = f"{engine.get('type', 'set')} ({folder.name})"
    mono = np.stack([clip if clip.ndim == 1 else clip.mean(axis=1) for clip in clips])
    return _Set(name, dataset, rows, mono)


def _recordings(
    config: FitConfig, sample_rate: int, n_samples: int
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Return the clips of each recording, and why others were left out."""
    folder = config.recordings
    paths = find_audio(folder) if folder.is_dir() else []
    if not paths:
        raise TextureError(f"{shown(folder)}: should be a folder that holds sound files")
    found: dict[str, np.ndarray] = {}
    rejected: dict[str, str] = {}
    for path in progress(paths, "recordings", unit="file"):
        name = path.relative_to(folder).as_posix()
        try:
            samples = read_mono(path, sample_rate)
        except Rejected as reason:
            rejected[name] = str(reason)
            continue
        clips = samples[: len(samples) // n_samples * n_samples].reshape(-1, n_samples)
        clips = clips[
            np.abs(clips - clips.mean(axis=1, keepdims=True)).max(axis=1, initial=0) > 1e-4
        ]
        if len(clips):
            found[name] = clips[evenly_spread(len(clips), config.clips_per_recording)]
        else:
            rejected[name] = f"has no audible clip of {n_samples / sample_rate:g} s"
    if not found:
        name, reason = next(iter(rejected.items()))
        raise TextureError(f"{shown(folder)}: no recording can be compared; {name}: {reason}")
    return found, rejected


def _own_unit(statistics: np.ndarray) -> tuple[Space, float]:
    """Return the space of a set by itself, and how far its clips lie apart in it."""
    space = Space.of(statistics)
    return space, own_spread(space.places(statistics))


def _picture(
    path: Path, names: list[str], sets: list[np.ndarray], recordings: dict[str, np.ndarray]
) -> None:
    """Draw all clips in the plane in which they differ most."""
    everything = np.concatenate([*sets, *recordings.values()])
    middle = everything.mean(axis=0)
    _, _, axes = np.linalg.svd(everything - middle, full_matrices=False)
    figure, (axis,) = panels(1, 7.0, 5.0)
    for name, places, colour in zip(names, sets, _COLOURS * len(sets), strict=False):
        x, y = ((places - middle) @ axes[:2].T).T
        axis.plot(x, y, ".", color=colour, markersize=3, alpha=0.5, label=name)
    for name, places in recordings.items():
        x, y = ((places - middle) @ axes[:2].T).T
        axis.plot(x, y, "x", markersize=5, color="black")
        axis.annotate(name, (float(np.median(x)), float(np.median(y))), fontsize=8)
    axis.set(xlabel="texture statistics, first principal component", ylabel="second")
    axis.legend(frameon=False, fontsize=8)
    save_picture(figure, path)
