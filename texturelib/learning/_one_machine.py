"""Processes of this machine that share a training, and that no other machine can reach."""

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import torch
from lightning_fabric.strategies.ddp import DDPStrategy
from lightning_fabric.strategies.launchers.multiprocessing import _MultiProcessingLauncher
from torch import distributed, nn
from torch.distributed import FileStore  # type: ignore[attr-defined]

from texturelib.private_folder import private_folder


class OneMachine(DDPStrategy):
    """A Fabric strategy whose processes find one another through a file that only this user can
    open, and then talk on loopback; by default torch's would meet at a port that is open to every
    network, and to whoever comes first."""

    def __init__(self) -> None:
        # Spawned for a training alone: whatever is read and written around it happens once.
        super().__init__(start_method="spawn")
        self.meeting_place: Path | None = None

    def setup_module(self, module: nn.Module) -> Any:
        """Return the module itself rather than a DistributedDataParallel, which needs a gradient
        for every weight at every step. The training loop averages the gradients of the current
        optimiser over the processes."""
        return module

    def _configure_launcher(self) -> None:
        self._launcher = _Launcher(self, start_method=cast("Any", self._start_method))

    def setup_environment(self) -> None:
        if not distributed.is_initialized():
            self._meet()
        super().setup_environment()

    def _meet(self) -> None:
        for loopback in {"lo", "lo0"} & {name for _, name in socket.if_nameindex()}:
            for library in ("GLOO", "NCCL"):
                os.environ.setdefault(f"{library}_SOCKET_IFNAME", loopback)
        device = self.root_device
        distributed.init_process_group(
            "gloo" if device.type == "cpu" else "nccl",
            store=FileStore(str(self.meeting_place), self.num_processes),
            rank=self.local_rank,
            world_size=self.num_processes,
            device_id=None if device.type == "cpu" else cast("torch.device", device),
        )


class _Launcher(_MultiProcessingLauncher):
    """Starts the processes, with a folder in which they meet."""

    def launch(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        with private_folder("texture-training-") as folder:
            cast("OneMachine", self._strategy).meeting_place = folder / "processes"
            return super().launch(function, *args, **kwargs)
