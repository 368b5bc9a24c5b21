"""Files that torch saved, read so that nothing in them runs, and no more memory is taken than they are long."""

import pickle
import zipfile
from pathlib import Path
from typing import Any

import torch

from texturelib.errors import first_line
from texturelib.files import check_file


class NotTensorsError(Exception):
    """It is no file of tensors, or a damaged one. is_refused: it holds something else, which might run when it is loaded."""

    def __init__(self, why: str, is_refused: bool = False) -> None:
        super().__init__(why)
        self.is_refused = is_refused


def load_tensors(path: Path) -> Any:
    """-> what torch saved there: tensors, numbers and texts, in lists and dictionaries.

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


def _check_archive(path: Path, n_bytes: int) -> None:
    """Errors: NotTensorsError for an archive that is packed, as torch's never are: it may unpack to any size."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > n_bytes:
                raise NotTensorsError("it would unpack to more than its size")


def _check_tensors(content: Any, n_bytes: int) -> None:
    """Errors: NotTensorsError for a tensor that claims more numbers than the file has."""
    to_do, seen = [content], set[int]()
    while to_do:
        each = to_do.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, torch.Tensor):
            if each.numel() * each.element_size() > n_bytes:
                raise NotTensorsError(f"a tensor of shape {tuple(each.shape)} is larger than the file")
        elif isinstance(each, dict):
            to_do += [*each.keys(), *each.values()]
        elif isinstance(each, (list, tuple, set)):
            to_do += each
