"""Recordings that are not read as they stand, and what is said of them."""

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

N_SAMPLES = 4410  # of a segment
STEP = 2**-15


def notes(dataset: Path) -> dict[str, str]:
    return dict(pd.read_csv(dataset / "notes.csv").itertuples(index=False))


def reasons(dataset: Path) -> dict[str, str]:
    return dict(pd.read_csv(dataset / "rejected.csv").itertuples(index=False))


def table(dataset: Path) -> pd.DataFrame:
    return pd.read_csv(dataset / "metadata.csv", keep_default_na=False)


def samples_of(dataset: Path) -> np.ndarray:
    """Return the segments of the set, joined."""
    return np.concatenate(
        [soundfile.read(dataset / name)[0] for name in table(dataset)["file_name"]]
    )


def test_a_recording_above_full_scale_is_lowered_as_a_whole_and_that_is_said(
    record, cut, noise
) -> None:
    quiet, loud = noise(1, -20), noise(2, -20)
    loud *= 4 / np.abs(loud).max()  # 12 dB above it, from its second segment on
    samples = np.concatenate([quiet, loud])
    record("river.wav", samples, subtype="FLOAT")

    dataset = cut()

    assert notes(dataset) == {
        "river.wav": "goes 12.0 dB above full scale: lowered as a whole, by 12.0 dB"
    }
    # Half a step: nothing is clipped.
    np.testing.assert_allclose(samples_of(dataset), samples * (1 - STEP) / 4, atol=0.51 * STEP)
    assert table(dataset)["n_clipped"].tolist() == [0, 0, 0]


def test_a_recording_above_full_scale_that_was_clipped_there_is_counted_as_clipped(
    record, cut, noise
) -> None:
    samples = noise(2, -20)
    record(
        "river.wav",
        np.clip(np.repeat(3 * samples / np.abs(samples).max(), 4), -2, 2),
        subtype="FLOAT",
    )

    assert table(cut())["n_clipped"].sum() > 100


@pytest.mark.parametrize("suffix", [".mp3", ".ogg"])
def test_a_compressed_recording_above_full_scale_is_not_clipped_either(
    record, cut, noise, suffix
) -> None:
    samples = noise(20, -20)
    record(f"river{suffix}", 4 * samples / np.abs(samples).max())

    dataset = cut()

    assert "above full scale: lowered as a whole" in notes(dataset)[f"river{suffix}"]
    assert np.count_nonzero(np.abs(samples_of(dataset)) >= 1 - 1.5 * STEP) == 1  # its peak alone
    assert table(dataset)["n_clipped"].sum() == 0


def test_a_float_recording_up_to_full_scale_is_left_at_its_level(record, cut, noise) -> None:
    samples = noise(2, -20)
    samples /= np.abs(samples).max()
    record("river.wav", samples, subtype="FLOAT")

    dataset = cut()

    assert notes(dataset) == {}
    # +1 itself is a step too high for 16 bits.
    np.testing.assert_allclose(samples_of(dataset), samples, atol=1.01 * STEP)


@pytest.mark.parametrize(
    ("suffix", "offset"), [(".wav", 0.0), (".wav", 0.1), (".flac", 0.0), (".mp3", 0.0)]
)
def test_channels_that_cancel_one_another_are_not_mixed_and_that_is_said(
    record, cut, noise, suffix, offset
) -> None:
    samples = noise(3)
    record(f"river{suffix}", np.stack([0.9 * samples + offset, -samples + offset], axis=1))

    dataset = cut()

    said = "has channels that cancel one another when they are mixed: channel 2 was taken alone"
    assert notes(dataset) == {f"river{suffix}": said}
    if suffix != ".mp3":
        np.testing.assert_allclose(samples_of(dataset), -samples + offset, atol=1.01 * STEP)


