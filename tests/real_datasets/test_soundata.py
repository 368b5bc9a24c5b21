"""Datasets that soundata reads: UrbanSound8K and ESC-50 from their folders alone, others with its
index."""

import csv
import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile
from pydantic import ValidationError

from real_datasets.sources._soundata import dataset_names, open_dataset
from real_datasets.sources.soundata import Soundata
from real_datasets.tags import TagPolicy
from texturelib._config_errors import sentence
from texturelib.errors import TextureError, UsageError

pytestmark = pytest.mark.usefixtures("offline")

ESC50 = """filename,fold,target,category,esc10,src_file,take
1-100032-A-0.wav,1,0,dog,True,100032,A
1-17367-A-10.wav,1,10,rain,True,17367,A
2-82367-A-10.wav,2,10,rain,True,82367,A
3-152594-A-11.wav,3,11,sea_waves,False,152594,A
5-152594-B-11.wav,5,11,sea_waves,False,152594,B
"""
URBANSOUND8K = """slice_file_name,fsID,start,end,salience,fold,classID,class
135776-2-0-49.wav,135776,24.5,28.5,2,1,2,children_playing
135776-2-0-50.wav,135776,28.5,32.5,2,1,2,children_playing
7061-6-0-0.wav,7061,0.0,4.0,1,10,6,gun_shot
"""
# As in each dataset's own files: clips without their class, letters as Python writes them, and a
# title in brackets of its own.
ESC50_LICENSE = r"""# ESC-50: Dataset for Environmental Sound Classification

## Dataset license

The ESC-10 subset is licensed as a Creative Commons Attribution 3.0 Unported
(https://creativecommons.org/licenses/by/3.0/) dataset.

## Licensing/attribution details for individual clips:

101 - Dog:
- [1-100032-A.ogg]: clip derived from rose_bark.wav (http://www.freesound.org/people/nfrae/sounds/100032/) by nfrae [CC0]

201 - Rain:
- [1-17367-A.ogg]:  clip derived from Rain (on a H\xf6r roof).wav (http://freesound.org/people/a%20b/sounds/17367/) by a b [CC0]
- [2-82367-A.ogg]: clip derived from [Rain[Me]](http://freesound.org/people/me/sounds/82367/) by me [CC-BY-NC]

202 - Sea waves:
- [3-152594-A.ogg]: clip derived from sea by night (http://www.freesound.org/people/x/sounds/152594/) by x.y [CC-Sampling+]
"""
FREESOUNDCREDITS = """This dataset uses the following sounds from Freesound:

to access user page:  http://www.freesound.org/people/[username]
to access sound page: http://www.freesound.org/people/[username]/sounds/[soundid]

[soundid] by [username]

135776 by nickpursehouse
7061 by cognito perceptu
"""
FSDNOISY18K = {
    "train": ["100.wav,Rain,/m/06mb1,1,0", "200.wav,Fire,/m/02_41,0,1"],
    "test": ["300.wav,Wind,/m/03m9d0z,"],
}
FSDNOISY18K_LICENCES = """fname,license
100.wav,http://creativecommons.org/publicdomain/zero/1.0/
300.wav,http://creativecommons.org/licenses/by/3.0/
100.wav,http://creativecommons.org/publicdomain/zero/1.0/
"""
EIGENSCAPE = """Filename,Location,Place,Time,Date,Notes
Beach-01.wav,Beach,Bridlington,10:42,09/05/2017,
Park-01.wav,Park,York,11:06,12/05/2017,windy
"""


def write_wav(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.random.default_rng(0).uniform(-0.5, 0.5, 4410), 44100)


def rows_of(text):
    return list(csv.DictReader(text.splitlines()))


@pytest.fixture
def esc50(tmp_path):
    root = tmp_path / "ESC-50-master"
    for row in rows_of(ESC50):
        write_wav(root / "audio" / row["filename"])
    (root / "meta").mkdir()
    (root / "meta" / "esc50.csv").write_text(ESC50)
    (root / "LICENSE").write_text(ESC50_LICENSE)
    return root


@pytest.fixture
def urbansound8k(tmp_path):
    root = tmp_path / "UrbanSound8K"
    for row in rows_of(URBANSOUND8K):
        write_wav(root / "audio" / f"fold{row['fold']}" / row["slice_file_name"])
    (root / "metadata").mkdir()
    (root / "metadata" / "UrbanSound8K.csv").write_text(URBANSOUND8K)
    (root / "FREESOUNDCREDITS.txt").write_text(FREESOUNDCREDITS)
    return root


