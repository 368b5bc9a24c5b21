"""Which files belong to a patch: those that it reads, so that a change of them is a change of the
sound."""

from pathlib import Path

import pytest

from synthetic_datasets.engines._patch_files import files_of_patch


def write(path: Path, *records: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#N canvas 0 0 450 300 12;\n" + "".join(f"{record};\n" for record in records))
    return path


def found(patch: Path) -> set[str]:
    return {path.relative_to(patch.parent).as_posix() for path in files_of_patch(patch)} - {
        patch.name
    }


@pytest.mark.parametrize(
    ("record", "name"),
    [
        ("#X obj 0 0 shape~ 3", "shape~.pd"),
        ("#X obj 0 0 clone -x voice 16", "voice.pd"),
        ("#X obj 0 0 lib/shape~", "lib/shape~.pd"),
        ("#X obj 0 0 compiled~", "compiled~.pd_linux"),
        ("#X msg 0 0 read -resize impulse_response.wav ir", "impulse_response.wav"),
        ("#X msg 0 0 open sounds/rain.wav \\, 1", "sounds/rain.wav"),
        ("#X msg 0 0 \\; ir read table.txt", "table.txt"),
        ("#X msg 0 0 read words.txt cr", "words.txt"),
        ("#X msg 0 0 symbol my\\ sound.wav", "my sound.wav"),
        ("#X msg 0 0 read drop\\$1.wav", "drop7.wav"),
        ("#X msg 0 0 read \\$1/\\$2.wav", "sounds/rain.wav"),
        ("#X obj 0 0 makefilename drop%d.wav", "drop7.wav"),
        ("#X obj 0 0 makefilename sounds/%s.wav", "sounds/rain.wav"),
        ("#X msg 0 0 obj 10 10 shape~", "shape~.pd"),  # a patch that writes patches
        ("#A set read words.txt \\;", "words.txt"),  # what [text define -k] keeps
    ],
)
def test_what_is_named_in_the_patch_and_is_there_belongs_to_it(
    tmp_path: Path, record: str, name: str
) -> None:
    patch = write(tmp_path / "patch.pd", record)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(b"")
    (tmp_path / "unrelated.wav").touch()
    (tmp_path / "unrelated.pd").touch()
    assert name in found(patch)
    assert "unrelated.wav" not in found(patch) or "$2" in record
    assert "unrelated.pd" not in found(patch)


@pytest.mark.parametrize(
    "declare", ["#X declare -path lib", "#X obj 0 0 declare -lib x -path lib -path other"]
)
def test_what_lies_in_a_declared_folder_belongs_to_it_also_for_abstractions_of_abstractions(
    tmp_path: Path, declare: str
) -> None:
    patch = write(tmp_path / "patch.pd", declare, "#X obj 0 0 shape~")
    write(
        tmp_path / "lib" / "shape~.pd",
        "#X declare -path deep",
        "#X obj 0 0 voice",
        "#X msg 0 0 read ir.wav x",
    )
    write(tmp_path / "lib" / "deep" / "voice.pd", "#X obj 0 0 shape~", "#X obj 0 0 patch")
    (tmp_path / "lib" / "ir.wav").touch()
    write(tmp_path / "other" / "unused.pd")
    assert found(patch) == {"lib/shape~.pd", "lib/deep/voice.pd", "lib/ir.wav"}


def test_what_lies_in_the_users_folders_of_externals_belongs_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    patch = write(
        tmp_path / "work" / "patch.pd", "#X declare -stdpath mine", "#X obj 0 0 a", "#X obj 0 0 b"
    )
    a = write(tmp_path / "home" / "pd-externals" / "a.pd")
    b = write(tmp_path / "home" / ".local" / "lib" / "pd" / "extra" / "mine" / "b.pd")
    assert set(files_of_patch(patch)) == {patch, a, b}


def test_a_name_with_its_whole_place_is_found_wherever_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    sounds = [
        tmp_path / "there" / "a.wav",
        tmp_path / "there" / "b1.wav",
        tmp_path / "home" / "c.wav",
    ]
    for sound in sounds:
        sound.parent.mkdir(exist_ok=True)
        sound.touch()
    names = [str(sounds[0]), f"{tmp_path}/there/b\\$1.wav", "~/c.wav"]
    patch = write(tmp_path / "work" / "patch.pd", *[f"#X msg 0 0 read {name} x" for name in names])
    assert set(files_of_patch(patch)) == {patch, *sounds}


def test_comments_numbers_folders_and_what_is_put_in_whole_name_nothing(tmp_path: Path) -> None:
    patch = write(
        tmp_path / "patch.pd",
        "#X text 0 0 see rain.wav",
        "#X msg 0 0 7 \\$1 %s sounds",
        "#X obj 0 0 x" + "y" * 5000,
    )
    for name in ("rain.wav", "7"):
        (tmp_path / name).touch()
    (tmp_path / "sounds").mkdir()
    assert found(patch) == set()
