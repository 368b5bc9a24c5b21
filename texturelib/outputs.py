"""The folder that a command writes: is it current, resumable or stale?

`run.json` in the folder says which command made it, from which settings and inputs, and whether it
finished. Its fingerprint covers all of these, so a change anywhere upstream shows downstream. While
a run writes the folder, it holds a lock. The run notes what it makes there (`texturelib.made`), and
leaves what it has not made.
"""

import hashlib
import json
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from texturelib.config import StageConfig
from texturelib.durable import sync_file, sync_folder
from texturelib.errors import TextureError, UsageError
from texturelib.files import check_file, real_path, remove_parts, shown, write_json
from texturelib.input_contents import note_contents, same_contents
from texturelib.locks import Lock, check_free
from texturelib.made import (
    LIST,
    begin_list,
    begin_list_anew,
    finish_list,
    names_in,
    place_of,
    remove_all_ours,
    remove_ours,
)
from texturelib.output_contents import (
    FIRST,
    RUN,
    check_none_apart,
    is_empty,
    look_through_output,
    names_of,
    not_ours,
    read_run,
    what_would_go,
)
from texturelib.sound_files import find_audio, find_files

# Bytes; no larger single file is an input.
_LARGEST_FILE = 2**32


class WrittenMeanwhileError(TextureError):
    """Another run has written a folder since this one looked at it."""


@dataclass(frozen=True)
class Output:
    """A command's output folder, examined but not yet changed.

    why: the reason to run, as a phrase ("first run", "config changed: seed 0 -> 1"), or "done and
    unchanged".
    """

    folder: Path
    why: str
    is_done: bool
    _resumes: bool
    _run: dict[str, Any]
    _written_config: dict[str, Any]
    _before: dict[str, Any] | None = None
    _inputs: Mapping[str, Path] = field(default_factory=dict)
    # Fingerprints of the inputs as they are; in _run, of a folder whose files hold the same bytes as
    # in an earlier run, it is the earlier one.
    _found: Mapping[str, str] = field(default_factory=dict)
    _locks: list[Lock] = field(default_factory=list)

    def begin(self) -> None:
        """Prepare the folder: remove what the toolkit made there with other settings or inputs, or
        keep it where an interrupted run continues. What the toolkit did not make stays, and is
        named on stderr.

        Errors: BeingWrittenError when another run is writing the folder, WrittenMeanwhileError when
        one has done so since the folder was examined, TextureError when a link leads there,
        UsageError when another output lies in a folder that is to be emptied.
        """
        place_of(self.folder / RUN)  # no link within another output leads there
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = Lock(self.folder)
        lock.take(self._run["command"])
        try:
            if read_run(self.folder) != self._before or (
                self._before is None and not is_empty(self.folder)
            ):
                raise WrittenMeanwhileError(
                    f"{shown(self.folder)}: another run has written there meanwhile; start the same command again"
                )
            ours = names_of(self.folder, self._before)
            if self._resumes:
                begin_list(self.folder, ours)
            else:
                self._replace(ours)
            remove_parts(self.folder)
        except BaseException:
            lock.release()
            raise
        self._locks.append(lock)  # held until the end
        write_json(self.folder / RUN, self._run | {"finished": False}, is_durable=True)
        write_json(self.folder / "config.json", self._written_config)
        folders = {name: path for name, path in self._inputs.items() if _is_strangers_folder(path)}
        note_contents(
            self.folder,
            folders,
            self._run["inputs"],
            lambda name: fingerprint(folders[name]) == self._found[name],
        )

    def _replace(self, ours: Collection[str]) -> None:
        found = look_through_output(self.folder, ours)
        check_none_apart(self.folder, found)
        if self._before is None:
            begin_list_anew(self.folder, FIRST)
            return
        begin_list(self.folder, ours)
        # Killed while it empties, this leaves a folder that is still ours, and that no settings
        # fit.
        write_json(
            self.folder / RUN, self._run | {"fingerprint": None, "finished": False}, is_durable=True
        )
        remove_parts(self.folder)
        remove_all_ours(self.folder, keep=(RUN, LIST))
        begin_list_anew(self.folder, FIRST)
        if found.strangers:
            print(
                f"{shown(self.folder)}: left alone, not made by this toolkit: {not_ours(found.strangers)}",
                file=sys.stderr,
            )

    def finish(self, discard: Sequence[str] = ()) -> None:
        """Mark the folder as complete once everything in it is on the disk. Call this last.

        discard: names of files that only an unfinished run needs. They are removed after the mark,
        since the work would be lost with them if the run, or the power, ended before it.

        Errors: TextureError when an input that this toolkit made, or a single file, was made anew
        while it was read.
        """
        for name, path in self._inputs.items():
            # A folder that the user puts sounds into may grow meanwhile; the next run notices.
            if _fingerprint_of_steady(name, path) not in (None, self._run["inputs"][name]):
                raise TextureError(
                    f"{name}: {shown(path)} was made anew while it was read; start the same command again, with --overwrite"
                )
        # A run that a power cut stopped may have left some whose files the list names only now.
        remove_parts(self.folder)
        finish_list(self.folder)
        sync_folder(self.folder)
        write_json(self.folder / RUN, self._run | {"finished": True}, is_durable=True)
        for name in discard:
            remove_ours(self.folder / name)
        if discard:
            sync_file(self.folder)
        for lock in self._locks:
            lock.release()


