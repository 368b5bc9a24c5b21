"""The precision that a training computes in."""

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import nn


class InPrecision:
    """A module as a training calls it: its call and the named methods compute in the precision of
    `compute.precision` and return 32 bits; everything else is the module's own.

    Fabric's own wrapper leaves named methods alone unless the strategy puts another module, such as
    DistributedDataParallel, around this one.
    """

    def __init__(self, module: nn.Module, methods: Collection[str], fabric: Fabric) -> None:
        """Prepare the module. methods: names of methods that call its layers."""
        self._module, self._methods, self._fabric = module, frozenset(methods), fabric

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._compute(self._module, *args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._module, name)
        return partial(self._compute, value) if name in self._methods else value

    def _compute(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        with self._fabric.autocast():
            result = function(*args, **kwargs)
        return self._fabric.strategy.precision.convert_output(result)


def in_32_bits(device: torch.device) -> AbstractContextManager[Any]:
    """Return a context in which 32 bits are computed with, whatever `compute.precision` says: for
    samples of sound, whose noise would be at -48 dB with the 8 bits of bfloat16, and for what is
    measured in them."""
    return torch.autocast(device.type, enabled=False)
