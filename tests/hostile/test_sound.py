"""Sound files, whatever is in them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from mangling import mangled

Fuzz = Callable[..., None]

FORMATS = {
    "wav": ["PCM_16", "PCM_U8", "FLOAT", "ALAW", "IMA_ADPCM", "MS_ADPCM", "GSM610"],
    "wavex": ["PCM_24"],
    "flac": ["PCM_16", "PCM_24"],
    "ogg": ["VORBIS", "OPUS"],
    "mp3": ["MPEG_LAYER_III"],
    "aiff": ["PCM_16", "FLOAT"],
    "caf": ["PCM_16", "ALAC_16"],
    "w64": ["PCM_16"],
    "rf64": ["PCM_16"],
    "au": ["PCM_16"],
}


def in_format(folder: Path, format_: str, **more: str) -> list[bytes]:
    """Return files of 400 samples of noise, in mono and in stereo, in each of the format's
    encodings."""
    rng = np.random.default_rng(0)
    files = []
    for subtype in FORMATS[format_]:
        for n_channels in (1, 2)[: 1 if subtype == "GSM610" else 2]:
            path = folder / f"original.{format_}"
            soundfile.write(
                path,
                rng.uniform(-0.5, 0.5, (400, n_channels)),
                8000,
                subtype=subtype,
                format=format_.upper(),
            )
            files.append(path.read_bytes())
            path.unlink()
    return files


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("reader", ["sound", "sound_in_blocks"])
def test_a_sound_file_is_read_or_refused_whatever_is_in_it(
    fuzz: Fuzz, tmp_path: Path, reader: str, format_: str
) -> None:
    suffix = {"wavex": "wav", "rf64": "wav"}.get(format_, format_)
    fuzz(reader, mangled(in_format(tmp_path, format_)), tmp_path / f"a.{suffix}")


def test_a_sound_for_a_synthesiser_is_read_or_refused_whatever_is_in_it(
    fuzz: Fuzz, tmp_path: Path
) -> None:
    folder = tmp_path / "sounds"
    folder.mkdir()
    originals = [
        content
        for format_ in ("wav", "w64", "rf64", "flac")
        for content in in_format(tmp_path, format_)
    ]
    (folder / "a.params").write_text('{"rate": {"times": [0, 1e9], "values": [0.1, 0.9]}}')
    fuzz("sound_header", mangled(originals), folder / "a.wav", folder)
