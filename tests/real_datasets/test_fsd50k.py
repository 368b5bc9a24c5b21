"""FSD50K is read as soundata reads it, from a folder on disk and nothing else."""

import csv
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from pydantic import ValidationError

from real_datasets.sources._soundata import open_dataset
from real_datasets.sources.fsd50k import Fsd50k
from real_datasets.tags import TagPolicy
from texturelib._config_errors import sentence
from texturelib.errors import TextureError

pytestmark = pytest.mark.usefixtures("offline")

# Per clip, as FSD50K has them: the labels with all classes above them, and dev.csv's split.
DEV = {
    "100": ("Stream,Water", "train"),
    "101": ("Stream,Water,Rain", "val"),
    "102": ("Water", "train"),
    "103": ("Gurgling,Stream,Water,Wind", "train"),
    "104": ("Wind", "val"),
}
EVAL = {"205": "Stream,Water,Wind", "206": "Ocean,Water,Stream", "207": "Stream,Water"}
VOCABULARY = ["Gurgling", "Ocean", "Rain", "Stream", "Water", "Wind"]


def clip_facts(name):
    return {
        "title": f"River {name}.wav",
        "description": "by the bridge,\nin spring",
        "tags": ["field-recording"],
        "license": "http://creativecommons.org/licenses/by/3.0/",
        "uploader": f"user{name}",
    }


def write_rows(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)


def mids(labels):
    return ",".join(f"/m/{label.lower()}" for label in labels.split(","))


@pytest.fixture
def folder(tmp_path):
    """A small FSD50K in its true layout, all that soundata's own clips need included."""
    root = tmp_path / "FSD50K"
    truth, metadata = root / "FSD50K.ground_truth", root / "FSD50K.metadata"
    rows = [[name, labels, mids(labels), split] for name, (labels, split) in DEV.items()]
    write_rows(truth / "dev.csv", [["fname", "labels", "mids", "split"], *rows])
    rows = [[name, labels, mids(labels)] for name, labels in EVAL.items()]
    write_rows(truth / "eval.csv", [["fname", "labels", "mids"], *rows])
    write_rows(
        truth / "vocabulary.csv",
        [[number, name, mids(name)] for number, name in enumerate(VOCABULARY)],
    )
    for split, clips in {"dev": DEV, "eval": EVAL}.items():
        rows = [[name, "Stream", "/m/stream"] for name in clips]
        write_rows(
            metadata / "collection" / f"collection_{split}.csv",
            [["fname", "labels", "mids"], *rows],
        )
        facts = {name: clip_facts(name) for name in clips}
        (metadata / f"{split}_clips_info_FSD50K.json").write_text(json.dumps(facts))
        for number, name in enumerate(clips):
            path = root / f"FSD50K.{split}_audio" / f"{name}.wav"
            path.parent.mkdir(exist_ok=True)
            samples = np.random.default_rng(number).uniform(-0.5, 0.5, 4410)
            soundfile.write(path, samples, 44100, subtype="PCM_16")
    (metadata / "pp_pnp_ratings_FSD50K.json").write_text(
        json.dumps({name: {} for name in [*DEV, *EVAL]})
    )
    (metadata / "class_info_FSD50K.json").write_text("{}")
    return root


@pytest.fixture
def source(folder):
    return Fsd50k(path=folder)


# soundata leaves files open; we do not read through its clips, only compare with them here.
@pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <_io.FileIO:pytest.PytestUnraisableExceptionWarning"
)
def test_a_recording_says_what_soundatas_own_clip_says(folder, source):
    dataset = open_dataset("fsd50k", folder)
    index = {
        name: {"audio": [f"FSD50K.{split}_audio/{name}.wav", None]}
        for split, clips in {"dev": DEV, "eval": EVAL}.items()
        for name in clips
    }
    dataset._index = {"clips": index}
    recordings = source.recordings()
    assert [recording.path.stem for recording in recordings] == dataset.clip_ids
    for recording in recordings:
        clip = dataset.clip(recording.path.stem)
        assert str(recording.path) == clip.audio_path
        assert list(recording.tags) == clip.tags.labels
        assert recording.title == clip.title
        # soundata calls the clips of eval "test"; FSD50K's name for them is eval.
        assert (
            recording.split
            == {"train": "dev_train", "validation": "dev_validation", "test": "eval"}[clip.split]
        )
        assert soundfile.info(recording.path).frames == 4410


def test_a_recording_has_all_that_an_attribution_needs(source):
    river = next(recording for recording in source.recordings() if recording.name == "dev/101.wav")
    assert river.licence == "http://creativecommons.org/licenses/by/3.0/"
    assert river.author == "user101"
    assert river.title == "River 101.wav"
    assert river.url == "https://freesound.org/s/101/"


WANTED, EXCLUDED = {"Water", "Stream"}, {"Rain", "Gurgling", "Ocean"}


