"""What sources of recordings say of them: tables, FSD50K's, ESC-50's and AudioSet's files,
Freesound's answers."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import strategies as st
from mangling import mangled, mangled_json, mangled_table

Fuzz = Callable[..., None]


def test_a_table_of_tags_is_read_or_refused_whatever_is_in_it(fuzz: Fuzz, tmp_path: Path) -> None:
    for name in ("a.wav", "b.wav"):
        (tmp_path / name).touch()
    table = b'file_name,tags,author,title\na.wav,"rain, wind",somebody,a\nb.wav,rain;wind,,\n'
    fuzz(
        "tags_table",
        mangled_table([table, b"\xef\xbb\xbf" + table]),
        tmp_path / "tags.csv",
        tmp_path,
    )


FSD50K = {
    "FSD50K.ground_truth/vocabulary.csv": b"0,Rain,/m/1\n1,Water,/m/2\n2,Splash_and_splatter,/m/3\n",
    "FSD50K.ground_truth/dev.csv": b'fname,labels,mids,split\n64760,"Rain,Water","/m/1,/m/2",train\n16399,Water,/m/2,val\n',
    "FSD50K.metadata/dev_clips_info_FSD50K.json": json.dumps(
        {
            "64760": {
                "title": "a",
                "license": "http://creativecommons.org/licenses/by/3.0/",
                "uploader": "x",
                "tags": ["rain"],
            },
            "16399": {},
        }
    ).encode(),
}


@pytest.mark.parametrize("name", FSD50K)
def test_fsd50k_is_read_or_refused_whatever_is_in_its_files(
    fuzz: Fuzz, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "FSD50K"
    (folder / "FSD50K.dev_audio").mkdir(parents=True)
    for path, content in FSD50K.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_bytes(content)
    inputs = mangled_json if name.endswith(".json") else mangled_table
    fuzz("fsd50k", inputs([FSD50K[name]]), folder / name, folder)


def test_esc50_is_read_or_refused_whatever_is_in_its_table(fuzz: Fuzz, tmp_path: Path) -> None:
    table = tmp_path / "ESC" / "meta" / "esc50.csv"
    table.parent.mkdir(parents=True)
    rows = (
        b"filename,fold,target,category,esc10,src_file,take\n"
        b"1-100032-A-0.wav,1,0,dog,True,100032,A\n1-17367-A-10.wav,1,10,rain,True,17367,A\n"
    )
    fuzz("esc50", mangled_table([rows]), table, table.parents[1])


def test_an_ontology_is_read_or_refused_whatever_is_in_it(fuzz: Fuzz, tmp_path: Path) -> None:
    classes = [
        {"id": "/m/1", "name": "Water", "child_ids": ["/m/2", "/m/3"]},
        {"id": "/m/2", "name": "Rain", "child_ids": ["/m/3"]},
        {"id": "/m/3", "name": "Raindrop", "child_ids": []},
    ]
    fuzz(
        "ontology",
        mangled_json([json.dumps(classes).encode()]),
        tmp_path / "ontology.json",
        names=False,
    )


SOUND = {
    "id": 12, "name": "rain", "tags": ["rain"], "username": "x", "license": "https://creativecommons.org/publicdomain/zero/1.0/",
    "duration": 2.5, "url": "https://freesound.org/s/12/", "type": "wav", "filesize": 1000, "md5": "0" * 32,
    "previews": {"preview-hq-ogg": "https://cdn.freesound.org/1.ogg"},
}  # fmt: skip


def test_a_stored_page_of_a_search_is_read_or_refused_whatever_is_in_it(
    fuzz: Fuzz, tmp_path: Path
) -> None:
    folder = tmp_path / "search"
    folder.mkdir()
    page = {"sounds": [SOUND], "is_last": True}
    fuzz(
        "freesound_page",
        mangled_json([json.dumps(page).encode()]),
        folder / "page_00001.json",
        folder,
    )


HEADERS = [
    b"Content-Length: %d",
    b"Content-Length: -5",
    b"Content-Length: " + b"9" * 5000,
    b"Content-Length: 99999999999999999999",
    b"Transfer-Encoding: chunked",
    b"Content-Encoding: gzip",
    b"Content-Encoding: deflate",
    b"Content-Type: application/json",
    b"Content-Type: text/html; charset=\xff",
    b"Retry-After: 0",
    b"Retry-After: Wed, 21 Oct 99999999999 07:28:00 GMT",
    b"Retry-After: Wed, 21 Oct 2015 07:28:00 +9999999999",
    b"Retry-After: 99999999999999999999",
    b"Location: http://[",
    b"Location: file:///etc/passwd",
    b"Location: /again",
    b'ETag: "\xff"',
    b"Set-Cookie: a=b",
    b"X: " + b"y" * 70_000,
]
STATUS = [
    b"HTTP/1.1 200 OK",
    b"HTTP/1.1 206 Partial",
    b"HTTP/1.1 301 Moved",
    b"HTTP/1.1 401 No",
    b"HTTP/1.1 404 No",
    b"HTTP/1.1 429 Wait",
    b"HTTP/1.1 503 Ill",
    b"HTTP/1.1 99999 ?",
    b"ICY 200 OK",
    b"\xff\xff",
]


def test_an_answer_of_freesounds_is_read_or_refused_whatever_is_in_it(
    fuzz: Fuzz, tmp_path: Path
) -> None:
    page = json.dumps(
        {"count": 1, "next": None, "previous": None, "results": [SOUND, None]}
    ).encode()
    refusal = b'{"detail": "Request was throttled."}'

    def answer(parts: tuple[bytes, list[bytes], bytes]) -> bytes:
        status, headers, body = parts
        lines = [
            status,
            *(header % len(body) if b"%d" in header else header for header in headers),
            b"Connection: close",
        ]
        return b"\r\n".join(lines) + b"\r\n\r\n" + body

    answers = st.tuples(
        st.sampled_from([STATUS[0], STATUS[0], *STATUS]),
        st.lists(st.sampled_from(HEADERS), max_size=3),
        st.one_of(mangled_json([page, refusal]), mangled([page])),
    ).map(answer)
    fuzz(
        "freesound_answer",
        st.one_of(answers, mangled([answer((STATUS[0], [HEADERS[0]], page))])),
        tmp_path / "answer",
        names=False,
    )
