"""What the processes that share a training tell one another. With one process, nothing."""

from collections.abc import Callable
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import distributed, nn

from texturelib.errors import TextureError


def average_gradients(
    optimizer: torch.optim.Optimizer, loss: torch.Tensor, fabric: Fabric
) -> float:
    """Give the optimiser's parameters the mean of all processes' gradients.

    Args:
        loss: a scalar, of this process.

    Returns: the mean loss. A process whose loss is no number so tells the others.
    """
    if fabric.world_size == 1:
        return float(loss.detach())
    parameters = [
        each for part in optimizer.param_groups for each in part["params"] if each.grad is not None
    ]
    gradients = [each.grad for each in parameters]
    flat = torch.cat(
        [*(gradient.flatten() for gradient in gradients), loss.detach().reshape(1).to(gradients[0])]
    )
    # Before the sum, so that it stays within what a half-precision number can be.
    flat /= fabric.world_size
    distributed.all_reduce(flat)
    for gradient, mean in zip(
        gradients, flat[:-1].split([each.numel() for each in gradients]), strict=True
    ):
        gradient.copy_(mean.view_as(gradient))
    return float(flat[-1])


@torch.no_grad()
def share_buffers(module: nn.Module, fabric: Fabric) -> None:
    """Give every process the first one's buffers, such as the running means of batch
    normalisation."""
    if fabric.world_size > 1:
        for buffer in module.buffers():
            distributed.broadcast(buffer, src=0)


def of_all(value: Any, fabric: Fabric) -> list[Any]:
    """-> what every process gives here, in their order. value: anything that is not on a device."""
    if fabric.world_size == 1:
        return [value]
    values: list[Any] = [None] * fabric.world_size
    distributed.all_gather_object(values, value)
    return values


def in_the_first(work: Callable[[], None], fabric: Fabric) -> None:
    """Do it in the first process alone. Errors: its TextureError, in all of them."""
    error: TextureError | None = None
    if fabric.is_global_zero:
        try:
            work()
        except TextureError as raised:
            error = raised
    if error := fabric.broadcast(error):
        raise error