@pytest.mark.parametrize(
    ("policy", "is_meant"),
    [
        ({"policy": "ignore"}, lambda tags: True),  # noqa: ARG005
        ({"policy": "exactly", "wanted": sorted(WANTED)}, lambda tags: tags == WANTED),
        ({"policy": "at_least_all", "wanted": sorted(WANTED)}, lambda tags: tags >= WANTED),
        (
            # The thesis's.
            {
                "policy": "at_least_all_and_none_of",
                "wanted": sorted(WANTED),
                "excluded": sorted(EXCLUDED),
            },
            lambda tags: tags >= WANTED and tags.isdisjoint(EXCLUDED),
        ),
        (
            {"policy": "at_least_one", "wanted": ["Rain", "Wind"]},
            lambda tags: "Rain" in tags or "Wind" in tags,
        ),
        (
            {
                "policy": "at_least_one_and_none_of",
                "wanted": ["Rain", "Wind"],
                "excluded": ["Stream"],
            },
            lambda tags: ("Rain" in tags or "Wind" in tags) and "Stream" not in tags,
        ),
    ],
)
def test_each_policy_takes_the_rows_that_plain_sets_take(source, policy, is_meant):
    labels = {f"dev/{name}.wav": set(text.split(",")) for name, (text, _) in DEV.items()}
    labels |= {f"eval/{name}.wav": set(text.split(",")) for name, text in EVAL.items()}
    kept, left_out = TagPolicy.model_validate(policy).choose(source.recordings())
    assert [recording.name for recording in kept] == [
        name for name, tags in labels.items() if is_meant(tags)
    ]
    assert set(left_out) == {name for name, tags in labels.items() if not is_meant(tags)}


def test_the_thesis_choice_leaves_these_three(source):
    policy = TagPolicy(
        policy="at_least_all_and_none_of", wanted=tuple(WANTED), excluded=tuple(EXCLUDED)
    )
    kept, _ = policy.choose(source.recordings())
    assert [recording.name for recording in kept] == ["dev/100.wav", "eval/205.wav", "eval/207.wav"]


def test_a_split_that_is_not_asked_for_need_not_be_there(folder):
    shutil.rmtree(folder / "FSD50K.eval_audio")
    (folder / "FSD50K.ground_truth" / "eval.csv").unlink()
    (folder / "FSD50K.metadata" / "eval_clips_info_FSD50K.json").unlink()
    recordings = Fsd50k(path=folder, splits=("dev", "dev")).recordings()
    assert [recording.name for recording in recordings] == [f"dev/{name}.wav" for name in DEV]


def test_what_soundata_itself_would_want_more_is_not_needed(folder, source):
    shutil.rmtree(folder / "FSD50K.metadata" / "collection")
    (folder / "FSD50K.metadata" / "pp_pnp_ratings_FSD50K.json").unlink()
    (folder / "FSD50K.metadata" / "class_info_FSD50K.json").unlink()
    assert len(source.recordings()) == len(DEV) + len(EVAL)


def test_a_folder_may_have_the_word_collection_in_its_path(folder, tmp_path):
    # soundata takes a table for one without splits when its whole path has that word.
    (tmp_path / "my_collection").mkdir()
    source = Fsd50k(path=folder.rename(tmp_path / "my_collection" / "FSD50K"))
    assert {recording.split for recording in source.recordings()} == {
        "dev_train",
        "dev_validation",
        "eval",
    }


# What is missing


def test_a_clip_without_its_wav_is_named_and_the_others_go_on(folder, source):
    (folder / "FSD50K.dev_audio" / "102.wav").unlink()
    recordings = source.recordings()
    assert len(recordings) == len(DEV) + len(EVAL)
    missing = source.fetch(recordings)
    assert missing.keys() == {"dev/102.wav"}
    assert missing["dev/102.wav"].endswith(
        "FSD50K.dev_audio/102.wav is missing; extract its archive again"
    )


def test_a_wav_that_the_tables_do_not_name_is_not_taken(folder, source):
    shutil.copy(folder / "FSD50K.dev_audio" / "100.wav", folder / "FSD50K.dev_audio" / "999.wav")
    assert "dev/999.wav" not in {recording.name for recording in source.recordings()}


def test_an_uploader_who_said_nothing_leaves_it_empty(folder, source):
    facts = {name: clip_facts(name) for name in DEV} | {
        "100": {"title": 7, "license": None},
        "101": 7,
    }
    del facts["102"]
    (folder / "FSD50K.metadata" / "dev_clips_info_FSD50K.json").write_text(json.dumps(facts))
    for recording in source.recordings()[:3]:
        assert (recording.title, recording.author, recording.licence) == ("", "", "")


