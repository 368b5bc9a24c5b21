"""Simulated recordings are takes at places, with their true controls kept apart."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile

Command = Callable[..., tuple[int, str, str]]

# Places that change nothing: the room 200 dB down, no slope, no noise.
NOWHERE = {
    "reverberation_seconds": [0.1, 0.1],
    "room_level_db": [-200, -200],
    "tilt_db_per_octave": [0, 0],
    "noise_level_db": [-200, -200],
}


@pytest.fixture
def write_recordings_config(write_config: Callable[..., Path]) -> Callable[..., Path]:
    """Write the config of 2 places with 3 short takes each, with `changes` to its keys."""
    return lambda **changes: write_config(
        **{"distribution": None, "n_locations": 2, "takes_per_location": 3} | changes
    )


def takes(folder: Path) -> dict[str, np.ndarray]:
    return {
        path.name: soundfile.read(path)[0] for path in sorted((folder / "recordings").iterdir())
    }


def test_the_folder_holds_every_take_and_its_true_controls_apart_from_the_sound(
    command: Command, write_recordings_config: Callable[..., Path], tmp_path: Path
) -> None:
    status, out, err = command("simulate-recordings", write_recordings_config(), "--workers", 1)

    names = [
        f"location_{location:02}_take_{take:03}.wav" for location in (1, 2) for take in (1, 2, 3)
    ]
    folder = tmp_path / "results"
    assert (status, err) == (0, "")
    assert "6 recordings of 0.1 s at 2 locations" in out
    # Nothing but sound, since this folder is given to the next stage.
    assert list(takes(folder)) == names
    hidden = pd.read_csv(folder / "hidden_controls.csv")
    assert hidden["file_name"].tolist() == names
    assert hidden["avgRate"].between(0.5, 0.75).all()
    assert hidden["minRadius"].between(0.1, 0.5).all()
    assert hidden["maxRadius"].between(0.5, 0.8).all()
    assert hidden["expRadius"].between(0.2, 0.8).all()
    assert hidden["avgRate"].nunique() == 6
    assert len(pd.read_csv(folder / "locations.csv")) == 2


def test_every_take_has_the_asked_rate_length_and_a_peak_with_headroom(
    command: Command, write_recordings_config: Callable[..., Path], tmp_path: Path
) -> None:
    command("simulate-recordings", write_recordings_config(), "--workers", 1)

    for path in (tmp_path / "results" / "recordings").iterdir():
        samples, rate = soundfile.read(path)
        assert (rate, samples.shape) == (8000, (800,))
        assert np.abs(samples).max() == pytest.approx(0.7, abs=2**-15)


def test_places_stay_within_what_the_config_says(
    command: Command, write_recordings_config: Callable[..., Path], tmp_path: Path
) -> None:
    locations: dict[str, Any] = {
        "reverberation_seconds": [0.05, 0.1],
        "noise_level_db": [-30, -20],
        "tilt_db_per_octave": [1, 1],
    }
    config = write_recordings_config(locations=locations, n_locations=10, takes_per_location=1)

    command("simulate-recordings", config, "--workers", 1)

    places = pd.read_csv(tmp_path / "results" / "locations.csv")
    assert places["location"].tolist() == list(range(1, 11))
    for name, (low, high) in locations.items():
        assert places[name].between(low, high).all()
    assert places["noise_level_db"].nunique() == 10


def test_two_workers_write_the_same_bytes_as_one(
    command: Command,
    write_recordings_config: Callable[..., Path],
    tmp_path: Path,
    files: Callable[[Path], dict[str, bytes]],
) -> None:
    for workers in (1, 2):
        assert (
            command(
                "simulate-recordings",
                write_recordings_config(output=f"by_{workers}"),
                "--workers",
                workers,
            )[0]
            == 0
        )

    assert files(tmp_path / "by_1") == files(tmp_path / "by_2")


def test_a_take_sounds_the_same_however_many_others_there_are(
    command: Command,
    write_recordings_config: Callable[..., Path],
    tmp_path: Path,
    files: Callable[[Path], dict[str, bytes]],
) -> None:
    for n_locations, n_takes in ((1, 2), (2, 3)):
        config = write_recordings_config(
            output=f"{n_locations}", n_locations=n_locations, takes_per_location=n_takes
        )
        command("simulate-recordings", config, "--workers", 1)

    assert (
        files(tmp_path / "1" / "recordings").items() <= files(tmp_path / "2" / "recordings").items()
    )


def test_what_a_place_does_to_the_sound_is_what_its_row_says(
    command: Command, write_recordings_config: Callable[..., Path], tmp_path: Path
) -> None:
    # The same takes at a place that does nothing, and at places that do one thing each.
    places: dict[str, dict[str, Any]] = {
        "nowhere": {},
        "tilted": {"tilt_db_per_octave": [-3, -3]},
        "noisy": {"noise_level_db": [-20, -20], "noise_slope_db_per_octave": [0, 0]},
        "in_a_room": {"room_level_db": [-40, -40]},
        "in_a_loud_room": {"room_level_db": [-20, -20]},
    }
    sounds = {}
    for name, changes in places.items():
        config = write_recordings_config(
            output=name, locations=NOWHERE | changes, seconds=1.0, takes_per_location=1
        )
        command("simulate-recordings", config, "--workers", 1)
        sounds[name] = takes(tmp_path / name)["location_01_take_001.wav"]

    plain = sounds["nowhere"]
    spectra = {name: np.fft.rfft(samples) for name, samples in sounds.items()}

    # Two octaves of a slope of 3 dB, read off around 500 and 2000 Hz (a second long: a bin is a
    # hertz); 0.3 dB: 16 bits.
    slope = 20 * np.log10(np.abs(spectra["tilted"]) / np.abs(spectra["nowhere"]))
    assert np.median(slope[1950:2050]) - np.median(slope[490:510]) == pytest.approx(-6, abs=0.3)

    # What is left when as much of the plain sound is taken away as there is in it.
    def power_of_the_rest(samples: np.ndarray) -> float:
        share = samples @ plain / (plain @ plain)
        rest = samples / share - plain
        return 10 * np.log10(rest @ rest / (plain @ plain))

    assert power_of_the_rest(sounds["noisy"]) == pytest.approx(-20, abs=0.5)
    # The room is set against white noise, so only the difference of two rooms is the same for every
    # sound.
    in_a_loud_room, in_a_room = (
        power_of_the_rest(sounds[name]) for name in ("in_a_loud_room", "in_a_room")
    )
    assert in_a_loud_room - in_a_room == pytest.approx(20, abs=0.5)


def test_a_silent_take_is_background_noise_and_no_crash(
    command: Command, write_recordings_config: Callable[..., Path], tmp_path: Path
) -> None:
    # 1.2 bubbles a second: most takes of 0.1 s have none.
    engine = {
        "type": "liquid",
        "controls": {"avgRate": 0, "minRadius": [0.1, 0.5], "maxRadius": 0.6, "expRadius": 0.5},
    }

    status, _, err = command(
        "simulate-recordings", write_recordings_config(engine=engine), "--workers", 1
    )

    assert (status, err) == (0, "")
    assert all(np.abs(samples).max() > 0.6 for samples in takes(tmp_path / "results").values())


def test_a_dry_run_writes_nothing_and_a_second_run_does_nothing(
    command: Command, write_recordings_config: Callable[..., Path], tmp_path: Path
) -> None:
    config = write_recordings_config()

    assert "first run" in command("simulate-recordings", config, "--dry-run")[1]
    assert not (tmp_path / "results").exists()
    command("simulate-recordings", config, "--workers", 1)
    assert "done and unchanged" in command("simulate-recordings", config)[1]
