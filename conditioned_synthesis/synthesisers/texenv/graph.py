"""TexEnv as one graph of tensors, for runtimes without this toolkit."""

import torch
from torch import nn

from conditioned_synthesis.dsp.noise_bands import put_on_channels
from conditioned_synthesis.synthesisers._base import Graph
from conditioned_synthesis.synthesisers.texenv.player import MakesEnvelopes

_FRAMES = 4  # of the example that the graph is made with; any number runs


def graph_of(network: MakesEnvelopes, n_controls: int) -> Graph:
    """Return the graph of a call of `TexEnvPlayer`.

    Its noise, and all that it keeps from one call to the next, are inputs.
    """
    states = {f"state_{index}": state for index, state in enumerate(network.no_states(1))}
    n_bands = network.bands.n_bands
    inputs = {
        "noise": torch.zeros(1, _FRAMES, network.n_noises),
        "places": torch.zeros(n_bands, dtype=torch.int64),
        "last": torch.zeros(1, 1, network.n_channels * n_bands),
        **states,
    }
    return Graph(
        module=_TexEnvGraph(network).eval(),
        controls=torch.zeros(1, _FRAMES, n_controls),
        inputs=inputs,
        outputs=("samples", *(f"{name}_after" for name in inputs if name != "noise")),
        moving=("noise",),
        facts={
            "hop": network.hop,
            "n_noises": network.n_noises,
            "frames_to_begin_with": network.n_back + 1,
            "how": "Each frame of controls [1, frames, controls], 0..1, with normal noise [1, frames, n_noises], makes hop "
            "samples. Begin with zeros as last and states, places drawn at random (whole numbers from 0 up), and "
            "frames_to_begin_with frames whose samples are dropped; then give every ..._after to the next call.",
        },
    )


class _TexEnvGraph(nn.Module):
    loops: torch.Tensor
    lengths: torch.Tensor

    def __init__(self, network: MakesEnvelopes) -> None:
        super().__init__()
        self.network = network
        loops = network.carriers.loops
        longest = max(len(loop) for loop in loops)
        self.register_buffer(
            "loops",
            torch.stack([nn.functional.pad(loop, (0, longest - len(loop))) for loop in loops]),
        )
        lengths = [len(loop) for loop in loops[: network.bands.n_bands]]  # as long in each channel
        self.register_buffer("lengths", torch.tensor(lengths))

    def forward(
        self,
        controls: torch.Tensor,
        noise: torch.Tensor,
        places: torch.Tensor,
        last: torch.Tensor,
        *states: torch.Tensor,
    ) -> tuple[torch.Tensor, ...]:
        """Return the samples of some frames, and what the next call needs.

        places: [bands] int64, where each band's noise goes on. last: [1, 1, channels * bands], the
        envelopes before. -> [samples] or [samples, 2], and the rest.
        """
        made, after = self.network(controls, noise, list(states))
        n_samples = controls.shape[1] * self.network.hop  # type: ignore[operator]
        which = (places[:, None] + torch.arange(n_samples)) % self.lengths[:, None]
        n_channels = self.network.n_channels
        carriers = self.loops.gather(1, which.repeat(n_channels, 1))[None]  # type: ignore[arg-type]
        envelopes = torch.cat([last, made], dim=1)
        samples = put_on_channels(envelopes, carriers, n_channels)  # type: ignore[arg-type]
        return samples[0], (places + n_samples) % self.lengths, made[:, -1:], *after