def test_channels_that_cancel_one_another_above_full_scale_are_neither_lost_nor_clipped(
    record, cut, noise
) -> None:
    samples = noise(3)
    samples *= 4 / np.abs(samples).max()
    record("river.wav", np.stack([samples, -samples], axis=1), subtype="FLOAT")

    dataset = cut()

    assert "channel 1 was taken alone; goes 12.0 dB above full scale" in notes(dataset)["river.wav"]
    np.testing.assert_allclose(samples_of(dataset), samples * (1 - STEP) / 4, atol=0.51 * STEP)


def test_the_config_says_what_becomes_of_channels_that_cancel_one_another(
    record, cut, noise, tmp_path
) -> None:
    samples = noise(2)
    record("river.wav", np.stack([samples, -0.97 * samples], axis=1))
    record("plain.wav", noise(2))

    assert reasons(cut("out_of_phase=reject")) == {
        "river.wav": "has channels that cancel one another when they are mixed"
    }
    cut("out_of_phase=mix", f"output={tmp_path / 'mixed'}")
    assert notes(tmp_path / "mixed") == {}
    rows = table(tmp_path / "mixed")
    # (1 - 0.97) / 2 of what it was, 36 dB less.
    assert rows["level_dbfs"][rows["source"] == "river.wav"].tolist() == pytest.approx(
        [-56.5, -56.5], abs=0.3
    )


@pytest.mark.parametrize(
    "channels",
    [
        lambda one, two: (one, two),
        lambda one, _: (one, np.zeros_like(one)),
        lambda one, two: (one + 0.3 * two, -one + 0.3 * two),  # wide, but 10 dB are left
        lambda one, _: (one, *[np.zeros_like(one)] * 15),
    ],
    ids=["unrelated", "one of two", "wide", "one of 16"],
)
def test_channels_that_only_differ_are_mixed_as_ever(record, cut, noise, channels) -> None:
    recorded = np.stack(channels(noise(2), noise(2)), axis=1)
    record("river.wav", recorded, subtype="FLOAT")

    dataset = cut()

    assert notes(dataset) == {}
    np.testing.assert_allclose(samples_of(dataset), recorded.mean(axis=1), atol=0.51 * STEP)


@pytest.mark.parametrize("offset", [0.02, -0.5])
def test_an_offset_is_no_sound(record, cut, noise, offset) -> None:
    record("hum.wav", noise(3, -94) + offset, subtype="PCM_24")
    record("river.wav", noise(2, -30) + offset, subtype="PCM_24")

    dataset = cut()

    assert reasons(dataset) == {"hum.wav": "all of its 3 segments are silent"}
    assert table(dataset)["level_dbfs"].tolist() == pytest.approx([-30, -30], abs=0.2)


def test_a_short_loud_sound_does_not_make_a_sound_of_the_silence_around_it(
    record, cut, noise
) -> None:
    samples = np.zeros(N_SAMPLES)
    samples[:800] = 0.5  # 18 ms of 100, which leave a mean of -21 dBFS
    record("click.wav", samples)
    record("river.wav", noise(1))

    assert reasons(cut("silence.share=0.8")) == {"click.wav": "all of its 1 segments are silent"}


def test_a_header_that_says_less_than_is_there_is_noted(record, cut, noise) -> None:
    path = record("crashed.wav", noise(5))
    content = bytearray(path.read_bytes())
    struct.pack_into("<I", content, 4, 36 + 2 * N_SAMPLES)
    struct.pack_into("<I", content, 40, 2 * N_SAMPLES)
    path.write_bytes(content)

    dataset = cut()

    assert len(table(dataset)) == 5
    assert notes(dataset) == {
        "crashed.wav": "says that it lasts 0.1 s, and 0.5 s of sound are in it: all of it was read"
    }


