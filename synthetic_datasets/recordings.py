"""Simulated field recordings: an engine's sound in a room, through a microphone, with background
noise.

They stand in for real recordings where none are at hand, and they can do what real ones cannot:
their true controls are known. These are kept in hidden_controls.csv, apart from the sound, so that
no training reads them by accident.
"""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy import signal

from synthetic_datasets.colour import noise_below, root_mean_square, tilt
from synthetic_datasets.config import LocationsConfig, RecordingsConfig
from synthetic_datasets.engines import Render
from synthetic_datasets.level import UNITY
from synthetic_datasets.rendering import render_all
from texturelib.audio import write_wav
from texturelib.dataset import versions
from texturelib.errors import TextureError
from texturelib.files import write_json, write_table
from texturelib.jobs import rejected_of
from texturelib.outputs import Output

_PEAK = 0.7  # of every recording: a careful recordist's headroom


def simulate_recordings(
    config: RecordingsConfig, output: Output, *, workers: int | None = None
) -> int:
    """Write `output`: recordings/*.wav, hidden_controls.csv, locations.csv. -> how many recordings
    there are then."""
    import pandas as pd

    takes = {
        f"location_{location:02}_take_{take:03}.wav": (location, take)
        for location in range(1, config.n_locations + 1)
        for take in range(1, config.takes_per_location + 1)
    }
    work = partial(record_take, config, output.folder)
    truth, made_by = render_all(config, output, takes, work, label="recording", workers=workers)
    for name, reason in rejected_of(truth).items():
        raise TextureError(f"{name}: {reason}; the same command tries it again")
    rows = [{"file_name": name, **truth[name]} for name in takes]
    places = [
        {"location": n, **_draw_location(config, n), **_draw_varied(config, n)}
        for n in range(1, config.n_locations + 1)
    ]
    write_table(output.folder / "locations.csv", pd.DataFrame(places))
    write_table(output.folder / "hidden_controls.csv", pd.DataFrame(rows))
    write_json(
        output.folder / "recordings.json",
        {
            "kind": "simulated",
            "n_recordings": len(takes),
            "seconds": config.seconds,
            "versions": {**versions("scipy"), **made_by},
        },
    )
    output.finish(discard=("journal.jsonl",))
    return len(takes)


def record_take(
    config: RecordingsConfig, folder: Path, render: Render, location_and_take: tuple[int, int]
) -> dict[str, float]:
    """Write one take. -> its true controls."""
    location, take = location_and_take
    rng = np.random.default_rng([config.seed, location, take])
    controls = {
        name: round(float(rng.uniform(*setting)), 3) if isinstance(setting, tuple) else setting
        for name, setting in config.engine.controls.items()
    }
    dry = render(controls | _draw_varied(config, location), UNITY, rng).astype(np.float64)
    place = _draw_location(config, location)
    # The room is the same for every take at a location, so its noise comes from the location alone.
    response = _room_response(
        place, config.sample_rate, np.random.default_rng([config.seed, location, 0, 1])
    )
    wet = signal.fftconvolve(dry, response)[: len(dry)]
    tilted = tilt(wet, place["tilt_db_per_octave"], config.sample_rate)
    samples = tilted + noise_below(
        tilted, place["noise_level_db"], place["noise_slope_db_per_octave"], config.sample_rate, rng
    )
    write_wav(
        folder / "recordings" / f"location_{location:02}_take_{take:03}.wav",
        _PEAK * samples / np.abs(samples).max(),
        config.sample_rate,
    )
    return {
        name: controls[name]
        for name, setting in config.engine.controls.items()
        if isinstance(setting, tuple)
    }


def _draw_location(config: RecordingsConfig, location: int) -> dict[str, float]:
    rng = np.random.default_rng([config.seed, location, 0])
    return {
        name: round(float(rng.uniform(*getattr(config.locations, name))), 3)
        for name in LocationsConfig.model_fields
    }


def _draw_varied(config: RecordingsConfig, location: int) -> dict[str, float]:
    """Return the location's values of the parameters in `vary`, the same for all of its takes, like
    its room."""
    # Apart from the place's own stream, [seed, location, 0], and its room's, [seed, location, 0,
    # 1].
    return config.engine.draw_varied([config.seed, location, 0, 2])


def _room_response(place: dict[str, Any], sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """Return an impulse response: the direct sound, then noise that dies away, its highs faster
    than its lows.

    The usual statistical picture of late reverberation (J. A. Moorer, "About this reverberation
    business", Computer Music Journal 3(2), 1979).
    """
    n_samples = int(place["reverberation_seconds"] * sample_rate)
    seconds = np.arange(n_samples) / sample_rate
    decay = np.log(1000) / place["reverberation_seconds"]
    bright = rng.standard_normal(n_samples) * np.exp(-2 * decay * seconds)
    dark = tilt(rng.standard_normal(n_samples), -3.0, sample_rate) * np.exp(-decay * seconds)
    tail = bright / root_mean_square(bright) + dark / root_mean_square(dark)
    tail[: int(0.004 * sample_rate)] = 0.0  # the first wall is over a metre away
    response = tail * 10 ** (place["room_level_db"] / 20) / np.sqrt(np.sum(tail**2))
    response[0] = 1.0
    return response
