"""Read sounds: whole, in blocks, or only their headers. Damaged files are refused with the
reason."""

import os
import stat
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import soundfile
import soxr

from texturelib.audio.form import Form, form_of
from texturelib.audio.mixing import Mixer
from texturelib.audio.pieces import PiecedFile
from texturelib.audio.stderr import hushed_mpg123
from texturelib.errors import Rejected

_LOWEST_RATE = 1000  # a damaged header may say 1 Hz, and a block would become one of 46 GB
# Samples of a whole recording, after resampling: 4 GB; small files may unpack to any
# length.
_MOST_SAMPLES = 2**30
_MOST_VALUES = 2**21  # values of a block, as with 8 channels
_UNKNOWN_LENGTH = 2**60  # samples: from here on, libsndfile does not know the length


@dataclass
class Notes:
    """Remarks about a sound that could be read, each a phrase that follows the file's name.

    can_exceed_full_scale: whether its samples are stored such that they may lie outside -1..1.
    is_lossy: whether it is compressed with loss, which overshoots a little by itself.
    """

    sentences: list[str] = field(default_factory=list)
    can_exceed_full_scale: bool = False
    is_lossy: bool = False


def read_mono(path: Path, sample_rate: int, notes: Notes | None = None) -> np.ndarray:
    """Read a sound as [samples] float32: the mean of the channels, resampled to `sample_rate`;
    where the channels cancel one another, the loudest of them.

    notes: receives remarks about the file. Errors: Rejected when the file is empty, not audio, cut
    off, or holds values that are not numbers.
    """
    mixer = Mixer()
    mono, rate = _joined(path, sample_rate, mixer.mix, notes)
    if mixer.cancels:
        channel = mixer.loudest
        mono, rate = _joined(
            path, sample_rate, lambda block: np.ascontiguousarray(block[:, channel - 1]), None
        )
        if notes:
            notes.sentences.append(cancelling(channel))
    return _resampled(mono, rate, sample_rate)


def read_sound(path: Path, sample_rate: int, notes: Notes | None = None) -> np.ndarray:
    """Read a sound with all its channels, resampled to `sample_rate`, as [samples] float32, or
    [samples, channels] where these are several.

    notes, Errors: as of `read_mono`.
    """
    samples, rate = _joined(path, sample_rate, lambda block: block, notes)
    return _resampled(samples[:, 0] if samples.shape[1] == 1 else samples, rate, sample_rate)


def cancelling(channel: int) -> str:
    """Return the remark about a recording whose channels cancel, so that only one of them was
    used."""
    return f"has channels that cancel one another when they are mixed: channel {channel} was taken alone"


def _resampled(samples: np.ndarray, rate: int, sample_rate: int) -> np.ndarray:
    return samples if rate == sample_rate else soxr.resample(samples, rate, sample_rate, "HQ")


def _joined(
    path: Path,
    sample_rate: int,
    take: Callable[[np.ndarray], np.ndarray],
    notes: Notes | None,
) -> tuple[np.ndarray, int]:
    """Return what `take` takes of every block of [samples, channels], joined, and its rate."""
    blocks, n_samples, n_values, rate = [], 0, 0, sample_rate
    for samples, rate in read_blocks(path, notes=notes):
        taken = take(samples)
        n_samples, n_values = n_samples + len(samples), n_values + taken.size
        if n_values * max(1.0, sample_rate / rate) > _MOST_SAMPLES:
            raise Rejected(
                f"lasts for more than {n_samples / rate / 3600:.1f} h, which does not fit into memory; cut it"
            )
        blocks.append(taken)
    return blocks[0] if len(blocks) == 1 else np.concatenate(blocks), rate


