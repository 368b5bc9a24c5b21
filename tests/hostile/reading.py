"""The process that reads hostile input: a line of JSON in, ["reader", "path"], a line out, ["kind",
"text"].

Each reader may take a gibibyte more than the process has, no more.
"""

import json
import os
import resource
import socket
import sys
import tempfile
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

_MOST_BYTES = 1 << 30

READERS: dict[str, Callable[[Path], Any]] = {}


def reader(read: Callable[[Path], Any]) -> Callable[[Path], Any]:
    READERS[read.__name__] = read
    return read


# Configs, JSON, tables ----------------------------------------------------------------------------------------------------------


def _config(path: Path, name: str) -> None:
    from importlib import import_module

    from texturelib.config import load_config, paths_in

    module, class_ = name.split(":")
    config = load_config(path, getattr(import_module(module), class_))
    list(paths_in(config))
    json.dumps(config.as_written(path.parent))


@reader
def synthetic_config(path: Path) -> None:
    _config(path, "synthetic_datasets.config:SyntheticConfig")


@reader
def recordings_config(path: Path) -> None:
    _config(path, "synthetic_datasets.config:RecordingsConfig")


@reader
def real_config(path: Path) -> None:
    _config(path, "real_datasets.config:RealConfig")


@reader
def adaptation_config(path: Path) -> None:
    _config(path, "domain_adaptation.config:AdaptationConfig")


@reader
def synthesis_config(path: Path) -> None:
    _config(path, "conditioned_synthesis.config:SynthesisConfig")


@reader
def set_option(path: Path) -> None:
    """The file holds what a person typed behind --set."""
    from synthetic_datasets.config import SyntheticConfig
    from texturelib.config import load_config

    load_config(path.with_name("synthetic.json"), SyntheticConfig, [os.fsdecode(path.read_bytes())])


@reader
def dataset(folder: Path) -> None:
    from texturelib.dataset import read_dataset

    found = read_dataset(folder)
    assert found.control_values().shape == (len(found), len(found.controls))
    found.clip(0)


@reader
def labelled(folder: Path) -> None:
    from conditioned_synthesis.config import Balance
    from conditioned_synthesis.data.import_dataset import is_import, trajectories_of
    from conditioned_synthesis.labels.analyse import statistics
    from conditioned_synthesis.labels.balance import select
    from conditioned_synthesis.labels.table import check_files, controls_of, read_labelled

    found = read_labelled(folder)
    controls_of(found)
    is_import(folder)
    check_files(found, [*found.metadata["file_name"], *trajectories_of(found).values()])
    statistics(found.metadata.filter(items=found.controls), 10)
    select(found.metadata, found.controls, Balance())


@reader
def run_json(folder: Path) -> None:
    from texturelib.config import StageConfig
    from texturelib.outputs import check_output, fingerprint

    class Wanted(StageConfig):
        seed: int = 0

    check_output(Wanted(output=folder, seed=1), "test", dry_run=True)
    check_output(
        Wanted(output=folder), "test", inputs={"before": folder}, overwrite=True, dry_run=True
    )
    fingerprint(folder)


@reader
def journal(path: Path) -> None:
    from texturelib.jobs import rejected_of, run_jobs

    outcomes = run_jobs(
        {"a": 1, "b": 2}, lambda item: {"n": item}, path, label="testing", workers=1
    )
    rejected_of(outcomes)
    assert outcomes.keys() == {"a", "b"}


# Sound --------------------------------------------------------------------------------------------------------------------------


@reader
def sound(path: Path) -> None:
    from texturelib.audio import read_clip, read_mono
    from texturelib.errors import Rejected

    with suppress(Rejected):
        read_clip(path, 8000, 400)
    read_mono(path, 16000)


@reader
def sound_in_blocks(path: Path) -> None:
    from real_datasets.decode import ClippedTimes, sound_blocks

    for _ in sound_blocks(path, 44100, clipped=ClippedTimes(0.999, 3)):
        pass


