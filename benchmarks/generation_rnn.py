"""How fast a conditional GRU writes sound on one core: python benchmarks/generation_rnn.py
[--rounds 5] [--seconds 1]

Random weights, two controls, 16 kHz. Ours is the compiled step of `conditioned_synthesis`; beside
it the usual loop in torch, nn.GRU one step at a time under inference_mode, which draws its samples
in the same way. They take turns, after one turn that does not count; the median is what is shown.
Time is the process's own, on one thread, so that what else the machine does at the same time counts
less. Prints Markdown.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"  # read when numpy and torch are imported

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import nn  # noqa: E402

from conditioned_synthesis.synthesisers.mtcrnn.player import FastGru  # noqa: E402

RATE = 16000
N_CONTROLS = 2
SILENCE = 127
# Units, layers; the second is MTCRNN's quick start, the third its default.
SIZES = ((256, 1), (256, 4), (800, 3))


class TorchLoop(nn.Module):
    """The network, and the loop that one would write first."""

    def __init__(self, hidden: int, n_layers: int) -> None:
        super().__init__()
        self.i2d = nn.Linear(1 + N_CONTROLS, hidden)
        self.gru = nn.GRU(hidden, hidden, n_layers, batch_first=True)
        self.h2o = nn.Linear(hidden, 256)

    @torch.inference_mode()
    def generate(self, controls: torch.Tensor, uniforms: torch.Tensor) -> torch.Tensor:
        """Return the indices of the samples, [samples]. controls: [samples, n_controls]. uniforms:
        [samples]."""
        indices = torch.empty(len(controls), dtype=torch.long)
        index = torch.tensor([SILENCE])
        state = torch.zeros(self.gru.num_layers, 1, self.gru.hidden_size)
        for t in range(len(controls)):
            inputs = torch.cat((index / 256, controls[t]))[None, None]
            output, state = self.gru(torch.relu(self.i2d(inputs)), state)
            cumulative = torch.softmax(self.h2o(output)[0, 0], 0).cumsum(0)
            index = torch.searchsorted(cumulative, uniforms[t : t + 1], right=True).clamp(max=255)
            indices[t] = index[0]
        return indices


def seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def per_sample(
    network: TorchLoop, ours: FastGru, controls: np.ndarray, n_samples: tuple[int, int], rounds: int
) -> tuple[float, float]:
    """Return the median seconds per sample of both. controls: as many rows as the larger of
    `n_samples` (of ours, of torch)."""
    uniforms = np.random.default_rng(0).random(len(controls))
    state = np.zeros((network.gru.num_layers, network.gru.hidden_size), np.float32)
    tensors = (
        torch.from_numpy(controls[: n_samples[1]]),
        torch.from_numpy(uniforms[: n_samples[1]].astype(np.float32)),
    )
    times: tuple[list[float], list[float]] = [], []
    for _ in range(1 + rounds):
        mine = controls[: n_samples[0]], uniforms[: n_samples[0]]
        times[0].append(
            seconds(lambda mine=mine: ours.generate(*mine, 1.0, SILENCE, state)) / n_samples[0]
        )
        times[1].append(seconds(lambda: network.generate(*tensors)) / n_samples[1])
    return statistics.median(times[0][1:]), statistics.median(times[1][1:])


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--rounds", type=int, default=5, help="turns of each that count")
    arguments.add_argument("--seconds", type=float, default=1.0, help="about how long a turn takes")
    chosen = arguments.parse_args()
    torch.set_num_threads(1)

    print(
        "| network | controls | weights | ours, x real time | torch step by step | ours / torch |\n|---|---|---|---|---|---|"
    )
    for hidden, n_layers in SIZES:
        torch.manual_seed(0)
        network = TorchLoop(hidden, n_layers).eval()
        weights = {name: weight.numpy() for name, weight in network.state_dict().items()}
        cases = [("held", False), ("held", True)]
        if n_layers == 1:
            cases.insert(1, ("moving", False))
        for kind, in_bytes in cases:
            ours = FastGru(weights, n_layers, in_bytes=in_bytes)
            # As many samples as take about that long, from a first look at each way.
            few, many = np.zeros((100, N_CONTROLS), np.float32), RATE * 60
            per_sample(network, ours, few, (100, 100), 1)
            first = per_sample(network, ours, few, (100, 100), 1)
            n_samples = [
                min(many, max(100, round(chosen.seconds / time_of_one))) for time_of_one in first
            ]
            controls = np.full((max(n_samples), N_CONTROLS), 0.5, np.float32)
            if kind == "moving":
                controls[:] = np.linspace(0, 1, len(controls))[:, None]
            mine, of_torch = per_sample(
                network, ours, controls, (n_samples[0], n_samples[1]), chosen.rounds
            )
            speeds = 1 / (RATE * mine), 1 / (RATE * of_torch)
            stored = "in bytes" if in_bytes else "float32"
            print(
                f"| H {hidden} x {n_layers} | {kind} | {stored} | {speeds[0]:.3g} | {speeds[1]:.2g} | {of_torch / mine:.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
