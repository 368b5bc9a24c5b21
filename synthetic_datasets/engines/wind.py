"""Wind past edges and through gaps."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from synthetic_datasets.engines._base import EmbeddedEngine, engines
from texturelib.controls import Control

# A clip starts in mid-wind: by then the lowest tone, of 70 Hz, has 94 % of its power.
_RUN_IN_SECONDS = 0.25
_BLOCK_SECONDS = 0.001  # pitch moves in steps of this length
_GUST_STEP_SECONDS = 0.01
# Eddies leave an obstacle of width d in a wind of speed U at 0.2 U / d times a second.
_STROUHAL = 0.2
_MIDDLE_SPEED = 9.5  # m/s
_LEVEL = 0.05  # root mean square at the middle speed
_WAKE_Q = 0.8
_LOWEST_HZ = 30.0  # what lies below this is cut, as a microphone's low-cut does


@engines.register
class Wind(EmbeddedEngine):
    """Eddies that leave obstacles of many widths, heard as a rush, and as tones, whose pitches
    follow the speed.

    Farnell's wind is filtered noise that follows a gust signal; here its pitches and tones are
    those of Strouhal's law, as in Selfridge et al., and the gusts are von Karman's turbulence,
    carried past at the wind's speed. Sources: A. Farnell, Designing Sound, MIT Press 2010, ch. 41;
    R. Selfridge, D. Moffat and J. D. Reiss, "Sound synthesis of objects swinging through air using
    physical models", Applied Sciences 7(11), 2017; T. von Karman, "Progress in the statistical
    theory of turbulence", Proceedings of the National Academy of Sciences 34, 1948.
    """

    # Slowed down, pitches and gusts go as the speed. Mixed, the gusts of several winds fill each
    # other's gaps, and a wire that sings at several pitches at once stands out less.
    available: ClassVar[tuple[Control, ...]] = (
        Control(
            "speed", 3.0, 30.0, "m/s", "exponential",
            description="the wind's mean speed over the clip, breeze to storm", laws={"slow_down": -1, "gain": 0, "mixing": 0},
        ),
        Control(
            "gustiness", 0.0, 0.5, "share",
            description="how much the speed varies (its turbulence intensity)", laws={"slow_down": 0, "gain": 0},
        ),
        Control(
            "whistling", 0.0, 1.0, "share",
            description="how much of the energy is in tones", laws={"slow_down": 0, "gain": 0},
        ),
    )  # fmt: skip

    type: Literal["wind"] = "wind"
    narrowest_mm: float = Field(default=1.0, ge=0.5, le=1000)
    """Width of the narrowest obstacle, such as a twig, in millimetres."""
    widest_mm: float = Field(default=60.0, ge=0.5, le=1000)
    """Width of the widest obstacle, such as the edge of a wall, in millimetres."""
    common_mm: float = Field(default=6.0, ge=0.5, le=1000)
    """Obstacles of this width or wider are equally loud, narrower ones are softer by 6 dB each time
    the width halves."""
    tone_widths_mm: tuple[Annotated[float, Field(ge=1, le=1000)], ...] = Field(
        default=(3.1, 4.7, 8.3), min_length=1, max_length=20
    )
    """Widths of the wires and gaps that whistle, in millimetres."""
    tone_q: float = Field(default=40.0, ge=2, le=100)
    """Quality factor of a tone: its pitch divided by the width of its band."""
    gust_metres: float = Field(default=3.0, ge=0.5, le=100)
    """Length of a gust; it passes in this length divided by the wind's speed."""
    mean_exponent: float = Field(default=1.2, ge=0.5, le=1.5)
    """Exponent of the clip's mean speed in the sound pressure. Its physical value, 3, is 60 dB from
    breeze to storm; a recordist turns a storm down."""
    gust_exponent: float = Field(default=1.6, ge=0.5, le=2)
    """Exponent of the speed within a clip in the sound pressure."""

    @model_validator(mode="after")
    def _widths_in_order(self) -> "Wind":
        if self.narrowest_mm > self.widest_mm:
            raise ValueError(
                f"narrowest_mm: {self.narrowest_mm:g} should be at most widest_mm, {self.widest_mm:g}"
            )
        return self

    def render(
        self,
        controls: Mapping[str, float],
        seconds: float,
        sample_rate: int,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """Return the sound, [samples] float32, louder than 1 in a storm's gusts."""
        from scipy import signal

        speed, gustiness, whistling = self.physical(controls)
        n_samples, n_before = round(seconds * sample_rate), round(_RUN_IN_SECONDS * sample_rate)
        block = max(1, round(_BLOCK_SECONDS * sample_rate))
        edges = np.arange(-(-(n_before + n_samples) // block) + 1) * block / sample_rate
        n_gusts = int(edges[-1] / _GUST_STEP_SECONDS) + 2
        turbulence = von_karman(n_gusts, _GUST_STEP_SECONDS, self.gust_metres / speed, rng)
        # Of the logarithm, so that the speed stays above zero.
        sigma = np.sqrt(np.log1p(gustiness**2))
        gust = np.exp(sigma * np.interp(edges, _GUST_STEP_SECONDS * np.arange(n_gusts), turbulence))
        heard = slice(n_before // block, None)
        gust /= gust[heard].mean()
        swell = gust**self.gust_exponent
        swell /= np.sqrt(np.mean(swell[heard] ** 2))
        level = _LEVEL * (speed / _MIDDLE_SPEED) ** self.mean_exponent * swell

        out = np.zeros(n_before + n_samples, np.float32)
        pitch_hz = _STROUHAL * speed * gust[:, None]  # of an obstacle of 1 m
        if whistling < 1:
            widths = (
                np.geomspace(
                    self.widest_mm, self.narrowest_mm, _n_wakes(self.widest_mm / self.narrowest_mm)
                )
                / 1000
            )
            weights = np.minimum(1.0, widths / (self.common_mm / 1000))
            self._add(
                out,
                pitch_hz / widths,
                level * np.sqrt(1 - whistling),
                weights,
                False,
                block,
                sample_rate,
                rng,
            )
        if whistling > 0:
            widths = np.array(self.tone_widths_mm) / 1000
            self._add(
                out,
                pitch_hz / widths,
                level * np.sqrt(whistling),
                np.ones(len(widths)),
                True,
                block,
                sample_rate,
                rng,
            )
        high_pass = signal.butter(2, _LOWEST_HZ, "high", fs=sample_rate, output="sos")
        return np.asarray(signal.sosfilt(high_pass, out), np.float32)[n_before:]

    def _add(
        self,
        out: np.ndarray,
        pitch_hz: np.ndarray,
        level: np.ndarray,
        weights: np.ndarray,
        is_tone: bool,
        block: int,
        sample_rate: int,
        rng: np.random.Generator,
    ) -> None:
        """Add to `out` sound of the root mean square `level`, [blocks + 1].

        pitch_hz: [blocks + 1, obstacles]. weights: [obstacles], their pressures, relative to each
        other.
        """
        from synthetic_datasets.engines._wakes import add_wakes

        q = self.tone_q if is_tone else _WAKE_Q
        heard = np.minimum(1.0, pitch_hz / _LOWEST_HZ) * weights
        # White noise of power 1 gives a band-pass this power, and a low-pass its q^2-fold.
        power = np.pi / 2 * pitch_hz / q / (sample_rate / 2) * (1 if is_tone else q**2)
        gain = level[:, None] * heard / np.sqrt(np.sum(heard**2, axis=1, keepdims=True) * power)
        noise = rng.standard_normal((pitch_hz.shape[1], len(out)), dtype=np.float32).T
        add_wakes(out, noise, pitch_hz, gain, q, is_tone, block, sample_rate)


def _n_wakes(ratio: float) -> int:
    """Return the number of obstacles, about one an octave."""
    return 1 + round(np.log2(ratio))


def von_karman(
    n_steps: int, step_seconds: float, time_scale: float, rng: np.random.Generator
) -> np.ndarray:
    """Return von Karman's turbulence as it passes along the wind, [n_steps], with mean 0 and
    variance 1.

    Its power density is 4 T / (1 + 70.8 (f T)^2)^(5/6), with T, `time_scale`, the length of a gust
    over the wind's speed.
    """
    n_circle = 2 ** int(np.ceil(np.log2(max(2 * n_steps, 16 * time_scale / step_seconds))))
    frequency = np.fft.rfftfreq(n_circle, step_seconds)
    density = (1 + 70.8 * (frequency * time_scale) ** 2) ** (-5 / 6)
    density[0] = 0.0
    spectrum = np.sqrt(density) * (
        rng.standard_normal(len(density)) + 1j * rng.standard_normal(len(density))
    )
    return np.fft.irfft(spectrum * n_circle / np.sqrt(4 * density.sum()), n_circle)[:n_steps]
