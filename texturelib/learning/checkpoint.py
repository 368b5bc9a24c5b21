"""last.ckpt: everything that an interrupted training needs to continue as if it had never
stopped, as plain tensors and numbers."""

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch

from texturelib.errors import TextureError, first_line
from texturelib.files import shown, whole_file
from texturelib.learning.tensors import check_finite, load_tensors

State = TypeVar("State")


class HasState(Protocol):
    """Something that changes during a training, and must be saved with it."""

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: Any, /) -> Any: ...


def save_checkpoint(path: Path, state: Mapping[str, Any], learning: Mapping[str, HasState]) -> None:
    """Save a checkpoint. state: plain tensors and numbers. learning: the parts that are saved
    with it, by name."""
    content = {"state": dict(state)} | {name: part.state_dict() for name, part in learning.items()}
    # Not straight into the file: torch would say of a full disk only that it is somewhere else in
    # it than it thought.
    archive = io.BytesIO()
    torch.save(content, archive)
    with whole_file(path, is_durable=True) as part:
        part.write_bytes(archive.getbuffer())


def resume(
    path: Path,
    new_state: Callable[..., State],
    learning: Mapping[str, HasState],
    upgrade: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict,
) -> State:
    """Load a checkpoint, and restore every part of `learning` from it.

    Args:
        upgrade: converts the content of the file to the present format, so that checkpoints of
            older versions can be resumed.

    Returns: the state as it was saved; a new one where there is no file.
    Errors: TextureError when it is not a checkpoint of this training, or holds numbers that are not
        finite.
    """
    if not path.exists():
        return new_state()
    try:
        content: Mapping[str, Any] = load_tensors(path)
        check_finite(path, content, "remove it to start anew")
        content = upgrade(content)
        state = new_state(**content["state"])
        _check_kinds(state, new_state())
        for name, part in learning.items():
            part.load_state_dict(content[name])
    except TextureError:
        raise
    # Parts that are loaded from another training's states raise as they like.
    except Exception as error:
        reason = first_line(error)
        raise TextureError(
            f"{shown(path)}: not a checkpoint of this training ({reason}); remove it to start anew"
        ) from None
    return state


def _check_kinds(state: object, new: object) -> None:
    """Check the types of a saved state. Errors: TypeError when something has another type than
    in a new state."""
    for name, value in vars(new).items():
        if value is not None and not isinstance(found := getattr(state, name), type(value)):
            raise TypeError(f"{name} is a {type(found).__name__}")
