"""Audio files in and out: checked when read, whole when written."""

import os
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from texturelib.errors import Rejected, TextureError
from texturelib.files import shown, whole_file


def read_mono(path: Path, sample_rate: int) -> np.ndarray:
    """-> [samples] float32: the mean of the channels, resampled to `sample_rate`.

    Errors: Rejected when the file is empty, not audio, cut off, or holds values that are not numbers.
    """
    blocks, n_samples, rate = [], 0, sample_rate
    for samples, rate in read_blocks(path):
        n_samples += len(samples)
        if n_samples * max(1.0, sample_rate / rate) > _MOST_SAMPLES:
            raise Rejected(f"lasts for more than {n_samples / rate / 3600:.1f} h, which does not fit into memory; cut it")
        blocks.append(samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1, dtype=np.float32))
    mono = blocks[0] if len(blocks) == 1 else np.concatenate(blocks)
    return mono if rate == sample_rate else soxr.resample(mono, rate, sample_rate, quality="HQ")


def read_clip(path: Path, sample_rate: int, n_samples: int) -> np.ndarray:
    """-> [n_samples] float32, from a mono clip of a dataset folder, which must have that rate and length.

    Errors: Rejected when it has not.
    """
    blocks, n_read, rate, more = [], 0, 0, ""
    for samples, its_rate in read_blocks(path):
        n_read, rate = n_read + len(samples), its_rate
        blocks.append(samples)
        if n_read > n_samples:
            more = " or more"  # it may be endless
            break
    if rate != sample_rate or more or n_read != n_samples or blocks[0].shape[1] != 1:
        found = f"{blocks[0].shape[1]} channel(s) of {n_read}{more} samples at {rate} Hz"
        raise Rejected(f"has {found}; the dataset has 1 channel of {n_samples} samples at {sample_rate} Hz")
    return (blocks[0] if len(blocks) == 1 else np.concatenate(blocks))[:, 0]


@dataclass(frozen=True)
class Header:
    """What a file says of its sound before it is decoded; some formats only estimate their length."""

    sample_rate: int
    n_frames: int
    n_channels: int

    @property
    def seconds(self) -> float:
        return self.n_frames / self.sample_rate


def read_header(path: Path) -> Header:
    """Errors: Rejected when the file is empty, not audio, or shorter than it says; of a compressed format, the end alone could
    tell."""
    with _opened(path) as file:
        found = Header(file.samplerate, file.frames, file.channels)
    if found.n_frames == 0:
        raise Rejected("holds no samples, by its header")
    share = _share_present(path)
    if _ends_within_an_ogg_page(path) or share < 1:
        raise Rejected(f"cut off: {share:.0%} of it is there" if share < 1 else "cut off")
    return found


def wav_bytes(seconds: float, sample_rate: int) -> float:
    """-> what so much sound takes on a disk, as `write_wav` writes it."""
    return seconds * sample_rate * 2


def to_16_bit(samples: np.ndarray) -> np.ndarray:
    """samples: any shape, -1..1, what lies outside is clipped -> the same shape, int16."""
    # Rounded here: libsndfile rounds down, which puts every sound half a step below zero.
    return np.rint(np.clip(samples, -1, 1 - 2**-15) * 2**15).astype(np.int16)


def write_wav(path: Path, samples: np.ndarray, sample_rate: int) -> None:
    """samples: [samples], -1..1, or already int16 -> a 16-bit mono wav, whole or not at all."""
    steps = samples if samples.dtype == np.int16 else to_16_bit(samples)
    if steps.nbytes > _LARGEST_WAV:
        raise TextureError(f"{shown(path)}: {steps.nbytes / 1e9:.1f} GB are more than a wav can hold; ask for less at a time")
    content = steps.astype("<i2", copy=False).tobytes()
    rate, width = sample_rate, 2  # bytes of a sample
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, rate * width, width, 8 * width)
    header = struct.pack("<4sI4s", b"RIFF", 36 + len(content), b"WAVE") + form + struct.pack("<4sI", b"data", len(content))
    # Not by libsndfile, which makes the disk keep up with every file that it closes: that takes as long as rendering one. Nor by
    # the module wave, whose half-made objects complain when Ctrl-C comes between.
    with whole_file(path) as part:
        part.write_bytes(header + content)


_LARGEST_WAV = 2**32 - 64  # bytes: its header has 32 bits for them


def level_dbfs(samples: np.ndarray) -> float:
    """Root-mean-square level; 0 dBFS is a constant of 1, all zeros give -inf."""
    mean_square = float(np.mean(np.square(samples, dtype=np.float64)))
    return 10 * np.log10(mean_square) if mean_square > 0 else -np.inf


_LOWEST_RATE = 1000  # a damaged header may say 1 Hz, and a block would become one of 46 GB
_MOST_SAMPLES = 2**30  # of a whole recording, at the rate that it is wanted at: 4 GB; small files may unpack to any length
_MOST_VALUES = 2**21  # of a block: 8 channels of it


