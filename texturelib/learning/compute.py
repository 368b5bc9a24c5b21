"""The device and the precision of computations."""

from typing import TYPE_CHECKING, Literal

from pydantic import PositiveInt

from texturelib.config import Config
from texturelib.errors import UsageError, first_line
from texturelib.learning.memory import keep_freed_memory

if TYPE_CHECKING:
    from lightning_fabric import Fabric


class ComputeConfig(Config):
    """Device and precision of the computation, in Lightning Fabric's words. They change speed
    and rounding; several processes also draw other noise, and each normalises its own part of a
    batch."""

    accelerator: Literal["auto", "cpu", "gpu", "cuda", "mps"] = "auto"
    """Kind of device; "auto" takes a GPU where there is one."""
    processes: PositiveInt = 1
    """Number of processes that share each batch of a training: GPUs, or processes on the CPU."""
    precision: Literal["32-true", "16-mixed", "bf16-mixed"] = "32-true"
    """Precision of a network's layers in training: 32 bits, or 16 where PyTorch's autocast allows
    them; weights, losses and sounds stay in 32 bits."""


def start_fabric(compute: ComputeConfig) -> "Fabric":
    """Start Fabric. Errors: UsageError when this machine lacks what is asked for."""
    from lightning_fabric import Fabric

    from texturelib.learning._one_machine import OneMachine

    keep_freed_memory()
    strategy = OneMachine() if compute.processes > 1 else "auto"
    try:
        return Fabric(
            accelerator=compute.accelerator,
            devices=compute.processes,
            strategy=strategy,
            precision=compute.precision,
        )
    except (RuntimeError, ValueError) as error:
        reason = first_line(error)
        raise UsageError(
            f'compute: "{compute.accelerator}" in {compute.processes}, "{compute.precision}" cannot be had here ({reason})'
        ) from None