@pytest.fixture
def fsdnoisy18k(tmp_path):
    """Read with its index, tmp_path/index.json."""
    root = tmp_path / "FSDnoisy18k"
    for folder in ("meta", "doc"):
        (root / f"FSDnoisy18k.{folder}").mkdir(parents=True)
    clips = {}
    for split, rows in FSDNOISY18K.items():
        header = "fname,label,aso_id,manually_verified,noisy_small"
        (root / "FSDnoisy18k.meta" / f"{split}.csv").write_text("\n".join([header, *rows]) + "\n")
        for name in (row.split(",")[0] for row in rows):
            write_wav(root / f"FSDnoisy18k.audio_{split}" / name)
            clips[name.removesuffix(".wav")] = {
                "audio": [f"FSDnoisy18k.audio_{split}/{name}", None]
            }
    (root / "FSDnoisy18k.doc" / "LICENSE-INDIVIDUAL-CLIPS.csv").write_text(FSDNOISY18K_LICENCES)
    (tmp_path / "index.json").write_text(json.dumps({"clips": clips}))
    return root


@pytest.fixture
def eigenscape(tmp_path):
    """A dataset of which this toolkit knows nothing; its index calls Beach-01.wav "Beach.1"."""
    root = tmp_path / "eigenscape"
    index = {
        "clips": {f"{name}.1": {"audio": [f"{name}.1.wav", "0" * 32]} for name in ["Beach", "Park"]}
    }
    for name in ["Beach", "Park"]:
        write_wav(root / f"{name}.1.wav")
    (root / "Metadata-EigenScape.csv").write_text(EIGENSCAPE)
    (tmp_path / "index.json").write_text(json.dumps(index))
    return root


def test_esc50_is_read_from_its_folder_alone(esc50):
    recordings = Soundata(dataset="esc50", path=esc50).recordings()
    for recording, row in zip(recordings, rows_of(ESC50), strict=True):
        assert recording.name == f"audio/{row['filename']}"
        assert recording.path == esc50 / "audio" / row["filename"]
        assert recording.tags == (row["category"],)
        assert recording.split == f"fold{row['fold']}"
        assert recording.url == f"https://freesound.org/s/{row['src_file']}/"


def test_urbansound8k_is_read_from_its_folder_alone(urbansound8k):
    recordings = Soundata(dataset="urbansound8k", path=urbansound8k).recordings()
    for recording, row in zip(recordings, rows_of(URBANSOUND8K), strict=True):
        assert recording.name == f"audio/fold{row['fold']}/{row['slice_file_name']}"
        assert recording.path == urbansound8k / recording.name
        assert recording.tags == (row["class"],)
        assert recording.split == f"fold{row['fold']}"
        assert recording.licence == "CC BY-NC"
        assert recording.url == f"https://freesound.org/s/{row['fsID']}/"


@pytest.mark.parametrize(("name", "n_originals"), [("esc50", 4), ("urbansound8k", 2)])
def test_slices_of_one_recording_are_known_to_belong_together(request, name, n_originals):
    recordings = Soundata(dataset=name, path=request.getfixturevalue(name)).recordings()
    assert len({recording.origin for recording in recordings}) == n_originals
    for one in recordings:
        for other in recordings:
            # Both name a file so that the Freesound id stands among its first parts.
            ids = [
                {part for part in recording.path.stem.split("-")[:2] if len(part) > 3}
                for recording in (one, other)
            ]
            assert (one.origin == other.origin) == (ids[0] == ids[1])


@pytest.mark.parametrize("name", ["esc50", "urbansound8k"])
def test_what_is_read_without_an_index_equals_what_is_read_with_soundatas(request, tmp_path, name):
    folder = request.getfixturevalue(name)
    # Each clip by its file's stem, as in the indexes of soundata's own tests.
    clips = {
        path.stem: {"audio": [path.relative_to(folder).as_posix(), "0" * 32]}
        for path in folder.rglob("*.wav")
    }
    (tmp_path / "index.json").write_text(json.dumps({"version": "1.0", "clips": clips}))
    with_index = Soundata(dataset=name, path=folder, index=tmp_path / "index.json").recordings()
    without = Soundata(dataset=name, path=folder).recordings()
    assert set(with_index) == set(without)


def test_an_index_may_list_some_of_the_clips(esc50, tmp_path):
    (tmp_path / "index.json").write_text(
        json.dumps({"clips": {"1-17367-A-10": {"audio": ["audio/1-17367-A-10.wav", None]}}})
    )
    (rain,) = Soundata(dataset="esc50", path=esc50, index=tmp_path / "index.json").recordings()
    assert (rain.name, rain.tags, rain.origin) == (
        "audio/1-17367-A-10.wav",
        ("rain",),
        "freesound 17367",
    )


