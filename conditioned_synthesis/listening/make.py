"""Make a listening test: sounds under codes, the page that plays them, and the key to the codes."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from scipy.signal import butter, sosfiltfilt

from conditioned_synthesis.config import SynthesisConfig
from conditioned_synthesis.data.clips import read_sounds
from conditioned_synthesis.evaluation.held_out import HeldOut
from conditioned_synthesis.instrument.automation import constant
from conditioned_synthesis.instrument.instrument import Instrument, Slider, load_instrument
from conditioned_synthesis.listening.answers import KEY
from conditioned_synthesis.listening.loudness import loudness_lufs
from conditioned_synthesis.listening.settings import ANCHOR, OWN, REFERENCE, Listening
from texturelib.audio import write_wav
from texturelib.errors import UsageError
from texturelib.files import write_json
from texturelib.outputs import Output
from texturelib.pages import write_page

PAGE, SOUNDS = "page", "sounds"
_PEAK = 0.99


class _Test:
    """A test in the making: trials as listeners are given them, the key, and sounds by code."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.trials: list[dict[str, Any]] = []
        self.key: dict[str, dict[str, Any]] = {}
        self.sounds: dict[str, tuple[np.ndarray, int]] = {}

    def code(self, samples: np.ndarray, sample_rate: int) -> str:
        """Return a new code for a sound. The same sound twice has two, so that no name tells."""
        while (code := f"{self.rng.integers(2**40):010x}") in self.sounds:
            pass
        self.sounds[code] = (samples, sample_rate)
        return code

    def add(self, trial: dict[str, Any], answer: Mapping[str, Any]) -> None:
        """answer: what the key says of the trial."""
        name = f"trial_{len(self.trials) + 1}"
        self.trials.append({"id": name, **trial})
        self.key[name] = {"kind": trial["kind"], **answer}

    def pair(
        self,
        trial: dict[str, Any],
        right: tuple[np.ndarray, int],
        other: tuple[np.ndarray, int],
        answer: Mapping[str, Any],
    ) -> str:
        """Add a trial with two sounds, A and B, in either order. Returns the letter of `right`."""
        is_first = bool(self.rng.integers(2))
        a, b = (right, other) if is_first else (other, right)
        letter = "a" if is_first else "b"
        self.add({**trial, "a": self.code(*a), "b": self.code(*b)}, {"right": letter, **answer})
        return letter


def make_test(config: SynthesisConfig, output: Output) -> str:
    """Write the test into `output`: page/index.html with its sounds, to be given to listeners, and
    key.json, to be kept. Returns what it is in words.

    Errors: UsageError when a clip or a model has nothing to compare; TextureError about a file.
    """
    settings = config.wanted_listening()
    folders = settings.models or {OWN: config.played_folder}
    models = {name: load_instrument(folder) for name, folder in folders.items()}
    sounds = read_sounds(config.sounds_folder, config.train.controls)
    share = config.synthesiser.validation if config.synthesiser else 0.1
    n_clips = max(settings.ratings, settings.abx, 1)
    held = HeldOut.of(sounds, share, config.train.seed, n_clips)
    output.begin()
    test = _Test(np.random.default_rng(settings.seed))
    order = test.rng.permutation(len(held.rows))
    for number in range(max(settings.ratings, settings.abx)):
        clip = int(order[number % len(order)])
        _add_clip(test, settings, held, models, clip, number)
    for name, instrument in models.items():
        for slider in instrument.spec.sliders:
            if slider.high > slider.low:
                _add_pairs(test, settings, held.seconds, name, instrument, slider)
    if not test.trials:
        raise UsageError("listening: ratings, abx and pairs are 0, so there is nothing to ask")
    _write(test, settings, output.folder)
    output.finish()
    kinds = [trial["kind"] for trial in test.trials]
    return (
        f"{len(test.trials)} screens ({kinds.count('rate')} ratings, {kinds.count('abx')} ABX, "
        f"{kinds.count('more')} pairs), {len(test.sounds)} sounds; give page/ to listeners, and keep key.json"
    )


