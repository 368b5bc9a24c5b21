"""`real-datasets plan` says what a config takes and why it leaves out the rest, and opens no
sound."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import soundfile

from real_datasets.choose import Choice
from real_datasets.plan import describe
from real_datasets.sources import Recording

STREAM_WITHOUT_RAIN = (
    'tags={"policy": "at_least_all_and_none_of", "wanted": ["Stream"], "excluded": ["Rain"]}'
)
TAGS = {
    "brook.wav": "Stream",
    "fast.wav": "Stream;Wind",
    "storm.wav": "Stream;Rain",
    "fire.wav": "Fire",
    "odd, name.wav": "Stream",
    "wind.wav": "Wind",
}


@pytest.fixture
def tagged(config: Path, tmp_path: Path) -> Path:
    """The config of six recordings that are described by a table; not one of them is a sound."""
    rows = [
        {"file_name": name, "tags": tags, "split": "dev", "licence": "CC0"}
        for name, tags in TAGS.items()
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "tags.csv", index=False)
    (tmp_path / "recordings").mkdir()
    for name in [*TAGS, "untold.wav"]:
        (tmp_path / "recordings" / name).write_text("no sound")
    content = json.loads(config.read_text())
    content["source"]["tags_from"] = "tags.csv"
    config.write_text(json.dumps(content))
    return config


@pytest.fixture
def no_sound_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise AssertionError("a sound file was opened")

    for name in ("SoundFile", "read", "info", "blocks"):
        monkeypatch.setattr(soundfile, name, fail)


def lines(printed: str) -> list[list[str]]:
    """Return each line with something on it: a count and what is counted, or a title."""
    return [
        line.split(maxsplit=1) if line.startswith(" ") else [line]
        for line in printed.splitlines()
        if line
    ]


def test_it_counts_what_is_taken_and_the_reasons_for_the_rest_without_opening_a_sound(
    tagged: Path,
    no_sound_is_opened: None,
    command: Callable[..., Any],
    contents: Callable[..., Any],
) -> None:
    before = contents()
    status, printed, error = command("plan", tagged, "--set", STREAM_WITHOUT_RAIN)
    assert (status, error) == (0, "")
    assert lines(printed) == [
        ["3 of 7 recordings are taken"],
        ["left out:"],
        ["3", "lacks Stream"],
        ["1", "has Rain, which is excluded"],
        ["tags of those taken:"],
        ["3", "Stream"],
        ["1", "Wind"],
        ["parts of the source:"],
        ["3", "dev"],
        ["licences:"],
        ["3", "CC0"],
    ]
    assert contents() == before


def test_what_uploaders_wish_is_counted_and_kept_beside_the_clips(
    record, config, command, noise, tmp_path
) -> None:
    for name in ("brook.wav", "storm.wav", "wind.wav"):
        record(name, noise(1))
    tags = tmp_path / "tags.csv"
    tags.write_text(
        "file_name,tags,gen_ai_preference\nbrook.wav,a,no-gen-ai\nstorm.wav,a,open-source-models\nwind.wav,a,\n"
    )
    _, printed, _ = command("plan", config, "--set", f"source.tags_from={tags}")
    assert lines(printed)[-3:] == [
        ["gen_ai_preference, what uploaders wish about the training of generative models:"],
        ["1", "no-gen-ai"],
        ["1", "open-source-models"],
    ]
    assert command("build", config, "--set", f"source.tags_from={tags}", "--workers", 1)[0] == 0
    table = pd.read_csv(tmp_path / "real" / "metadata.csv", keep_default_na=False)
    assert table["gen_ai_preference"].tolist() == ["no-gen-ai", "open-source-models", ""]
    statistics = json.loads((tmp_path / "real" / "dataset.json").read_text())["statistics"]
    assert statistics["n_segments_by_gen_ai_preference"] == {
        "no-gen-ai": 1,
        "open-source-models": 1,
    }
    assert (
        "- brook.wav; wish about generative AI: no-gen-ai\n"
        in (tmp_path / "real" / "ATTRIBUTION.md").read_text()
    )


def test_its_table_has_every_recording_and_why_it_is_not_taken(
    tagged: Path, no_sound_is_opened: None, command: Callable[..., Any], tmp_path: Path
) -> None:
    status, printed, _ = command(
        "plan", tagged, "--set", STREAM_WITHOUT_RAIN, "--output", tmp_path / "plans" / "plan.csv"
    )
    assert status == 0
    assert printed.splitlines()[-1].endswith("plan.csv: all 7 recordings")
    table = pd.read_csv(tmp_path / "plans" / "plan.csv", keep_default_na=False)
    assert table.columns.tolist() == [
        "source", "kept", "why_not", "tags", "split", "licence", "author", "title", "url", "gen_ai_preference",
    ]  # fmt: skip
    found = {row.source: (row.kept, row.why_not) for row in table.itertuples()}
    assert found == {
        "brook.wav": ("yes", ""),
        "fast.wav": ("yes", ""),
        "fire.wav": ("no", "lacks Stream"),
        "odd, name.wav": ("yes", ""),
        "storm.wav": ("no", "has Rain, which is excluded"),
        "untold.wav": ("no", "lacks Stream"),
        "wind.wav": ("no", "lacks Stream"),
    }
    assert dict(zip(table["source"], table["tags"], strict=True)) == {**TAGS, "untold.wav": ""}


def test_a_build_cuts_what_the_plan_takes_and_nothing_else(
    record, config, command, noise, tmp_path
) -> None:
    for name in ("stream/brook.wav", "stream/rain/storm.wav", "fire.wav"):
        record(name, noise(1))
    options = ["--set", "source.tags_from=folders", "--set", STREAM_WITHOUT_RAIN]
    command("plan", config, *options, "--output", tmp_path / "plan.csv")
    status, _, _ = command("build", config, *options, "--workers", 1)
    assert status == 0
    planned = pd.read_csv(tmp_path / "plan.csv").query("kept == 'yes'")["source"].tolist()
    assert (
        pd.read_csv(tmp_path / "real" / "metadata.csv")["source"].tolist()
        == planned
        == ["stream/brook.wav"]
    )
    description = json.loads((tmp_path / "real" / "dataset.json").read_text())
    assert (description["n_recordings"], description["n_left_out_by_tags"]) == (1, 2)
    assert description["statistics"]["n_segments_by_tag"] == {"stream": 1}


def test_reasons_that_name_a_recordings_other_tags_are_counted_together() -> None:
    recordings = [
        Recording(f"{index}.wav", Path(), tags=("a", f"tag {index}")) for index in range(30)
    ]
    left_out = {f"{index}.wav": f"also has tag {index}" for index in range(29)}
    assert lines(describe(Choice(recordings, left_out)))[:3] == [
        ["1 of 30 recordings are taken"],
        ["left out:"],
        ["29", "also has other tags"],
    ]


def test_of_many_tags_the_commonest_are_shown_and_the_others_counted() -> None:
    recordings = [
        Recording(f"{index}.wav", Path(), tags=("rain", f"tag {index}")) for index in range(30)
    ]
    *_, last = shown = lines(describe(Choice(recordings, {})))
    assert shown[1:3] == [["tags of those taken:"], ["30", "rain"]]
    assert last == ["...", "19 more"]  # 31 tags, of which 12 are shown


@pytest.mark.parametrize(
    ("options", "status", "expected"),
    [
        (
            ["--set", 'tags={"policy": "at_least_one", "wanted": ["Streem"]}'],
            2,
            'no recording has the tag "Streem"',
        ),
        (
            ["--set", 'tags={"policy": "exactly", "wanted": ["Fire", "Wind"]}'],
            1,
            "none of the 7 recordings is wanted",
        ),
        (["--output", "plan.txt"], 2, "plan.txt should end in .csv"),
        (["--set", "source.path=nowhere"], 1, "nowhere: no such file or folder"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    tagged: Path, command: Callable[..., Any], options, status, expected
) -> None:
    found, _, error = command("plan", tagged, *options)
    assert found == status
    assert error.count("\n") == 1
    assert expected in error
