"""A training computes in the precision of `compute.precision`, in whichever way it calls its
module, and keeps weights, losses and sounds in 32 bits."""

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import nn

from texturelib.learning.compute import ComputeConfig, start_fabric
from texturelib.learning.loop import Plan, train
from texturelib.learning.precision import in_32_bits
from texturelib.learning.trainable import Group, Trainable


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)
        self.seen: dict[str, torch.dtype] = {}
        self.layer.register_forward_hook(self._see)

    def _see(self, _layer: nn.Module, _inputs: Any, output: torch.Tensor) -> None:
        self.seen["layer"] = output.dtype

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.layer(inputs)

    def read(self, inputs: torch.Tensor) -> Mapping[str, Any]:
        labels = self.layer(inputs)
        with in_32_bits(inputs.device):
            self.seen["in 32 bits"] = (labels.float() @ self.layer.weight).dtype
        return {"labels": labels, "parts": (labels, 1)}


class Learning(Trainable):
    methods = ("read",)

    def __init__(self, by_method: bool) -> None:
        self.module: nn.Module = Network()
        self._by_method = by_method
        self.returned: set[torch.dtype] = set()

    def groups(self) -> Mapping[str, Group]:
        return {"all": Group(torch.optim.SGD(self.module.parameters(), lr=0.1))}

    def batch(self, number: int, mine: slice) -> tuple[torch.Tensor]:
        return (torch.full((2, 4), 0.1 * (number + 1))[mine],)

    def validation(self, mine: slice) -> list[tuple[torch.Tensor]]:
        return [self.batch(0, mine)]

    def losses(self, module: Any, batch: Any, group: str) -> Mapping[str, torch.Tensor]:  # noqa: ARG002
        result = module.read(batch[0])["parts"][0] if self._by_method else module(batch[0])
        self.returned.add(result.dtype)
        # A matrix product, which would be one of 16 bits where the loss were computed so.
        self.returned.add((result @ result.T).dtype)
        return {"loss": result.square().mean()}


@pytest.mark.filterwarnings("ignore:.*AMP with fp16 is not supported on CPU")
@pytest.mark.parametrize("by_method", [False, True])
@pytest.mark.parametrize(
    ("precision", "computed"),
    [("32-true", torch.float32), ("bf16-mixed", torch.bfloat16), ("16-mixed", torch.bfloat16)],
)
def test_layers_compute_in_it_and_everything_else_in_32_bits(
    tmp_path: Any, precision: Any, computed: torch.dtype, by_method: bool
) -> None:
    learning = Learning(by_method)
    fabric = start_fabric(ComputeConfig(accelerator="cpu", precision=precision))
    state = train(learning, Plan(tmp_path, "precision", 2, 1), fabric)
    module = learning.module
    assert isinstance(module, Network)
    assert module.seen["layer"] == computed
    assert module.seen.get("in 32 bits", torch.float32) == torch.float32
    assert learning.returned == {torch.float32}
    assert {weight.dtype for weight in module.parameters()} == {torch.float32}
    assert state.history[1]["train_loss"] > 0
