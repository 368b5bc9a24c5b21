"""Pairs of moments of a recording, at two speeds: what a network of relative scale learns from."""

import math

import torch
from torch import nn

from domain_adaptation.adaptation.methods._textures import textures
from domain_adaptation.features import Features
from domain_adaptation.scale.config import ScaleConfig
from domain_adaptation.training.augment.draws import Pitches, happens
from domain_adaptation.training.augment.slow_down import looped, samples_at

_GROUP = 4  # recordings of a step that are played at the same two speeds
_LIMITS_HZ = (2500.0, 16000.0), (20.0, 80.0)
_TEXTURE = 1.0  # lengths of a clip, of random textures
_SILENT = 1e-3  # root mean square, of full scale
_CHANCE_OF_ONE = 0.5  # that neither moment of a pair is layered


class PairLoss:
    """How far the network is from hearing by how much two moments of a recording differ in speed.

    A moment of each recording is played at one speed, another moment at another one; what the
    network says of both must differ by the logarithm of their ratio. In some, several moments are
    added, which changes no scale. Before that the recording is
    given a random microphone, the same at both speeds: a slowed recording slows its microphone
    too. One that was drawn for each speed would teach that spectra say nothing of scale.
    """

    def __init__(self, settings: ScaleConfig, features: Features, n_samples: int) -> None:
        """Prepare the loss. n_samples: of a clip, at the features' sample rate."""
        self._settings = settings
        self._features = features
        self._n_samples = n_samples

    def __call__(self, network: nn.Module, recordings: torch.Tensor) -> torch.Tensor:
        """Return the loss of a batch.

        recordings: [batch, samples] int16, excerpts longer than a clip or not.
        """
        with torch.no_grad():
            clips, wanted, is_heard = self.pairs(recordings.float() / 2**15)
            inputs = self._features.compute(clips)
        first, second = network(inputs).chunk(2)
        return (((first - second) - wanted).abs() * is_heard).sum() / is_heard.sum().clamp(min=1)

    def pairs(self, recordings: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return random pairs.

        recordings: [batch, samples] -> [2 x batch, clip's samples], the first of all pairs, then the
        second; [batch, 1], by how much ln(slow-down) of the first is larger; [batch, 1], 0 for a pair with a silent part, else 1.
        """
        recordings = self._and_textures(recordings)
        sides: tuple[list[torch.Tensor], list[torch.Tensor]] = ([], [])
        wanted = []
        for group in recordings.split(_GROUP):
            pitches = Pitches(group[:, : self._n_samples], self._features.sample_rate)
            microphone = happens(0.8, group) * (
                pitches.equaliser_db(4.0, 5.0)
                + pitches.corners_db(0.3)
                + pitches.band_limits_db(0.3, *_LIMITS_HZ)
            )
            drawn = []
            is_one = float(torch.rand(())) < _CHANCE_OF_ONE
            for side in sides:
                factor, n_layers = self._speed(), 1 if is_one else self._n_layers()
                clips, exact = self._moments(group, factor, n_layers, pitches, microphone)
                side.append(clips)
                drawn.append(math.log(exact))
            wanted.append(torch.full((len(group), 1), drawn[0] - drawn[1]))
        first, second = torch.cat(sides[0]), torch.cat(sides[1])
        is_heard = torch.minimum(_rms(first), _rms(second)) > _SILENT
        return (
            torch.cat([first, second]),
            torch.cat(wanted).to(recordings.device),
            is_heard.float(),
        )

    def _moments(
        self,
        recordings: torch.Tensor,
        factor: float,
        n_layers: int,
        pitches: Pitches,
        microphone: torch.Tensor,
    ) -> tuple[torch.Tensor, float]:
        """Return the sum of random moments of each recording, played `factor` times slower, and the
        exact factor."""
        n_taken = samples_at(self._n_samples, factor)
        long = looped(recordings, n_taken) if recordings.shape[1] < n_taken else recordings
        mixed = torch.zeros(len(long), n_taken, device=long.device)
        for _ in range(n_layers):
            starts = torch.randint(long.shape[1] - n_taken + 1, (len(long),)).tolist()
            for sum_, recording, start in zip(mixed, long, starts, strict=True):
                sum_ += recording[start : start + n_taken]
        spectrum = torch.fft.rfft(mixed)
        frequency_hz = torch.arange(spectrum.shape[1], device=long.device) * (
            self._features.sample_rate / n_taken
        )
        spectrum = spectrum * pitches.gain_at(microphone, frequency_hz)
        n_bins = self._n_samples // 2 + 1
        padded = torch.nn.functional.pad(spectrum, (0, n_bins - spectrum.shape[1]))
        played = torch.fft.irfft(padded, self._n_samples) * (self._n_samples / n_taken)
        return played, self._n_samples / n_taken

    def _speed(self) -> float:
        low, high = self._settings.slow_down
        return low * (high / low) ** float(torch.rand(()))

    def _n_layers(self) -> int:
        return round(self._settings.most_layers ** float(torch.rand(())))

    def _and_textures(self, recordings: torch.Tensor) -> torch.Tensor:
        """Return as many recordings, some of them random textures instead."""
        n_textures = round(self._settings.textures * len(recordings))
        if n_textures == 0:
            return recordings
        drawn = textures(
            n_textures,
            round(_TEXTURE * self._n_samples),
            self._features.sample_rate,
            recordings.device,
        )
        drawn = looped(drawn / drawn.abs().amax(dim=1, keepdim=True), recordings.shape[1])
        kept = recordings[n_textures:]
        return torch.cat([kept, drawn[:, : recordings.shape[1]]])


def _rms(clips: torch.Tensor) -> torch.Tensor:
    return clips.square().mean(dim=1, keepdim=True).sqrt()
