"""Export an instrument as the file that other players read, by itself or with one in C."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from conditioned_synthesis.exporters.building import C_FOLDER, copy_whole
from conditioned_synthesis.instrument.instrument import load_instrument
from conditioned_synthesis.portable.instrument_file import Precision, Quality, to_bytes
from conditioned_synthesis.portable.make import portable_of
from texturelib.errors import UsageError
from texturelib.files import shown, whole_file
from texturelib.made import named_by_the_user
from texturelib.outputs import check_file_place

SUFFIX = ".texinst"

_FOR_PROGRAMS = ("texture_instrument.h", "render.c")


def export_portable(
    folder: Path, path: Path, precision: Precision, overwrite: bool, quality: Quality = "high"
) -> dict[str, Any]:
    """Write the instrument in the model folder to `path`, and return its header.

    Errors: UsageError, TextureError.
    """
    if path.suffix != SUFFIX:
        raise UsageError(f"--output {shown(path)}: should end in {SUFFIX}")
    check_file_place(path, overwrite)
    portable = portable_of(load_instrument(folder), precision, quality)
    path.parent.mkdir(parents=True, exist_ok=True)
    with named_by_the_user(), whole_file(path, is_durable=True) as part:
        part.write_bytes(to_bytes(portable))
    return dict(portable.header)


def export_c(
    folder: Path, path: Path, precision: Precision, overwrite: bool, quality: Quality = "high"
) -> dict[str, Any]:
    """Write the instrument to `path` and, beside it, the player in C and a program that uses it.

    Returns and errors as `export_portable`.
    """
    for name in _FOR_PROGRAMS:
        check_file_place(path.parent / name, overwrite)
    header = export_portable(folder, path, precision, overwrite, quality)
    copy_beside(path, _FOR_PROGRAMS)
    return header


def copy_beside(path: Path, names: Iterable[str]) -> None:
    """Copy these files of the player in C into the folder of `path`."""
    for name in names:
        copy_whole(C_FOLDER / name, path.with_name(name))