def read_clip(path: Path, sample_rate: int, n_samples: int, n_channels: int = 1) -> np.ndarray:
    """Read a clip of a dataset folder, which must have that sample rate, length and number of
    channels, as [n_samples] float32, or [n_samples, n_channels] where these are several.

    Errors: Rejected when it has another.
    """
    blocks, n_read, rate, more = [], 0, 0, ""
    for samples, its_rate in read_blocks(path):
        n_read, rate = n_read + len(samples), its_rate
        blocks.append(samples)
        if n_read > n_samples:
            more = " or more"  # it may be endless
            break
    if rate != sample_rate or more or n_read != n_samples or blocks[0].shape[1] != n_channels:
        found = f"{blocks[0].shape[1]} channel(s) of {n_read}{more} samples at {rate} Hz"
        wanted = "1 channel" if n_channels == 1 else f"{n_channels} channels"
        raise Rejected(
            f"has {found}; the dataset has {wanted} of {n_samples} samples at {sample_rate} Hz"
        )
    samples = blocks[0] if len(blocks) == 1 else np.concatenate(blocks)
    return samples[:, 0] if n_channels == 1 else samples


@dataclass(frozen=True)
class Header:
    """What a file says about its sound before it is decoded; some formats only estimate their
    length."""

    sample_rate: int
    n_frames: int
    n_channels: int

    @property
    def seconds(self) -> float:
        return self.n_frames / self.sample_rate


def read_header(path: Path) -> Header:
    """Read a file's header.

    Errors: Rejected when the file is empty, not audio, or shorter than it says; for a compressed
    format, only decoding it to the end could show that.
    """
    n_frames = 0
    _facts(path)
    form = _form(path)
    with _decoders(path, form) as files:
        first = next(files)
        found = Header(first.samplerate, 0, first.channels)
        for file in (first, *files):
            n_frames += file.frames
    if form.n_samples is not None:
        n_frames = form.n_samples
    if n_frames == 0:
        raise Rejected("holds no samples, by its header")
    if form.is_cut or form.share_present < 1:
        raise Rejected(
            f"cut off: {form.share_present:.0%} of it is there"
            if form.share_present < 1
            else "cut off"
        )
    if n_frames >= _UNKNOWN_LENGTH:
        raise Rejected("says nowhere how long it is, and its end cannot be read")
    return Header(found.sample_rate, n_frames, found.n_channels)


