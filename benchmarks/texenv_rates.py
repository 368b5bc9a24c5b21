"""What does a training step of TexEnv cost at a higher sample rate? python benchmarks/texenv_rates.py
[--steps N]

One core, 32 bands and the texture statistics alone, a batch of 16 clips of a second; the rates take
turns, step by step, so that other programs slow down all of them alike. Processor time, the best
and the median step. Prints Markdown.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch

from conditioned_synthesis.losses.texture import TextureLoss
from conditioned_synthesis.synthesisers.texenv.settings import TexEnv

RATES = (16000, 44100, 48000)
BATCH, CONTROLS = 16, 2


def trained(sample_rate: int) -> Callable[[], None]:
    """-> what takes a training step."""
    torch.manual_seed(0)
    network = TexEnv(n_bands=32, losses=(TextureLoss(),)).network(CONTROLS, sample_rate).train()
    optimizer = torch.optim.Adam(network.parameters(), lr=0.003)
    audio = 0.1 * torch.randn(BATCH, sample_rate)
    controls = torch.rand(BATCH, 1, CONTROLS).expand(-1, sample_rate, -1).contiguous()

    def step() -> None:
        network.losses(audio, controls)["loss"].backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=20)
    options = parser.parse_args()
    torch.set_num_threads(1)
    steps = {rate: trained(rate) for rate in RATES}
    for step in steps.values():
        step()  # what is made once: bands of noise, compiled code
    seconds = {rate: [] for rate in RATES}
    for _ in range(options.steps):
        for rate, step in steps.items():
            start = time.process_time()
            step()
            seconds[rate].append(time.process_time() - start)
    print(f"| Hz | a step, s: best | median | of that at {RATES[0]} Hz: best | median |")
    print("|---|---|---|---|---|")
    for rate in RATES:
        found = np.array(
            [(min(seconds[each]), np.median(seconds[each])) for each in (rate, RATES[0])]
        )
        shares = found[0] / found[1]
        print(
            f"| {rate} | {found[0, 0]:.3f} | {found[0, 1]:.3f} | {shares[0]:.2f} | {shares[1]:.2f} |"
        )


if __name__ == "__main__":
    main()