def check_output(
    config: StageConfig,
    command: str,
    *,
    folder: Path | None = None,
    only: set[str] | None = None,
    extra: Mapping[str, Any] | None = None,
    inputs: Mapping[str, Path] | None = None,
    overwrite: bool = False,
    dry_run: bool = False,
) -> Output:
    """Compare the folder on disk with what the config asks for, without changing anything.

    folder: where it is written, `config.output` unless given. only: the keys of the config that the
    result depends on, all unless given. extra: what else it depends on (options of the command).
    inputs: what it reads, by name. Errors: UsageError when something else lies in the folder and
    `overwrite` is not set; TextureError when an input is missing or not finished, or another run is
    writing the folder. With `dry_run`, problems that can be reported without ending the command go
    into `why` instead.
    """
    folder = folder or config.output
    # First, so that a dry run reports this even before the inputs are made.
    before = _read_ours(folder)
    written = config.as_written(folder)
    settings = {key: value for key, value in written.items() if only is None or key in only} | dict(
        extra or {}
    )
    # These keys decide when a job fails and how files are downloaded, not what is written.
    for key in ("max_rejected", "connection"):
        settings = _without(settings, key)
    try:
        check_free(folder)
        fingerprints = {
            name: _fingerprint_of_input(name, path) for name, path in (inputs or {}).items()
        }
        found_fingerprints = dict(fingerprints)
        for name, earlier in (before or {}).get("inputs", {}).items():
            is_other = name in fingerprints and fingerprints[name] != earlier
            if (
                inputs
                and is_other
                and _is_strangers_folder(inputs[name])
                and same_contents(folder, name, inputs[name], earlier)
            ):
                fingerprints[name] = earlier
    except TextureError as error:
        if not dry_run:
            raise
        return Output(folder, f"waits: {error}", False, False, {}, written)
    run = {"command": command, "settings": settings, "inputs": fingerprints}
    run["fingerprint"] = _digest(run)

    def output(why: str, is_done: bool = False, resumes: bool = False) -> Output:
        return Output(
            folder,
            why,
            is_done,
            resumes,
            run,
            written,
            before,
            dict(inputs or {}),
            found_fingerprints,
        )

    if before is None:
        return output("first run")
    if before["fingerprint"] is None:
        return output("an earlier run stopped before it began")
    if before["fingerprint"] == run["fingerprint"]:
        if before["finished"]:
            return output("done and unchanged", is_done=True)
        return output("goes on where it was stopped", resumes=True)
    why = _difference(before, run)
    if not overwrite and not dry_run:
        raise UsageError(
            f"output: {shown(folder)} was made otherwise ({why}); --overwrite replaces it, or name another folder"
        )
    found = look_through_output(folder, names_of(folder, before))
    if dry_run:
        return output(f"{why}; {what_would_go(folder, found)}")
    check_none_apart(folder, found)
    return output(why)


def check_table_place(table: Path, config: StageConfig, overwrite: bool, *beside: Path) -> None:
    """Check that a table may be written at a path: a .csv outside of the output. Errors:
    UsageError; else as in `check_file_place`."""
    if table.suffix != ".csv":
        raise UsageError(f"--output: {shown(table)} should end in .csv")
    if real_path(table).is_relative_to(real_path(config.output)):
        raise UsageError(
            f"--output: {shown(table)} lies in the config's output, {shown(config.output)}; name another place"
        )
    check_file_place(table, overwrite, *beside)


def check_file_place(file: Path, overwrite: bool, *beside: Path) -> None:
    """Check that a file named by the user, and those `beside` it, may be written, in a block of
    `named_by_the_user`.

    Errors: UsageError when one exists and `overwrite` is not set, is a folder, or belongs to an
    output.
    """
    for each in (file, *beside):
        if each.is_dir():
            raise UsageError(f"--output: {shown(each)} is a folder; name a file")
        if (each.is_symlink() or each.exists()) and not overwrite:
            raise UsageError(f"--output: {shown(each)} is there already; --overwrite replaces it")
        place = place_of(each)
        if place and place.name in names_in(place.folder):
            raise UsageError(
                f"--output: {shown(each)} belongs to {shown(place.folder)}; name another place"
            )