@reader
def sound_header(folder: Path) -> None:
    from conditioned_synthesis.data.clips import read_sounds

    read_sounds(folder, None)


# Controls of synthesisers -------------------------------------------------------------------------------------------------------


@reader
def params(folder: Path) -> None:
    from conditioned_synthesis.data.clips import read_sounds
    from conditioned_synthesis.data.import_dataset import import_mtcrnn

    with tempfile.TemporaryDirectory() as place:
        import_mtcrnn(folder, folder, Path(place) / "set")
    read_sounds(folder, None).ranges()


def _about() -> Any:
    from conditioned_synthesis.instrument.instrument import ModelSpec, Slider
    from conditioned_synthesis.synthesisers.mtcrnn.settings import Mtcrnn
    from texturelib.controls import Control

    return ModelSpec(
        synthesiser=Mtcrnn(),
        sliders=tuple(
            Slider(control=Control(name, 0.0, 1.0, "").describe(), low=0, high=1) for name in "ab"
        ),
        sample_rate=8000,
    )


@reader
def control_line(path: Path) -> None:
    """The file holds what a person typed behind --control."""
    from conditioned_synthesis.instrument.parse import read_automations

    for line in read_automations([os.fsdecode(path.read_bytes())], _about(), 1.0)[0].values():
        line.at(0.5)


@reader
def control_array(path: Path) -> None:
    from conditioned_synthesis.instrument.parse import read_automations
    from texturelib.errors import TextureError

    with suppress(TextureError):
        read_automations([f"a={path}"], _about(), 1.0)
    read_automations([str(path)], _about(), 1.0)


# Models -------------------------------------------------------------------------------------------------------------------------


@reader
def instrument(folder: Path) -> None:
    from conditioned_synthesis.instrument.instrument import load_instrument

    load_instrument(folder).play({}, 0.05, 0)


@reader
def extractor(folder: Path) -> None:
    import numpy as np

    from conditioned_synthesis.evaluation.labeller import load_labeller
    from domain_adaptation.labelling.inference import read_clips
    from domain_adaptation.models.model_folder import load_model
    from texturelib.errors import TextureError

    with suppress(TextureError):
        load_labeller(folder)
    model = load_model(folder)
    if model.spec.seconds * model.spec.sample_rate > 100_000:
        return
    clip = np.random.default_rng(0).uniform(
        -1, 1, (1, round(model.spec.seconds * model.spec.sample_rate))
    )
    read_clips(model, clip.astype(np.float32))


@reader
def classifier(folder: Path) -> None:
    from domain_adaptation.models.model_folder import load_classifier

    load_classifier(folder)


@reader
def checkpoint(path: Path) -> None:
    import torch
    from torch import nn

    from texturelib.learning._old_checkpoints import upgraded
    from texturelib.learning.checkpoint import resume
    from texturelib.learning.loop import State

    network = nn.Linear(2, 2)
    learning = {"weights": network, "optimizer of network": torch.optim.Adam(network.parameters())}
    resume(
        path,
        State,
        learning,
        partial(upgraded, groups=["network"], also_saved=[], steps_per_epoch=1),
    )


@reader
def mtcrnn_checkpoint(path: Path) -> None:
    from conditioned_synthesis.instrument.import_checkpoint import import_model

    with tempfile.TemporaryDirectory() as place:
        import_model(path, Path(place) / "model", ["rate", "pitch"], 16000, False)


@reader
def thesis_folder(folder: Path) -> None:
    from domain_adaptation.models.thesis_import import import_thesis

    with tempfile.TemporaryDirectory() as place:
        import_thesis(folder, Path(place) / "models", decibels=True)


# Sources of recordings ----------------------------------------------------------------------------------------------------------


@reader
def tags_table(folder: Path) -> None:
    from real_datasets.sources.folder import Folder

    Folder(path=folder, tags_from=folder / "tags.csv").recordings()


