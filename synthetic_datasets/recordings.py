"""Simulated field recordings: an engine's sound in a room, through a microphone, with background noise.

They stand in for real recordings where none are at hand, and they can do what real ones cannot: their true controls are
known. These are kept in hidden_controls.csv, apart from the sound, so that no training reads them by accident.
"""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy import signal

from synthetic_datasets.config import LocationsConfig, RecordingsConfig
from texturelib.audio import write_wav
from texturelib.dataset import versions
from texturelib.files import write_json, write_table
from texturelib.jobs import run_jobs
from texturelib.outputs import Output

_PEAK = 0.7  # of every recording: a careful recordist's headroom


def simulate_recordings(config: RecordingsConfig, output: Output, *, workers: int | None = None) -> int:
    """Write `output`: recordings/*.wav, hidden_controls.csv, locations.csv. -> how many recordings there are then."""
    import pandas as pd

    takes = {
        f"location_{location:02}_take_{take:03}.wav": (location, take)
        for location in range(1, config.n_locations + 1)
        for take in range(1, config.takes_per_location + 1)
    }
    output.begin()
    journal = output.folder / "journal.jsonl"
    truth = run_jobs(takes, partial(_record, config, output.folder), journal, label="recording", workers=workers)
    rows = [{"file_name": name, **truth[name]} for name in takes]
    places = [{"location": n, **_draw_location(config, n)} for n in range(1, config.n_locations + 1)]
    write_table(output.folder / "locations.csv", pd.DataFrame(places))
    write_table(output.folder / "hidden_controls.csv", pd.DataFrame(rows))
    write_json(
        output.folder / "recordings.json",
        {"kind": "simulated", "n_recordings": len(takes), "seconds": config.seconds, "versions": versions("numba", "scipy")},
    )
    journal.unlink()
    output.finish()
    return len(takes)


def _record(config: RecordingsConfig, folder: Path, location_and_take: tuple[int, int]) -> dict[str, float]:
    """Write one take. -> its true controls."""
    location, take = location_and_take
    rng = np.random.default_rng([config.seed, location, take])
    controls = {
        name: round(float(rng.uniform(*setting)), 3) if isinstance(setting, tuple) else setting
        for name, setting in config.engine.controls.items()
    }
    dry = config.engine.render(controls, config.seconds, config.sample_rate, rng).astype(np.float64)
    place = _draw_location(config, location)
    # The room is the same for every take at a location, so its noise comes from the location alone.
    response = _room_response(place, config.sample_rate, np.random.default_rng([config.seed, location, 0, 1]))
    wet = signal.fftconvolve(dry, response)[: len(dry)]
    tilted = _tilt(wet, place["tilt_db_per_octave"], config.sample_rate)
    noise = _tilt(rng.standard_normal(len(dry)), place["noise_slope_db_per_octave"], config.sample_rate)
    noise *= _rms(tilted) / _rms(noise) * 10 ** (place["noise_level_db"] / 20)
    samples = tilted + noise
    write_wav(
        folder / "recordings" / f"location_{location:02}_take_{take:03}.wav",
        _PEAK * samples / np.abs(samples).max(),
        config.sample_rate,
    )
    return {name: controls[name] for name, setting in config.engine.controls.items() if isinstance(setting, tuple)}


def _draw_location(config: RecordingsConfig, location: int) -> dict[str, float]:
    rng = np.random.default_rng([config.seed, location, 0])
    return {name: round(float(rng.uniform(*getattr(config.locations, name))), 3) for name in LocationsConfig.model_fields}


def _room_response(place: dict[str, Any], sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """-> an impulse response: the direct sound, then noise that dies away, its highs faster than its lows.

    The usual statistical picture of late reverberation (J. A. Moorer, "About this reverberation business", Computer
    Music Journal 3(2), 1979).
    """
    n_samples = int(place["reverberation_seconds"] * sample_rate)
    seconds = np.arange(n_samples) / sample_rate
    decay = np.log(1000) / place["reverberation_seconds"]
    bright = rng.standard_normal(n_samples) * np.exp(-2 * decay * seconds)
    dark = _tilt(rng.standard_normal(n_samples), -3.0, sample_rate) * np.exp(-decay * seconds)
    tail = bright / _rms(bright) + dark / _rms(dark)
    tail[: int(0.004 * sample_rate)] = 0.0  # the first wall is over a metre away
    response = tail * 10 ** (place["room_level_db"] / 20) / np.sqrt(np.sum(tail**2))
    response[0] = 1.0
    return response


def _tilt(samples: np.ndarray, db_per_octave: float, sample_rate: int) -> np.ndarray:
    """Slope the spectrum around 1 kHz, flat under 30 Hz."""
    spectrum = np.fft.rfft(samples)
    frequency_hz = np.maximum(np.fft.rfftfreq(len(samples), 1 / sample_rate), 30.0)
    return np.fft.irfft(spectrum * 10 ** (db_per_octave * np.log2(frequency_hz / 1000) / 20), len(samples))


def _rms(samples: np.ndarray) -> float:
    return max(float(np.sqrt(np.mean(samples**2))), 1e-12)
