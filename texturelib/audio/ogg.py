"""Find where an Ogg file ends, and where its streams begin. Source of the layout: RFC 3533, 6."""

import mmap
from pathlib import Path

_LONGEST_PAGE = 27 + 255 + 255 * 255  # bytes


def ends_within_a_page(path: Path) -> bool:
    """Return whether the file is Ogg and the end of its last page is missing, which libsndfile does
    not report."""
    end, _ = _tail(path)
    if end is None:
        return False
    page = end[end.rfind(b"OggS") :]
    if len(page) < 27 or len(page) < 27 + page[26]:
        return True
    size = 27 + page[26] + sum(page[27 : 27 + page[26]])
    of_next = page[size : size + 4]  # which may be cut off within its name
    return len(page) < size or (of_next != b"" and b"OggS".startswith(of_next))


def streams(path: Path) -> list[tuple[int, int]]:
    """Return the first byte of each stream and the byte after its last, where several follow one
    another (as from a web radio, or by `cat a.ogg b.ogg`); libsndfile reads only the first.
    Otherwise, one stream: the whole file."""
    end, first = _tail(path)
    size = path.stat().st_size
    whole = [(0, size)]
    if end is None or end[(last := end.rfind(b"OggS")) + 14 : last + 18] == first[14:18]:
        return whole
    starts = []
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        place, was_beginning = 0, False
        while (place := content.find(b"OggS", place)) >= 0:
            is_beginning = content[place + 4 : place + 5] == b"\0" and bool(content[place + 5] & 2)
            # The first pages of simultaneous streams, as in a film, come together.
            if is_beginning and not was_beginning:
                starts.append(place)
            was_beginning = is_beginning
            if place + 27 > size:
                break
            place += (
                27
                + content[place + 26]
                + sum(content[place + 27 : place + 27 + content[place + 26]])
            )
    return list(zip(starts, [*starts[1:], size], strict=True)) if len(starts) > 1 else whole


def _tail(path: Path) -> tuple[bytes | None, bytes]:
    """Return the end of the file, with a whole page in it (None where it is not Ogg), and the
    first bytes of the file."""
    with path.open("rb") as file:
        first = file.read(27)
        if first[:4] != b"OggS":
            return None, first
        file.seek(-min(2 * _LONGEST_PAGE, path.stat().st_size), 2)
        return file.read(), first