def test_tags_choose_among_them(esc50):
    policy = TagPolicy(policy="at_least_one", wanted=("Rain", "sea waves"))
    kept, left_out = policy.choose(Soundata(dataset="esc50", path=esc50).recordings())
    assert [recording.tags for recording in kept] == [
        ("rain",),
        ("rain",),
        ("sea_waves",),
        ("sea_waves",),
    ]
    assert left_out == {"audio/1-100032-A-0.wav": "has none of Rain, sea waves"}


def test_a_clip_without_its_file_is_named_and_the_others_go_on(esc50):
    (esc50 / "audio" / "1-17367-A-10.wav").unlink()
    source = Soundata(dataset="esc50", path=esc50)
    recordings = source.recordings()
    assert len(recordings) == len(rows_of(ESC50))
    assert source.fetch(recordings).keys() == {"audio/1-17367-A-10.wav"}


@pytest.fixture
def few(esc50, config):
    """A config of ESC-50's whole table with the sounds of 2 of its 5 clips."""
    for row in rows_of(ESC50)[2:]:
        (esc50 / "audio" / row["filename"]).unlink()
    changes = {"source": {"type": "soundata", "dataset": "esc50", "path": str(esc50)}}
    changes["drop_duplicates"] = False  # all sounds here are the same noise
    config.write_text(json.dumps(json.loads(config.read_text()) | changes))
    return config


def test_where_most_sounds_are_not_there_plan_dry_run_and_build_say_what_to_set_and_that_works(
    few, command, tmp_path
):
    how = "mend them, or set max_rejected to 0.6 to take the other 2\n"
    gone = "audio/2-82367-A-10.wav is missing; extract its archive again"
    status, printed, _ = command("plan", few)
    assert status == 0
    assert printed.splitlines()[-1].startswith(
        "the files of 3 of those taken are not there (the first: "
    )
    assert printed.endswith(
        f"{gone}): more than max_rejected = 0.5 allows, so a build stops; {how}"
    )
    status, printed, _ = command("build", few, "--dry-run")
    assert status == 0
    assert printed.splitlines()[-1].startswith(
        "3 of 5 recordings cannot be used (the first: audio/2-82367-A-10.wav: "
    )
    assert printed.endswith(f"more than max_rejected = 0.5 allows; {how}")
    status, _, error = command("build", few, "--workers", 1)
    assert status == 1
    assert "3 of 5 files were left out, more than max_rejected = 0.5 allows" in error
    assert error.endswith(f"{gone}); {how}")
    # Nobody waited for what then is of no use.
    assert list((tmp_path / "real" / "audio").glob("*")) == []
    assert command("build", few, "--workers", 1, "--set", "max_rejected=0.6")[0] == 0
    assert len(list((tmp_path / "real" / "audio").iterdir())) == 2
    _, printed, _ = command("plan", few, "--set", "max_rejected=0.6")
    assert printed.endswith("they will be left out\n")


# Terms of each clip


def terms(dataset, path, **settings):
    """Return the licence, author and title of each clip's file."""
    recordings = Soundata(dataset=dataset, path=path, **settings).recordings()
    return {
        recording.path.name: (recording.licence, recording.author, recording.title)
        for recording in recordings
    }


def test_each_clip_of_esc50_has_the_licence_author_and_title_that_its_license_file_tells(
    esc50, capsys
):
    assert terms("esc50", esc50) == {
        "1-100032-A-0.wav": ("CC0", "nfrae", "rose_bark.wav"),
        "1-17367-A-10.wav": ("CC0", "a b", "Rain (on a Hör roof).wav"),
        "2-82367-A-10.wav": ("CC-BY-NC", "me", "[Rain[Me]]"),
        "3-152594-A-11.wav": ("CC-Sampling+", "x.y", "sea by night"),
        "5-152594-B-11.wav": ("CC BY-NC 3.0", "", ""),  # not told of, so those of the whole set
    }
    untold = "does not tell author and licence of 1 of 5 clips (the first: 5-152594-B-11.wav)"
    assert capsys.readouterr().err == f"note: source.path: {esc50 / 'LICENSE'} {untold}\n"


def test_authors_of_urbansound8k_come_from_its_credits_which_tell_no_licences(urbansound8k, capsys):
    assert terms("urbansound8k", urbansound8k) == {
        "135776-2-0-49.wav": ("CC BY-NC", "nickpursehouse", ""),
        "135776-2-0-50.wav": ("CC BY-NC", "nickpursehouse", ""),
        "7061-6-0-0.wav": ("CC BY-NC", "cognito perceptu", ""),
    }
    assert capsys.readouterr().err == ""


