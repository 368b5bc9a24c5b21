"""What is read is the sound that is in the file; what is not sound is left out with the reason."""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from texturelib.audio import level_dbfs, read_blocks, read_clip, read_header, read_mono, write_wav
from texturelib.errors import Rejected

RATE = 16000


def noise(seconds: float, rate: int = RATE) -> np.ndarray:
    return np.random.default_rng(0).uniform(-0.5, 0.5, round(seconds * rate))


def sine(frequency_hz: float, rate: int, seconds: float = 1.0) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * frequency_hz * np.arange(round(seconds * rate)) / rate)


def chunk(name: bytes, content: bytes, size: int | None = None) -> bytes:
    """A wav chunk, padded to an even length as the format asks. size: what its header says, the
    truth unless given."""
    return (
        name
        + struct.pack("<I", len(content) if size is None else size)
        + content
        + b"\0" * (len(content) % 2)
    )


def riff(*chunks: bytes, size: int | None = None) -> bytes:
    content = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(content) if size is None else size) + content


FORMAT = chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, RATE, 2 * RATE, 2, 16))  # PCM, mono, 16 bit
SAMPLES = (noise(0.5) * 2**15).astype("<i2")


def rejection(path: Path) -> str:
    with pytest.raises(Rejected) as rejected:
        read_mono(path, RATE)
    return str(rejected.value)


@pytest.fixture
def cut(tmp_path: Path) -> Callable[..., Path]:
    """Write 2 s of noise in a format that soundfile knows, and keep a share of the file's bytes."""

    def write(share: float, suffix: str, **format_and_subtype: Any) -> Path:
        path = tmp_path / f"cut{suffix}"
        soundfile.write(path, noise(2), RATE, **format_and_subtype)
        path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
        return path

    return write


def test_channels_are_mixed_by_their_mean(tmp_path: Path) -> None:
    left, right = noise(0.1), -0.5 * noise(0.1)
    soundfile.write(tmp_path / "a.wav", np.stack([left, right], axis=1), RATE, subtype="FLOAT")

    np.testing.assert_allclose(read_mono(tmp_path / "a.wav", RATE), 0.25 * left, atol=1e-7)


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000])
def test_a_sine_stays_a_sine_at_its_frequency_and_level_when_resampled(
    tmp_path: Path, rate: int
) -> None:
    soundfile.write(tmp_path / "a.wav", sine(1000, rate), rate, subtype="FLOAT")

    samples = read_mono(tmp_path / "a.wav", RATE)
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))

    assert samples.dtype == np.float32
    assert len(samples) == RATE
    assert np.argmax(spectrum) == 1000  # one second: a bin is a hertz
    # soxr's HQ is good for 16 bits, 96 dB; 1,000 samples at each end are its filter starting and
    # stopping.
    steady = samples[1000:-1000]
    assert np.abs(steady - sine(1000, RATE)[1000:-1000]).max() < 10 ** (-80 / 20)


def test_what_lies_above_the_new_band_is_taken_out_and_not_folded_into_it(tmp_path: Path) -> None:
    # Would fold to 1000 Hz at 16 kHz.
    soundfile.write(tmp_path / "a.wav", sine(15000, 44100), 44100, subtype="FLOAT")

    assert level_dbfs(read_mono(tmp_path / "a.wav", RATE)[1000:-1000]) < -80


@pytest.mark.parametrize(
    ("suffix", "format_and_subtype"),
    [
        (".wav", {"subtype": "PCM_16"}),
        (".wav", {"subtype": "PCM_24"}),
        (".wav", {"subtype": "FLOAT"}),
        (".wav", {"format": "WAVEX", "subtype": "PCM_16"}),
        (".wav", {"subtype": "ULAW"}),
        (".wav", {"subtype": "IMA_ADPCM"}),
        (".wav", {"subtype": "GSM610"}),
        (".aiff", {}),
    ],
)
def test_a_wav_or_aiff_is_read_whole_and_refused_when_cut_in_its_sound(
    cut: Callable[..., Path], suffix: str, format_and_subtype: dict[str, str]
) -> None:
    # 0.05 s of leeway: ADPCM and GSM come in blocks.
    assert len(read_mono(cut(1.0, suffix, **format_and_subtype), RATE)) == pytest.approx(
        2 * RATE, abs=0.05 * RATE
    )
    assert rejection(cut(0.5, suffix, **format_and_subtype)) == "cut off after 1.0 of 2.0 s"
    assert rejection(cut(0.9, suffix, **format_and_subtype)).startswith("cut off after 1.")


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0.5, "cut off after "), (0.01, "cannot be read as audio (no sound was found")],
)
def test_a_cut_mp3_is_refused(cut: Callable[..., Path], share: float, expected: str) -> None:
    # soundfile writes, as most encoders do, a header with the number of frames; without it nobody
    # could tell.
    assert rejection(cut(share, ".mp3")).startswith(expected)


