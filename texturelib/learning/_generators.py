"""The states of torch's random generators."""

from collections.abc import Mapping

import torch


def generators(device: torch.device) -> dict[str, torch.Tensor]:
    """Return the generator states by kind of device, each a byte tensor; the CPU's is always
    there."""
    states = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    elif device.type == "mps":
        states["mps"] = torch.mps.get_rng_state()
    return states


def set_generators(states: Mapping[str, torch.Tensor], device: torch.device) -> None:
    """Set the generator states. states: as `generators` returns them, or fewer; the other
    generators are not changed."""
    if "cpu" in states:
        torch.set_rng_state(states["cpu"])
    if device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"], device)
    elif device.type == "mps" and "mps" in states:
        torch.mps.set_rng_state(states["mps"])
