"""All of a sound is read, whatever its file says of its length; what is cut off is refused all the
same."""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from texturelib.audio import Notes, read_header, read_mono
from texturelib.audio.mpeg import frame_header, id3_bytes
from texturelib.errors import Rejected

RATE = 44100
SECONDS = 3.0
QUIET_THEN_LOUD = [0.0003, 0.5]
LOUD_THEN_QUIET = [0.5, 0.0003]  # the first frame is large, so that the file seems to be short


def sound(levels: list[float], rate: int = RATE) -> np.ndarray:
    """Return noise, so long at each level as at the others."""
    noise = np.random.default_rng(0).uniform(-1, 1, round(SECONDS * rate))
    return noise * np.repeat(levels, -(-len(noise) // len(levels)))[: len(noise)]


Write = Callable[..., bytes]


@pytest.fixture
def encoded(tmp_path: Path) -> Write:
    """Return the bytes of a file as soundfile writes it."""

    def encode(samples: np.ndarray, suffix: str, rate: int = RATE, **options: Any) -> bytes:
        path = tmp_path / f"encoded{suffix}"
        soundfile.write(path, samples, rate, **options)
        return path.read_bytes()

    return encode


def without_info(mp3: bytes) -> bytes:
    """Return the mp3 without its first frame, which says how many others there are: what a pipe, or
    a cutter of mp3s, leaves."""
    start = id3_bytes(mp3)
    header = frame_header(mp3[start : start + 4])
    assert header is not None
    assert header.n_bytes is not None
    assert b"Info" in mp3[start : start + 48] or b"Xing" in mp3[start : start + 48]
    return mp3[start + header.n_bytes :]


def written(tmp_path: Path, content: bytes, name: str) -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


def rejection(path: Path) -> str:
    with pytest.raises(Rejected) as rejected:
        read_mono(path, RATE)
    return str(rejected.value)


@pytest.mark.parametrize(
    "levels", [[0.3], QUIET_THEN_LOUD, LOUD_THEN_QUIET], ids=["even", "grows", "fades"]
)
@pytest.mark.parametrize("bitrate_mode", ["CONSTANT", "VARIABLE"])
@pytest.mark.parametrize("rate", [44100, 22050, 11025], ids=["MPEG 1", "MPEG 2", "MPEG 2.5"])
def test_an_mp3_that_does_not_say_how_long_it_is_is_read_whole(
    encoded: Write, tmp_path: Path, rate: int, bitrate_mode: str, levels: list[float]
) -> None:
    mp3 = encoded(sound(levels, rate), ".mp3", rate, bitrate_mode=bitrate_mode)
    whole = read_mono(written(tmp_path, mp3, "whole.mp3"), rate)
    path = written(tmp_path, without_info(mp3), "river.mp3")
    notes = Notes()
    found = read_mono(path, rate, notes)

    assert len(whole) == len(sound(levels, rate))
    # The encoder's start and its padding stay, since nothing says how long they are; the decoder's
    # own delay is 529 samples.
    start = (
        int(np.argmax(np.correlate(found[:4000], whole[:1500])))
        if levels != QUIET_THEN_LOUD
        else 1105
    )
    np.testing.assert_allclose(
        found[start + 600 : start + len(whole) - 600], whole[600:-600], atol=1e-4
    )
    assert len(whole) <= len(found) < len(whole) + 4 * 1152
    assert read_header(path).n_frames == pytest.approx(len(found), abs=1152)
    assert notes.sentences == []


@pytest.mark.parametrize(
    "mangle",
    [
        lambda mp3: b"ID3\4\0\0\0\0\2\1" + bytes(257) + mp3,
        lambda mp3: mp3 + b"TAG" + b"river".ljust(125, b"\0"),
        lambda mp3: mp3 + b"APETAGEX" + struct.pack("<IIII", 2000, 32, 0, 0) + bytes(8),
        lambda mp3: mp3 + bytes(5000),
        lambda mp3: bytes(3000) + mp3,
        lambda mp3: mp3 + b"<html>404</html>" * 100,
    ],
    ids=["ID3v2", "ID3v1", "APE", "zeros behind", "zeros before", "text behind"],
)
def test_tags_and_padding_around_an_mp3_are_no_sound(
    encoded: Write,
    tmp_path: Path,
    mangle: Callable[[bytes], bytes],
    capfd: pytest.CaptureFixture[str],
) -> None:
    mp3 = without_info(encoded(sound([0.3]), ".mp3"))
    plain = read_mono(written(tmp_path, mp3, "plain.mp3"), RATE)

    found = read_mono(written(tmp_path, mangle(mp3), "river.mp3"), RATE)

    np.testing.assert_array_equal(found, plain)
    assert capfd.readouterr() == ("", "")


def test_an_mp3_that_ends_within_a_frame_is_cut_off_whatever_it_says(
    encoded: Write, tmp_path: Path
) -> None:
    mp3 = encoded(sound([0.3]), ".mp3")
    bare = without_info(mp3)
    for content in (
        mp3[: len(mp3) // 2],
        bare[: len(bare) // 2],
        bare[:-1],
        bare[: len(bare) // 2] + b"TAG" + bytes(125),
    ):
        assert rejection(written(tmp_path, content, "cut.mp3")).startswith("cut off after ")


def test_two_mp3s_one_behind_the_other_are_both_read_and_that_is_said(
    encoded: Write, tmp_path: Path
) -> None:
    mp3 = encoded(sound([0.3]), ".mp3")
    notes = Notes()

    found = read_mono(written(tmp_path, mp3 + mp3, "two.mp3"), RATE, notes)

    assert len(found) / RATE == pytest.approx(2 * SECONDS, abs=0.1)
    [sentence] = notes.sentences
    assert sentence.startswith("says that it lasts 3.0 s, and 6.1 s of sound are in it")


def test_what_is_no_sound_between_the_frames_of_an_mp3_is_left_out_and_that_is_said(
    encoded: Write, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    mp3 = without_info(encoded(sound([0.3]), ".mp3", bitrate_mode="CONSTANT"))
    middle = 0
    while middle < len(mp3) // 2:
        header = frame_header(mp3[middle : middle + 4])
        assert header is not None
        middle += header.n_bytes or 0
    notes = Notes()

    found = read_mono(
        written(tmp_path, mp3[:middle] + bytes(5000) + mp3[middle:], "river.mp3"), RATE, notes
    )

    assert len(found) == len(read_mono(written(tmp_path, mp3, "plain.mp3"), RATE))
    assert notes.sentences == [
        "holds 5000 bytes between its frames that are no sound; they were left out"
    ]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("n_places", [20, 2000])
def test_what_the_mp3_decoder_prints_about_a_damaged_file_becomes_a_sentence(
    encoded: Write, tmp_path: Path, capfd: pytest.CaptureFixture[str], n_places: int
) -> None:
    mp3 = bytearray(encoded(sound([0.3]), ".mp3", bitrate_mode="CONSTANT"))
    rng = np.random.default_rng(0)
    for place in rng.integers(2000, len(mp3), n_places):
        mp3[place] = rng.integers(256)
    path = written(tmp_path, bytes(mp3), "damaged.mp3")
    notes = Notes()

    try:
        read_mono(path, RATE, notes)
    except Rejected as reason:
        said = str(reason)
    else:
        [said] = notes.sentences

    assert "damaged" in said or said.startswith(
        ("cut off after", "cannot be read as audio", "holds ")
    )
    assert capfd.readouterr() == ("", "")


def test_what_others_print_while_an_mp3_is_read_is_not_lost(
    encoded: Write, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    import os

    from texturelib.audio.stderr import hushed_mpg123

    words: list[str] = []
    with hushed_mpg123(words):
        os.write(2, b"Note: Illegal Audio-MPEG-Header 0x0 at offset 9.\nlabelling: 12 of 99\n")
        os.write(
            2, b"[src/libmpg123/layer3.c:INT123_do_layer3():1804] error: dequantization failed!\n"
        )

    assert len(words) == 2
    assert capfd.readouterr().err == "labelling: 12 of 99\n"


def test_a_flac_written_into_a_pipe_does_not_know_its_length_and_is_read_whole(
    encoded: Write, tmp_path: Path
) -> None:
    flac = bytearray(encoded(sound([0.3]), ".flac"))
    whole = read_mono(written(tmp_path, bytes(flac), "whole.flac"), RATE)
    flac[21] &= 0xF0  # the header's 36 bits for the number of samples
    flac[22:26] = bytes(4)
    path = written(tmp_path, bytes(flac), "pipe.flac")

    np.testing.assert_array_equal(read_mono(path, RATE), whole)
    assert read_header(path).n_frames == len(whole)
    assert rejection(written(tmp_path, bytes(flac[: len(flac) * 2 // 3]), "cut.flac")).startswith(
        ("cut off after", "damaged after", "cannot be read")
    )


def test_a_flac_that_holds_more_than_its_header_says_is_read_whole_and_that_is_said(
    encoded: Write, tmp_path: Path
) -> None:
    flac = bytearray(encoded(sound([0.3]), ".flac"))
    flac[22:26] = struct.pack(">I", RATE)  # a second
    notes = Notes()

    assert (
        len(read_mono(written(tmp_path, bytes(flac), "river.flac"), RATE, notes)) == SECONDS * RATE
    )
    assert notes.sentences == [
        "says that it lasts 1.0 s, and 3.0 s of sound are in it: all of it was read"
    ]


def at(content: bytes, name: bytes, offset: int) -> int:
    return content.index(name) + offset


# By suffix: where the sizes stand, as (chunk, bytes behind the start of its name), and how they are
# written.
SIZES: dict[str, list[tuple[bytes, int, str]]] = {
    ".wav": [(b"RIFF", 4, "<I"), (b"data", 4, "<I")],
    ".aiff": [(b"FORM", 4, ">I"), (b"SSND", 4, ">I"), (b"COMM", 10, ">I")],
    ".au": [(b".snd", 8, ">I")],
    ".caf": [(b"data", 4, ">q")],
    ".w64": [(b"riff", 16, "<Q"), (b"data", 16, "<Q")],
    ".rf64": [(b"ds64", 8, "<Q"), (b"ds64", 16, "<Q"), (b"ds64", 24, "<Q")],
}


def with_sizes(content: bytes, suffix: str, value: Callable[[int, str], int]) -> bytes:
    changed = bytearray(content)
    for name, offset, format_ in SIZES[suffix]:
        place = at(content, name, offset)
        (old,) = struct.unpack_from(format_, content, place)
        struct.pack_into(format_, changed, place, value(old, format_))
    return bytes(changed)


@pytest.mark.parametrize("n_channels", [1, 2])
@pytest.mark.parametrize("suffix", SIZES)
@pytest.mark.parametrize("size", [0, -1], ids=["zero", "all ones"])
def test_what_was_written_into_a_pipe_and_does_not_know_its_length_is_read_whole(
    encoded: Write, tmp_path: Path, suffix: str, size: int, n_channels: int
) -> None:
    samples = np.stack([sound([0.3])] * n_channels, axis=1)
    content = encoded(samples, suffix, subtype="PCM_16", format=suffix[1:].upper())
    whole = read_mono(written(tmp_path, content, f"whole{suffix}"), RATE)
    unknown = with_sizes(
        content,
        suffix,
        lambda _, format_: (
            size if format_ == ">q" or size == 0 else 256 ** struct.calcsize(format_) - 1
        ),
    )
    path = written(tmp_path, unknown, f"pipe{suffix}")

    assert len(whole) == SECONDS * RATE
    np.testing.assert_array_equal(read_mono(path, RATE), whole)
    assert read_header(path).n_frames == len(whole)


@pytest.mark.parametrize("suffix", SIZES)
def test_a_header_that_says_less_than_is_there_is_not_believed_and_that_is_said(
    encoded: Write, tmp_path: Path, suffix: str
) -> None:
    content = encoded(sound([0.3]), suffix, subtype="PCM_16", format=suffix[1:].upper())
    second = with_sizes(
        encoded(sound([0.3])[:RATE], suffix, subtype="PCM_16", format=suffix[1:].upper()),
        suffix,
        lambda old, _: old,
    )
    start = len(second) - 2 * RATE
    path = written(tmp_path, second[:start] + content[start:], f"crashed{suffix}")
    notes = Notes()

    np.testing.assert_array_equal(
        read_mono(path, RATE, notes), read_mono(written(tmp_path, content, f"whole{suffix}"), RATE)
    )
    assert notes.sentences == [
        "says that it lasts 1.0 s, and 3.0 s of sound are in it: all of it was read"
    ]
    assert read_header(path).n_frames == SECONDS * RATE


@pytest.mark.parametrize(
    "behind",
    [
        b"LIST" + struct.pack("<I", 9000) + b"x" * 9000,
        b"abcd" + struct.pack("<I", 9000) + b"x" * 9000,
        b"LIST" + struct.pack("<I", 9000) + b"x" * 4000,
        b"ID3\3" + b"x" * 9000,
        bytes(9000),
        b"x" * 1000,
    ],
    ids=["a chunk", "an unknown chunk", "a chunk that is cut", "a tag", "zeros", "a little"],
)
def test_what_stands_behind_the_samples_of_a_wav_and_is_no_sound_is_not_read_as_sound(
    encoded: Write, tmp_path: Path, behind: bytes
) -> None:
    content = encoded(sound([0.3]), ".wav", subtype="PCM_16")
    notes = Notes()

    assert (
        len(read_mono(written(tmp_path, content + behind, "river.wav"), RATE, notes))
        == SECONDS * RATE
    )
    assert notes.sentences == []


def test_a_wav_of_more_than_4_gb_whose_sizes_have_gone_round_is_known_by_its_length(
    encoded: Write, tmp_path: Path
) -> None:
    content = bytearray(encoded(sound([0.3]), ".wav", subtype="PCM_16"))
    n_bytes = 2**32 + 10 * 2 * RATE
    struct.pack_into("<I", content, 40, n_bytes - 2**32)
    path = written(tmp_path, bytes(content), "long.wav")
    with path.open("r+b") as file:
        file.truncate(44 + n_bytes)  # a hole, which takes no space
        file.seek(44 + 10 * 2 * RATE)
        file.write(content[44 : 44 + 4000])

    assert read_header(path).n_frames == n_bytes // 2


def test_streams_of_an_ogg_that_follow_one_another_are_all_read(
    encoded: Write, tmp_path: Path
) -> None:
    first, second = encoded(sound([0.3]), ".ogg"), encoded(sound([0.2]), ".ogg")
    path = written(tmp_path, first + second, "radio.ogg")
    one = read_mono(written(tmp_path, first, "one.ogg"), RATE)
    two = read_mono(written(tmp_path, second, "two.ogg"), RATE)

    np.testing.assert_array_equal(read_mono(path, RATE), np.concatenate([one, two]))
    assert read_header(path).n_frames == len(one) + len(two)
    stereo = encoded(np.stack([sound([0.3])] * 2, axis=1), ".ogg")
    assert rejection(written(tmp_path, first + stereo, "mixed.ogg")).startswith(
        "is several sounds in one file"
    )


def test_a_caf_that_is_cut_off_is_refused(encoded: Write, tmp_path: Path) -> None:
    content = encoded(sound([0.3]), ".caf", subtype="PCM_16")

    assert rejection(written(tmp_path, content[: len(content) // 2], "cut.caf")).startswith(
        "cannot be read as audio"
    )


@pytest.mark.parametrize("name", ["text.snd", "text.au", "text.gsm", "text.vox"])
def test_a_text_is_no_sound_though_its_name_says_samples_without_a_header(
    tmp_path: Path, name: str
) -> None:
    path = written(tmp_path, b"Dear diary, today I recorded a river.\n" * 200, name)

    assert rejection(path) == "cannot be read as audio (no header says what its samples are)"
