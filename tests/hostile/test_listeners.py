"""Nothing here listens to any network but this machine's own, 127.0.0.0/8 and ::1."""

import ipaddress
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not Path("/proc/net/udp").exists(), reason="needs Linux's /proc")

TAKES_ALL = {"tcp": "0A", "udp": "07"}
"""States of a socket that takes what anybody sends; a UDP socket that asked a name server is in
another."""


def family(pid: int) -> set[int]:
    """Return a process and all that it has started, and these."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int(
                    (entry / "stat").read_text().rpartition(")")[2].split()[1]
                )
            except (OSError, IndexError):
                continue  # it has just ended
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def open_to(pids: set[int]) -> set[str]:
    """Return where these processes listen, as "python3 udp 127.0.0.1:8000"."""
    inodes = {}
    for pid in pids:
        try:
            program = Path(f"/proc/{pid}/comm").read_text().strip().replace(" ", "_")
            for descriptor in Path(f"/proc/{pid}/fd").iterdir():
                inodes[str(descriptor.readlink()).removeprefix("socket:[").removesuffix("]")] = (
                    program
                )
        except OSError:
            continue
    found = set()
    for kind in ("udp", "udp6", "tcp", "tcp6"):
        for line in Path(f"/proc/net/{kind}").read_text().splitlines()[1:]:
            words = line.split()
            address, _, port = words[1].partition(":")
            if words[9] in inodes and port != "0000" and words[3] == TAKES_ALL[kind[:3]]:
                octets = b"".join(
                    bytes.fromhex(address[at : at + 8])[::-1] for at in range(0, len(address), 8)
                )
                found.add(
                    f"{inodes[words[9]]} {kind} {ipaddress.ip_address(octets)}:{int(port, 16)}"
                )
    return found


def is_here_alone(place: str) -> bool:
    address = ipaddress.ip_address(place.split(" ")[2].rpartition(":")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def heard_of(process: "subprocess.Popen[str]") -> set[str]:
    """Return every place where the process or one that it started has listened until it ended."""
    places: set[str] = set()
    while process.poll() is None:
        places |= open_to(family(process.pid))
        time.sleep(0.02)
    out, error = process.communicate()
    assert process.returncode == 0, out + error
    return places


def started(*words: object) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        list(map(str, words)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_what_listens_is_seen_with_its_address(tmp_path: Path) -> None:
    code = "import socket, time; s = socket.create_server(('', 0)); u = socket.socket(type=socket.SOCK_DGRAM)"
    places = heard_of(
        started(sys.executable, "-c", f"{code}; u.bind(('127.0.0.1', 0)); time.sleep(1)")
    )
    assert sorted(map(is_here_alone, places)) == [False, True]


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


needs_pd = pytest.mark.skipif(
    not shutil.which("puredata") and not os.environ.get("CI"),
    reason="needs Pure Data (puredata-core)",
)
PD_OPENS = ("puredata", "-nogui", "-noaudio", "-nomidi", "-noprefs", "-nrt", "-open")


@needs_pd
def test_patches_are_talked_to_on_this_machine_alone(tmp_path: Path) -> None:
    config = {
        "output": "set",
        "seconds": 0.1,
        "engine": {
            "type": "puredata",
            "patch": "liquid",
            "controls": {
                "avgRate": [0.5, 0.75],
                "minRadius": 0.2,
                "maxRadius": 0.6,
                "expRadius": 0.5,
            },
        },
        "distribution": {"type": "random_uniform", "n_clips": 40},
    }
    (tmp_path / "synthetic.json").write_text(json.dumps(config))
    words = ["-m", "synthetic_datasets", "generate", tmp_path / "synthetic.json", "--workers", 2]
    places = heard_of(started(sys.executable, *words))
    assert places, "two wait for their Pure Datas, which come to them"
    assert all(map(is_here_alone, places)), places
    assert not [place for place in places if place.split()[0] in ("pd", "puredata")], places


@needs_pd
@pytest.mark.parametrize("where", ["", " 127.0.0.1"])
def test_a_pure_data_that_listens_to_all_is_told_from_one_that_listens_here(
    tmp_path: Path, where: str
) -> None:
    patch = """#N canvas 0 0 450 300 12;
#X obj 0 0 loadbang;
#X msg 0 0 listen PORT;
#X obj 0 0 netreceive -u -b;
#X obj 0 0 delay 500;
#X msg 0 0 \\; pd quit;
#X connect 0 0 1 0;
#X connect 1 0 2 0;
#X connect 0 0 3 0;
#X connect 3 0 4 0;
"""
    (tmp_path / "listening.pd").write_text(patch.replace("PORT", f"{free_port()}{where}"))
    places = heard_of(started(*PD_OPENS, tmp_path / "listening.pd"))
    assert len(places) == 1
    assert is_here_alone(places.pop()) == bool(where)


@needs_pd
def test_a_patch_that_somebody_has_opened_listens_on_this_machine_alone(tmp_path: Path) -> None:
    from synthetic_datasets.engines._pd_process import PATCHES

    port = free_port()
    process = started(*PD_OPENS, PATCHES / "template.pd", "-send", f"inport {port}")
    places: set[str] = set()
    try:
        until = time.monotonic() + 20
        while not places and time.monotonic() < until:
            places = {place for place in open_to(family(process.pid)) if place.endswith(f":{port}")}
    finally:
        process.kill()
        process.communicate()
    assert [place.partition(" ")[2] for place in places] == [f"udp 127.0.0.1:{port}"]


TRAINING = """
import time
from texturelib.learning.compute import ComputeConfig, start_fabric

def train(fabric):
    import torch
    assert float(fabric.all_reduce(torch.ones(()), reduce_op="sum")) == 2.0
    time.sleep(1.0)  # so that whoever looks sees it

if __name__ == "__main__":
    start_fabric(ComputeConfig(accelerator="cpu", processes=2)).launch(train)
"""


@pytest.mark.slow
def test_processes_that_share_a_training_find_one_another_on_this_machine_alone(
    tmp_path: Path,
) -> None:
    (tmp_path / "training.py").write_text(TRAINING)
    places = heard_of(started(sys.executable, "-W", "ignore", tmp_path / "training.py"))
    assert places, "they talk to one another"
    assert all(map(is_here_alone, places)), places
