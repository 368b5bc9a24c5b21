"""Any patch that is open in Max, Pure Data or another program, and speaks the thesis's session."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Literal

from pydantic import Field, model_validator

from synthetic_datasets.engines._base import Started, engines
from synthetic_datasets.engines._osc_channel import OscChannel
from synthetic_datasets.engines._patch import PatchEngine, played_by
from synthetic_datasets.engines._session import Session, SessionSettings

Port = Annotated[int, Field(ge=1, le=65535)]


@engines.register
class Osc(PatchEngine):
    """Plays a patch that somebody has opened, on this machine. docs/patches.md says how to make
    one."""

    type: Literal["osc"] = "osc"
    send_port: Port = 8000
    """Port on which the patch listens."""
    receive_port: Port = 8001
    """Port to which the patch replies."""
    leading_slash: bool = False
    """Whether the patch's addresses begin with a slash, as OSC says; the thesis's have none."""
    sends_seed: bool = False
    """Whether the patch takes a message "seed", a whole number that seeds its random numbers; only
    then can a clip be rendered again."""

    @model_validator(mode="after")
    def _two_ports(self) -> "Osc":
        if self.send_port == self.receive_port:
            raise ValueError(
                f"receive_port: {self.receive_port} is the send_port too; the patch needs that one"
            )
        return self

    @contextmanager
    def started(self, seconds: float, sample_rate: int, workers: int) -> Iterator[Started]:
        settings = SessionSettings(
            sample_rate, seconds, self.sends_seed, self.reply_seconds, self.resends
        )
        with (
            OscChannel(self.send_port, self.receive_port, self.leading_slash) as channel,
            Session("the patch", channel, settings) as session,
            played_by([session], self.patch_controls, {}) as started,
        ):
            yield started
