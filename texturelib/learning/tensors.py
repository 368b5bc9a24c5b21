"""Read files of tensors such that nothing in them runs and they take no more memory than the
file is long, and check their numbers."""

import pickle
import zipfile
from pathlib import Path
from typing import Any

import torch

from texturelib.errors import TextureError, first_line
from texturelib.files import check_file, shown


class NotTensorsError(Exception):
    """The file is not a file of tensors, or a damaged one. is_refused: it holds something else,
    which might run when it is loaded."""

    def __init__(self, why: str, is_refused: bool = False) -> None:
        super().__init__(why)
        self.is_refused = is_refused


def load_tensors(path: Path) -> Any:
    """Return what torch saved in a file: tensors, numbers and texts, in lists and dictionaries.

    Errors: NotTensorsError; TextureError, OSError when it cannot be read at all.
    """
    check_file(path)
    n_bytes = path.stat().st_size
    try:
        _check_archive(path, n_bytes)
        # weights_only: a pickle can hold any program; this loads tensors and refuses the rest.
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise NotTensorsError(first_line(error), is_refused=True) from None
    except Exception as error:  # of a damaged file, its reader may raise almost anything
        raise NotTensorsError(first_line(error)) from None
    _check_tensors(content, n_bytes)
    return content


def check_finite(path: Path, content: Any, advice: str = "get it anew, or train it anew") -> None:
    """Check that all numbers are finite. content: what was read from `path`: tensors, in
    dictionaries and lists. advice: what to do about such a file.

    Errors: TextureError that names a tensor which holds NaN or infinity: whatever is made with it
    would be worth nothing.
    """
    to_do, seen = [("", content)], set[int]()
    while to_do:
        name, each = to_do.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, torch.Tensor):
            if each.is_floating_point() and (
                n_wrong := each.numel() - int(torch.isfinite(each).sum())
            ):
                counted = f"{n_wrong} of its {each.numel()} numbers are NaN or infinite"
                raise TextureError(
                    f"{shown(path)}: {name}: {counted}; it is damaged, or its training went wrong: {advice}"
                )
        elif isinstance(each, dict):
            to_do += [(f"{name}.{key}" if name else str(key), value) for key, value in each.items()]
        elif isinstance(each, (list, tuple)):
            to_do += [(f"{name}.{index}", value) for index, value in enumerate(each)]


def _check_archive(path: Path, n_bytes: int) -> None:
    """Check that an archive is not compressed: torch's never are, and a compressed one may
    unpack to any size. Errors: NotTensorsError."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > n_bytes:
                raise NotTensorsError("it would unpack to more than its size")


def _check_tensors(content: Any, n_bytes: int) -> None:
    """Check that no tensor claims more numbers than the file has. Errors: NotTensorsError."""
    to_do, seen = [content], set[int]()
    while to_do:
        each = to_do.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, torch.Tensor):
            if each.numel() * each.element_size() > n_bytes:
                raise NotTensorsError(
                    f"a tensor of shape {tuple(each.shape)} is larger than the file"
                )
        elif isinstance(each, dict):
            to_do += [*each.keys(), *each.values()]
        elif isinstance(each, (list, tuple, set)):
            to_do += each