def _add_clip(
    test: _Test,
    settings: Listening,
    held: HeldOut,
    models: Mapping[str, Instrument],
    clip: int,
    number: int,
) -> None:
    """Add what is asked beside one held-out clip. number: of the screen."""
    rate = held.sounds.sample_rate
    reference = (held.clips[clip].numpy(), rate)
    made = {
        name: (_played(held, instrument, clip, number), instrument.spec.sample_rate)
        for name, instrument in models.items()
    }
    if number < settings.ratings:
        rated = {
            REFERENCE: reference,
            ANCHOR: (_dull(*reference, settings.anchor_hz), rate),
            **made,
        }
        coded = [(test.code(*sound), name) for name, sound in rated.items()]
        shuffled = [coded[index] for index in test.rng.permutation(len(coded))]
        trial = {"kind": "rate", "reference": test.code(*reference)}
        test.add(trial | {"sounds": [code for code, _ in shuffled]}, {"sounds": dict(shuffled)})
    if number < settings.abx:
        for name, sound in made.items():
            x_is_real = bool(test.rng.integers(2))
            x, other = (reference, sound) if x_is_real else (sound, reference)
            trial = {"kind": "abx", "x": test.code(*x)}
            test.pair(trial, x, other, {"model": name})


def _played(held: HeldOut, instrument: Instrument, clip: int, seed: int) -> np.ndarray:
    target = held.targets_of(instrument)[f"held_{clip}"]
    return _mono(instrument.play(target.automations, held.seconds, seed))


def _add_pairs(
    test: _Test,
    settings: Listening,
    seconds: float,
    name: str,
    instrument: Instrument,
    slider: Slider,
) -> None:
    """Add pairs of sounds that differ in one control, the others in their middle."""
    span = slider.high - slider.low
    for number in range(settings.pairs):
        gap = float(test.rng.uniform(settings.gap, 1.0)) * span
        low = slider.low + float(test.rng.random()) * (span - gap)
        sounds = []
        for turn, value in enumerate((low + gap, low)):
            seed = 1000 + 2 * number + turn
            samples = instrument.play({slider.name: constant(value)}, seconds, seed)
            sounds.append((_mono(samples), instrument.spec.sample_rate))
        answer = {"model": name, "control": slider.name, "gap": round(gap, 4)}
        test.pair({"kind": "more", "control": slider.name}, sounds[0], sounds[1], answer)


def _mono(samples: np.ndarray) -> np.ndarray:
    return samples if samples.ndim == 1 else samples.mean(axis=1)


def _dull(samples: np.ndarray, sample_rate: int, cut_hz: float) -> np.ndarray:
    """Return the anchor: the sound without what lies above `cut_hz`, or above a quarter of the rate
    where that is lower."""
    sections = butter(8, min(cut_hz, sample_rate / 4), fs=sample_rate, output="sos")
    return sosfiltfilt(sections, samples).astype(np.float32)


def _write(test: _Test, settings: Listening, folder: Path) -> None:
    louder = _gains(test, settings.lufs)
    for code, (samples, rate) in test.sounds.items():
        write_wav(folder / PAGE / SOUNDS / f"{code}.wav", samples * louder[code], rate)
    order = test.rng.permutation(len(test.trials))
    identity = f"{test.rng.integers(2**40):010x}"
    content = {"test": identity, "trials": [test.trials[index] for index in order]}
    write_page(
        folder / PAGE / "index.html", "conditioned_synthesis", "listening.html", test=content
    )
    write_json(folder / KEY, {"test": identity, "trials": test.key})


def _gains(test: _Test, lufs: float) -> dict[str, float]:
    """Return by how much each sound is raised, so that all are equally loud and none clips; silence
    stays."""
    gains, most = {}, 0.0
    for code, (samples, rate) in test.sounds.items():
        loudness = loudness_lufs(samples, rate)
        gains[code] = 10 ** ((lufs - loudness) / 20) if math.isfinite(loudness) else 1.0
        most = max(most, gains[code] * float(np.abs(samples).max(initial=0)))
    softer = min(1.0, _PEAK / most) if most > 0 else 1.0
    return {code: gain * softer for code, gain in gains.items()}
