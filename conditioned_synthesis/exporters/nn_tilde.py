"""Export an instrument for nn~, an object of Max and Pure Data that plays TorchScript."""

import io
import re
import warnings
import zipfile
from pathlib import Path
from typing import Any

import torch

from conditioned_synthesis.exporters.nn_tilde_module import NnTildeTexEnv
from conditioned_synthesis.instrument.instrument import load_instrument
from conditioned_synthesis.portable.make import portable_of
from texturelib.errors import UsageError
from texturelib.files import shown, whole_file
from texturelib.made import named_by_the_user
from texturelib.outputs import check_file_place

SUFFIX = ".ts"


def export_nn_tilde(
    folder: Path, path: Path, rate: int, overwrite: bool
) -> tuple[Path, dict[str, Any]]:
    """Write the instrument in the model folder, and return where it is and its header.

    The name ends with what cannot be changed later, as it is usual among nn~'s models:
    water.ts becomes water_b64_r48000_z2.ts, of blocks of 64 samples, at 48 kHz, with 2 inlets. rate:
    of Max or Pd, in Hz. Errors: UsageError, TextureError.
    """
    if path.suffix != SUFFIX:
        raise UsageError(f"--output {shown(path)}: should end in {SUFFIX}")
    instrument = load_instrument(folder)
    kind = instrument.spec.synthesiser.type  # type: ignore[attr-defined]
    if kind != "texenv":
        raise UsageError(
            f'--model: nn~ plays a "texenv"; a "{kind}" plays in this toolkit'
            + ("; in Pure Data, export-pd plays it" if kind == "grains" else "")
        )
    portable = portable_of(instrument, "float32")
    module = NnTildeTexEnv(portable, rate)
    n_inlets, ratio = module.forward_params[:2].tolist()
    stem = re.sub(r"(_b\d+)?(_r\d+)?(_z\d+)?$", "", path.stem)
    path = path.with_name(f"{stem}_b{ratio}_r{rate}_z{n_inlets}{SUFFIX}")
    check_file_place(path, overwrite)
    content = as_torchscript(module)
    path.parent.mkdir(parents=True, exist_ok=True)
    with named_by_the_user(), whole_file(path, is_durable=True) as part:
        part.write_bytes(content)
    return path, dict(portable.header)


def as_torchscript(module: torch.nn.Module) -> bytes:
    """Return the module as a TorchScript file, without the names of this machine's source files."""
    with warnings.catch_warnings():
        # Torch has no other format that nn~ reads.
        warnings.filterwarnings("ignore", "`torch.jit", DeprecationWarning)
        scripted = torch.jit.script(module.eval())
        written = io.BytesIO()
        torch.jit.save(scripted, written)
    made = io.BytesIO()
    with zipfile.ZipFile(written) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            if not name.endswith(".debug_pkl"):
                new.writestr(zipfile.ZipInfo(name), old.read(name))
    return made.getvalue()
