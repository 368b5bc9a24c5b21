"""The session with a patch, against a patch of our own in Python; test_puredata.py plays a real
one."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder

from texturelib.dataset import read_dataset

Command = Callable[..., tuple[int, str, str]]
WriteConfig = Callable[..., Path]
RATE, SECONDS = 8000, 0.1


@dataclass
class FakePatch:
    """Speaks the thesis's session: remembers what it hears, writes a sine whose pitch is the
    control `pitch`, replies.

    The fields after `port` make it misbehave. ignores: how many starts it does not hear. bundles:
    how many bundles each reply is in.
    """

    port: int
    rate: int = RATE
    seconds: float = SECONDS
    ignores: int = 0
    is_silent: bool = False
    fails_from: int | None = None
    names_the_file: bool = False
    replies_to_others_first: bool = False
    bundles: int = 0
    replies_to: str = "/audioFileRecording_Ended"
    says_first: bytes = b""
    spoils: frozenset[int] = frozenset()
    heard: list[tuple[str, list[Any]]] = field(default_factory=list)
    n_starts: int = 0

    def serve(self, listening: socket.socket) -> None:
        state: dict[str, Any] = {}
        while True:
            try:
                message = OscMessage(listening.recv(65536))
            except OSError:
                return  # closed: the test is over
            name = message.address.lstrip("/")
            self.heard.append((message.address, message.params))
            if message.params:
                state[name] = message.params[0]
            if name == "startRecordAudioToBuffer":
                self.n_starts += 1
                if self.n_starts > self.ignores:
                    self._record(state)

    def _record(self, state: dict[str, Any]) -> None:
        if self.replies_to_others_first:
            self._reply(state, "/audioFileRecording_Ended", "/an/earlier/file.wav")
        if self.fails_from and self.n_starts >= self.fails_from:
            self._reply(state, "/audioFileRecording_Error", state["filePath"])
            return
        n_samples = round(self.seconds * self.rate) // (2 if self.n_starts in self.spoils else 1)
        gain = 0.0 if self.is_silent else 0.5 * 10 ** (0.6 * (state["audioFileVolume"] - 128) / 20)
        samples = gain * np.sin(2 * np.pi * state["pitch"] * np.arange(n_samples) / self.rate)
        soundfile.write(state["filePath"], samples, self.rate, subtype="PCM_16")
        self._reply(state, self.replies_to, *([state["filePath"]] if self.names_the_file else []))

    def _reply(self, state: dict[str, Any], address: str, *values: str) -> None:
        message = OscMessageBuilder(address)
        for value in values:
            message.add_arg(value)
        datagram = message.build().dgram
        for _ in range(self.bundles):  # beside another message
            tuning = b"/tuning\0,f\0\0" + bytes(4)
            parts = [len(part).to_bytes(4, "big") + part for part in (tuning, datagram)]
            datagram = b"#bundle\0" + bytes(7) + b"\1" + b"".join(parts)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            for each in filter(None, (self.says_first, datagram)):
                out.sendto(each, ("127.0.0.1", state["maxPDToPy_OSCPortNumber"]))


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def open_patch() -> Iterator[Callable[..., FakePatch]]:
    listening: list[socket.socket] = []

    def open_(**behaviour: Any) -> FakePatch:
        listening.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        listening[-1].bind(("127.0.0.1", 0))
        patch = FakePatch(listening[-1].getsockname()[1], **behaviour)
        threading.Thread(target=patch.serve, args=(listening[-1],), daemon=True).start()
        return patch

    yield open_
    for each in listening:
        each.close()


@pytest.fixture
def osc_config(write_config: WriteConfig) -> Callable[..., Path]:
    """Return a config that plays a patch at `port`; further keys of the engine, and `changes` to
    other keys."""

    def write(port: int, changes: dict[str, Any] | None = None, **engine: Any) -> Path:
        own = {
            "type": "osc",
            "patch_controls": {"pitch": {"sends": [100, 900], "unit": "Hz"}, "unused": {}},
            "controls": {"pitch": [0, 1], "unused": 0.5},
            "send_port": port,
            "receive_port": free_port(),
            "reply_seconds": 0.3,
        }
        distribution = {"type": "uniform_linearly_spaced", "n_clips": 4}
        keys = {
            "sample_rate": RATE,
            "seconds": SECONDS,
            "distribution": distribution,
            "engine": own | engine,
        }
        return write_config(**keys | (changes or {}))

    return write


def test_a_patch_is_told_what_the_thesis_told_its_own_in_the_same_order(
    command: Command,
    osc_config: Callable[..., Path],
    open_patch: Callable[..., FakePatch],
    tmp_path: Path,
) -> None:
    patch = open_patch()
    config = osc_config(patch.port, changes={"volume": {"low": 0.5, "high": 0.5}})

    assert command("generate", config)[::2] == (0, "")

    receive_port = json.loads(config.read_text())["engine"]["receive_port"]
    assert patch.heard[:3] == [
        ("maxPDToPy_OSCPortNumber", [receive_port]), ("sampleRate", [RATE]), ("bufferLength_ms", [100]),
    ]  # fmt: skip
    first = patch.heard[3:9]
    assert [address for address, _ in first] == [
        "clearBuffer", "filePath", "pitch", "unused", "audioFileVolume", "startRecordAudioToBuffer",
    ]  # fmt: skip
    assert first[1][1][0].endswith(".wav")
    assert Path(first[1][1][0]).is_absolute()
    row = read_dataset(tmp_path / "results").metadata.iloc[0]
    assert first[2][1][0] == pytest.approx(100 + 800 * row["pitch"])
    assert first[3][1] == [50.0]
    assert first[4][1] == [79.0]  # half of the fader's 158 steps
    assert len(patch.heard) == 3 + 4 * 6


@pytest.mark.filterwarnings("default:the engine .* plays on this machine")
def test_a_patch_stays_on_its_machine_whoever_should_do_the_work_and_that_is_said(
    command: Command,
    osc_config: Callable[..., Path],
    open_patch: Callable[..., FakePatch],
    tmp_path: Path,
) -> None:
    nobody = {"type": "dask", "address": "tcp://127.0.0.1:1"}
    status, _, err = command(
        "generate", osc_config(open_patch().port, changes={"executor": nobody})
    )

    assert (status, err) == (0, 'note: the engine "osc" plays on this machine, not on "dask"\n')
    assert len(read_dataset(tmp_path / "results")) == 4


def test_the_clips_are_what_the_patch_wrote(
    command: Command,
    osc_config: Callable[..., Path],
    open_patch: Callable[..., FakePatch],
    tmp_path: Path,
) -> None:
    command("generate", osc_config(open_patch().port))

    dataset = read_dataset(tmp_path / "results")
    pitch = dataset.description["controls"][0]
    assert [pitch[key] for key in ("name", "low", "high", "unit", "used")] == [
        "pitch",
        100,
        900,
        "Hz",
        [0, 1],
    ]
    for index, row in dataset.metadata.iterrows():
        gain = 0.5 * 10 ** (0.6 * (158 * row["volume"] - 128) / 20)
        sine = gain * np.sin(
            2 * np.pi * np.float32(100 + 800 * row["pitch"]) * np.arange(800) / RATE
        )
        # 16 bits, rounded down by the patch.
        np.testing.assert_allclose(dataset.clip(index), sine, atol=1.1 / 2**15)


@pytest.mark.parametrize("leading_slash", [False, True])
def test_addresses_begin_with_a_slash_only_where_that_is_asked_for(
    command: Command,
    osc_config: Callable[..., Path],
    open_patch: Callable[..., FakePatch],
    leading_slash: bool,
) -> None:
    patch = open_patch()

    assert command("generate", osc_config(patch.port, leading_slash=leading_slash))[0] == 0

    assert {address.startswith("/") for address, _ in patch.heard} == {leading_slash}


def test_a_patch_that_knows_seeds_is_sent_one_for_each_clip(
    command: Command, osc_config: Callable[..., Path], open_patch: Callable[..., FakePatch]
) -> None:
    patch = open_patch()

    command("generate", osc_config(patch.port, sends_seed=True))

    seeds = [values[0] for address, values in patch.heard if address == "seed"]
    assert len(set(seeds)) == 4
    assert all(isinstance(seed, int) and 0 <= seed < 2**23 for seed in seeds)


@pytest.mark.parametrize(
    "behaviour",
    [
        {"ignores": 2},
        {"names_the_file": True},
        {"replies_to_others_first": True},
        {"spoils": frozenset({1, 4})},
        {"bundles": 1},
        {"bundles": 3, "names_the_file": True},
        {"says_first": b"hello"},
    ],
)
def test_lost_messages_and_spoilt_files_are_asked_for_again(
    command: Command,
    osc_config: Callable[..., Path],
    open_patch: Callable[..., FakePatch],
    tmp_path: Path,
    behaviour: Any,
) -> None:
    status, _, err = command("generate", osc_config(open_patch(**behaviour).port))

    assert (status, err) == (0, "")
    assert len(read_dataset(tmp_path / "results")) == 4


@pytest.mark.parametrize(
    ("behaviour", "sentence"),
    [
        ({"ignores": 99}, "within 0.3 s, asked 3 times: is the patch open"),
        (
            {"rate": 4000},
            "1 channel(s) of 400 samples at 4000 Hz; the dataset has 1 channel of 800 samples at 8000 Hz",
        ),
        ({"seconds": 0.05}, "1 channel(s) of 400 samples at 8000 Hz"),
        ({"fails_from": 1}, "could not write its file"),
        (
            {"replies_to": "/done"},
            " is no reply: done; the patch should send /audioFileRecording_Ended and the path",
        ),
        ({"replies_to": "/done", "bundles": 1}, " is no reply: tuning 0.0, done; the patch should"),
        (
            {"replies_to": "/a", "says_first": b"hi\n"},
            " is no reply: 3 bytes that are no OSC message (b'hi\\n'), a; the patch",
        ),
    ],
)
def test_a_patch_that_never_works_ends_the_job_with_a_sentence(
    command: Command,
    osc_config: Callable[..., Path],
    open_patch: Callable[..., FakePatch],
    behaviour: Any,
    sentence: str,
) -> None:
    patch = open_patch(**behaviour)

    status, _, err = command("generate", osc_config(patch.port))

    assert status == 1
    assert sentence in err
    assert f"127.0.0.1:{patch.port}" in err
    assert err.count("\n") == 1


def test_who_does_not_know_the_files_name_cannot_say_for_a_patch_that_does_that_it_is_written(
    command: Command, osc_config: Callable[..., Path], open_patch: Callable[..., FakePatch]
) -> None:
    # The patch falls silent after its second clip, and another program says for it that the third
    # is there.
    patch = open_patch(names_the_file=True)
    record = patch._record

    def two_only(state: dict[str, Any]) -> None:
        if patch.n_starts <= 2:
            record(state)
            return
        Path(state["filePath"]).write_bytes(b"half")
        patch._reply(state, "/audioFileRecording_Ended")

    patch._record = two_only  # type: ignore[method-assign]
    status, _, err = command("generate", osc_config(patch.port))

    assert status == 1
    assert "no reply from" in err
    assert "audioFileRecording_Ended (of no file)" in err


def test_a_length_that_no_patch_can_be_told_is_refused(
    command: Command, osc_config: Callable[..., Path]
) -> None:
    status, _, err = command("generate", osc_config(free_port(), changes={"seconds": 0.0105}))

    assert status == 2
    assert "seconds: 0.0105 is 10.5 milliseconds; a patch can only be told a whole number" in err


def test_a_patch_that_only_writes_silence_is_asked_about(
    command: Command, osc_config: Callable[..., Path], open_patch: Callable[..., FakePatch]
) -> None:
    status, _, err = command(
        "generate", osc_config(open_patch(is_silent=True).port, changes={"silence": {"redraws": 1}})
    )

    assert status == 1
    assert err.startswith("note: the patch at 127.0.0.1:")
    assert err.count("has written 3 files of nothing but zeros: is its sound on") == 1
    assert "4 of 4 files were left out" in err


def test_a_patch_that_stops_writing_ends_the_job_so_that_it_can_go_on(
    command: Command,
    osc_config: Callable[..., Path],
    open_patch: Callable[..., FakePatch],
    tmp_path: Path,
) -> None:
    patch = open_patch(fails_from=3)
    config = osc_config(patch.port)

    status, _, err = command("generate", config)
    assert status == 1
    assert "could not write its file" in err
    assert not (tmp_path / "results" / "rejected.csv").exists()

    patch.fails_from = None
    assert command("generate", config)[0] == 0
    assert len(read_dataset(tmp_path / "results")) == 4


def test_a_patch_that_is_not_open_does_not_cost_the_set_that_is_there(
    command: Command,
    write_config: WriteConfig,
    osc_config: Callable[..., Path],
    open_patch: Callable[..., FakePatch],
    files: Any,
    tmp_path: Path,
) -> None:
    command("generate", write_config(), "--workers", 1)
    before = files(tmp_path / "results")
    other = open_patch()

    status, *_ = command(
        "generate", osc_config(free_port(), receive_port=other.port), "--overwrite"
    )

    assert status == 1
    assert files(tmp_path / "results") == before


def test_where_nobody_listens_the_port_is_named_at_once(
    command: Command, osc_config: Callable[..., Path]
) -> None:
    port = free_port()

    status, _, err = command("generate", osc_config(port, reply_seconds=60))

    assert status == 1
    assert f"nobody listens at 127.0.0.1:{port}: is the patch open" in err


def test_a_receive_port_that_another_program_has_is_named(
    command: Command, osc_config: Callable[..., Path], open_patch: Callable[..., FakePatch]
) -> None:
    patch, other = open_patch(), open_patch()

    status, _, err = command("generate", osc_config(patch.port, receive_port=other.port))

    assert status == 1
    assert f"receive_port: cannot listen on 127.0.0.1:{other.port} (another program has it)" in err


def test_one_spoilt_clip_among_good_ones_is_left_out(
    command: Command,
    osc_config: Callable[..., Path],
    open_patch: Callable[..., FakePatch],
    tmp_path: Path,
) -> None:
    # The second clip, all three times that it is asked for.
    patch = open_patch(spoils=frozenset({2, 3, 4}))

    status, _, err = command("generate", osc_config(patch.port, changes={"max_rejected": 0.5}))

    assert (status, err) == (0, "")
    assert len(read_dataset(tmp_path / "results")) == 3
    assert "400 samples" in (tmp_path / "results" / "rejected.csv").read_text()


@pytest.mark.parametrize(
    ("engine", "sentence"),
    [
        (
            {"controls": {"ptch": [0, 1], "unused": 0.5}},
            'ptch: no such control of engine "osc" (did you mean "pitch"?',
        ),
        ({"controls": {"pitch": [0, 2], "unused": 0.5}}, "pitch: [0, 2] should be a range"),
        ({"patch_controls": {"filePath": {}}}, '"filePath" should be a word'),
        ({"patch_controls": {"a b": {}}}, '"a b" should be a word'),
        ({"patch_controls": {}}, "patch_controls: is missing"),
        (
            {"patch_controls": {"pitch": {"sends": [3, 3], "low": 0, "high": 1}}},
            "sends: [3, 3] should be a range",
        ),
        ({"patch_controls": {"pitch": {"low": 3, "high": 3}}}, "low and high: both are 3"),
        (
            {"patch_controls": {"pitch": {"laws": {"slow_dow": -1}}}},
            '"slow_dow" is not known (did you mean "slow_down"?',
        ),
        ({"send_port": 8000, "receive_port": 8000}, "receive_port: 8000 is the send_port too"),
        ({"send_port": 0}, "send_port"),
    ],
)
def test_a_wrong_engine_is_a_sentence(
    command: Command, osc_config: Callable[..., Path], engine: dict[str, Any], sentence: str
) -> None:
    status, _, err = command("generate", osc_config(free_port(), **engine))

    assert status == 2
    assert sentence in err
