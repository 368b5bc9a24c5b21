"""Rain on the ground around a listener."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from synthetic_datasets.engines._base import RATE_LAWS, EmbeddedEngine, engines
from texturelib.controls import Control

# A clip starts in mid-rain: a bubble forms up to 40 ms after its drop, and is gone 60 ms later.
_RUN_IN_SECONDS = 0.15
_NOISE_SECONDS = 0.2  # of noise, of which each drop takes its own piece
_SMALLEST_MM, _LARGEST_MM = 0.1, 8.0  # smaller ones hang in the air, larger ones break up
# Louder rain is turned down, as a recordist would; otherwise 16 bits could not hold both the
# softest and the loudest.
_LEVEL = 0.1
_KEPT_OF_RATE = 0.7  # of the 27 dB from the lowest to the highest
_KEPT_OF_SIZE = 0.35  # of the 35 dB from drops of 0.5 mm to drops of 3 mm
_HUSH_DROPS = 400  # whose mean spectrum it has
_Q = 0.6  # of the sound of one place on the ground
_WATER_SOFTENS = 0.25  # how loud the splash on water is, relative to hard ground
_WATER_DARKENS = 0.6


@engines.register
class Rain(EmbeddedEngine):
    """Drops of many sizes that fall around a listener: clicks on hard ground, on water a splash and
    often a bubble's ring.

    Sizes: C. W. Ulbrich, "Natural variations in the analytical form of the raindrop size
    distribution", Journal of Climate and Applied Meteorology 22, 1983, after J. S. Marshall and W.
    M. Palmer, "The distribution of raindrops with size", Journal of Meteorology 5, 1948. Speeds: D.
    Atlas, R. C. Srivastava and R. S. Sekhon, "Doppler radar characteristics of precipitation at
    vertical incidence", Reviews of Geophysics 11, 1973. Bubbles: H. Medwin, J. A. Nystuen, P. W.
    Jacobus, L. H. Ostwald and D. E. Snyder, "The anatomy of underwater rain noise", Journal of the
    Acoustical Society of America 92, 1992; H. C. Pumphrey, L. A. Crum and L. Bjorno, "Underwater
    sound produced by individual drop impacts and rainfall", the same 85, 1989; how they die away is
    van den Doel's, as in the liquid engine.
    """

    # Slowed down, rain is no other rain, but for how often a drop falls: larger drops fall faster,
    # so that a click's pitch hardly goes with size, and bubbles have the sizes that they have.
    available: ClassVar[tuple[Control, ...]] = (
        Control("rate", 30.0, 15000.0, "drops/s", "exponential", 0.0, "how many drops are heard, drizzle to downpour", RATE_LAWS),
        Control("drop_size", 0.5, 3.0, "mm", "exponential", 0.0, "the drops' mean diameter", {"gain": 0, "mixing": 0}),
        Control(
            "water", 0.0, 1.0, "share",
            description="how much of the ground is under water; 0 is all hard, 1 a lake", laws={"gain": 0, "mixing": 0},
        ),
    )  # fmt: skip

    type: Literal["rain"] = "rain"
    size_shape: float = Field(default=4.0, ge=1, le=100)
    """Shape of the gamma distribution of the drops' sizes: the higher, the more similar. 1.67 is
    Marshall and Palmer's rain."""
    nearest_m: float = Field(default=1.0, ge=0.2, le=100)
    """Smallest distance of the drops that are heard one by one, in metres."""
    farthest_m: float = Field(default=6.0, ge=0.2, le=100)
    """Largest distance of the drops that are heard one by one, and counted by `rate`, in metres."""
    hush_m: float = Field(default=9.0, ge=0.2, le=1000)
    """Distance up to which further rain is heard as a steady hush, in metres."""
    brightness: float = Field(default=1.6, ge=0.1, le=10)
    """Pitch of a click on hard ground, relative to one over the time that the drop takes to fall
    its own length."""
    ground_spread_octaves: float = Field(default=0.8, ge=0, le=3)
    """Standard deviation of that pitch from place to place."""
    click_ms: float = Field(default=0.6, ge=0.05, le=10)
    """Time in which the splash of a 2 mm drop falls to 1/e, in milliseconds."""
    bubble_share: float = Field(default=1.0, ge=0, le=10)
    """The energy of a bubble's ring, relative to that of the same drop's click on hard ground."""

    @model_validator(mode="after")
    def _distances_in_order(self) -> "Rain":
        if not self.nearest_m < self.farthest_m <= self.hush_m:
            found = f"{self.nearest_m:g}, {self.farthest_m:g}, {self.hush_m:g}"
            raise ValueError(f"nearest_m, farthest_m and hush_m: {found} should rise")
        return self

    def render(
        self,
        controls: Mapping[str, float],
        seconds: float,
        sample_rate: int,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """Return the sound, [samples] float32, louder than 1 where a large drop falls close by."""
        from synthetic_datasets.engines._drops import add_clicks, add_rings

        rate, mean_mm, water = self.physical(controls)
        n_samples, n_before = round(seconds * sample_rate), round(_RUN_IN_SECONDS * sample_rate)
        level = (
            _LEVEL
            * (rate / 500) ** ((_KEPT_OF_RATE - 1) / 2)
            * impact(mean_mm) ** (_KEPT_OF_SIZE - 1)
        )
        n_drops = rng.poisson(rate * (n_before + n_samples) / sample_rate)
        drops = self._drops(
            rng.gamma(self.size_shape, mean_mm / self.size_shape, n_drops), water, rng
        )
        starts = rng.integers(-n_before, n_samples, n_drops)
        # The drops fall evenly on the ground, so the squared distance is evenly spread.
        loudness = (
            level
            * drops.energy**0.5
            / np.sqrt(rng.uniform(self.nearest_m**2, self.farthest_m**2, n_drops))
        )
        out = self._hush(level**2 * rate, mean_mm, water, n_samples, sample_rate, rng)

        # Half a step of a 16-bit file, or 60 dB below all drops together.
        inaudible = max(
            2.0**-16,
            0.001 * float(np.sqrt(np.sum(loudness**2) / 1000 / (seconds + _RUN_IN_SECONDS))),
        )
        noise = rng.standard_normal(round(_NOISE_SECONDS * sample_rate)) * np.sqrt(
            sample_rate / 44100
        )
        offsets = rng.integers(0, len(noise) // 2, n_drops)
        audible_hz = np.minimum(drops.pitch_hz, 0.4 * sample_rate)
        # The energy of noise through a band-pass goes with duration and bandwidth; that of a drop
        # does not.
        of_noise = (np.pi / 2 * drops.pitch_hz / _Q / (44100 / 2)) * (drops.splash_seconds / 2)
        amplitude = (
            loudness * np.sqrt(drops.splash_share / 1000 / of_noise) * (audible_hz / drops.pitch_hz)
        )
        add_clicks(
            out,
            starts,
            amplitude,
            audible_hz,
            drops.splash_seconds,
            _Q,
            inaudible,
            noise,
            offsets,
            sample_rate,
        )

        rings = (drops.ring_share > 0) & (drops.ring_hz < 0.45 * sample_rate)
        ring_starts = starts[rings] + np.rint(drops.delay_seconds[rings] * sample_rate).astype(
            np.int64
        )
        damping = drops.damping[rings]
        ring_amplitude = loudness[rings] * np.sqrt(drops.ring_share[rings] / 1000 * 4 * damping)
        add_rings(
            out, ring_starts, ring_amplitude, drops.ring_hz[rings], damping, inaudible, sample_rate
        )
        return out

    def _drops(self, size_mm: np.ndarray, water: float, rng: np.random.Generator) -> "_Drops":
        n_drops, size_mm = len(size_mm), np.clip(size_mm, _SMALLEST_MM, _LARGEST_MM)
        in_water = rng.random(n_drops) < water
        fall_seconds = size_mm / 1000 / terminal_velocity(size_mm)  # through its own length
        radius_mm = np.where(in_water, bubble_radius(size_mm, rng), 0.0)
        radius = np.where(radius_mm > 0, radius_mm, 1.0) / 1000
        return _Drops(
            energy=impact(size_mm) ** 2,
            splash_share=np.where(in_water, _WATER_SOFTENS**2, 1.0),
            splash_seconds=self.click_ms / 1000 * fall_seconds / (0.002 / terminal_velocity(2.0)),
            pitch_hz=self.brightness / fall_seconds * 2 ** (self.ground_spread_octaves * rng.standard_normal(n_drops))
            * np.where(in_water, _WATER_DARKENS, 1.0),
            ring_share=np.where(radius_mm > 0, self.bubble_share, 0.0),
            ring_hz=minnaert_hz(1000 * radius),
            damping=0.13 / radius + 0.0072 * radius**-1.5,
            delay_seconds=rng.uniform(0.5, 1.5, n_drops) * (0.008 + 0.003 * size_mm),
        )  # fmt: skip

    def _hush(
        self,
        power: float,
        mean_mm: float,
        water: float,
        n_samples: int,
        sample_rate: int,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """Return noise, [samples] float32, with the spectrum of many drops, as loud as they are
        between farthest_m and hush_m.

        power: the squared level of drops, times how many a second fall between nearest_m and
        farthest_m.
        """
        # A few large drops bring most of the energy, about as size^4. So sizes are drawn that much
        # more often, and weigh that much less: a gamma density of shape k times size^4 is one of
        # shape k + 4, times k (k+1) (k+2) (k+3) scale^4.
        scale_mm = mean_mm / self.size_shape
        size_mm = rng.gamma(self.size_shape + 4, scale_mm, _HUSH_DROPS)
        drops = self._drops(size_mm, water, rng)
        energy = drops.energy * np.prod(self.size_shape + np.arange(4)) * (scale_mm / size_mm) ** 4
        frequency_hz = np.geomspace(30.0, max(sample_rate / 2, 60.0), 80)[:, None]
        band = 1 / (1 + (_Q * (frequency_hz / drops.pitch_hz - drops.pitch_hz / frequency_hz)) ** 2)
        half_width = np.maximum(drops.damping / (2 * np.pi), 0.1 * drops.ring_hz)
        line = half_width / np.pi / ((frequency_hz - drops.ring_hz) ** 2 + half_width**2)
        density = band @ (energy * drops.splash_share / (np.pi / 2 * drops.pitch_hz / _Q))
        density += line @ (energy * drops.ring_share)
        # A ring of ground has drops in proportion to its radius, each with power as the radius's
        # inverse square.
        far = 2 * np.log(self.hush_m / self.farthest_m) / (self.farthest_m**2 - self.nearest_m**2)
        density *= power * far / 1000 / _HUSH_DROPS

        n_circle = 1 << max(n_samples - 1, 1).bit_length()
        spectrum = np.fft.rfft(rng.standard_normal(n_circle))
        # White noise of power 1 has a density of 2 over the sample rate.
        gain = np.sqrt(density * sample_rate / 2)
        spectrum *= np.interp(np.fft.rfftfreq(n_circle, 1 / sample_rate), frequency_hz[:, 0], gain)
        return np.fft.irfft(spectrum, n_circle)[:n_samples].astype(np.float32)


@dataclass(frozen=True)
class _Drops:
    """The drops of a clip; all [drops]. energy: that of the impact, 1 for a drop of 2 mm; the
    shares are what sounds of it."""

    energy: np.ndarray
    splash_share: np.ndarray
    splash_seconds: np.ndarray
    pitch_hz: np.ndarray
    ring_share: np.ndarray
    ring_hz: np.ndarray
    damping: np.ndarray
    delay_seconds: np.ndarray


def terminal_velocity(diameter_mm: "float | np.ndarray") -> np.ndarray:
    """Return the terminal speed of a drop, in m/s: Atlas et al. 1973; below 0.5 mm, outside their
    range, 4 m/s per mm."""
    diameter_mm = np.asarray(diameter_mm, np.float64)
    return np.where(diameter_mm < 0.5, 4.0 * diameter_mm, 9.65 - 10.3 * np.exp(-0.6 * diameter_mm))


def impact(diameter_mm: "float | np.ndarray") -> np.ndarray:
    """Return the root of the energy that a drop brings (mass times squared velocity), 1 for a drop
    of 2 mm."""
    return (
        (np.asarray(diameter_mm) / 2) ** 1.5
        * terminal_velocity(diameter_mm)
        / terminal_velocity(2.0)
    )


def minnaert_hz(radius_mm: "float | np.ndarray") -> np.ndarray:
    """Return the pitch of a bubble of air in water under one atmosphere: M. Minnaert, Philosophical
    Magazine 16, 1933.

    >>> round(float(minnaert_hz(1.0)))
    3287
    """
    return np.sqrt(3 * 1.4 * 101325 / 998) / (2 * np.pi * np.asarray(radius_mm) / 1000)


def bubble_radius(diameter_mm: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the radius of the bubble that a drop leaves in water. [drops] -> [drops], in mm; 0 for
    none.

    After Medwin et al. 1992: drops of 0.8 to 1.1 mm leave one each, that rings near 14 kHz; up to
    2.2 mm few leave any; larger ones often do, which ring from 10 kHz down to about 2 kHz for the
    largest. The shares in between, and how radii spread, are our choice.
    """
    chance, small, large = (
        rng.random(len(diameter_mm)),
        rng.standard_normal(len(diameter_mm)),
        rng.random(len(diameter_mm)),
    )
    is_small = (diameter_mm >= 0.8) & (diameter_mm <= 1.1)
    share_large = np.interp(diameter_mm, [1.1, 1.1001, 2.2, 3.5], [0.0, 0.1, 0.2, 0.7])
    large_mm = 0.3 * (np.maximum(diameter_mm / 3, 0.35) / 0.3) ** large
    return np.where(
        is_small, 0.23 * 2 ** (0.1 * small), np.where(chance < share_large, large_mm, 0.0)
    )
