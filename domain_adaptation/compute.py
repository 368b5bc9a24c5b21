"""Where and how exactly to compute."""

from typing import TYPE_CHECKING

from domain_adaptation.config import ComputeConfig
from domain_adaptation.memory import keep_freed_memory
from texturelib.errors import UsageError, first_line

if TYPE_CHECKING:
    from lightning_fabric import Fabric


def start_fabric(compute: ComputeConfig) -> "Fabric":
    """Errors: UsageError when this machine cannot."""
    from lightning_fabric import Fabric
    from lightning_fabric.strategies.ddp import DDPStrategy

    keep_freed_memory()
    # Processes are spawned for a training alone: whatever is read and written around it happens once.
    strategy = DDPStrategy(start_method="spawn") if compute.processes > 1 else "auto"
    try:
        return Fabric(accelerator=compute.accelerator, devices=compute.processes, strategy=strategy, precision=compute.precision)
    except (RuntimeError, ValueError) as error:
        reason = first_line(error)
        raise UsageError(
            f'compute: "{compute.accelerator}" in {compute.processes}, "{compute.precision}" cannot be had here ({reason})'
        ) from None
