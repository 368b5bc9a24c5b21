"""The units of Grains as a torch module, whose buffers hold them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from conditioned_synthesis.synthesisers._base import Graph
from conditioned_synthesis.synthesisers.grains.laws import (
    BY_POSITION,
    EXPONENTIAL,
    LAWS,
    LINEAR,
)
from conditioned_synthesis.synthesisers.grains.player import GrainsPlayer
from conditioned_synthesis.synthesisers.grains.repeats import no_moments
from conditioned_synthesis.synthesisers.grains.sizes import Sizes
from conditioned_synthesis.synthesisers.grains.state import Material, kernels_of
from texturelib.errors import UsageError

N_BANDS = 16
_MOST = 1e6  # of a place, and of what a law moves it by; those of controls are below 100


class GrainsNetwork(nn.Module):
    """Clips, and what is known of the units in them. It has no parameters, and before its buffers
    are filled it plays silence.

    Shape:
        sounds: [clips, channels, samples] int16
        places: [clips, starts, controls] float32, of the unit that begins there
        spectra: [clips, frames, bands] float16, in dB
        shapes: [controls, 4] float64
        exponents: [controls, laws] float64
        begins: [clips, layers] float64, in samples; of older folders, nothing is known of moments
        speeds, recorded: [clips] float64
    """

    sounds: torch.Tensor
    places: torch.Tensor
    spectra: torch.Tensor
    shapes: torch.Tensor
    exponents: torch.Tensor
    begins: torch.Tensor
    speeds: torch.Tensor
    recorded: torch.Tensor

    loss_in_words = "of texture statistics (two clips of one texture are about 1 apart)"

    def __init__(self, n_controls: int, sample_rate: int, n_channels: int, sizes: Sizes) -> None:
        super().__init__()
        self.sample_rate, self.sizes = sample_rate, sizes
        self._n_controls, self._n_channels = n_controls, n_channels
        self._material: Material | None = None
        empty = {
            "sounds": torch.empty(0, n_channels, 0, dtype=torch.int16),
            "places": torch.empty(0, 0, n_controls),
            "spectra": torch.empty(0, 0, N_BANDS, dtype=torch.float16),
            "shapes": torch.zeros(n_controls, 4, dtype=torch.float64),
            "exponents": torch.zeros(n_controls, len(LAWS), dtype=torch.float64),
            **{name: torch.from_numpy(each) for name, each in no_moments(0).items()},
        }
        for name, buffer in empty.items():
            self.register_buffer(name, buffer)

    def fill(self, buffers: Mapping[str, np.ndarray]) -> None:
        """Fill the buffers. They are of the shapes above. Errors: RuntimeError when they are not,
        or do not fit one another."""
        self.load_state_dict({name: torch.from_numpy(each) for name, each in buffers.items()})

    def _load_from_state_dict(
        self,
        state_dict: Any,
        prefix: str,
        local_metadata: Any,
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Take buffers of any size, as how many clips there are only the clips say."""
        if prefix + "sounds" in state_dict:
            for name, each in no_moments(len(state_dict[prefix + "sounds"])).items():
                state_dict.setdefault(prefix + name, torch.from_numpy(each))
        names = [name for name, _ in self.named_buffers()]
        found = {name: state_dict[prefix + name] for name in names if prefix + name in state_dict}
        if len(found) == len(names):
            shapes = {key: tuple(each.shape) for key, each in found.items()}
            wrong = self._what_does_not_fit(shapes) or _what_is_no_law(found)
            if wrong:
                error_msgs.append(wrong)
                return
            for name, buffer in list(self.named_buffers()):
                empty = torch.empty_like(found[name], dtype=buffer.dtype, device=buffer.device)
                setattr(self, name, empty)
        self._material = None
        super()._load_from_state_dict(
            state_dict,
            prefix,
            local_metadata,
            strict,
            missing_keys,
            unexpected_keys,
            error_msgs,
        )

    def _what_does_not_fit(self, shapes: Mapping[str, tuple[int, ...]]) -> str | None:
        """Return what is wrong with the buffers' shapes: the player reads them unchecked."""
        n_clips, _, n_samples = (*shapes["sounds"], 0, 0, 0)[:3]
        sizes = self.sizes
        wanted = {
            "sounds": (n_clips, self._n_channels, n_samples),
            "places": (n_clips, sizes.n_starts(n_samples), self._n_controls),
            "spectra": (n_clips, sizes.n_frames(n_samples), N_BANDS),
            "shapes": (self._n_controls, 4),
            "exponents": (self._n_controls, len(LAWS)),
            "begins": (n_clips, *shapes["begins"][1:2]),
            "speeds": (n_clips,),
            "recorded": (n_clips,),
        }
        for name, shape in wanted.items():
            if shapes[name] != shape:
                return f"{name} has the shape {shapes[name]}, not {shape}"
        return "its clips are shorter than a unit" if n_clips and not wanted["places"][1] else None

    def player(self, seed: int, *, temperature: float = 1.0) -> GrainsPlayer:
        """Return a player, as `SynthesisNetwork.player`.

        temperature: of the range from which neighbours are drawn.
        """
        if self._material is None:
            of = {name: each.cpu().numpy() for name, each in self.named_buffers()}
            self._material = Material(
                sounds=of["sounds"],
                places=of["places"].reshape(-1, self._n_controls),
                spectra=of["spectra"].astype(np.float32),
                shapes=of["shapes"],
                exponents=of["exponents"],
                kernels=kernels_of(self.sizes),
                begins=of["begins"],
                speeds=of["speeds"],
                recorded=of["recorded"],
            )
        return GrainsPlayer(self._material, self.sizes, seed, temperature)

    def graph(self) -> Graph:
        raise UsageError(
            'export-onnx: a synthesiser of type "grains" is no network that runtimes of ONNX could run: it chooses '
            'pieces of its clips; export one of type "texenv"'
        )


def _what_is_no_law(found: Mapping[str, torch.Tensor]) -> str | None:
    """Return what is wrong with the numbers by which units are moved: of others, positions in clips
    would be made that do not exist."""
    kind, low, high, offset = found["shapes"].double().T
    has_range = (low * high > 0) & (low != high) & ((low - offset) * (high - offset) > 0)
    if not ((kind == BY_POSITION) | ((kind == LINEAR) | (kind == EXPONENTIAL)) & has_range).all():
        return "shapes has a row that no control has"
    for name in ("places", "exponents"):
        if not (found[name].abs() <= _MOST).all():
            return f"{name} has numbers beyond {_MOST:g}"
    return None
