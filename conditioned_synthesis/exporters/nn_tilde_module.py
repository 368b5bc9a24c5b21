"""A `texenv` instrument as a TorchScript module that nn~ plays in Max and Pure Data.

It makes the samples of `conditioned_synthesis/portable/player.py`, many frames at a time. nn~ finds
out what a module offers by names: see its `Backend` (acids-ircam/nn_tilde, src/backend). Annotations
are of the kind that torch's compiler reads.
"""

import math

import numpy as np
import torch
from torch import nn

from conditioned_synthesis.dsp.integer_hash import _GOLDEN, MASK
from conditioned_synthesis.portable.instrument_file import PortableInstrument
from conditioned_synthesis.portable.noise_loops import loops_of
from conditioned_synthesis.portable.random_numbers import NOISE, PLACE
from texturelib.controls import Control

_LONGEST_RATIO = 64  # samples to which a slider holds; also nn~'s smallest buffer, and Pd's block
_INTEGER = 1  # how nn~ calls the type of an attribute
_OUTLETS = 2
_FRAMES_AT_ONCE = 256


class NnTildeTexEnv(nn.Module):
    """Plays on when it is called with sliders: [1, sliders, n], 0..1 -> [1, 2, n * ratio].

    Attributes:
        ratio: samples of sound for each of the sliders.
        seed: another one begins another variation of the sound.
        forward_params: sliders, ratio, channels, and the ratio of these, as nn~ asks for them.
    """

    loops: torch.Tensor
    lengths: torch.Tensor
    low: torch.Tensor
    high: torch.Tensor
    curve_x: torch.Tensor
    curve_y: torch.Tensor
    loudness_x: torch.Tensor
    loudness_y: torch.Tensor
    mean_levels: torch.Tensor
    conditions_0_weight: torch.Tensor
    conditions_0_bias: torch.Tensor
    conditions_2_weight: torch.Tensor
    conditions_2_bias: torch.Tensor
    enter_weight: torch.Tensor
    enter_bias: torch.Tensor
    look_weight: torch.Tensor
    look_bias: torch.Tensor
    film_weight: torch.Tensor
    film_bias: torch.Tensor
    add_weight: torch.Tensor
    add_bias: torch.Tensor
    leave_weight: torch.Tensor
    leave_bias: torch.Tensor
    levels_weight: torch.Tensor
    levels_bias: torch.Tensor
    states: torch.Tensor
    last: torch.Tensor
    left: torch.Tensor
    noise: torch.Tensor
    first_places: torch.Tensor
    places: torch.Tensor
    forward_params: torch.Tensor

    def __init__(self, portable: PortableInstrument, rate: int) -> None:
        """Make the noise. rate: samples per second, which cannot be changed later."""
        super().__init__()
        header = portable.header
        sliders, bands = header["sliders"], header["bands"]
        frame_hz = header["sample_rate"] / header["hop"]
        self.samples_per_frame: float = rate / frame_hz
        self.ratio: int = min(_LONGEST_RATIO, 2 ** int(math.log2(self.samples_per_frame)))
        self.n_channels: int = header["channels"]
        self.n_noises: int = header["n_noises"]
        self.n_layers: int = header["n_layers"]
        self.reach_nepers: float = header["reach_nepers"]
        self.most_gain_db: float = header["most_gain_db"]
        self.glide: float = 1 - math.exp(-1 / (frame_hz * header["glide_seconds"]))
        self._add_sliders(sliders)
        self._add_weights(portable)
        loops, lengths = loops_of(header, rate)
        self.register_buffer("loops", torch.from_numpy(loops))
        self.register_buffer("lengths", torch.tensor(lengths)[:, None])
        # As the two channels of a stereo instrument are alike, they stay in step.
        self.draws = [0, 1] if self.n_channels == 1 else [0, 0]
        self.frames_at_once: int = _FRAMES_AT_ONCE
        # Torch's compiler knows no constants of other modules.
        self.mask: int = MASK
        self.golden: int = _GOLDEN
        self.noise_purpose: int = NOISE
        self.place_purpose: int = PLACE
        # What it keeps from one call to the next.
        self.seed: int = 0
        self.has_begun: bool = False
        self.n_frames: int = 0  # made so far, those before the first sample included
        self.n_played: int = 0  # frames
        self.begin: int = 0  # the first sample of the next frame
        n_rows = sum(2 * 3**layer for layer in range(self.n_layers))
        self.register_buffer("states", torch.zeros(n_rows, self.enter_bias.shape[0]))
        self.register_buffer("last", torch.zeros(1, self.n_channels * bands["n"]))
        self.register_buffer("noise", torch.zeros(0, self.n_noises))  # of the frames to come
        self.register_buffer("first_places", torch.zeros(_OUTLETS, len(lengths), 1).long())
        self.register_buffer("left", torch.zeros(_OUTLETS, 0))
        self.register_buffer("places", torch.zeros(len(sliders), dtype=torch.float64))
        self._add_what_nn_tilde_asks_for(sliders)

    def _add_sliders(self, sliders: list) -> None:
        def ends(key: str) -> torch.Tensor:
            return torch.tensor([each[key] for each in sliders], dtype=torch.float64)[:, None]

        self.register_buffer("low", ends("low"))
        self.register_buffer("high", ends("high"))
        for name in ("curve", "loudness"):
            lines = [np.array(each[name], dtype=float) for each in sliders]
            longest = max((len(line) for line in lines), default=2)
            points = np.zeros((len(lines), longest, 2))
            for index, line in enumerate(lines):
                points[index] = np.pad(line, ((0, longest - len(line)), (0, 0)), mode="edge")
            self.register_buffer(f"{name}_x", torch.from_numpy(points[..., 0].copy()))
            self.register_buffer(f"{name}_y", torch.from_numpy(points[..., 1].copy()))

    def _add_weights(self, portable: PortableInstrument) -> None:
        tensors = {
            name: torch.from_numpy(each.astype(np.float32))
            for name, each in portable.tensors.items()
        }
        for name in ("conditions.0", "conditions.2", "enter", "leave", "levels"):
            for kind in ("weight", "bias"):
                own = f"{name}.{kind}"
                self.register_buffer(own.replace(".", "_"), tensors[own])
        for part in ("look", "film", "add"):
            for kind in ("weight", "bias"):
                layers = [tensors[f"layers.{n}.{part}.{kind}"] for n in range(self.n_layers)]
                self.register_buffer(f"{part}_{kind}", torch.stack(layers))
        self.register_buffer("mean_levels", tensors["mean_levels"].double())

    def _add_what_nn_tilde_asks_for(self, sliders: list) -> None:
        n_inlets = max(1, len(sliders))  # without an inlet it would never be called
        params = [n_inlets, self.ratio, _OUTLETS, 1]
        self.register_buffer("forward_params", torch.tensor(params))
        self.register_buffer("seed_params", torch.tensor([_INTEGER]))
        labels = [_label(each) for each in sliders] or ["(signal) nothing to move"]
        self.forward_input_labels = labels
        self.forward_output_labels = ["(signal) left", "(signal) right"]

    @torch.jit.export
    def get_methods(self) -> list[str]:
        return ["forward"]

    @torch.jit.export
    def get_attributes(self) -> list[str]:
        return ["seed"]

    @torch.jit.export
    def get_seed(self) -> int:
        return self.seed

    @torch.jit.export
    def set_seed(self, seed: int) -> int:
        """Begin another variation of the sound. Returns 0, by which nn~ knows that it worked."""
        self.seed = seed & 0xFFFFFFFF
        self.has_begun = False
        return 0

    def forward(self, sliders: torch.Tensor) -> torch.Tensor:
        if sliders.shape[0] != 1:
            raise RuntimeError("this instrument plays one voice: mc.nn~ with several is not for it")
        n_wanted = sliders.shape[2] * self.ratio
        given = torch.nan_to_num(sliders[0, : self.low.shape[0]].double())
        targets = torch.minimum(torch.maximum(given, self.low), self.high)
        if not self.has_begun:
            self._start(targets[:, 0])
        n_left = self.left.shape[1]
        ends: list[int] = []
        end = self.begin
        while end - self.begin + n_left < n_wanted:
            end = math.ceil((self.n_played + len(ends) + 1) * self.samples_per_frame)
            ends.append(end)
        if len(ends) > 0:
            self.left = torch.cat([self.left, self._frames(targets, ends, n_left)], dim=1)
        out = self.left[:, :n_wanted]
        self.left = self.left[:, n_wanted:].clone()
        return out[None]

    def _frames(self, targets: torch.Tensor, ends: list[int], n_left: int) -> torch.Tensor:
        """Return the samples of the next frames, [2, samples].

        targets: of the sliders in this call, [sliders, n]. ends: the sample after each frame.
        n_left: samples of this call that there were before.
        """
        gliding: list[torch.Tensor] = []
        counts: list[int] = []
        start = self.begin
        for end in ends:
            now = min((n_left + start - self.begin) // self.ratio, targets.shape[1] - 1)
            target = targets[:, now]
            moved = self.places + self.glide * (target - self.places)
            self.places = torch.where((target - moved).abs() < 1e-6, target, moved)
            gliding.append(self.places)
            counts.append(end - start)
            start = end
        made = self._envelopes(torch.stack(gliding, dim=1))
        before = torch.cat([self.last, made[:-1]])
        device = made.device
        frames = torch.arange(len(ends), device=device)
        frame_of = torch.repeat_interleave(frames, torch.tensor(counts, device=device))
        numbers = torch.arange(self.begin, start, device=device)
        share = numbers.double() / self.samples_per_frame - (self.n_played + frame_of).double()
        gains = before[frame_of] + (made - before)[frame_of] * share.float()[:, None]
        n_bands = self.lengths.shape[0]
        sounds: list[torch.Tensor] = []
        for channel in range(len(self.draws)):
            own = channel % self.n_channels
            places = (self.first_places[channel] + numbers) % self.lengths
            noise = self.loops[own].gather(1, places)
            own_gains = gains[:, own * n_bands : (own + 1) * n_bands]
            sounds.append((noise * own_gains.t()).sum(dim=0))
        self.begin = start
        self.n_played += len(ends)
        self.last = made[-1:].clone()
        return torch.stack(sounds)

    def _start(self, targets: torch.Tensor) -> None:
        """Begin as if the sound had been going on for as long as the network looks back."""
        self.n_frames = 0
        self.n_played = 0
        self.begin = 0
        self.places = targets.clone()
        self.states = torch.zeros_like(self.states)
        self.noise = self.noise[:0]
        self.left = self.left[:, :0]
        self.first_places = torch.stack([self._first_places(draw) for draw in self.draws])
        n_before = self.states.shape[0] + 1
        self.last = self._envelopes(targets[:, None].expand(-1, n_before))[-1:].clone()
        self.has_begun = True

    def _envelopes(self, places: torch.Tensor) -> torch.Tensor:
        """Return the envelopes at the ends of the next frames, [frames, channels * bands].

        places: of the sliders, [sliders, frames].
        """
        n = places.shape[1]
        given = self._along(self.curve_x, self.curve_y, places).float()
        conditions = nn.functional.linear(
            given.t(), self.conditions_0_weight, self.conditions_0_bias
        )
        conditions = nn.functional.silu(conditions)
        conditions = nn.functional.linear(
            conditions, self.conditions_2_weight, self.conditions_2_bias
        )
        conditions = nn.functional.silu(conditions)
        hidden = nn.functional.linear(self._next_noise(n), self.enter_weight, self.enter_bias)
        row, apart = 0, 1
        states: list[torch.Tensor] = []
        for layer in range(self.n_layers):
            longer = torch.cat([self.states[row : row + 2 * apart], hidden])
            seen = torch.cat([longer[:n], longer[apart : apart + n], hidden], dim=1)
            film = nn.functional.linear(conditions, self.film_weight[layer], self.film_bias[layer])
            scale, shift = film.chunk(2, dim=1)
            new = nn.functional.linear(seen, self.look_weight[layer], self.look_bias[layer])
            new = nn.functional.silu(new * (1 + scale) + shift)
            states.append(longer[n:])
            hidden = hidden + nn.functional.linear(
                new, self.add_weight[layer], self.add_bias[layer]
            )
            row, apart = row + 2 * apart, 3 * apart
        self.states = torch.cat(states)
        self.n_frames += n
        nepers = nn.functional.linear(hidden, self.leave_weight, self.leave_bias)
        nepers = nepers + nn.functional.linear(conditions, self.levels_weight, self.levels_bias)
        levels = self.mean_levels + self.reach_nepers * torch.tanh(nepers / self.reach_nepers)
        decibels = self._along(self.loudness_x, self.loudness_y, given.double()).sum(dim=0)
        gain = 10 ** (decibels.clamp(-self.most_gain_db, self.most_gain_db) / 20)
        return (levels.exp() * gain[:, None]).float()

    def _along(self, x: torch.Tensor, y: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
        """Return the values of lines through breakpoints, constant beyond their ends.

        x, y: [sliders, points]. at: [sliders, frames] -> the same shape.
        """
        after = torch.searchsorted(x, at.contiguous(), right=True).clamp(1, x.shape[1] - 1)
        first, width = x.gather(1, after - 1), x.gather(1, after) - x.gather(1, after - 1)
        share = torch.where(width > 0, (at - first) / width, torch.zeros_like(at)).clamp(0.0, 1.0)
        low = y.gather(1, after - 1)
        return low + (y.gather(1, after) - low) * share

    def _next_noise(self, n: int) -> torch.Tensor:
        """Return the noise of the next frames, [frames, n_noises]; drawn for many at once."""
        if self.noise.shape[0] < n:
            self.noise = self._drawn(max(n, self.frames_at_once))
        noise = self.noise[:n]
        self.noise = self.noise[n:]
        return noise

    def _drawn(self, n: int) -> torch.Tensor:
        """Return what `random_numbers.normals` draws for the next frames, [frames, n_noises]."""
        device = self.states.device
        numbers = torch.arange(self.n_frames, self.n_frames + n, device=device)[:, None]
        items = 2 * torch.arange(self.n_noises, device=device)[None]
        first = (self._hash(numbers, self.noise_purpose, items).double() + 1.0) / 4294967296.0
        angle = self._hash(numbers, self.noise_purpose, items + 1).double()
        angle = angle * (2 * math.pi / 4294967296.0)
        return (torch.sqrt(-2.0 * torch.log(first)) * torch.cos(angle)).float()

    def _first_places(self, draw: int) -> torch.Tensor:
        """Return where the loop of each band begins, [bands, 1]."""
        numbers = torch.arange(self.lengths.shape[0], device=self.lengths.device)[:, None]
        return self._hash(numbers, self.place_purpose, torch.full_like(numbers, draw))

    def _hash(self, numbers: torch.Tensor, purpose: int, items: torch.Tensor) -> torch.Tensor:
        """Return `integer_hash.hash_of` of many numbers and items."""
        seed = torch.full_like(numbers, self.seed)
        drawn = self._mixed((seed + self.golden) & self.mask)
        drawn = self._mixed(((drawn ^ numbers) + self.golden) & self.mask)
        drawn = self._mixed(((drawn ^ purpose) + self.golden) & self.mask)
        return self._mixed(((drawn ^ items) + self.golden) & self.mask)

    def _mixed(self, word: torch.Tensor) -> torch.Tensor:
        """Return `integer_hash.lowbias32`."""
        word = word ^ (word >> 16)
        word = (word * 0x7FEB352D) & self.mask
        word = word ^ (word >> 15)
        word = (word * 0x846CA68B) & self.mask
        return word ^ (word >> 16)


def _label(slider: dict) -> str:
    """Return what Max shows of an inlet: the slider's name, and what 0 and 1 are."""
    control = Control.from_description(slider["control"])
    return f"(signal) {control.name}: 0..1 is {control.low:g}..{control.high:g} {control.unit}"
