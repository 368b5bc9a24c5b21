"""Communication between the processes that share a training. With one process, there is none."""

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
        loss: this process's, a scalar.

    Returns: the mean loss, which is not a number in any process if it is none in one of them.
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
    """Copy the first process's buffers, such as the running means of batch normalisation, to
    all."""
    if fabric.world_size > 1:
        for buffer in module.buffers():
            distributed.broadcast(buffer, src=0)


def of_all(value: Any, fabric: Fabric) -> list[Any]:
    """Return the values that all processes pass here, in the order of the processes. value:
    anything that is not on a device."""
    if fabric.world_size == 1:
        return [value]
    values: list[Any] = [None] * fabric.world_size
    distributed.all_gather_object(values, value)
    return values


def in_the_first(work: Callable[[], None], fabric: Fabric) -> None:
    """Do the work in the first process only. Errors: its TextureError, in all processes."""
    error: TextureError | None = None
    if fabric.is_global_zero:
        try:
            work()
        except TextureError as raised:
            error = raised
    if error := fabric.broadcast(error):
        raise error
