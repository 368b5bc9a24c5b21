"""Domain randomisation: synthetic clips that sound as if recorded anywhere, so that no recording is
far from all of them."""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field, NonNegativeFloat, PositiveFloat, model_validator

from texturelib.config import Config, Share

if TYPE_CHECKING:
    import torch


class Randomise(Config):
    """A random room, microphone, background noise and band limits, drawn anew each time that a clip
    is trained on.

    Held-fixed parameters of the engine can be varied too, when the clips are made (`vary` in the
    synthetic set's config). J. Tobin et al., "Domain randomization for transferring deep neural
    networks from simulation to the real world", 2017.
    """

    chance_of_room: Share = 0.85
    """Probability that a clip is placed in a room."""
    reverberation_seconds: tuple[PositiveFloat, PositiveFloat] = (0.1, 1.0)
    """Range of the reverberation time, in seconds until the room's sound has fallen by 60 dB."""
    room_level_db: tuple[float, float] = (-20.0, -2.0)
    """Range of the level of the room's sound relative to the direct sound, in dB."""
    tilt_db_per_octave: NonNegativeFloat = 3.0
    """Steepest slope of the microphone's response, up or down."""
    bumps_db: NonNegativeFloat = 1.5
    """Largest standard deviation of the bumps from octave to octave in the microphone's response,
    in dB."""
    noise_level_db: tuple[float, float] = (-45.0, -16.0)
    """Range of the level of the background noise relative to the sound, root mean square, in dB."""
    noise_slope_db_per_octave: tuple[float, float] = (-7.0, 0.0)
    """Range of the slope of the noise's spectrum: 0 is white noise, -3 pink, -6 brown."""
    chance_of_band_limits: Share = 0.3
    """Probability of each of the two band limits."""
    low_pass_hz: tuple[PositiveFloat, PositiveFloat] = (2500.0, 9000.0)
    """Range of the upper band limit, in Hz."""
    high_pass_hz: tuple[Annotated[float, Field(ge=10)], PositiveFloat] = (20.0, 80.0)
    """Range of the lower band limit, in Hz."""

    @model_validator(mode="after")
    def _in_order(self) -> "Randomise":
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, tuple) and value[0] > value[1]:
                raise ValueError(f"{name}: [{value[0]:g}, {value[1]:g}] should be [low, high]")
        return self

    def apply(self, clips: "torch.Tensor", sample_rate: int) -> "torch.Tensor":
        """Return the clips as if recorded somewhere.

        clips: [batch, samples], none silent -> the same shape.
        """
        import torch

        from domain_adaptation.training.augment.draws import (
            Pitches,
            from_db,
            uniform,
            white_spectrum,
        )

        pitches = Pitches(clips, sample_rate)
        limits = pitches.band_limits_db(
            self.chance_of_band_limits, self.low_pass_hz, self.high_pass_hz
        )
        microphone = pitches.equaliser_db(self.tilt_db_per_octave, self.bumps_db)
        # Circular convolution: the end of a texture is as good a beginning as any.
        spectrum = (
            torch.fft.rfft(clips)
            * self._rooms(clips, sample_rate)
            * pitches.gain(microphone + limits)
        )
        slope = uniform(*self.noise_slope_db_per_octave, clips) * pitches.octaves
        noise = white_spectrum(clips) * pitches.gain(slope + limits)
        # By Parseval's theorem the ratio of these is that of the sounds.
        level = from_db(uniform(*self.noise_level_db, clips)) * _size(spectrum) / _size(noise)
        return torch.fft.irfft(spectrum + level * noise, clips.shape[-1])

    def _rooms(self, clips: "torch.Tensor", sample_rate: int) -> "torch.Tensor":
        """Return the frequency responses of random rooms: the direct sound, then noise that dies
        away, its highs faster.

        -> [batch, samples // 2 + 1] complex. The usual statistical model of late reverberation (J.
        A. Moorer, "About this reverberation business", Computer Music Journal 3(2), 1979). Several
        clips of a batch are in one room, at distances of their own.
        """
        import torch

        from domain_adaptation.training.augment.draws import (
            Pitches,
            from_db,
            happens,
            uniform,
            white_spectrum,
        )

        rooms = clips[: -(-len(clips) // _CLIPS_PER_ROOM)]
        pitches = Pitches(rooms, sample_rate)
        seconds = torch.arange(clips.shape[-1], device=clips.device) / sample_rate
        # Ln 1000: 60 dB.
        decay = torch.exp(-seconds * (6.9078 / uniform(*self.reverberation_seconds, rooms)))
        dark = (
            torch.fft.irfft(
                white_spectrum(rooms) * pitches.gain(-3.0 * pitches.octaves[None]), clips.shape[-1]
            )
            * decay
        )
        bright = torch.randn_like(rooms) * decay.square()
        # The first wall is over a metre away.
        tail = (bright / _size(bright) + dark / _size(dark)) * (seconds >= 0.004)
        response = torch.fft.rfft(tail / _size(tail))
        level = from_db(uniform(*self.room_level_db, clips)) * happens(self.chance_of_room, clips)
        return 1.0 + level * response[torch.randint(len(rooms), (len(clips),), device=clips.device)]


_CLIPS_PER_ROOM = 8


def _size(x: "torch.Tensor") -> "torch.Tensor":
    """Return the norm of each row, above 0.

    x: [batch, any], real or complex -> [batch, 1].
    """
    import torch

    # Of complex ones torch takes every root.
    numbers = torch.view_as_real(x).flatten(-2) if x.is_complex() else x
    return torch.linalg.vector_norm(numbers, dim=-1, keepdim=True).clamp(min=1e-12)