UNREADABLE = {
    "d.m4a": (
        b"\0\0\0\x20ftypM4A \0\0\0\0",
        "is MP4 (AAC or ALAC), which cannot be read; convert it to wav or flac",
    ),
    "d.mp4": (
        b"\0\0\0\x20ftypisom\0\0\0\0",
        "is MP4 (AAC or ALAC), which cannot be read; convert it to wav or flac",
    ),
    "e.wma": (
        b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",
        "is Windows Media, which cannot be read; convert it to wav or flac",
    ),
    "f.aac": (
        (b"\xff\xf1\x50\x80\x02\x1f\xfc" + bytes(9)) * 9,  # frames of 16 bytes
        "is AAC, which cannot be read; convert it to wav or flac",
    ),
    "g.bin": (
        b"MAC " + bytes(99),
        "is Monkey's Audio, which cannot be read; convert it to wav or flac",
    ),
    "h.wv": (b"wvpk" + bytes(99), "is WavPack, which cannot be read; convert it to wav or flac"),
    "i.mka": (
        b"\x1a\x45\xdf\xa3" + bytes(99),
        "is Matroska or WebM, which cannot be read; convert it to wav or flac",
    ),
    "j.m4a": (b"", "is empty (0 bytes)"),
    "k.wma": (b"text", "cannot be read as audio (Format not recognised)"),
}
BYSTANDERS = {
    "cover.jpg": b"\xff\xd8\xff\xe0\0\x10JFIF\0" + bytes(99),
    "cover.png": b"\x89PNG\r\n\x1a\n" + bytes(99),
    "phone.heic": b"\0\0\0\x20ftypheic" + bytes(99),
    "page.webp": b"RIFF\x20\0\0\0WEBPVP8 " + bytes(99),
    "notes.txt": b"recorded on Monday\n" * 99,
    "utf16.txt": ("recorded on Monday\n" * 99).encode("utf-16"),
    "ff.dat": b"\xff" * 5000,
    "zeros.dat": bytes(5000),
    "empty.dat": b"",
    "random.dat": np.random.default_rng(0).bytes(100_000),
}


def test_sounds_are_taken_whatever_they_are_called_and_those_that_cannot_be_read_are_named(
    record: Callable[..., Path], config, noise, command, tmp_path
) -> None:
    def record_as(name: str, samples: np.ndarray, format_: str, **subtype: str) -> None:
        path = record("../whole", samples, format=format_, **subtype)
        record(name, path.read_bytes())

    for suffix in ("wav", "bwf", "wave", "amb", "recording", "WAV_"):
        record_as(f"a.{suffix}", noise(1), "WAV")
    for suffix, format_ in (
        ("voc", "VOC"),
        ("rf64", "RF64"),
        ("snd", "AU"),
        ("sph", "NIST"),
        ("sf", "IRCAM"),
        ("8svx", "SVX"),
    ):
        record_as(f"b.{suffix}", noise(1), format_, subtype="PCM_16")
    record_as("no suffix", noise(20), "MP3")
    record_as("c.bin", noise(1), "FLAC")
    readable = {path.name for path in (tmp_path / "recordings").iterdir()}
    for name, content in (
        {name: content for name, (content, _) in UNREADABLE.items()} | BYSTANDERS
    ).items():
        record(name, content)

    status, printed, error = command("build", config, "--workers", 1)

    assert (status, error) == (0, "")
    dataset = tmp_path / "real"
    assert reasons(dataset) == {name: reason for name, (_, reason) in UNREADABLE.items()}
    assert set(table(dataset)["source"]) == readable
    assert (
        f"from {len(readable) + len(UNREADABLE)} recordings ({len(UNREADABLE)} left out" in printed
    )


def test_what_is_noted_is_announced_and_a_usual_set_says_nothing_of_it(
    record, config, noise, command, tmp_path
) -> None:
    record("river.wav", noise(2))
    assert "notes.csv" not in command("build", config, "--workers", 1)[1]
    assert (tmp_path / "real" / "notes.csv").read_text() == "file,note\n"

    record("loud.wav", 10 * noise(2, -10), subtype="FLOAT")
    printed = command("build", config, "--workers", 1, "--overwrite")[1]
    assert "real/notes.csv: what was unusual in 1 recordings, and how they were read" in printed
