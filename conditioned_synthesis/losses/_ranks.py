"""Sort values, to compare those of the same rank."""

import numpy as np
import torch


def ranked(values: torch.Tensor) -> torch.Tensor:
    """Return each row in rising order, with a gradient to the values.

    values: [rows, values] -> the same shape. On a processor numpy sorts, several times as fast.
    """
    if values.device.type != "cpu":
        return values.sort(1).values
    if not values.requires_grad:
        return torch.from_numpy(np.sort(values.numpy(), axis=1))
    order = np.argsort(values.detach().numpy(), axis=1)
    return values.gather(1, torch.from_numpy(order))