def fingerprint(path: Path) -> str:
    """Return a digest that changes with the content of `path`.

    For a folder that this toolkit made, or a folder in one, it covers how it was made and its
    table, or without a table the sounds that others have put there; for any other folder, names,
    sizes and times of its files, without hidden files and those of the system; for a single file,
    its content. Errors: TextureError when it is missing, empty or not finished.
    """
    if not path.exists():
        raise TextureError(f"{shown(path)}: no such file or folder")
    if run := read_run(path) or read_run(path.parent):
        return _fingerprint_of_ours(path, run, _added_sounds(path, run))
    if path.is_file():
        return _digest_of_file(path)[:32]
    files = sorted(p for p in find_files(path) if p.is_file())
    if not files:
        raise TextureError(f"{shown(path)}: is empty; it should hold files")
    facts = [(file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return _digest(
        [
            (file.relative_to(path).as_posix(), *fact)
            for file, fact in zip(files, facts, strict=True)
        ]
    )


def _fingerprint_of_ours(
    path: Path, run: Mapping[str, Any], added: Collection[tuple[str, int, int]]
) -> str:
    """Return the fingerprint of a folder that this toolkit made, or of a folder in one. run: the
    content of its run.json. added: see `_added_sounds`."""
    if not run["finished"]:
        raise TextureError(
            f'{shown(path)}: is not finished; run "{run["command"]}" to its end first'
        )
    table = path / "metadata.csv"
    return _digest([run["fingerprint"], _digest_of_file(table) if table.is_file() else "", *added])


def _added_sounds(path: Path, run: Mapping[str, Any]) -> list[tuple[str, int, int]]:
    """Return name, size and time of each sound that the toolkit did not make; none where a table
    says which sounds are read. path: an output, or a folder in one."""
    if (path / "metadata.csv").is_file():
        return []
    output = path if read_run(path) else path.parent
    ours = names_of(output, run)
    sounds = find_audio(path) if path.is_dir() else []
    facts = [(sound.relative_to(output).as_posix(), sound) for sound in sounds if sound.is_file()]
    return [
        (name, sound.stat().st_size, sound.stat().st_mtime_ns)
        for name, sound in facts
        if name not in ours
    ]


def _is_strangers_folder(path: Path) -> bool:
    return path.is_dir() and not (read_run(path) or read_run(path.parent))


def inputs_of(folder: Path) -> dict[str, Any]:
    """Return, by name, the digests of the inputs of a folder of ours; none for another folder."""
    run = read_run(folder)
    return run["inputs"] if run else {}


def _digest_of_file(path: Path) -> str:
    check_file(path, _LARGEST_FILE)
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()


def _fingerprint_of_input(name: str, path: Path) -> str:
    with _about(name):
        return fingerprint(path)


@contextmanager
def _about(name: str) -> Iterator[None]:
    """Name the input in errors."""
    try:
        yield
    except TextureError as error:
        raise TextureError(f"{name}: {error}") from None


def _fingerprint_of_steady(name: str, path: Path) -> str | None:
    """Return the fingerprint of an input that nobody should change while it is read: what this
    toolkit made, or a single file; None of a folder that somebody puts sounds into."""
    run = read_run(path) or read_run(path.parent)
    with _about(name):
        if path.is_file() or (run and not path.exists()):
            return fingerprint(path)
        if run is None or _added_sounds(path, run):
            return None
        return _fingerprint_of_ours(path, run, [])


def _without(settings: dict[str, Any], key: str) -> dict[str, Any]:
    return {
        name: _without(value, key) if isinstance(value, dict) else value
        for name, value in settings.items()
        if name != key
    }


def _read_ours(folder: Path) -> dict[str, Any] | None:
    """Return the content of run.json, None where the folder is missing or empty. Errors:
    UsageError where it holds something that is not ours."""
    if folder.is_file():
        raise UsageError(f"output: {shown(folder)} is a file; name a folder")
    if not folder.exists() or is_empty(folder):
        return None
    if before := read_run(folder):
        return before
    raise UsageError(
        f"output: {shown(folder)} holds files that this toolkit did not make; name an empty or a new folder"
    )


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]


def _difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    if before["command"] != now["command"]:
        return f'it was written by "{before["command"]}"'
    changes = list(_changes(before["settings"], now["settings"]))
    if changes:
        more = f" and {len(changes) - 1} more" if len(changes) > 1 else ""
        return f"config changed: {changes[0]}{more}"
    names = sorted({*before["inputs"], *now["inputs"]})
    changed = [name for name in names if before["inputs"].get(name) != now["inputs"].get(name)]
    return f"input changed: {', '.join(changed)}"


def _changes(before: Any, now: Any, key_path: str = "") -> Iterator[str]:
    if isinstance(before, dict) and isinstance(now, dict):
        for key in [*now, *(key for key in before if key not in now)]:
            yield from _changes(
                before.get(key), now.get(key), f"{key_path}.{key}" if key_path else str(key)
            )
    elif before != now:
        yield f"{key_path} {json.dumps(before)} -> {json.dumps(now)}"
