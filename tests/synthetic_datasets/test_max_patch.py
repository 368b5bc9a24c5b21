"""The Max patch is well formed, and each message of the session gets to the object that must act on
it.

Max cannot run here: what its objects do with the messages is not tested.
"""

import json
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import synthetic_datasets
from synthetic_datasets.engines._session import SESSION_MESSAGES

PATCH = Path(synthetic_datasets.__file__).parent / "patches" / "dataset_receiver.maxpat"


class End(NamedTuple):
    """One end of a cord."""

    id: str
    number: int


class Patcher:
    """One window of a patch."""

    def __init__(self, content: dict[str, Any]) -> None:
        self.boxes: list[dict[str, Any]] = [entry["box"] for entry in content["boxes"]]
        cords = [entry["patchline"] for entry in content["lines"]]
        self.cords = [(End(*cord["source"]), End(*cord["destination"])) for cord in cords]
        self.by_id = {box["id"]: box for box in self.boxes}

    def box(self, text: str) -> dict[str, Any]:
        """Return the only box that says so, from the start, or is of that class."""
        (box,) = [
            box
            for box in self.boxes
            if box["maxclass"] != "comment" and self.says(box).startswith(text)
        ]
        return box

    def says(self, box: dict[str, Any]) -> str:
        return box.get("text", box["maxclass"])

    def after(self, box: dict[str, Any], outlet: int | None = None) -> list[End]:
        """Return the inlets that hear an outlet, or any outlet."""
        return [
            to
            for source, to in self.cords
            if source.id == box["id"] and outlet in (None, source.number)
        ]

    def reached(self, *starts: End) -> set[str]:
        """Return what all boxes say that can hear from these inlets, directly or through others."""
        ids, ahead = set(), [start.id for start in starts]
        while ahead:
            if (id_ := ahead.pop()) not in ids:
                ids.add(id_)
                ahead += [to.id for to in self.after(self.by_id[id_])]
        return {self.says(self.by_id[id_]) for id_ in ids}

    def hearing(self, message: str) -> list[End]:
        """Return the inlets, past all [route]s, that hear a message from the network."""
        heard, ahead = [], self.after(self.box("udpreceive"))
        while ahead:
            end = ahead.pop()
            name, *routed = self.says(self.by_id[end.id]).split()
            if name == "route":
                assert end.number == 0
                ahead += self.after(
                    self.by_id[end.id], routed.index(message) if message in routed else len(routed)
                )
            else:
                heard.append(end)
        return heard


@pytest.fixture(scope="module")
def content() -> dict[str, Any]:
    return json.loads(PATCH.read_text(encoding="utf-8"))["patcher"]


@pytest.fixture(scope="module")
def patch(content: dict[str, Any]) -> Patcher:
    return Patcher(content)


@pytest.fixture(scope="module")
def patchers(content: dict[str, Any]) -> list[Patcher]:
    """The patch and all patches in it."""

    def within(content: dict[str, Any]) -> Iterator[Patcher]:
        yield Patcher(content)
        for entry in content["boxes"]:
            if "patcher" in entry["box"]:
                yield from within(entry["box"]["patcher"])

    return list(within(content))


def test_it_says_which_max_it_is_for(content: dict[str, Any]) -> None:
    assert content["fileversion"] == 1
    assert content["appversion"]["major"] == 8
    assert len(content["rect"]) == 4


def test_every_box_is_named_once_and_has_the_outlets_that_it_says(patchers: list[Patcher]) -> None:
    for patcher in patchers:
        assert len(patcher.by_id) == len(patcher.boxes)
        for box in patcher.boxes:
            assert len(box.get("outlettype", [])) == box["numoutlets"]
            assert ("text" in box) == (box["maxclass"] in ("newobj", "message", "comment"))


def test_every_cord_goes_from_an_outlet_to_an_inlet_that_is_there(patchers: list[Patcher]) -> None:
    for patcher in patchers:
        for source, to in patcher.cords:
            assert source.number < patcher.by_id[source.id]["numoutlets"]
            assert to.number < patcher.by_id[to.id]["numinlets"]
        assert len(set(patcher.cords)) == len(patcher.cords)


def test_a_patch_in_the_patch_has_the_inlets_and_outlets_of_its_box(patch: Patcher) -> None:
    box = patch.box("p your_synthesiser")
    classes = [inner["box"]["maxclass"] for inner in box["patcher"]["boxes"]]

    assert (
        (classes.count("inlet"), classes.count("outlet"))
        == (box["numinlets"], box["numoutlets"])
        == (3, 1)
    )


def test_no_box_covers_another_or_leaves_the_window(
    patchers: list[Patcher], content: dict[str, Any]
) -> None:
    for patcher in patchers:
        for box, other in combinations(patcher.boxes, 2):
            (x, y, width, height), (x_, y_, width_, height_) = (
                box["patching_rect"],
                other["patching_rect"],
            )
            apart = x + width <= x_ or x_ + width_ <= x or y + height <= y_ or y_ + height_ <= y
            assert apart, f"{patcher.says(box)} / {patcher.says(other)}"
    for box in Patcher(content).boxes:
        x, y, width, height = box["patching_rect"]
        assert x >= 0
        assert y >= 0
        assert x + width <= content["rect"][2]
        assert y + height <= content["rect"][3]