def test_each_clip_of_fsdnoisy18k_has_the_licence_of_its_table(fsdnoisy18k, tmp_path):
    found = terms("fsdnoisy18k", fsdnoisy18k, index=tmp_path / "index.json")
    assert found["100.wav"] == ("http://creativecommons.org/publicdomain/zero/1.0/", "", "")
    assert found["300.wav"] == ("http://creativecommons.org/licenses/by/3.0/", "", "")
    assert found["200.wav"][0].startswith(
        "Please note that FSDnoisy18k has licenses at two different levels"
    )


@pytest.mark.parametrize(
    ("dataset", "file", "licences"),
    [
        # The set says that its ESC-10 part is CC BY.
        ("esc50", "LICENSE", {"CC BY", "CC BY-NC 3.0"}),
        ("urbansound8k", "FREESOUNDCREDITS.txt", {"CC BY-NC"}),
    ],
)
def test_without_the_file_that_tells_them_all_have_the_sets_terms_and_a_note_says_so(
    request, capsys, dataset, file, licences
):
    folder = request.getfixturevalue(dataset)
    (folder / file).unlink()
    assert {(licence, author) for licence, author, _ in terms(dataset, folder).values()} == {
        (each, "") for each in licences
    }
    assert f"{folder} has no {file}, which tells " in capsys.readouterr().err


def test_a_file_of_terms_that_holds_anything_does_not_keep_the_set_from_being_read(esc50, capsys):
    (esc50 / "LICENSE").write_bytes(b"\xff\x00- [1-100032-A.ogg]: by me\n- [\n")
    assert {licence for licence, _, _ in terms("esc50", esc50).values()} == {
        "CC BY",
        "CC BY-NC 3.0",
    }
    assert "does not tell author and licence of 5 of 5 clips" in capsys.readouterr().err


ESC50_OF_OTHERS = Path(__file__).parents[2].parent / "shared" / "recordings_various"


@pytest.mark.skipif(
    not ESC50_OF_OTHERS.exists(), reason=f"clips of ESC-50 are not at {ESC50_OF_OTHERS}"
)
def test_esc50s_own_license_file_tells_of_every_clip(esc50, capsys):
    rows = (ESC50_OF_OTHERS / "esc50.csv").read_text().replace(".ogg", ".wav")
    (esc50 / "meta" / "esc50.csv").write_text(rows)
    (esc50 / "LICENSE").write_bytes((ESC50_OF_OTHERS / "LICENSE.txt").read_bytes())
    found = terms("esc50", esc50)
    assert capsys.readouterr().err == ""
    assert Counter(licence for licence, _, _ in found.values()) == {
        "CC0": 214,
        "CC-BY": 168,
        "CC-BY-NC": 28,
        "CC-Sampling+": 4,
    }
    assert all(author and title for _, author, title in found.values())


# Any other dataset


def test_any_dataset_with_tags_is_read_with_its_index(eigenscape, tmp_path):
    source = Soundata(dataset="eigenscape", path=eigenscape, index=tmp_path / "index.json")
    beach, park = source.recordings()
    assert (beach.name, beach.tags, beach.split, beach.origin) == (
        "Beach.1.wav",
        ("Beach",),
        "",
        "Beach.1.wav",
    )
    assert park.tags == ("Park",)
    assert source.inputs == {"source.path": eigenscape, "source.index": tmp_path / "index.json"}


def test_of_a_licence_with_pages_the_beginning_is_kept_on_one_line(
    eigenscape, tmp_path, monkeypatch
):
    monkeypatch.setattr(
        "soundata.datasets.eigenscape.LICENSE_INFO", "\nFor science\n  only. " + "Whereas " * 1000
    )
    beach, _ = Soundata(
        dataset="eigenscape", path=eigenscape, index=tmp_path / "index.json"
    ).recordings()
    assert beach.licence.startswith("For science only. Whereas Whereas")
    assert len(beach.licence) == 200  # characters


def test_an_index_that_soundata_has_downloaded_is_found(eigenscape, tmp_path, monkeypatch):
    from soundata import core

    monkeypatch.setattr(core.Index, "get_path", lambda _: str(tmp_path / "index.json"))
    assert len(Soundata(dataset="eigenscape", path=eigenscape).recordings()) == 2