@reader
def fsd50k(folder: Path) -> None:
    from real_datasets.sources.fsd50k import Fsd50k

    assert Fsd50k(path=folder, splits=("dev",)).recordings()


@reader
def esc50(folder: Path) -> None:
    from real_datasets.sources.soundata import Soundata

    assert Soundata(dataset="esc50", path=folder).recordings()


@reader
def ontology(path: Path) -> None:
    from real_datasets.tags import TagPolicy

    TagPolicy(policy="at_least_one", wanted=("Water",), ontology=path).chooser(["Water"])


@reader
def freesound_page(folder: Path) -> None:
    """What lies in the folder of a search."""
    from real_datasets._freesound.search import search

    search(folder, {}, 10, lambda _: True, lambda _: {"results": [], "next": None})


@reader
def freesound_answer(path: Path) -> None:
    """The file holds all that the server says, from the status line on."""
    from real_datasets._freesound.api import Api
    from real_datasets._freesound.retries import Connection, Failed, Refused
    from real_datasets._freesound.search import search
    from texturelib.errors import TextureError

    os.environ["FREESOUND_API_KEY"] = "key"
    with _server(path.read_bytes()) as port, tempfile.TemporaryDirectory() as place:
        api = Api(
            f"http://127.0.0.1:{port}", Connection(tries=1, wait_seconds=0, timeout_seconds=1)
        )
        with suppress(Failed, Refused, TextureError):
            api.preview(f"http://127.0.0.1:{port}/1.ogg", Path(place) / "1.ogg", max_bytes=10_000)
        search(Path(place), {}, 10, lambda _: True, lambda number: api.page({}, number))


class _server:  # noqa: N801 (used as a function)
    """Says the same to everybody, at most three times."""

    def __init__(self, answer: bytes) -> None:
        import threading

        self._answer = answer
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> int:
        self._thread.start()
        return self._socket.getsockname()[1]

    def __exit__(self, *_: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()

    def _serve(self) -> None:
        for _ in range(20):
            try:
                caller, _ = self._socket.accept()
            except OSError:
                return
            with caller, suppress(OSError):
                caller.recv(65536)
                caller.sendall(self._answer)


# OSC ----------------------------------------------------------------------------------------------------------------------------


@reader
def osc_message(path: Path) -> None:
    """The file holds a datagram that somebody sends to the session's port."""
    from synthetic_datasets.engines._osc_channel import OscChannel
    from synthetic_datasets.engines._session import Message

    with (
        OscChannel(9, 0, False) as channel,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger,
    ):
        stranger.sendto(path.read_bytes()[:65000], ("127.0.0.1", channel.receive_port))
        stranger.sendto(b"done\0\0\0\0,\0\0\0", ("127.0.0.1", channel.receive_port))
        for message in channel.receive(5.0):
            str(message)
        while Message("done") not in channel.receive(5.0):
            pass


# --------------------------------------------------------------------------------------------------------------------------------


def _outcome(name: str, path: Path) -> tuple[str, str]:
    import traceback

    from texturelib.command_line import _on_one_line, _os_sentence
    from texturelib.errors import Rejected, TextureError

    try:
        READERS[name](path)
    except TextureError as error:
        return "refused", _on_one_line(str(error))
    except Rejected as error:
        return "refused", f"{path.name}: {error}"
    except OSError as error:
        return "refused", _on_one_line(_os_sentence(error))
    except BaseException:
        return "unforeseen", traceback.format_exc()[-3000:]
    return "read", ""


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)  # libraries print what they think of a file
    warnings.simplefilter("ignore")
    known = set[str]()
    for line in sys.stdin:
        name, path = json.loads(line)
        if name in known:
            size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (size + _MOST_BYTES, resource.RLIM_INFINITY))
        answers.write(json.dumps(_outcome(name, Path(path))) + "\n")
        answers.flush()
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        known.add(name)  # the first input imports what it takes


if __name__ == "__main__":
    main()
