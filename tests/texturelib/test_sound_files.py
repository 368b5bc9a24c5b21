"""Which files of a folder are taken for sounds."""

from pathlib import Path

import pytest

from texturelib.audio import read_mono
from texturelib.errors import Rejected
from texturelib.sound_files import find_audio, find_files


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_sounds_are_found_at_any_depth_and_in_any_case_in_one_order(tmp_path: Path) -> None:
    touch(tmp_path, "b.wav", "a.MP3", "deep/down/c.Flac", "deep/d.ogg")

    found = [path.relative_to(tmp_path).as_posix() for path in find_audio(tmp_path)]

    assert found == ["a.MP3", "b.wav", "deep/d.ogg", "deep/down/c.Flac"]


def test_hidden_files_folders_and_other_kinds_are_not_found(tmp_path: Path) -> None:
    touch(tmp_path, "._a.wav", ".git/a.wav", "a.txt", "wav", "a.wav.bak", "folder.wav/readme.txt")

    assert find_audio(tmp_path) == []


@pytest.mark.parametrize(
    "name",
    ["__MACOSX/a.wav", "x/__macosx/b/a.wav", ".ipynb_checkpoints/a-checkpoint.wav", "@eaDir/a.wav/SYNO.wav",
     "#recycle/a.wav", "$RECYCLE.BIN/a.wav", "System Volume Information/a.wav", "lost+found/a.wav"],
)  # fmt: skip
def test_what_a_system_or_a_program_keeps_for_itself_is_not_found(
    tmp_path: Path, name: str
) -> None:
    touch(tmp_path, name, "rain.wav")

    assert [path.name for path in find_files(tmp_path)] == ["rain.wav"]


def test_a_link_that_leads_nowhere_is_found_so_that_someone_hears_of_it(tmp_path: Path) -> None:
    (tmp_path / "gone.wav").symlink_to("nowhere.wav")
    (tmp_path / "myself.wav").symlink_to("myself.wav")
    (tmp_path / "gone.txt").symlink_to("nowhere.txt")

    assert [path.name for path in find_audio(tmp_path)] == ["gone.wav", "myself.wav"]
    with pytest.raises(Rejected, match=r"^cannot be opened \("):
        read_mono(tmp_path / "myself.wav", 16000)
    with pytest.raises(FileNotFoundError):
        read_mono(tmp_path / "gone.wav", 16000)


def test_a_hidden_folder_above_the_one_that_is_searched_does_not_hide_it(tmp_path: Path) -> None:
    touch(tmp_path, ".cache/sounds/a.wav")

    assert len(find_audio(tmp_path / ".cache" / "sounds")) == 1


def test_a_folder_that_cannot_be_read_is_named_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    touch(tmp_path, "a.wav", "locked/b.wav")
    scandir = os.scandir

    def denied(place: str) -> "os.ScandirIterator[str]":  # root may read any folder
        if Path(place).name == "locked":
            raise PermissionError(13, "Permission denied", str(place))
        return scandir(place)

    monkeypatch.setattr(os, "scandir", denied)
    with pytest.raises(PermissionError, match="locked"):
        find_audio(tmp_path)
