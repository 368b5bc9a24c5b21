"""Processes of this machine that share a training, and that no other machine can reach."""

import os
import socket
from typing import Any, cast

import torch
from lightning_fabric.strategies.ddp import DDPStrategy
from torch import distributed, nn
from torch.distributed import TCPStore  # type: ignore[attr-defined]

_LOOPBACK = "127.0.0.1"


class OneMachine(DDPStrategy):
    """A Fabric strategy whose processes meet on loopback; by default torch's would meet at a
    port that is open to every network."""

    def __init__(self) -> None:
        # Spawned for a training alone: whatever is read and written around it happens once.
        super().__init__(start_method="spawn")

    def setup_module(self, module: nn.Module) -> Any:
        """Return the module itself rather than a DistributedDataParallel, which needs a gradient
        for every weight at every step. The training loop averages the gradients of the current
        optimiser over the processes."""
        return module

    def setup_environment(self) -> None:
        if not distributed.is_initialized():
            self._meet()
        super().setup_environment()

    def _meet(self) -> None:
        for loopback in {"lo", "lo0"} & {name for _, name in socket.if_nameindex()}:
            for library in ("GLOO", "NCCL"):
                os.environ.setdefault(f"{library}_SOCKET_IFNAME", loopback)
        port = cast("Any", self.cluster_environment).main_port
        rank, device = self.local_rank, self.root_device
        listening = socket.create_server((_LOOPBACK, port)).detach() if rank == 0 else None
        store = TCPStore(_LOOPBACK, port, self.num_processes, rank == 0, master_listen_fd=listening)
        distributed.init_process_group(
            "gloo" if device.type == "cpu" else "nccl",
            store=store,
            rank=rank,
            world_size=self.num_processes,
            device_id=None if device.type == "cpu" else cast("torch.device", device),
        )