def test_where_there_is_no_index_a_sentence_says_how_to_get_it(eigenscape, tmp_path):
    how = r"""python -c "import soundata; soundata.initialize\('eigenscape'\).download\(\['index'\]\)"$"""
    with pytest.raises(
        UsageError,
        match=f"^source.index: is needed for eigenscape; soundata downloads its index with: {how}",
    ):
        Soundata(dataset="eigenscape", path=eigenscape).recordings()
    with pytest.raises(
        UsageError, match=f"none.json: no such file; soundata downloads its index with: {how}"
    ):
        Soundata(dataset="eigenscape", path=eigenscape, index=tmp_path / "none.json").recordings()


def test_every_dataset_of_soundata_opens_or_is_told_to_have_no_tags(tmp_path):
    has_tags = {
        name
        for name in dataset_names()
        if hasattr(open_dataset(name, tmp_path)._clip_class, "tags")
    }
    assert {"urbansound8k", "esc50", "fsdnoisy18k", "eigenscape", "tau2019uas"} < has_tags
    for name in set(dataset_names()) - {"fsd50k"}:
        expected = (
            r"source\.(path|index): "
            if name in has_tags
            else f'source.dataset: soundata gives the clips of "{name}" no'
        )
        with pytest.raises(TextureError, match=expected):
            Soundata(dataset=name, path=tmp_path).recordings()


# What is wrong


@pytest.mark.parametrize(
    ("dataset", "expected"),
    [
        ("urbansound8", 'dataset: soundata has no "urbansound8" (did you mean "urbansound8k"?'),
        ("fsd50k", 'dataset: "fsd50k" has a source of its own, {"type": "fsd50k", "path": ...}'),
        ("../esc50", 'dataset: soundata has no "../esc50"'),
    ],
)
def test_a_dataset_that_soundata_does_not_read_is_a_sentence(tmp_path, dataset, expected):
    with pytest.raises(ValidationError) as error:
        Soundata.model_validate({"dataset": dataset, "path": str(tmp_path)})
    assert sentence(error.value, Soundata).startswith(expected)


HEADER = ESC50.splitlines()[0]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "esc50.csv: begins with"),
        ("name,fold\n", 'esc50.csv: begins with "name,fold", not with "filename,fold,'),
        (f"{HEADER}\n", "esc50.csv: has no rows"),
        (f"{HEADER}\n1-1-A-0.wav,1,0,dog\n", "esc50.csv: line 2: has 4 columns, not 7"),
        (
            f"{HEADER}\n1-1-A-0.wav,one,0,dog,True,1,A\n",
            "soundata cannot read esc50 there (ValueError: invalid literal",
        ),
        (f"{HEADER}\n../../../a.wav,1,0,dog,True,1,A\n", "of esc50 lies outside, at "),
        (None, "is not esc50: it has no meta/esc50.csv"),
    ],
)
def test_a_damaged_table_is_a_sentence(esc50, content, expected):
    table = esc50 / "meta" / "esc50.csv"
    table.unlink() if content is None else table.write_text(content)
    with pytest.raises(TextureError) as error:
        Soundata(dataset="esc50", path=esc50).recordings()
    assert expected in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("[", "index.json: not JSON"),
        ("[]", "index.json: not an index of soundata's, which lists clips"),
        ('{"clips": {}}', "the index of eigenscape lists no clips"),
        ('{"clips": {"Beach.1": {}}}', "soundata cannot read eigenscape there (KeyError: 'audio')"),
        (
            '{"clips": {"Beach.1": {"audio": [null, null]}}}',
            "soundata cannot read eigenscape there (TypeError: ",
        ),
        (
            '{"clips": {"Beach.1": {"audio": ["/etc/hosts", null]}}}',
            "clip Beach.1 of eigenscape lies outside, at",
        ),
    ],
)
def test_a_damaged_index_is_a_sentence(eigenscape, tmp_path, content, expected):
    (tmp_path / "index.json").write_text(content)
    with pytest.raises(TextureError) as error:
        Soundata(dataset="eigenscape", path=eigenscape, index=tmp_path / "index.json").recordings()
    assert expected in str(error.value)


def test_a_folder_that_is_not_there_is_a_sentence(tmp_path):
    with pytest.raises(TextureError, match=r"^source\.path: .*none: no such folder$"):
        Soundata(dataset="esc50", path=tmp_path / "none").recordings()


def test_without_soundata_a_sentence_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "soundata", None)  # as Python does for what cannot be imported
    with pytest.raises(UsageError, match=r"pip install 'texture-toolkit\[real\]'"):
        Soundata(dataset="esc50", path=tmp_path)
