"""A config says what is meant, or is refused in one sentence."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from texturelib.config import Config, ConfigPath, StageConfig, load_config, paths_in
from texturelib.errors import UsageError
from texturelib.files import shown

WriteConfig = Callable[..., Path]


def refusal(path: Path, model: type[Config], *overrides: str) -> str:
    with pytest.raises(UsageError) as refused:
        load_config(path, model, overrides)
    assert "\n" not in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize(
    ("changes", "key_path", "nearest"),
    [
        ({"n_clip": 4}, "n_clip", '"n_clips"'),
        ({"N_CLIPS": 4}, "N_CLIPS", '"n_clips"'),
        ({"volume": {"hihg": 1}}, "volume.hihg", '"high"'),
    ],
)
def test_a_misspelt_key_is_named_with_the_file_and_the_nearest_right_key(
    write_config: WriteConfig,
    example: type[Config],
    changes: dict[str, Any],
    key_path: str,
    nearest: str,
) -> None:
    path = write_config(**changes)

    sentence = refusal(path, example)

    assert sentence.startswith(f"{shown(path)}: {key_path}: no such key (did you mean {nearest}?")


def test_a_misspelt_key_goes_before_the_missing_key_that_it_was_meant_to_be(
    write_config: WriteConfig, example: type[Config]
) -> None:
    assert "did you mean" in refusal(write_config(n_clips=None, n_clisp=3), example)


def test_a_key_like_no_other_brings_the_list_of_keys_and_no_guess(
    write_config: WriteConfig, example: type[Config]
) -> None:
    sentence = refusal(write_config(xyzzy=1), example)

    assert "did you mean" not in sentence
    assert "n_clips, name, window" in sentence


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"n_clips": "many"}, 'n_clips: "many": should be a valid integer'),
        ({"n_clips": 2.5}, "n_clips: 2.5: should be a valid integer"),
        ({"n_clips": 0}, "n_clips: 0: should be greater than 0"),
        ({"name": 7}, "name: 7: should be a valid string"),
        (
            {"window": "han"},
            'window: "han" is not known (did you mean "hann"? there are hann, blackman)',
        ),
        ({"volume": 3}, "volume: 3: should be an object {...}"),
        ({"volume": {"low": 1.5}}, "volume.low: 1.5: should be less than or equal to 1"),
        ({"volume": {"low": [0, 1]}}, "volume.low: [0, 1]: should be a valid number"),
        ({"volume": {"low": float("nan")}}, "volume.low: NaN: should be"),
        ({"ratios": {"avgRate": "x"}}, 'ratios.avgRate: "x": should be a valid integer'),
        ({"level": "loud"}, 'level: "loud": should be a valid number'),
        ({"level": [0.5, "loud"]}, "level: [0.5, "),
        ({"recordings": 5}, "recordings: 5: should be a path"),
        ({"extra_folders": "a"}, 'extra_folders: "a": should be a list [...]'),
        ({"extra_folders": ["a", 5]}, "extra_folders.1: 5: should be a path"),
        ({"n_clips": None}, "n_clips: is missing"),
    ],
)
def test_a_wrong_value_is_named_with_its_key_path_and_what_would_be_right(
    write_config: WriteConfig, example: type[Config], changes: dict[str, Any], expected: str
) -> None:
    path = write_config(**changes)

    assert refusal(path, example).startswith(f"{shown(path)}: {expected}")


def test_a_long_wrong_value_is_cut_short(write_config: WriteConfig, example: type[Config]) -> None:
    # The file's path is in the sentence too; what is left of 1,000 numbers should fit on the line
    # with it.
    path = write_config(seed=list(range(1000)))

    assert len(refusal(path, example)) < len(str(path)) + 130


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"n_clips": 3', "line 1: not valid JSON"),
        ('{\n"n_clips": 3\n"seed": 1}', "line 3: not valid JSON"),
        ("", "line 1: not valid JSON"),
        ("[1, 2]", "holds a list; a config is a JSON object {...}"),
        ('{"n_clips": 3, "n_clips": 4}', '"n_clips" stands twice in one object'),
        ('{"volume": {"low": 0, "low": 1}}', '"low" stands twice in one object'),
    ],
)
def test_a_file_that_is_not_one_json_object_is_refused(
    tmp_path: Path, example: type[Config], text: str, expected: str
) -> None:
    path = tmp_path / "config.json"
    path.write_text(text)

    assert refusal(path, example).startswith(f"{shown(path)}: {expected}")


def test_a_file_that_is_not_text_is_refused(tmp_path: Path, example: type[Config]) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(b"\xff\xfe\x00")

    assert refusal(path, example) == f"{shown(path)}: not a text file in UTF-8"


def test_keys_that_begin_with_two_strokes_are_comments_in_any_object(
    write_config: WriteConfig, example: type[Config]
) -> None:
    plain = load_config(write_config(volume={"high": 1}), example)
    remarked = write_config(**{"//": "ours", "// n": ["two", "lines"]}, volume={"//": 1, "high": 1})

    assert load_config(remarked, example) == plain
    pattern = example.model_json_schema()["patternProperties"]
    assert list(pattern) == ["^//"]  # so that editors take them, too


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path: Path, example: type[Config]) -> None:
    assert (
        refusal(tmp_path / "nowhere.json", example)
        == f"{shown(tmp_path / 'nowhere.json')}: no such file"
    )
    assert refusal(tmp_path, example) == f"{shown(tmp_path)}: is a folder; name the JSON file in it"


def test_a_path_through_a_file_is_refused_and_not_crashed_on(
    write_config: WriteConfig, example: type[Config]
) -> None:
    path = write_config() / "config.json"

    assert refusal(path, example) == f"{shown(path)}: cannot be read (Not a directory)"


def test_paths_in_a_config_are_relative_to_its_own_folder(
    write_config: WriteConfig,
    example: type[Config],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = write_config(
        output="../results/a", recordings="sounds", extra_folders=["/absolute", "../b"]
    )
    monkeypatch.chdir("/")

    settings = load_config(path, example)

    assert dict(paths_in(settings)) == {
        "output": tmp_path / "results" / "a",
        "recordings": tmp_path / "project" / "sounds",
    }
    assert settings.extra_folders == [Path("/absolute"), tmp_path / "b"]  # type: ignore[attr-defined]


def test_paths_by_name_are_found_under_their_names(tmp_path: Path) -> None:
    class Others(StageConfig):
        also: dict[str, ConfigPath]

    (tmp_path / "config.json").write_text('{"output": "out", "also": {"a model": "../models/a"}}')
    found = dict(paths_in(load_config(tmp_path / "config.json", Others)))
    assert found == {"output": tmp_path / "out", "also.a model": tmp_path.parent / "models" / "a"}
    moved = load_config(tmp_path / "config.json", Others, [f"also.a model={tmp_path / 'b'}"])
    assert moved.also == {"a model": tmp_path / "b"}


def test_paths_given_with_set_are_relative_to_the_current_folder(
    write_config: WriteConfig,
    example: type[Config],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("HOME", "/home/someone")
    overrides = ["output=out", "recordings=~/sounds", 'extra_folders=["a", "/b"]']

    settings: Any = load_config(write_config(), example, overrides)

    assert settings.output == tmp_path / "here" / "out"
    assert settings.recordings == Path("/home/someone/sounds")
    assert settings.extra_folders == [tmp_path / "here" / "a", Path("/b")]


@pytest.mark.parametrize(
    ("override", "key", "value"),
    [
        ("seed=7", "seed", 7),
        ("name=rain", "name", "rain"),
        ('name="7"', "name", "7"),
        ("name=", "name", ""),
        ("name=a=b", "name", "a=b"),
        ("level=null", "level", None),
        ("level=[0.25, 0.5]", "level", [0.25, 0.5]),
        ('ratios={"avgRate": 2}', "ratios", {"avgRate": 2}),
        ("ratios.avgRate=2", "ratios", {"avgRate": 2}),
    ],
)
def test_set_takes_json_and_else_text(
    write_config: WriteConfig, example: type[Config], override: str, key: str, value: object
) -> None:
    assert getattr(load_config(write_config(), example, [override]), key) == value


def test_set_changes_one_nested_value_and_leaves_its_neighbours(
    write_config: WriteConfig, example: type[Config]
) -> None:
    settings: Any = load_config(
        write_config(volume={"low": 0.25, "high": 0.5}), example, ["volume.low=0.125"]
    )

    assert (settings.volume.low, settings.volume.high) == (0.125, 0.5)


def test_the_last_set_of_a_key_wins(write_config: WriteConfig, example: type[Config]) -> None:
    assert load_config(write_config(), example, ["seed=1", "seed=2"]).seed == 2  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("seed", "--set seed: should look like key.key=value"),
        ("=3", "--set =3: should look like key.key=value"),
        ("n_clips.a=3", '--set n_clips.a=3: "n_clips" is not an object'),
        ("sede=3", 'sede: no such key (did you mean "seed"?'),
        ("seed=x", 'seed: "x": should be a valid integer'),
    ],
)
def test_a_wrong_set_is_refused(
    write_config: WriteConfig, example: type[Config], override: str, expected: str
) -> None:
    assert expected in refusal(write_config(), example, override)


def test_what_is_written_loads_again_to_equal_settings_from_the_folder_it_lies_in(
    write_config: WriteConfig,
    example: type[Config],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings: Any = load_config(
        write_config(
            **{"$schema": "x.json"}, recordings="sounds", extra_folders=["/a"], level=[0.5]
        ),
        example,
    )
    folder = settings.output
    folder.mkdir(parents=True)

    written = settings.as_written(folder)
    (folder / "config.json").write_text(json.dumps(written))
    monkeypatch.chdir("/")
    again = load_config(folder / "config.json", example)

    assert again == settings.model_copy(update={"schema_": None})
    # Relative, so that the whole tree can be moved; every default stands there, so that a later
    # version's cannot creep in.
    assert written["recordings"] == "../project/sounds"
    assert written["window"] == "hann"


def test_a_schema_can_be_made_of_a_config(example: type[Config]) -> None:
    schema = example.model_json_schema()

    assert schema["additionalProperties"] is False
    assert schema["properties"]["output"]["description"] == "The folder that the command writes."