def read_blocks(path: Path, n_frames: int = 2**18) -> Iterator[tuple[np.ndarray, int]]:
    """-> ([samples, channels] float32, sample rate), block after block of at most `n_frames`, so that memory stays small.

    Errors: Rejected when the file is empty, not audio, cut off, changed meanwhile, or holds values that are not numbers; what is
    only known at the end, after all blocks.
    """
    before = _facts(path)
    n_read = 0
    with _opened(path) as file:
        rate, announced = file.samplerate, file.frames
        if rate < _LOWEST_RATE:
            raise Rejected(f"is at {rate} Hz by its header, and no sound is below {_LOWEST_RATE} Hz")
        n_frames = min(n_frames, _MOST_VALUES // file.channels)
        while len(samples := file.read(n_frames, dtype="float32", always_2d=True)):
            n_read += len(samples)
            if not np.isfinite(samples).all():
                raise Rejected("holds values that are not numbers (NaN or infinite)")
            yield samples, rate
    if n_read == 0:
        raise Rejected("holds no samples, by its header")
    after = _facts(path)
    if (before.st_ino, before.st_size, before.st_mtime_ns) != (after.st_ino, after.st_size, after.st_mtime_ns):
        raise Rejected("was changed while it was read")
    if _ends_within_an_ogg_page(path):
        raise Rejected(f"cut off after {n_read / rate:.1f} s")
    announced = max(announced, n_read / _share_present(path))
    # Compressed formats only estimate their length; a fortieth of a second is one mp3 frame.
    if n_read < announced - rate / 40:
        raise Rejected(f"cut off after {n_read / rate:.1f} of {announced / rate:.1f} s")


@contextmanager
def _opened(path: Path) -> Iterator[soundfile.SoundFile]:
    """Errors: Rejected when it cannot be opened or is no audio, also from within the block; FileNotFoundError."""
    if _facts(path).st_size == 0:
        raise Rejected("is empty (0 bytes)")
    if path.suffix.lower() == ".raw":  # soundfile would ask for a rate
        raise Rejected("cannot be read as audio (raw samples, without a header)")
    try:
        with soundfile.SoundFile(path) as file:
            yield file
    except soundfile.LibsndfileError as error:
        raise Rejected(f"cannot be read as audio ({_reason(error)})") from None


def _facts(path: Path) -> os.stat_result:
    try:
        str(path).encode()
        found = path.stat()
    except FileNotFoundError:
        raise
    except OSError as error:  # a link that leads to itself
        raise Rejected(f"cannot be opened ({error.strerror})") from None
    except ValueError:  # a zero byte too
        raise Rejected("its name is not UTF-8, so it cannot be opened; rename it") from None
    if not stat.S_ISREG(found.st_mode):
        raise Rejected("cannot be read as audio (it is no file, but a folder, a pipe or a device)")
    return found


def _reason(error: soundfile.LibsndfileError) -> str:
    # libsndfile says this of every mp3 in which it finds no frame, though the file is there.
    no_frame = error.error_string.startswith("File does not exist")
    return "no sound was found in it" if no_frame else error.error_string.rstrip(".")


_LONGEST_OGG_PAGE = 27 + 255 + 255 * 255  # bytes


def _ends_within_an_ogg_page(path: Path) -> bool:
    """-> whether the file is Ogg and lacks the end of its last page: libsndfile forgives that silently."""
    with path.open("rb") as file:
        if file.read(4) != b"OggS":
            return False
        file.seek(-min(2 * _LONGEST_OGG_PAGE, path.stat().st_size), 2)
        end = file.read()
    page = end[end.rfind(b"OggS") :]
    if len(page) < 27 or len(page) < 27 + page[26]:
        return True
    size = 27 + page[26] + sum(page[27 : 27 + page[26]])
    of_next = page[size : size + 4]  # which may be cut within its very name
    return len(page) < size or (of_next != b"" and b"OggS".startswith(of_next))


_CHUNK_HEADERS = {b"RIFF": "<4sI", b"FORM": ">4sI"}  # of wav and aiff: name and size


def _share_present(path: Path) -> float:
    """-> how much of what the header of a wav, aiff, au, w64 or RF64 announces is there, up to 1: libsndfile forgives a cut."""
    with path.open("rb") as file:
        start = file.read(28)
        size = path.stat().st_size
        if start[:4] == b".snd" and start[8:12] != b"\xff" * 4:
            return _share(size, sum(struct.unpack(">II", start[4:12])))
        if start[:4] == b"riff":  # w64: a name of 16 bytes, then the size of the whole file
            return _share(size, struct.unpack("<Q", start[16:24])[0])
        if start[:4] == b"RF64" and start[12:16] == b"ds64":
            return _share(size, struct.unpack("<Q", start[20:28])[0] + 8)
        chunk_header = _CHUNK_HEADERS.get(start[:4])
        if chunk_header is None:
            return 1.0
        file.seek(12)
        while len(header := file.read(8)) == 8:
            name, size = struct.unpack(chunk_header, header)
            if name in (b"data", b"SSND"):
                present = path.stat().st_size - file.tell()
                # Writers that stream leave the size at zero, or near 2^31 or 2^32: it then says nothing.
                return min(1.0, present / size) if present > 0 and 0 < size < 0x7FFF0000 else 1.0
            file.seek(size + size % 2, 1)
    return 1.0


def _share(present: int, announced: int) -> float:
    return min(1.0, present / announced) if announced > 0 else 1.0