@pytest.mark.parametrize(
    ("gone", "expected"),
    [
        ([""], "no such folder"),
        (
            ["FSD50K.dev_audio", "FSD50K.eval_audio", "FSD50K.ground_truth", "FSD50K.metadata"],
            "is not FSD50K, which has the folders FSD50K.dev_audio, FSD50K.eval_audio, FSD50K.ground_truth, FSD50K.metadata",
        ),
        (["FSD50K.eval_audio"], "lacks FSD50K.eval_audio; extract all archives of FSD50K"),
        (["FSD50K.ground_truth/dev.csv"], "lacks FSD50K.ground_truth/dev.csv; extract all"),
        (
            ["FSD50K.metadata", "FSD50K.dev_audio"],
            "lacks FSD50K.metadata/dev_clips_info_FSD50K.json, FSD50K.dev_audio, "
            "FSD50K.metadata/eval_clips_info_FSD50K.json; extract all",
        ),
    ],
)
def test_a_folder_that_is_not_all_of_fsd50k_is_told_what_it_lacks(folder, source, gone, expected):
    for name in gone:
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        if name and path.parent == folder:
            (folder / "another_file.txt").touch()
    with pytest.raises(TextureError) as error:
        source.recordings()
    assert str(error.value).startswith("source.path: ")
    assert expected in str(error.value)


# What is damaged


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("dev.csv", b"", 'dev.csv: begins with "", not with "fname,labels,mids,split"'),
        (
            "dev.csv",
            b"fname,labels,mids\n1,Water,/m/w\n",
            'dev.csv: begins with "fname,labels,mids", not with',
        ),
        ("dev.csv", b"fname,labels,mids,split\n", "dev.csv: has no rows"),
        (
            "dev.csv",
            b"fname,labels,mids,split\n1,Water,/m/w,train\n2,Water\n",
            "dev.csv: line 3: has 2 columns, not 4",
        ),
        (
            "dev.csv",
            b'fname,labels,mids,split\n1,"Water,Stream',
            "dev.csv: line 2: damaged (unexpected end of data)",
        ),
        (
            "dev.csv",
            b"fname,labels,mids,split\n1,Water,/m/w,train\n1,Wind,/m/w,val\n",
            "dev.csv: clip 1 stands there twice",
        ),
        (
            "dev.csv",
            b"fname,labels,mids,split\n../../secret,Water,/m/w,train\n",
            '"../../secret" is not a clip',
        ),
        (
            "dev.csv",
            b"fname,labels,mids,split\n1,Watr,/m/w,train\n",
            'has the label "Watr", which is not in vocabulary.csv',
        ),
        (
            "dev.csv",
            b"fname,labels,mids,split\n1,,,train\n",
            'has the label "", which is not in vocabulary.csv',
        ),
        (
            "dev.csv",
            b"fname,labels,mids,split\n1,W\xe4ter,/m/w,train\n",
            "dev.csv: not a text file in UTF-8",
        ),
        (
            "dev.csv",
            b"fname,labels,mids,split\n1," + b"W" * 200_000 + b",/m/w,train\n",
            "dev.csv: line 2: damaged (field larger",
        ),
        (
            "eval.csv",
            b"fname,labels,mids\n1,Water,/m/w\n2,Water,/m/w,train\n",
            "eval.csv: line 3: has 4 columns, not 3",
        ),
        ("vocabulary.csv", b"0,Water\n", "vocabulary.csv: line 1: has 2 columns, not 3"),
        ("vocabulary.csv", b"", "vocabulary.csv: has no rows"),
        (
            "../FSD50K.metadata/dev_clips_info_FSD50K.json",
            b'{"100": ',
            "dev_clips_info_FSD50K.json: not JSON",
        ),
        (
            "../FSD50K.metadata/dev_clips_info_FSD50K.json",
            b"[]",
            "should be an object with an entry per clip",
        ),
    ],
)
def test_a_damaged_file_is_named_with_the_line(folder, source, name, content, expected):
    (folder / "FSD50K.ground_truth" / name).write_bytes(content)
    with pytest.raises(TextureError) as error:
        source.recordings()
    assert expected in str(error.value)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"splits": []}, "splits: []: "),
        ({"splits": ["test"]}, 'splits.0: "test" is not known'),
        ({"split": ["dev"]}, 'split: no such key (did you mean "splits"?'),
    ],
)
def test_a_config_that_fsd50k_does_not_understand_is_a_sentence(folder, keys, expected):
    with pytest.raises(ValidationError) as error:
        Fsd50k.model_validate({"path": str(folder), **keys})
    assert sentence(error.value, Fsd50k).startswith(expected)


# What soundata would do to the rest of the program


def in_a_fresh_python(program):
    """Return what the program prints."""
    # Popen, since `subprocess.run` is refused here.
    return subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True
    ).communicate(timeout=60)[0]


def test_reading_leaves_the_root_logger_as_it_was(folder):
    # soundata's import makes it print what every library notes, unless something, as pytest, has
    # set it up before.
    read = f"from real_datasets.sources.fsd50k import Fsd50k; Fsd50k(path={str(folder)!r}).recordings()"
    show = "import logging; root = logging.getLogger(); print(root.handlers, root.level, logging.WARNING)"
    assert in_a_fresh_python(f"{read}; {show}") == "[] 30 30\n"


def test_the_command_knows_its_sources_without_soundata():
    # Its readers take a second to import, which --help should not.
    program = (
        "import sys; from real_datasets.sources import sources; "
        "print(len(list(sources.models)) > 2, 'soundata' in sys.modules)"
    )
    assert in_a_fresh_python(program) == "True False\n"
