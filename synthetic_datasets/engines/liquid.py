"""Streaming water as a cloud of bubbles."""

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

from synthetic_datasets.engines._base import RATE_LAWS, SIZE_LAWS, EmbeddedEngine, engines
from texturelib.config import Share
from texturelib.controls import Control

# A clip starts in the middle of the stream: by then the largest bubbles in use have fallen by 30
# dB.
_RUN_IN_SECONDS = 1.0


@engines.register
class Liquid(EmbeddedEngine):
    """Bubbles that form at random times, ring at a pitch set by their radius, rise in pitch, and
    die away.

    Source: K. van den Doel, "Physically based models for liquid sounds", ACM Transactions on
    Applied Perception 2(4), 2005, with the ranges and held-fixed values of the Sound Design
    Toolkit's fluidflow patch, as used in the thesis.
    """

    # The ranges are those of the patch's sliders: at 0 and 1 the ends of what the patch can do.
    available: ClassVar[tuple[Control, ...]] = (
        Control("avgRate", 1e5 * 1.12**-100, 1e5, "bubbles/s", "exponential", 0.0, "how many bubbles form", RATE_LAWS),
        # Pitch goes as 1/radius. How fast a bubble dies away does so but for its second term: one
        # twice as large as one of 5 mm rings 2.3 times as long, where twice would be the law.
        # Mixing is exact while there are voices for all.
        Control("minRadius", 0.15 + 149.85 * 1.06**-100, 150.0, "mm", "exponential", 0.15, "the smallest bubble", SIZE_LAWS),
        Control("maxRadius", 0.15 + 149.85 * 1.06**-100, 150.0, "mm", "exponential", 0.15, "the largest bubble", SIZE_LAWS),
        Control(
            "expRadius", 10 * 1.04**-100, 10.0, "exponent", "exponential",
            description="how rare large bubbles are", laws={"slow_down": 0, "gain": 0, "mixing": 0},
        ),
    )  # fmt: skip

    type: Literal["liquid"] = "liquid"
    min_depth: Share = 0.2114
    """Depth of the shallowest bubble, as a share of the deepest possible one."""
    max_depth: Share = 0.5935
    """Depth of the deepest bubble, as a share of the deepest possible one."""
    depth_exponent: PositiveFloat = 2.41
    """Exponent of the random depths: the higher, the more bubbles are shallow."""
    rise_factor: NonNegativeFloat = 0.0678
    """Rate at which the pitch of a rising bubble climbs, relative to the rate of its decay."""
    rise_cutoff: Share = 0.0178
    """Depth above which bubbles do not rise in pitch, as a share of the deepest possible one."""
    n_voices: PositiveInt = 128
    """Number of bubbles that can sound at once; a new one takes the quietest voice."""

    @model_validator(mode="after")
    def _depths_in_order(self) -> "Liquid":
        if self.min_depth > self.max_depth:
            raise ValueError(
                f"min_depth: {self.min_depth:g} should be at most max_depth, {self.max_depth:g}"
            )
        return self

    def bubbles(
        self,
        controls: Mapping[str, float],
        seconds: float,
        sample_rate: int,
        rng: np.random.Generator,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return when each bubble forms, [bubbles] int in samples, rising, negative before the clip
        begins; and its radius, [bubbles] in m."""
        rate, min_radius_mm, max_radius_mm, exponent = self.physical(controls)
        n_before = round(_RUN_IN_SECONDS * sample_rate)
        n_samples = round(seconds * sample_rate)
        starts = np.flatnonzero(rng.random(n_before + n_samples) < rate / sample_rate) - n_before
        return starts, (
            min_radius_mm + (max_radius_mm - min_radius_mm) * rng.random(len(starts)) ** exponent
        ) / 1000

    def render(
        self,
        controls: Mapping[str, float],
        seconds: float,
        sample_rate: int,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """Return the sound, [samples] float32, louder than 1 where many large bubbles meet."""
        from synthetic_datasets.engines._bubbles import ring

        starts, radius = self.bubbles(controls, seconds, sample_rate, rng)
        depth = (
            self.min_depth
            + (self.max_depth - self.min_depth) * rng.random(len(starts)) ** self.depth_exponent
        )
        damping = 0.13 / radius + 0.0072 * radius**-1.5
        frequency_hz = 3 / radius
        sweep_hz = np.where(
            depth > self.rise_cutoff, frequency_hz * damping * self.rise_factor, 0.0
        )
        amplitude = 17.2133 * radius**1.5 * depth
        n_samples = round(seconds * sample_rate)
        samples = ring(
            starts,
            amplitude,
            damping,
            frequency_hz,
            sweep_hz,
            self.n_voices,
            n_samples,
            sample_rate,
        )
        _, _, max_radius_mm, _ = self.physical(controls)
        return samples * np.float32(0.15 / (max_radius_mm / 1000))
