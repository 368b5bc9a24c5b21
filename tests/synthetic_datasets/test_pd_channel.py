"""Who comes to the port where our Pure Data is awaited, and what is said there."""

import contextlib
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthetic_datasets.engines._pd_channel import PdChannel
from synthetic_datasets.engines._session import Message


def port_and_word(channel: PdChannel, folder: Path) -> tuple[int, bytes]:
    channel.write_introduction(folder / "introduction.pd")
    found = re.search(r"dataset_session (\d+) (\w+);", (folder / "introduction.pd").read_text())
    assert found
    return int(found[1]), found[2].encode()


@pytest.fixture
def channel() -> Iterator[PdChannel]:
    with PdChannel() as channel:
        yield channel


def test_only_who_knows_the_word_is_talked_to(channel: PdChannel, tmp_path: Path) -> None:
    port, word = port_and_word(channel, tmp_path)
    wrong = [
        b"",
        b"ready",
        b"ready word_0;\n",
        b"ready " + word[:-1],
        b"\0\xff" * 100,
        b"audioFileRecording_Ended;\n",
    ]
    strangers = [socket.create_connection(("127.0.0.1", port)) for _ in wrong]
    for stranger, says in zip(strangers, wrong, strict=True):
        stranger.sendall(says)
    ours = socket.create_connection(("127.0.0.1", port))
    for part in (b"ready " + word[:5], word[5:], b";\n"):
        ours.sendall(part)

    assert channel.connect(5, lambda: None)
    channel.send("cutoff", 0.5)

    assert ours.recv(100) == b"cutoff 0.5;\n"
    for stranger in (*strangers, ours):
        with stranger:
            if stranger is not ours:
                stranger.settimeout(5)
                with contextlib.suppress(ConnectionResetError):
                    assert stranger.recv(100) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_without_ours_it_says_so_in_time_whoever_else_is_there(
    channel: PdChannel, tmp_path: Path
) -> None:
    port, _ = port_and_word(channel, tmp_path)
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", port)) as silent:
        assert not channel.connect(0.3, lambda: None)
        assert silent.recv(1) == b""
    assert time.monotonic() - began < 60  # not for ever


def test_the_word_is_another_each_time(tmp_path: Path) -> None:
    words = set()
    for _ in range(3):
        with PdChannel() as channel:
            words.add(port_and_word(channel, tmp_path)[1])
    assert len(words) == 3


@given(
    st.lists(
        st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), min_size=1),
        min_size=1,
        max_size=3,
    )
)
def test_what_is_said_is_what_is_heard_whatever_is_in_it(words: list[str]) -> None:
    # The two directions are alike, so one channel hears what the other says.
    here, there = PdChannel(), PdChannel()
    with here, there:
        here._connection, there._connection = socket.socketpair()
        here.send("filePath", *words)
        here.send("next")
        messages = []
        while len(messages) < 2:
            messages += there.receive(5)
    assert messages == [Message("filePath", tuple(words)), Message("next")]
