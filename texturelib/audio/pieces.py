"""A file as it should have been: some of its bytes replaced, others left out."""

from collections.abc import Sequence
from pathlib import Path

Piece = bytes | tuple[int, int]
"""New bytes, or a stretch of the file: its first byte and the byte after its last."""

ENDLESS = 2**40  # bytes: longer than any file


class PiecedFile:
    """The pieces of a file, one after the other, as a file that libsndfile can read.

    is_endless: it reports a length greater than any file's, for decoders that would otherwise stop
    where they guess the end to be.
    """

    def __init__(self, path: Path, pieces: Sequence[Piece], *, is_endless: bool = False) -> None:
        self.name = str(path)
        self._file = path.open("rb")
        self._pieces = [piece for piece in pieces if _length(piece)]
        self._size = sum(map(_length, self._pieces))
        self._told_size = ENDLESS if is_endless else self._size
        self._at = 0

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = max(0, offset + (0, self._at, self._told_size)[whence])
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, n_bytes: int = -1) -> bytes:
        if self._at >= self._size:
            # An mp3's decoder looks for a tag in what it takes for the file's last 128 bytes, and
            # gives up if it finds nothing.
            return bytes(128) if self._at == self._told_size - 128 else b""
        parts, start = [], 0
        left = n_bytes if n_bytes >= 0 else self._size
        for piece in self._pieces:
            skipped = self._at - start
            start += _length(piece)
            if skipped >= _length(piece):
                continue
            if isinstance(piece, bytes):
                part = piece[skipped : skipped + left]
            else:
                self._file.seek(piece[0] + skipped)
                part = self._file.read(min(left, piece[1] - piece[0] - skipped))
            parts.append(part)
            self._at += len(part)
            left -= len(part)
            if left == 0 or self._at < start:  # all was read, or the file became shorter
                break
        return b"".join(parts)

    def readinto(self, buffer: memoryview) -> int:
        part = self.read(len(buffer))
        buffer[: len(part)] = part
        return len(part)

    def close(self) -> None:
        self._file.close()


def _length(piece: Piece) -> int:
    return len(piece) if isinstance(piece, bytes) else piece[1] - piece[0]