@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_a_cut_flac_is_refused(cut: Callable[..., Path], share: float) -> None:
    assert rejection(cut(share, ".flac")).startswith(("cannot be read as audio", "cut off after"))


def test_an_ogg_cut_in_its_sound_or_in_its_head_is_refused(cut: Callable[..., Path]) -> None:
    # An ogg says nowhere how long it is, but a cut one ends within a page.
    assert rejection(cut(0.6, ".ogg")).startswith("cut off after ")
    assert rejection(cut(0.03, ".ogg")).startswith("cannot be read as audio")


@pytest.mark.parametrize("suffix", [".au", ".w64", ".rf64", ".ogg"])
@pytest.mark.parametrize("share", [0.4, 0.9, 1.0])
def test_a_file_of_a_kind_that_libsndfile_reads_though_it_is_cut_is_found_out(
    tmp_path: Path, suffix: str, share: float
) -> None:
    whole = tmp_path / f"whole{suffix}"
    soundfile.write(
        whole,
        np.random.default_rng(0).uniform(-0.5, 0.5, 2 * RATE),
        RATE,
        format=suffix[1:].upper(),
    )
    content = whole.read_bytes()
    part = tmp_path / f"part{suffix}"
    part.write_bytes(content[: round(share * len(content))])

    if share == 1:
        assert len(read_mono(part, RATE)) == 2 * RATE
    else:
        assert rejection(part).startswith(("cut off after ", "holds no samples"))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "is empty (0 bytes)"),
        (b"RIFF", "cannot be read as audio (Format not recognised)"),
        (
            b"Dear diary, today I recorded a river.\n" * 20,
            "cannot be read as audio (Format not recognised)",
        ),
        (riff(FORMAT, chunk(b"data", b"")), "holds no samples"),
        (riff(FORMAT), "cannot be read as audio"),
    ],
)
def test_a_file_without_sound_that_is_called_wav_is_refused(
    tmp_path: Path, content: bytes, expected: str
) -> None:
    (tmp_path / "a.wav").write_bytes(content)

    assert rejection(tmp_path / "a.wav").startswith(expected)


def test_text_that_is_called_mp3_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.mp3").write_text("Dear diary, today I recorded a river.\n" * 20)

    assert rejection(tmp_path / "a.mp3") == "cannot be read as audio (no sound was found in it)"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_float_wav_with_values_that_are_not_numbers_is_refused(
    tmp_path: Path, value: float
) -> None:
    samples = noise(0.1)
    samples[700] = value
    soundfile.write(tmp_path / "a.wav", samples, RATE, subtype="FLOAT")

    assert rejection(tmp_path / "a.wav") == "holds values that are not numbers (NaN or infinite)"