def read_blocks(
    path: Path, n_frames: int = 2**18, notes: Notes | None = None
) -> Iterator[tuple[np.ndarray, int]]:
    """Yield ([samples, channels] float32, sample rate), block after block of at most `n_frames`, so
    that memory stays small.

    notes: receives remarks about the file, some of them only at its end. Errors: Rejected when the
    file is empty, not audio, cut off, changed meanwhile, or holds values that are not numbers; some
    of this is only known after the last block.
    """
    before = _facts(path)
    form = _form(path)
    n_read, rate, n_channels, announced, words = 0, 0, 0, 0, list[str]()
    with _decoders(path, form, words) as files:
        for file in files:
            if rate and (file.samplerate, file.channels) != (rate, n_channels):
                was, now = (
                    f"{n_channels} channel(s) at {rate} Hz",
                    f"{file.channels} at {file.samplerate} Hz",
                )
                raise Rejected(f"is several sounds in one file, first {was}, then {now}; part them")
            rate, n_channels = file.samplerate, file.channels
            if rate < _LOWEST_RATE:
                raise Rejected(
                    f"is at {rate} Hz by its header, and no sound is below {_LOWEST_RATE} Hz"
                )
            if notes:
                notes.is_lossy |= _is_lossy(file)
                notes.can_exceed_full_scale |= notes.is_lossy or file.subtype in ("FLOAT", "DOUBLE")
            has_length = file.frames < _UNKNOWN_LENGTH and not form.is_endless
            announced += file.frames if has_length else 0
            most = min(n_frames, _MOST_VALUES // n_channels)
            n_left = file.frames if has_length else most
            while n_left and len(samples := _read(file, min(most, n_left), form, words)):
                n_read += len(samples)
                n_left -= len(samples) if has_length else 0
                if not np.isfinite(samples).all():
                    raise Rejected("holds values that are not numbers (NaN or infinite)")
                yield samples, rate
    if n_read == 0:
        raise Rejected("holds no samples, by its header")
    after = _facts(path)
    if (before.st_ino, before.st_size, before.st_mtime_ns) != (
        after.st_ino,
        after.st_size,
        after.st_mtime_ns,
    ):
        raise Rejected("was changed while it was read")
    _check_length(form, n_read, max(announced, n_read / form.share_present), rate, words)
    if notes:
        notes.sentences += _worth_saying(form, n_read / rate, words)


def _check_length(form: Form, n_read: int, announced: float, rate: int, words: list[str]) -> None:
    if form.is_cut:
        raise Rejected(f"cut off after {n_read / rate:.1f} s")
    # Compressed formats only estimate their length; a fortieth of a second is one mp3 frame.
    # libmpg123 leaves out the first frames of a file that was cut at its beginning: they depend on
    # those before them.
    leeway = rate / 40
    if form.n_samples is not None and not form.share_announced:
        announced, leeway = max(announced, form.n_samples), rate / 10
    if n_read < announced - leeway:
        what = "damaged" if form.is_endless or words else "cut off"
        raise Rejected(f"{what} after {n_read / rate:.1f} of {announced / rate:.1f} s")


def _worth_saying(form: Form, seconds: float, words: list[str]) -> Iterator[str]:
    if form.share_announced is not None and round(form.share_announced, 3) < 1:
        said = form.share_announced * seconds
        yield f"says that it lasts {said:.1f} s, and {seconds:.1f} s of sound are in it: all of it was read"
    if form.n_junk_bytes:
        yield f"holds {form.n_junk_bytes} bytes between its frames that are no sound; they were left out"
    if errors := [word for word in words if "error" in word]:
        yield f"is damaged in {len(errors)} place(s), where the decoder put something of its own"


def _form(path: Path) -> Form:
    try:
        return form_of(path)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Rejected(f"cannot be opened ({error.strerror})") from None


class _Decoder(soundfile.SoundFile):
    """Reads forward only: soundfile would seek after every block, which fails for files of
    unknown length."""

    def seekable(self) -> bool:
        return False


@contextmanager
def _decoders(
    path: Path, form: Form, words: list[str] | None = None
) -> Iterator[Iterator[_Decoder]]:
    """Open the file's decoders, one for each of its streams, in this block.

    words: receives what libmpg123 prints about the file. Errors: Rejected when it cannot be opened
    or is not audio, also from within the block; FileNotFoundError.
    """
    said = [] if words is None else words

    def opened() -> Generator[_Decoder, None, None]:
        for stream in form.streams or (None,):
            content = PiecedFile(path, stream, is_endless=form.is_endless) if stream else None
            try:
                with _hushed(form, said):
                    file = _Decoder(cast("BinaryIO", content) if content else path)
                try:
                    yield file
                finally:
                    with _hushed(form, said):
                        file.close()
            finally:
                if content:
                    content.close()

    files = opened()
    try:
        yield files
    except soundfile.LibsndfileError as error:
        raise Rejected(f"cannot be read as audio ({_reason(error)})") from None
    finally:
        files.close()


def _read(file: _Decoder, n_frames: int, form: Form, words: list[str]) -> np.ndarray:
    """Read up to `n_frames` samples as [samples, channels] float32, fewer at the end."""
    with _hushed(form, words):
        return file.read(n_frames, dtype="float32", always_2d=True)


def _hushed(form: Form, words: list[str]) -> AbstractContextManager[None]:
    return hushed_mpg123(words) if form.is_mpeg else nullcontext()


def _is_lossy(file: _Decoder) -> bool:
    return file.subtype in ("VORBIS", "OPUS") or file.subtype.startswith("MPEG")


def _facts(path: Path) -> os.stat_result:
    """Return what libsndfile says about the file.

    Errors: Rejected when it cannot be opened, is empty, or is not a file; FileNotFoundError.
    """
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
    if found.st_size == 0:
        raise Rejected("is empty (0 bytes)")
    return found


def _reason(error: soundfile.LibsndfileError) -> str:
    # libsndfile says this of every mp3 in which it finds no frame, though the file is there.
    no_frame = error.error_string.startswith("File does not exist")
    return "no sound was found in it" if no_frame else error.error_string.rstrip(".")