# What each message must come to, and why.
ACTORS = {
    # The reply goes where Python listens.
    "maxPDToPy_OSCPortNumber": ["prepend port", "udpsend 127.0.0.1 8001"],
    # The driver's; without audio on nothing is ever recorded.
    "sampleRate": [";\rdsp sr $1", ";\rdsp start"],
    # Recording ends when the buffer is full.
    "bufferLength_ms": ["prepend setsize", "buffer~ texture_clip 1000"],
    "clearBuffer": ["clear", "buffer~ texture_clip 1000"],
    # Written there, and echoed in the reply.
    "filePath": ["prepend writewave", "prepend /audioFileRecording_Ended"],
    # The level is in the recording, not only heard.
    "audioFileVolume": ["gain~", "record~ texture_clip"],
    "seed": ["p your_synthesiser"],
    # Which may clear itself first.
    "startRecordAudioToBuffer": ["delay 50", "1", "record~ texture_clip", "p your_synthesiser"],
}


def test_the_table_above_speaks_of_every_message_that_is_sent() -> None:
    assert set(ACTORS) == SESSION_MESSAGES


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("message", ACTORS)
def test_each_message_comes_to_the_objects_that_act_on_it(
    patch: Patcher, message: str, slash: str
) -> None:
    heard = patch.hearing(slash + message)

    assert heard
    assert set(ACTORS[message]) <= patch.reached(*heard)


@pytest.mark.parametrize("message", ACTORS)
def test_a_message_does_the_same_with_a_slash(patch: Patcher, message: str) -> None:
    assert sorted(patch.hearing(message)) == sorted(patch.hearing(f"/{message}"))


@pytest.mark.parametrize("control", ["avgRate", "/avgRate", "cutoff"])
def test_a_control_comes_to_the_synthesiser_and_nowhere_else(patch: Patcher, control: str) -> None:
    assert patch.hearing(control) == [(patch.box("p your_synthesiser")["id"], 0)]


def test_the_seed_and_the_bang_have_inlets_of_their_own(patch: Patcher) -> None:
    synthesiser = patch.box("p your_synthesiser")["id"]

    assert patch.hearing("seed") == [(synthesiser, 1)]
    (start,) = patch.hearing("startRecordAudioToBuffer")
    # [t b b] sounds its right outlet first: the bang, and then the delay that ends in recording.
    assert patch.says(patch.by_id[start.id]) == "t b b"
    assert patch.after(patch.by_id[start.id], 1) == [(synthesiser, 2)]
    assert patch.after(patch.by_id[start.id], 0) == [(patch.box("delay")["id"], 0)]


def test_the_synthesisers_sound_is_recorded_at_the_level_asked_for(patch: Patcher) -> None:
    gain, record = patch.box("gain~"), patch.box("record~")

    assert patch.after(patch.box("p your_synthesiser")) == [(gain["id"], 0)]
    assert (record["id"], 0) in patch.after(gain, 0)
    # The same buffer.
    assert patch.says(record).split()[1] == patch.says(patch.box("buffer~")).split()[1]


def test_when_the_recording_ends_the_path_is_written_and_one_reply_made_ready(
    patch: Patcher,
) -> None:
    # record~'s sync signal is 0, runs from 0 to 1, and is 0 or stays at 1; edge~'s right outlet
    # says when 0 < sync < 1 ends.
    edge = patch.box("edge~")
    assert {">~ 0.", "<~ 1.", "edge~"} <= patch.reached(*patch.after(patch.box("record~"), 0))
    assert patch.after(edge, 0) == []
    (low,) = patch.after(edge, 1)
    (trigger,) = patch.after(patch.by_id[low.id])

    # [t b b] sounds its right outlet first: ready before the write, which may be over at once.
    assert patch.after(patch.by_id[trigger.id], 1) == [(patch.box("onebang")["id"], 1)]
    (path,) = patch.after(patch.by_id[trigger.id], 0)
    assert path.number == 0
    # Stored by the right inlet, sent on by a bang to the left one.
    assert (path.id, 1) in patch.hearing("filePath")
    assert patch.after(patch.by_id[path.id], 0) == [(patch.box("prepend writewave")["id"], 0)]
    assert patch.after(patch.box("prepend writewave")) == [(patch.box("buffer~")["id"], 0)]


def test_when_the_file_is_written_the_reply_names_it(patch: Patcher) -> None:
    # buffer~'s right outlet bangs when a write is over; onebang lets only one pass for each
    # recording.
    assert patch.after(patch.box("buffer~"), 1) == [(patch.box("onebang")["id"], 0)]
    (path,) = patch.after(patch.box("onebang"), 0)

    assert path.number == 0
    assert (path.id, 1) in patch.hearing("filePath")
    assert patch.after(patch.by_id[path.id], 0) == [
        (patch.box("prepend /audioFileRecording_Ended")["id"], 0)
    ]
    assert patch.after(patch.box("prepend /audioFileRecording_Ended")) == [
        (patch.box("udpsend")["id"], 0)
    ]