@pytest.mark.parametrize(
    "content",
    [
        riff(chunk(b"LIST", b"INFOIARTa river"), FORMAT, chunk(b"data", SAMPLES.tobytes())),
        riff(FORMAT, chunk(b"odd ", b"seven b"), chunk(b"data", SAMPLES.tobytes())),
        riff(
            chunk(b"bext", b"x" * 603),
            FORMAT,
            chunk(b"fact", b"1234"),
            chunk(b"data", SAMPLES.tobytes()),
            chunk(b"LIST", b"abc"),
        ),
    ],
    ids=["LIST before", "odd-sized", "several, and one after"],
)
def test_a_wav_with_chunks_of_other_programs_is_read_fine(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.wav").write_bytes(content)

    np.testing.assert_array_equal(read_mono(tmp_path / "a.wav", RATE), SAMPLES / np.float32(2**15))


def test_a_cut_is_seen_behind_chunks_of_other_programs_too(tmp_path: Path) -> None:
    # A chunk of 7 bytes takes 8: whoever forgets it loses the way to the sound.
    whole = riff(FORMAT, chunk(b"odd ", b"seven b"), chunk(b"data", SAMPLES.tobytes()))
    (tmp_path / "a.wav").write_bytes(whole[: len(whole) // 2])

    assert rejection(tmp_path / "a.wav") == "cut off after 0.2 of 0.5 s"


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0x7FFFFFFF, 0x80000000, 0x7FFF0000])
def test_a_wav_from_a_pipe_which_could_not_know_its_length_is_read_whole(
    tmp_path: Path, size: int
) -> None:
    # ffmpeg writes the first of these sizes, others write the rest.
    (tmp_path / "a.wav").write_bytes(
        riff(FORMAT, chunk(b"data", SAMPLES.tobytes(), size=size), size=size)
    )

    assert len(read_mono(tmp_path / "a.wav", RATE)) == len(SAMPLES)


def test_a_wav_whose_recorder_never_came_back_to_write_its_length(tmp_path: Path) -> None:
    # libsndfile itself leaves a RIFF size of 8, and finds the sound then; with another it takes the
    # 0 at its word.
    for size in (8, 0, 36):
        (tmp_path / "a.wav").write_bytes(
            riff(FORMAT, chunk(b"data", SAMPLES.tobytes(), size=0), size=size)
        )
        np.testing.assert_array_equal(
            read_mono(tmp_path / "a.wav", RATE), SAMPLES / np.float32(2**15)
        )
        assert read_header(tmp_path / "a.wav").n_frames == len(SAMPLES)


@pytest.mark.parametrize("is_in_place", [True, False], ids=["in place", "another file"])
def test_a_file_that_is_changed_while_it_is_read_is_refused(
    tmp_path: Path, is_in_place: bool
) -> None:
    path = tmp_path / "river.wav"
    write_wav(path, noise(1.0), RATE)
    other = tmp_path / "other.wav"
    write_wav(other, -noise(1.0), RATE)
    blocks = read_blocks(path, n_frames=RATE // 2)
    next(blocks)
    path.write_bytes(other.read_bytes()) if is_in_place else other.replace(path)
    with pytest.raises(Rejected, match=r"^was changed while it was read$"):
        list(blocks)


def test_a_clip_must_have_the_datasets_rate_length_and_one_channel(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", noise(0.5), RATE)

    assert read_clip(tmp_path / "a.wav", RATE, RATE // 2).shape == (RATE // 2,)
    for rate, n_samples in ((44100, RATE // 2), (RATE, RATE)):
        with pytest.raises(Rejected, match="has 1 channel"):
            read_clip(tmp_path / "a.wav", rate, n_samples)


def test_a_written_wav_is_16_bit_mono_and_clips_rather_than_wraps(tmp_path: Path) -> None:
    write_wav(tmp_path / "new" / "a.wav", np.array([0.0, 0.5, 1.5, -1.5]), RATE)

    header = soundfile.info(tmp_path / "new" / "a.wav")
    assert (header.subtype, header.channels, header.samplerate) == ("PCM_16", 1, RATE)
    np.testing.assert_allclose(
        read_mono(tmp_path / "new" / "a.wav", RATE), [0, 0.5, 1, -1], atol=2**-14
    )


def test_a_written_wav_is_the_nearest_that_16_bits_can_say(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", noise(1), RATE)
    written = soundfile.read(tmp_path / "a.wav")[0]

    np.testing.assert_allclose(written, noise(1), atol=2**-16)  # half a step
    write_wav(tmp_path / "b.wav", written, RATE)  # and nothing is lost by writing it again
    np.testing.assert_array_equal(soundfile.read(tmp_path / "b.wav")[0], written)


def test_levels_are_those_of_the_textbook() -> None:
    assert level_dbfs(np.resize([1.0, -1.0], 10)) == 0
    assert level_dbfs(sine(100, RATE)) == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=1e-6)
    assert level_dbfs(np.zeros(10)) == -np.inf
