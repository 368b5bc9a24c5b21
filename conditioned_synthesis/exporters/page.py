"""Export an instrument as one HTML file, which a browser plays from disk, without a network."""

import base64
from pathlib import Path
from typing import Any

from conditioned_synthesis.instrument.instrument import load_instrument
from conditioned_synthesis.portable.instrument_file import (
    PortableInstrument,
    Precision,
    Quality,
    to_bytes,
)
from conditioned_synthesis.portable.make import portable_of
from texturelib.errors import UsageError
from texturelib.files import shown, write_text
from texturelib.made import named_by_the_user
from texturelib.outputs import check_file_place

_WEB = Path(__file__).parents[1] / "web"


def export_page(
    folder: Path,
    path: Path,
    precision: Precision,
    title: str,
    overwrite: bool,
    quality: Quality = "high",
) -> dict[str, Any]:
    """Write the instrument in the model folder to `path`, and return its header.

    title: "" takes the file's name. Errors: UsageError, TextureError.
    """
    if path.suffix not in (".html", ".htm"):
        raise UsageError(f"--output {shown(path)}: should end in .html")
    check_file_place(path, overwrite)
    portable = portable_of(load_instrument(folder), precision, quality)
    path.parent.mkdir(parents=True, exist_ok=True)
    with named_by_the_user():
        write_text(path, page_of(portable, title or path.stem))
    return dict(portable.header)


def page_of(portable: PortableInstrument, title: str) -> str:
    """Return the page: the instrument's file in base64, and the code that plays it."""
    from jinja2 import Environment

    template = Environment(keep_trailing_newline=True).from_string(_source("instrument.html"))
    header = portable.header
    return template.render(
        title=title,
        about=f"A {header['type']} instrument, learnt at {header['sample_rate']} Hz. Space plays and stops; "
        "arrow keys move what has the focus.",
        instrument=base64.b64encode(to_bytes(portable)).decode(),
        core="\n".join(_source(f"{name}.js") for name in ("core", "flac", "grains")),
        **{name: _source(f"{name}.js") for name in ("sound", "page", "worklet")},
    )


def _source(name: str) -> str:
    return (_WEB / name).read_text(encoding="utf-8")
