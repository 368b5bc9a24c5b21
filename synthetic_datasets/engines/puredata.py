"""A Pure Data patch, played by as many Pure Datas as there are workers, faster than real time."""

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PositiveFloat, field_validator, model_validator

from synthetic_datasets.engines._base import Started, engines
from synthetic_datasets.engines._patch import PatchControl, PatchEngine, played_by
from synthetic_datasets.engines._patch_files import files_of_patch
from synthetic_datasets.engines._pd_process import PATCHES, PdPlayer, find_program, version_of
from synthetic_datasets.engines._session import SessionSettings
from synthetic_datasets.engines.liquid import Liquid
from texturelib.config import ConfigPath
from texturelib.files import shown

_SHIPPED = {
    "liquid": {
        control.name: PatchControl(
            **{key: value for key, value in control.describe().items() if key != "name"}
        )
        for control in Liquid.available
    }
}


@engines.register
class PureData(PatchEngine):
    """Starts Pure Data itself, without a window or sound card. docs/patches.md says how to make a
    patch."""

    type: Literal["puredata"] = "puredata"
    patch: Annotated[Literal["liquid"] | ConfigPath, Field(union_mode="left_to_right")]
    """A .pd file that holds a [dataset_receiver], or "liquid", which comes with the toolkit: the
    engine "liquid" as a patch."""
    patch_controls: dict[str, PatchControl] = Field(default={})
    """All controls of the patch, by name; each gets a message of its name. Known for the patches
    that come with the toolkit."""

    allowed_errors: list[str] = Field(default=[])
    """Texts of errors that Pure Data may report, or parts of them; any other error ends the run
    while the patch is opened, and rejects the clip later."""
    start_seconds: PositiveFloat = 20.0
    """Longest time for Pure Data to start and open the patch, in seconds."""

    @model_validator(mode="before")
    @classmethod
    def _shipped_controls(cls, content: Any) -> Any:
        if (
            isinstance(content, dict)
            and isinstance(content.get("patch"), str)
            and content["patch"] in _SHIPPED
        ):
            return {"patch_controls": _SHIPPED[content["patch"]], **content}
        return content

    @field_validator("patch", mode="before")
    @classmethod
    def _is_a_name(cls, patch: Any) -> Any:
        if not isinstance(patch, str | Path):
            raise ValueError(
                f"{json.dumps(patch)} should be the path of a .pd file, or one of {', '.join(_SHIPPED)}"
            )
        return patch

    @field_validator("patch")
    @classmethod
    def _is_a_patch(cls, patch: Any) -> Any:
        if isinstance(patch, Path) and not patch.is_file():
            raise ValueError(
                f"{shown(patch)}: no such file; name a .pd file, or one of {', '.join(_SHIPPED)}"
            )
        return patch

    @property
    def path(self) -> Path:
        return self.patch if isinstance(self.patch, Path) else PATCHES / f"{self.patch}.pd"

    @property
    def inputs(self) -> dict[str, Path]:
        used = files_of_patch(self.patch) if isinstance(self.patch, Path) else []
        return {os.path.relpath(path, self.path.parent): path for path in used} | super().inputs

    @classmethod
    def programs(cls) -> dict[str, str]:
        return {"puredata": version_of(find_program())}

    @contextmanager
    def started(self, seconds: float, sample_rate: int, workers: int) -> Iterator[Started]:
        settings = SessionSettings(
            sample_rate,
            seconds,
            sends_seed=True,
            reply_seconds=self.reply_seconds,
            resends=self.resends,
        )
        with ExitStack() as open_ones:
            players = [open_ones.enter_context(self._player(settings)) for _ in range(workers)]
            yield open_ones.enter_context(played_by(players, self.patch_controls, self.programs()))

    def _player(self, settings: SessionSettings) -> PdPlayer:
        return PdPlayer(self.path, settings, self.start_seconds, self.allowed_errors)
