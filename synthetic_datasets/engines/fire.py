"""Burning wood: it crackles, hisses and roars."""

from collections.abc import Callable, Mapping
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from synthetic_datasets.engines._base import RATE_LAWS, SIZE_LAWS, EmbeddedEngine, engines
from texturelib.controls import Control

_METRES_PER_SECOND = 500.0  # of sound in gas at 350 C, at which wood chars
_LARGEST_MM = 80.0
_QUIETEST = 0.1  # peak of the weakest crackle out of the largest pocket
_LOUDEST = 20.0  # the strongest crackle against the weakest one out of the same pocket
_AUDIBLE_HZ = 20000.0  # levels count what lies below, at any sample rate
_SLOW_RATE = 100  # changes of level are drawn at this rate, in 1/s
_HISS_WANDERS_HZ = 1.0

Density = Callable[[np.ndarray], np.ndarray]
"""Frequencies in Hz -> the power per Hz there, to any scale."""


@engines.register
class Fire(EmbeddedEngine):
    """Three sounds at once, after A. Farnell, Designing Sound (2010), ch. 34, "Fire".

    Crackling: pockets of gas in the wood burst at random times (Poisson). We take a pocket of depth
    L for a pipe with one end just opened: it rings at c / 4L, and the gas that still flows out
    makes noise there for a time that grows with L. Pressure grows with L too, as for any two bursts
    of one shape. Energies within a fire follow a power law, as those of other things that crackle
    (Sethna, Dahmen and Myers, "Crackling noise", Nature 410, 2001).

    Hissing: gas escaping from narrow gaps, broad noise that rises and falls by 6 dB an octave
    around a peak, as jet noise does, with a level that wanders.

    Roaring: turbulent combustion, which rises by 6 dB an octave to a peak and falls from there by a
    power law. An exponent of 5/2 is predicted by Clavin and Siggia (Combustion Science and
    Technology 78, 1991) and taken for fires by Chadwick and James ("Animating fire with sound",
    SIGGRAPH 2011). It flickers at the flame's puffing frequency, 1.5 / sqrt(D) (Cetegen and Ahmed,
    Combustion and Flame 93, 1993).
    """

    # The noises' pitches are held, so slowed down they are no longer these noises; mixed, they gain
    # decibels against the crackles, which is a sum and no product.
    available: ClassVar[tuple[Control, ...]] = (
        Control("crackle_rate", 1.0, 300.0, "crackles/s", "exponential", 0.0, "how many pockets of gas burst", RATE_LAWS),
        Control(
            "crackle_size", 8.0, _LARGEST_MM, "mm", "exponential",
            description="how deep they are: deeper is lower and louder", laws=SIZE_LAWS,
        ),
        Control("hiss", -60.0, -20.0, "dB", description="gas escaping from gaps, as a level", laws={"gain": 0}),
        Control("roar", -60.0, -20.0, "dB", description="turbulent flames, as a level", laws={"gain": 0}),
    )  # fmt: skip

    type: Literal["fire"] = "fire"
    size_ratio: Annotated[float, Field(ge=1, le=3)] = 1.5
    """Largest factor by which a pocket is larger or smaller than the control says."""
    energy_exponent: Annotated[float, Field(gt=1, le=4)] = 2.2
    """Exponent of the power law of the crackles' energies: the higher, the more similar they
    are."""
    resonance: Annotated[float, Field(ge=0.5, le=20)] = 1.5
    """Quality factor of a pocket: the higher, the more it has a pitch."""
    emptying: Annotated[float, Field(gt=0, le=300)] = 100.0
    """Time in which the pressure of a gas pocket falls to 1/e, in units of the time that sound
    takes to its bottom."""
    emptying_db: Annotated[float, Field(ge=-60, le=0)] = -14.0
    """Level at which that gas begins, in dB relative to the peak of the burst."""
    hiss_hz: Annotated[float, Field(ge=1000, le=20000)] = 10000.0
    """Frequency at which the hiss is strongest: 0.2 times the speed of the gas over the width of
    the gap."""
    hiss_wander_db: Annotated[float, Field(ge=0, le=6)] = 2.0
    """Standard deviation of the hiss's level, over seconds."""
    roar_hz: Annotated[float, Field(ge=20, le=300)] = 100.0
    """Frequency at which the roar is strongest."""
    roar_exponent: Annotated[float, Field(ge=2, le=6)] = 2.5
    """Exponent of the power law by which the roar falls above its peak; 2.1 to 3.4 was measured
    (Rajaram and Lieuwen, 2009)."""
    flame_metres: Annotated[float, Field(ge=0.03, le=10)] = 0.3
    """Diameter of the fire."""
    flicker_db: Annotated[float, Field(ge=0, le=6)] = 3.0
    """Standard deviation of the roar's level as the flames puff."""

    def render(
        self,
        controls: Mapping[str, float],
        seconds: float,
        sample_rate: int,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """Return the sound, [samples] float32, louder than 1 where the largest pockets burst."""
        rate, size_mm, hiss_db, roar_db = self.physical(controls)
        n_samples = round(seconds * sample_rate)
        puffs_hz = 1.5 / self.flame_metres**0.5
        hiss = _noise(_hump(self.hiss_hz, 2.0), n_samples, sample_rate, 0.25, rng)
        hiss *= _wandering(
            _below(_HISS_WANDERS_HZ), self.hiss_wander_db, n_samples, sample_rate, rng
        )
        roar = _noise(_hump(self.roar_hz, self.roar_exponent), n_samples, sample_rate, 0.25, rng)
        roar *= _wandering(_around(puffs_hz), self.flicker_db, n_samples, sample_rate, rng)
        crackles = self._crackles(rate, size_mm / 1000, n_samples, sample_rate, rng)
        return (
            crackles
            + np.float32(10 ** (hiss_db / 20)) * hiss
            + np.float32(10 ** (roar_db / 20)) * roar
        )

    def _crackles(
        self, rate: float, size: float, n_samples: int, sample_rate: int, rng: np.random.Generator
    ) -> np.ndarray:
        """Return the sound of the crackles, [samples] float32. size: in metres."""
        from synthetic_datasets.engines._crackles import MOST_DECAYS, burst

        # A clip starts in mid-fire: with what is left of the pockets that burst before.
        n_crossings = MOST_DECAYS * (self.emptying + 4 * self.resonance / np.pi)
        n_before = round(n_crossings * size * self.size_ratio / _METRES_PER_SECOND * sample_rate)
        n_crackles = rng.poisson(rate * (n_before + n_samples) / sample_rate)
        starts = rng.integers(-n_before, n_samples, n_crackles)
        depth = size * self.size_ratio ** rng.uniform(-1, 1, n_crackles)
        peak = (
            _QUIETEST
            * depth
            / (_LARGEST_MM / 1000)
            * _power_law(self.energy_exponent, n_crackles, rng)
        )
        noise = rng.standard_normal(n_before + n_samples, dtype=np.float32)
        return burst(
            starts,
            peak * rng.choice((-1.0, 1.0), n_crackles),
            _METRES_PER_SECOND / (4 * depth),
            self.emptying * depth / _METRES_PER_SECOND,
            10 ** (self.emptying_db / 20),
            self.resonance,
            noise,
            n_samples,
            sample_rate,
        )


def _power_law(energy_exponent: float, n_crackles: int, rng: np.random.Generator) -> np.ndarray:
    """Return amplitudes, [crackles], from 1 to _LOUDEST, whose squares have a density that falls
    with that exponent.

    The share of amplitudes above a is then a^-k with k = 2 (exponent - 1), but for the ones that
    are cut off.
    """
    k = 2 * (energy_exponent - 1)
    return (1 - rng.random(n_crackles) * (1 - _LOUDEST**-k)) ** (-1 / k)


def _hump(peak_hz: float, fall: float) -> Density:
    """Rises with the square of frequency, and above `peak_hz` falls with its power `fall`."""
    return lambda frequency_hz: (
        (frequency_hz / peak_hz) ** 2 / (1 + (frequency_hz / peak_hz) ** (2 + fall))
    )


def _below(cutoff_hz: float) -> Density:
    return lambda frequency_hz: 1 / (1 + (frequency_hz / cutoff_hz) ** 4)


def _around(centre_hz: float) -> Density:
    return lambda frequency_hz: np.exp(-0.5 * ((frequency_hz / centre_hz - 1) / 0.3) ** 2)


def _noise(
    density: Density,
    n_samples: int,
    sample_rate: int,
    least_seconds: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return Gaussian noise, [samples] float32; at any sample rate the root mean square of what
    lies below _AUDIBLE_HZ is 1 on average.

    It is drawn as a spectrum, of at least `least_seconds`, so that short noise has lows too.
    """
    from scipy import fft, integrate

    every_hz = np.geomspace(0.01, _AUDIBLE_HZ, 1000)
    power = integrate.trapezoid(density(every_hz) * every_hz, np.log(every_hz))
    n_drawn = fft.next_fast_len(max(n_samples, round(least_seconds * sample_rate)), real=True)
    frequency_hz = fft.rfftfreq(n_drawn, 1 / sample_rate)
    # A cosine and a sine of each frequency, 1 / duration apart.
    amplitude = np.sqrt(density(frequency_hz) / power * sample_rate * n_drawn / 4).astype(
        np.float32
    )
    spectrum = (
        rng.standard_normal(2 * len(amplitude), dtype=np.float32).view(np.complex64) * amplitude
    )
    return np.asarray(fft.irfft(spectrum, n_drawn))[:n_samples]


def _wandering(
    density: Density,
    deviation_db: float,
    n_samples: int,
    sample_rate: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return a gain, [samples] float32, whose level has that standard deviation, and whose power is
    1 on average."""
    n_slow = n_samples * _SLOW_RATE // sample_rate + 2
    deviation = deviation_db / 20 * np.log(10)
    gain = np.exp(deviation * _noise(density, n_slow, _SLOW_RATE, 20.0, rng) - deviation**2)
    return np.interp(
        np.arange(n_samples) * (_SLOW_RATE / sample_rate), np.arange(n_slow), gain
    ).astype(np.float32)
