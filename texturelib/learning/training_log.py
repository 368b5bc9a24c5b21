"""The log of a training: last.ckpt, history.csv and TensorBoard events."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from texturelib.durable import sync_folder
from texturelib.files import write_table
from texturelib.learning.checkpoint import HasState, save_checkpoint
from texturelib.made import add_to_list, place_of


class TrainingLog:
    """Writes a training's files into its folder. Only the first process writes."""

    def __init__(self, folder: Path, begins_at: int, writes: bool = True) -> None:
        """Open the log. begins_at: the epoch or step from which a resumed training continues;
        later events of the stopped run are discarded."""
        self._folder = folder
        self._writer = None
        if writes:
            # Imported here: tensorboard takes a second, and prints of its own.
            from torch.utils.tensorboard.writer import SummaryWriter

            events = folder / "tensorboard"
            place_of(events / "events")  # no link leads there
            self._writer = SummaryWriter(str(events), purge_step=begins_at)
            # TensorBoard alone knows the name, which has the second in it.
            add_to_list(Path(self._writer.file_writer.event_writer._file_name))  # type: ignore[union-attr]

    def __enter__(self) -> "TrainingLog":
        return self

    def __exit__(self, *reason: object) -> None:
        if self._writer:
            self._writer.close()

    def write(
        self,
        at: int,
        state: Mapping[str, Any],
        history: Sequence[Mapping[str, float]],
        learning: Mapping[str, HasState],
    ) -> None:
        """Write a checkpoint.

        Args:
            at: the epoch or step.
            state: plain tensors and numbers.
            history: one row per checkpoint until now; its first column is the epoch or step, the
                others are losses.
            learning: by name, what else is saved.
        """
        import pandas as pd

        if self._writer is None:
            return
        for name, value in list(history[-1].items())[1:]:
            self._writer.add_scalar(name, value, at)
        write_table(self._folder / "history.csv", pd.DataFrame(history))
        self._writer.flush()
        # Last, and all else on the disk: what a checkpoint has is never done again, so a training
        # that was killed, or lost power, before the other files would lack it there.
        sync_folder(self._folder)
        save_checkpoint(self._folder / "last.ckpt", state, learning)
