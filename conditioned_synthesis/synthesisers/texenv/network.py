"""The network of TexEnv: from controls and noise to the envelopes of bands, of any length."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

import torch
from torch import nn

from conditioned_synthesis.dsp.channels import by_channel
from conditioned_synthesis.dsp.filterbank import Bands
from conditioned_synthesis.dsp.noise_bands import Carriers, carriers_of
from conditioned_synthesis.dsp.stereo import coherences
from conditioned_synthesis.losses import Loss
from conditioned_synthesis.losses.texture import TextureLoss
from conditioned_synthesis.synthesisers._base import Graph
from conditioned_synthesis.synthesisers.texenv.graph import graph_of
from conditioned_synthesis.synthesisers.texenv.player import States, TexEnvPlayer
from texturelib.learning.precision import in_32_bits

REACH_NEPERS = 8.0  # 70 dB, that an envelope may leave its band's mean by, up or down
_FIRST_LEVEL = -5.0  # nepers, of a band of an untrained network
_KERNEL = 3
_FINE_HZ = 8.0  # of the fine spectrum: a tone is narrower than the narrowest band, some 30 Hz
_QUIETEST_POWER = 1e-10  # of the highest, so that no band is empty
_AT_ONCE = 16  # clips that are compared at a time, for memory's sake


class TexEnvNetwork(nn.Module):
    """A convolutional network that makes one frame of envelopes for every `hop` samples, from the
    controls and noise of this and earlier frames alone."""

    mean_levels: torch.Tensor
    has_levels: torch.Tensor
    coherences: torch.Tensor | None
    spectrum: torch.Tensor | None

    n_noises = 8  # channels of noise that envelopes are made of

    def __init__(
        self,
        n_controls: int,
        sample_rate: int,
        seconds: float = 1.0,
        n_bands: int = 32,
        low_hz: float = 30.0,
        envelope_hz: float = 250.0,
        channels: int = 64,
        n_layers: int = 5,
        hop: int | None = None,
        n_channels: int = 1,
        losses: Sequence[Loss] = (TextureLoss(),),
        rings: bool = False,
    ) -> None:
        """Build the network.

        Args:
            n_controls: number of controls.
            sample_rate: of the sounds, in Hz.
            seconds: length of a sound that is compared with a clip in training.
            n_bands: number of bands, evenly spaced on the ERB scale.
            low_hz: the centre of the first band.
            envelope_hz: points of an envelope per second, about; samples between two points are a
                multiple of eight.
            channels: number of channels of each layer.
            n_layers: number of layers; each looks three times as far back as the one before.
            hop: samples between two points, instead of as envelope_hz says.
            n_channels: of the sounds, 1 or 2, each with envelopes of its own.
            losses: what is made smaller, in sum.
            rings: whether noise has the fine spectrum of the clips within each band.
        """
        super().__init__()
        self.n_samples = round(seconds * sample_rate)
        self.hop = hop or 8 * round(sample_rate / envelope_hz / 8) or 4
        self.bands = Bands(sample_rate, n_bands, low_hz)
        self._sample_rate, self._low_hz = sample_rate, low_hz
        self.conditions = nn.Sequential(
            nn.Linear(n_controls, channels), nn.SiLU(), nn.Linear(channels, channels), nn.SiLU()
        )
        self.enter = nn.Linear(self.n_noises, channels)
        self.layers = nn.ModuleList(_Layer(channels, _KERNEL**index) for index in range(n_layers))
        self.n_channels = n_channels
        self.leave = nn.Linear(channels, n_channels * n_bands)
        self.levels = nn.Linear(channels, n_channels * n_bands)
        nn.init.zeros_(self.levels.weight)
        self.register_buffer("mean_levels", torch.full((n_channels * n_bands,), _FIRST_LEVEL))
        self.register_buffer("has_levels", torch.tensor(False))
        # Of two channels, in each band.
        self.register_buffer("coherences", torch.zeros(n_bands) if n_channels == 2 else None)
        self._n_fft = 2 * round(sample_rate / _FINE_HZ / 2)
        self.register_buffer("spectrum", torch.ones(self._n_fft // 2 + 1) if rings else None)
        self._losses = tuple(losses)
        self.loss_in_words = losses[0].in_words

    @property
    def n_back(self) -> int:
        """The number of frames before its own that a frame depends on."""
        return sum(layer.n_back for layer in self.layers)  # type: ignore[misc]

    def forward(
        self, controls: torch.Tensor, noise: torch.Tensor, states: States
    ) -> tuple[torch.Tensor, States]:
        """Return the envelopes of frames, as amplitudes, and the states after them.

        Args:
            controls: of each frame, 0..1.
            noise: normally distributed.
            states: those after the earlier frames, one per layer.

        Shape:
            controls: [batch, frames, n_controls]
            noise: [batch, frames, n_noises]
            states: of each layer [batch, 2 * 3**layer, channels]
            -> [batch, frames, n_channels * bands], states; one channel after the other
        """
        conditions = self.conditions(controls)
        hidden = self.enter(noise)
        after = []
        for layer, state in zip(self.layers, states, strict=True):
            longer = torch.cat([state, hidden], dim=1)
            hidden = layer(longer, conditions)
            after.append(longer[:, -layer.n_back :])  # type: ignore[operator,misc]
        return self._amplitudes(hidden, conditions), after

    def _held(self, controls: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """Return what `forward` does of the frames after the first `n_back`, for controls that are
        the same in all frames. No more is computed than these frames depend on.

        controls: [batch, n_controls]. noise: [batch, n_back + frames, n_noises] -> [batch, frames,
        n_channels * bands].
        """
        conditions = self.conditions(controls[:, None])
        hidden = self.enter(noise)
        for layer in self.layers:
            hidden = layer(hidden, conditions)
        return self._amplitudes(hidden, conditions)

    def _amplitudes(self, hidden: torch.Tensor, conditions: torch.Tensor) -> torch.Tensor:
        nepers = (self.leave(hidden) + self.levels(conditions)).float()
        return (self.mean_levels + REACH_NEPERS * torch.tanh(nepers / REACH_NEPERS)).exp()

    def no_states(self, batch: int) -> States:
        return [layer.no_state(batch) for layer in self.layers]  # type: ignore[operator,misc]

    def losses(
        self,
        audio: torch.Tensor,
        controls: torch.Tensor,
        further: Mapping[str, Callable[[torch.Tensor], torch.Tensor]] | None = None,
    ) -> dict[str, torch.Tensor]:
        """Return how far new sounds are from the clips that have the same controls.

        Args:
            audio: clips, -1..1.
            controls: of each sample, 0..1.
            further: by name, losses of the new sounds alone.

        Returns: each loss times its weight, the first one as "loss", others by their types, then
            those of `further`.

        Shape:
            audio: [batch, n_samples], or [batch, n_samples, 2] of two channels
            controls: [batch, n_samples, n_controls]
        """
        if self.training and not self.has_levels:
            self._learn_levels(audio)
        modules = [each.to(audio.device) for each in self.loss_modules]
        named = further or {}
        names = ["loss", *(each.type for each in self._losses[1:]), *named]  # type: ignore[attr-defined]
        sums = dict.fromkeys(names, audio.new_zeros(()))
        for clips, of_clips in zip(audio.split(_AT_ONCE), controls.split(_AT_ONCE), strict=True):
            sounds = self.sounds(of_clips)
            share = len(clips) / len(audio)
            with in_32_bits(audio.device):
                values = [
                    settings.weight * module(sounds, clips)
                    for settings, module in zip(self._losses, modules, strict=True)
                ]
                values += [each(sounds) for each in named.values()]
            for name, value in zip(names, values, strict=True):
                sums[name] = sums[name] + share * value
        return sums

    @cached_property
    def loss_modules(self) -> tuple[nn.Module, ...]:
        """What computes the losses; made when it is first needed, as playing needs none. In a
        tuple, so that it is no part of the network that is stored."""
        return tuple(each.module(self._sample_rate, self.n_samples) for each in self._losses)

    def sounds(self, controls: torch.Tensor) -> torch.Tensor:
        """Return sounds with these controls, with noise from torch's global generator.

        controls: [batch, samples, n_controls] -> [batch, samples], or [batch, samples, 2].
        """
        n_samples = controls.shape[1]
        frames = controls[:, :: self.hop]
        batch, n_frames = frames.shape[:2]
        # Before the first frame the controls were the same, so that no sound begins as if out of
        # silence.
        n_before = self.n_back + 1
        noise = torch.randn(batch, n_before + n_frames, self.n_noises, device=frames.device)
        if bool((frames == frames[:, :1]).all()):
            envelopes = self._held(frames[:, 0], noise)
        else:
            frames = torch.cat([frames[:, :1].expand(-1, n_before, -1), frames], dim=1)
            envelopes = self(frames, noise, self.no_states(batch))[0][:, self.n_back :]
        starts = torch.randint(2**31, (batch, self.bands.n_bands))
        with in_32_bits(frames.device):
            return self.carriers.put_on(envelopes.float(), starts, self.hop)[:, :n_samples]

    @property
    def carriers(self) -> Carriers:
        return carriers_of(
            self._sample_rate,
            self.bands.n_bands,
            self._low_hz,
            self._sample_rate / self.hop,
            None if self.coherences is None else tuple(self.coherences.tolist()),
            None if self.spectrum is None else tuple(self.spectrum.tolist()),
        )

    @torch.no_grad()
    def _learn_levels(self, audio: torch.Tensor) -> None:
        """Start from the mean level of each band in the clips, so that there is less to learn. The
        coherence of two channels and the fine spectrum are measured here, and stay.

        audio: [batch, samples] or [batch, samples, 2].
        """
        n_samples = audio.shape[1]
        power = torch.fft.rfft(audio, dim=1, norm="forward").abs().square().mean(0)
        bins_hz = torch.arange(len(power), dtype=torch.float64) * self._sample_rate / n_samples
        shapes = self.bands.responses(bins_hz).to(power)
        levels = (2 * shapes.square() @ power).clamp_min(1e-10).log() / 2  # [bands(, channels)]
        self.mean_levels.copy_(levels if levels.ndim == 1 else levels.T.flatten())
        if self.coherences is not None:
            found = coherences(audio.cpu(), self.bands, self._sample_rate)
            # To a hundredth, as noise is made for each set of them.
            self.coherences.copy_(found.mul(100).round().div(100).clamp(-1, 1))
        if self.spectrum is not None:
            self.spectrum.copy_(self._fine_spectrum(audio))
        self.has_levels.fill_(True)

    def _fine_spectrum(self, audio: torch.Tensor) -> torch.Tensor:
        """Return the mean amplitudes of the clips, the highest 1 (P. Welch's method, 1967).

        audio: [batch, samples] or [batch, samples, 2] -> [n_fft // 2 + 1].
        """
        n_fft = min(self._n_fft, 2 * (audio.shape[1] // 2))
        spectra = torch.stft(
            by_channel(audio),
            n_fft,
            n_fft // 2,
            window=torch.hann_window(n_fft, device=audio.device),
            center=False,
            return_complex=True,
        )
        power = (spectra.real.square() + spectra.imag.square()).mean((0, 2))
        power = nn.functional.interpolate(
            power[None, None], self._n_fft // 2 + 1, mode="linear", align_corners=True
        )[0, 0]
        return (power / power.max().clamp_min(1e-20) + _QUIETEST_POWER).sqrt()

    def player(self, seed: int, *, temperature: float = 1.0) -> TexEnvPlayer:
        """Return a player, as `SynthesisNetwork.player`.

        temperature: of the noise that envelopes are made of.
        """
        return TexEnvPlayer(self, seed, temperature)

    def graph(self) -> Graph:
        return graph_of(self, n_controls=self.conditions[0].in_features)  # type: ignore[arg-type]


class _Layer(nn.Module):
    """A layer that combines three frames, this and two before, scaled and shifted by the controls
    (FiLM; E. Perez et al., 2018)."""

    def __init__(self, channels: int, apart: int) -> None:
        super().__init__()
        self.n_back, self._apart, self._channels = apart * (_KERNEL - 1), apart, channels
        self.look = nn.Linear(_KERNEL * channels, channels)
        self.film = nn.Linear(channels, 2 * channels)
        self.add = nn.Linear(channels, channels)

    def no_state(self, batch: int) -> torch.Tensor:
        return self.look.weight.new_zeros(batch, self.n_back, self._channels)

    def forward(self, longer: torch.Tensor, conditions: torch.Tensor) -> torch.Tensor:
        """Return the next layer's frames.

        longer: [batch, n_back + frames, channels], with the frames that came before. conditions:
        [batch, frames or 1, channels] -> [batch, frames, channels].
        """
        n_frames = longer.shape[1] - self.n_back
        seen = torch.cat(
            [
                longer[:, start : start + n_frames]
                for start in range(0, self.n_back + 1, self._apart)
            ],
            dim=-1,
        )
        scale, shift = self.film(conditions).chunk(2, dim=-1)
        new = self.add(nn.functional.silu(self.look(seen) * (1 + scale) + shift))
        return longer[:, self.n_back :] + new
