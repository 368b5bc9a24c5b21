"""Sounds come from Freesound: each is asked for once, whatever goes wrong on the way, and no key
goes anywhere else.

The real Freesound cannot stand here. `FakeFreesound` answers as its documentation and its published
server code say (https://freesound.org/docs/api, https://github.com/MTG/freesound), and counts.
"""

import json
import re
import subprocess
import sys
import threading
from collections import Counter
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from real_datasets._freesound import retries
from real_datasets._freesound.keys import checked_base_url
from real_datasets.config import RealConfig
from real_datasets.sources.freesound import Freesound
from texturelib.config import load_config
from texturelib.errors import TextureError, UsageError

KEY, TOKEN = "k3yOfTheUser", "t0kenOfTheUser"
PAGE = 3  # sounds on a page of the fake, of which the real one has up to 150
CC = "https://creativecommons.org"


def sound_bytes(sound_id):
    """Of a length and content that no other sound has; long enough for several network packets."""
    return sound_id.to_bytes(4, "big") * (50_000 + sound_id)


class FakeFreesound(ThreadingHTTPServer):
    """sounds: what a search finds. plan: by path, what happens at its first request, its second,
    ...; then all goes well."""

    daemon_threads = True

    def __init__(self, sounds=()):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.sounds = {sound_id: self.sound(sound_id) for sound_id in sounds}
        self.plan = {}
        self.requests = []
        self.has_ranges = True
        threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        ).start()

    def sound(self, sound_id, **changes):
        return {
            "id": sound_id,
            "name": f"Stream / no. {sound_id}",
            "tags": ["water", "stream"],
            "username": "ann",
            "license": f"{CC}/publicdomain/zero/1.0/",
            "gen_ai_preference": "open-source-models",
            "duration": 12.5,
            "url": f"https://freesound.org/people/ann/sounds/{sound_id}/",
            "type": "wav",
            "filesize": len(sound_bytes(sound_id)),
            "previews": {
                "preview-hq-ogg": f"{self.url}/previews/{sound_id}.ogg",
                "preview-hq-mp3": None,
            },
        } | changes

    def handle_error(self, request, client_address):
        pass  # clients here hang up and are killed

    @property
    def counts(self):
        """By path, with the page where there is one: how many requests came."""
        return Counter(name for name, _ in self.requests)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each reply waits 40 ms for the client's acknowledgement

    def log_message(self, *_):
        pass

    def do_GET(self):
        parts = urlsplit(self.path)
        asked = {key: values[0] for key, values in parse_qs(parts.query).items()}
        name = parts.path + (f"?page={asked['page']}" if "page" in asked else "")
        self.server.requests.append(
            (name, {**asked, **{key.lower(): value for key, value in self.headers.items()}})
        )
        plan = self.server.plan.get(name, [])
        if plan and (happens := plan.pop(0)):
            return happens(self)
        if parts.path == "/apiv2/search/":
            return self.search(int(asked["page"]), int(asked.get("page_size", 15)))
        if found := re.fullmatch(r"/previews/(\d+)\.ogg", parts.path):
            return self.file(int(found[1]))
        if found := re.fullmatch(r"/apiv2/sounds/(\d+)/download/", parts.path):
            return (
                self.file(int(found[1]))
                if self.headers["Authorization"] == f"Bearer {TOKEN}"
                else refuse(401)(self)
            )
        return refuse(404)(self)

    def search(self, page, page_size):
        if self.headers["Authorization"] not in (f"Token {KEY}", f"Bearer {TOKEN}"):
            return refuse(401)(self)
        size = min(page_size, PAGE)
        results = list(self.server.sounds.values())
        if (page - 1) * size >= max(1, len(results)):
            return refuse(404)(self)
        more = page * size < len(results)
        # Where this leads to is for nobody to follow: the key would go with it.
        following = "http://elsewhere.example/apiv2/search/?&page=2" if more else None
        answer = {
            "count": len(results),
            "next": following,
            "previous": None,
            "results": results[(page - 1) * size : page * size],
        }
        return self.send(200, json.dumps(answer).encode(), {"Content-Type": "application/json"})

    def file(self, sound_id, n_sent=None):
        content = sound_bytes(sound_id)
        if sound_id not in self.server.sounds:
            return refuse(404)(self)
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers["Range"] or "")
        headers = {"ETag": f'"{sound_id}"', "Content-Type": "audio/ogg"}
        if (
            asked
            and self.server.has_ranges
            and self.headers.get("If-Range", headers["ETag"]) == headers["ETag"]
        ):
            start = int(asked[1])
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
            return self.send(206, content[start:], headers, n_sent)
        return self.send(200, content, headers, n_sent)

    def send(self, status, content=b"", headers=None, n_sent=None):
        """n_sent: after so many bytes the connection is cut."""
        self.send_response(status)
        for key, value in {"Content-Length": str(len(content)), **(headers or {})}.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(content[:n_sent])
        self.close_connection = n_sent is not None


def refuse(status, detail="", **headers):
    body = json.dumps({"detail": detail}).encode()
    return lambda handler: handler.send(
        status, body, {key.replace("_", "-"): value for key, value in headers.items()}
    )


def cut_after(n_bytes):
    return lambda handler: handler.file(int(re.findall(r"\d+", handler.path)[-1]), n_bytes)


def hang_up(handler):
    handler.close_connection = True  # without a word


def lead_to(url):
    return lambda handler: handler.send(302, b"", {"Location": url})


# As Freesound's server words it.
BURST = "Request was throttled because of exceeding a request limit rate (60/minute)"
DAILY = "Request was throttled because of exceeding a request limit rate (2000/day)"


@pytest.fixture
def serve():
    """Start a server with such sounds."""
    servers = []

    def start(sounds=()):
        servers.append(FakeFreesound(sounds))
        return servers[-1]

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def server(serve):
    return serve(range(1, 8))  # 7 sounds are pages of 3, 3 and 1


@pytest.fixture
def source(server, tmp_path):
    """The source of `server`, its sounds in tmp_path/sounds."""

    def make(**settings):
        given = {
            "folder": tmp_path / "sounds",
            "query": "stream",
            "base_url": f"{server.url}/apiv2",
            **settings,
        }
        return Freesound.model_validate(given)

    return make


@pytest.fixture(autouse=True)
def keys(monkeypatch):
    monkeypatch.setenv("FREESOUND_API_KEY", KEY)
    monkeypatch.setenv("FREESOUND_OAUTH_TOKEN", TOKEN)


@pytest.fixture(autouse=True)
def waits(monkeypatch):
    """Return the seconds of each wait; nobody really waits."""
    waited = []
    monkeypatch.setattr(retries, "_wait", lambda seconds, _why: waited.append(seconds))
    return waited


def fetch(source):
    """Return the recordings, and the reasons why some cannot be had, by name."""
    recordings = source.recordings()
    return recordings, source.fetch(recordings)


def files(tmp_path):
    return {
        path.name: path.read_bytes()
        for path in (tmp_path / "sounds").rglob("*")
        if path.is_file() and not path.suffix.startswith(".json")
    }


SEARCHES = {f"/apiv2/search/?page={page}": 1 for page in (1, 2, 3)}
PREVIEWS = {f"/previews/{sound_id}.ogg": 1 for sound_id in range(1, 8)}
ALL_FILES = {f"{sound_id}.ogg": sound_bytes(sound_id) for sound_id in range(1, 8)}


# What is found


def test_all_pages_of_a_search_become_recordings_which_say_what_attribution_needs(
    source, server, tmp_path
):
    recordings = source().recordings()
    assert [recording.name for recording in recordings] == [
        f"{sound_id}.ogg" for sound_id in range(1, 8)
    ]
    assert server.counts == SEARCHES
    third = recordings[2]
    assert third.path == tmp_path / "sounds" / "previews" / "3.ogg"
    assert (third.title, third.author, third.tags) == ("Stream / no. 3", "ann", ("water", "stream"))
    assert (third.url, third.licence) == (
        "https://freesound.org/people/ann/sounds/3/",
        f"{CC}/publicdomain/zero/1.0/",
    )


def test_freesound_is_asked_in_the_words_of_its_documentation(source, server):
    server.sounds = {1: server.sound(1, license=f"{CC}/licenses/by-nc/4.0/")}
    source(
        tags=["water", "field-recording"], seconds=[2, 60], licences=["Attribution NonCommercial"]
    ).recordings()
    asked = server.requests[0][1]
    assert (asked["query"], asked["sort"], asked["page"], asked["page_size"]) == (
        "stream",
        "created_asc",
        "1",
        "150",
    )
    # Both spellings of the third licence: the documentation of 2025 writes "NonCommercial", that of
    # 2019 "Noncommercial".
    assert asked["filter"] == (
        'tag:"water" tag:"field-recording" duration:[2.0 TO 60.0] '
        'license:("Attribution NonCommercial" OR "Attribution Noncommercial")'
    )
    needed = {
        "id",
        "name",
        "tags",
        "username",
        "license",
        "gen_ai_preference",
        "previews",
        "filesize",
        "type",
    }
    assert needed <= set(asked["fields"].split(","))
    assert asked["authorization"] == f"Token {KEY}"


def test_no_more_pages_are_asked_for_than_are_needed(source, server):
    assert len(source(most=4).recordings()) == 4
    assert server.counts == {f"/apiv2/search/?page={page}": 1 for page in (1, 2)}
    assert len(source(most=6).recordings()) == 6  # the second page has the others
    assert len(source(most=7).recordings()) == 7
    assert server.counts == SEARCHES


def test_a_sound_that_the_index_has_and_the_database_no_more_is_passed_over(source, server):
    server.sounds[2] = None  # as Freesound's server puts it
    assert [recording.name for recording in source(most=3).recordings()] == [
        "1.ogg",
        "3.ogg",
        "4.ogg",
    ]


def test_a_sound_that_moved_to_the_next_page_is_taken_once(source, server):
    server.sounds = {n: server.sound(sound_id) for n, sound_id in enumerate([1, 2, 3, 3, 4])}
    assert [recording.name for recording in source().recordings()] == [
        "1.ogg",
        "2.ogg",
        "3.ogg",
        "4.ogg",
    ]


def test_a_page_that_has_gone_ends_the_search(source, server):
    server.plan["/apiv2/search/?page=3"] = [refuse(404)]
    assert len(source().recordings()) == 6


def test_no_first_page_means_that_there_is_no_api(source, server):
    with pytest.raises(TextureError, match=r"the search failed: .* \(is base_url right\?\)"):
        source(base_url=f"{server.url}/apiv3").recordings()


def test_a_sound_of_another_licence_is_not_taken_even_if_the_server_names_it(source, server):
    licences = [
        "publicdomain/zero/1.0/",
        "licenses/by/4.0/",
        "licenses/by-nc/3.0/",
        "licenses/sampling+/1.0/",
        "",
    ]
    server.sounds = {
        n: server.sound(n, license=f"http://creativecommons.org/{name}")
        for n, name in enumerate(licences)
    }
    assert [recording.name for recording in source().recordings()] == ["0.ogg", "1.ogg"]
    assert [
        recording.name for recording in source(licences=["Attribution NonCommercial"]).recordings()
    ] == ["2.ogg"]


def test_nothing_found_is_an_error_that_says_what_was_asked(source, server):
    server.sounds = {}
    with pytest.raises(
        TextureError,
        match=r'Freesound has no sound for "stream" with duration:\[1\.0 TO 300\.0\] license:',
    ):
        source().recordings()
    with pytest.raises(
        TextureError,
        match=r"license:.* and gen_ai_preference no-additional-preferences, open-source-models$",
    ):
        source(gen_ai_preference=["no-additional-preferences", "open-source-models"]).recordings()


WISHES = [
    "no-additional-preferences",
    "open-source-models",
    "noncommercial-open-source-models",
    "no-gen-ai",
    None,
]


def test_what_an_uploader_wishes_about_generative_ai_is_kept(source, server):
    server.sounds = {n: server.sound(n, gen_ai_preference=wish) for n, wish in enumerate(WISHES)}
    recordings = source().recordings()  # all of them: it is for the config to say who is left out
    assert [recording.gen_ai_preference for recording in recordings] == [*WISHES[:-1], ""]


def test_a_config_may_leave_out_sounds_by_that_wish_and_others_take_their_places(source, server):
    server.sounds = {
        n: server.sound(n, gen_ai_preference=wish) for n, wish in enumerate([*WISHES, *WISHES])
    }
    wanted = ["no-additional-preferences", "open-source-models"]
    # Neither those who wish otherwise nor those of whom no wish is known; so many as `most` says
    # are found on later pages.
    assert [recording.name for recording in source(gen_ai_preference=wanted, most=4).recordings()] == [
        "0.ogg", "1.ogg", "5.ogg", "6.ogg"
    ]  # fmt: skip
    assert [
        recording.name for recording in source(gen_ai_preference=["no-gen-ai"]).recordings()
    ] == ["3.ogg", "8.ogg"]
    # The same search, asked once.
    assert server.counts == {f"/apiv2/search/?page={page}": 1 for page in (1, 2, 3, 4)}


@pytest.mark.parametrize(
    "body", [b"<html>Welcome to Hotel Bellevue</html>", b"[]", b'"detail"', b"\xff"]
)
def test_an_answer_that_is_not_the_apis_is_an_error_and_not_kept(source, server, tmp_path, body):
    server.plan["/apiv2/search/?page=2"] = [lambda handler: handler.send(200, body)]
    with pytest.raises(TextureError, match="something else than JSON"):
        source().recordings()
    assert len(source().recordings()) == 7


def test_an_answer_without_an_end_is_not_read_to_its_end(source, server):
    # A page has some 200,000 bytes.
    server.plan["/apiv2/search/?page=1"] = [lambda handler: handler.send(200, b" " * 40_000_000)]
    with pytest.raises(TextureError, match=r"sent more than \d+ bytes"):
        source().recordings()


def test_an_answer_without_the_documented_fields_is_an_error(source, server):
    server.sounds[5]["id"] = "../../../etc/passwd"
    with pytest.raises(TextureError, match=r"not what the API documents \(\('id',\)\)"):
        source().recordings()


# Once and no more


def test_each_file_is_downloaded_once_and_a_second_run_asks_nothing(
    source, server, tmp_path, monkeypatch
):
    assert fetch(source())[1] == {}
    assert files(tmp_path) == ALL_FILES
    assert server.counts == SEARCHES | PREVIEWS
    monkeypatch.delenv("FREESOUND_API_KEY")  # not needed any more
    monkeypatch.delenv("FREESOUND_OAUTH_TOKEN")
    assert fetch(source())[1] == {}
    assert server.counts == SEARCHES | PREVIEWS


@pytest.mark.parametrize(
    "stop_at",
    ["/apiv2/search/?page=1", "/apiv2/search/?page=2", "/previews/1.ogg", "/previews/5.ogg"],
)
def test_a_stopped_run_goes_on_where_it_was_and_no_request_is_lost_or_doubled(
    source, server, tmp_path, monkeypatch, stop_at
):
    import requests

    real_get = requests.Session.get

    def get(session, url, **arguments):
        page = f"?page={arguments['params']['page']}" if arguments["params"] else ""
        if stops and f"{url}{page}".endswith(stops[0]):
            stops.clear()
            raise KeyboardInterrupt
        return real_get(session, url, **arguments)

    stops = [stop_at]
    monkeypatch.setattr(requests.Session, "get", get)
    with pytest.raises(KeyboardInterrupt):
        fetch(source())
    before = files(tmp_path)
    assert before.items() <= ALL_FILES.items()
    assert fetch(source())[1] == {}
    assert files(tmp_path) == ALL_FILES
    assert server.counts == SEARCHES | PREVIEWS


def test_a_run_stopped_in_the_middle_of_a_file_leaves_no_part_of_it(
    source, server, tmp_path, monkeypatch
):
    import requests

    def half_of_it(reply, *_):
        yield sound_bytes(1)[:100_000]
        raise KeyboardInterrupt

    source().recordings()
    with monkeypatch.context() as patch:
        patch.setattr(requests.Response, "iter_content", half_of_it)
        with pytest.raises(KeyboardInterrupt):
            fetch(source())
    assert files(tmp_path) == {}
    # As a kill leaves it, which cannot tidy up.
    (tmp_path / "sounds" / "previews" / ".part-1-1.ogg").write_bytes(sound_bytes(1)[:5000])
    fetch(source())
    assert files(tmp_path) == ALL_FILES


def test_a_run_killed_in_the_middle_of_a_file_goes_on_there(source, server, tmp_path):
    def stop_half_way(handler):
        handler.file(4, 100_000)
        arrived.set()
        killed.wait(30)

    arrived, killed = threading.Event(), threading.Event()
    server.plan["/previews/4.ogg"] = [stop_half_way]
    settings = source().model_dump(mode="json")
    script = f"from real_datasets.sources.freesound import Freesound; s = Freesound(**{settings!r}); s.fetch(s.recordings())"
    run = subprocess.Popen([sys.executable, "-c", script])
    assert arrived.wait(30)
    run.kill()
    run.wait()
    killed.set()
    assert files(tmp_path).keys() >= {"1.ogg", "2.ogg", "3.ogg"}
    assert fetch(source())[1] == {}
    assert files(tmp_path) == ALL_FILES  # and nothing half-written beside them
    assert server.counts == SEARCHES | PREVIEWS | {"/previews/4.ogg": 2}


def test_another_query_is_a_new_search_but_downloads_no_file_twice(source, server, tmp_path):
    fetch(source())
    fetch(source(query="brook"))
    assert server.counts == dict.fromkeys(SEARCHES, 2) | PREVIEWS
    fetch(source())  # the first search is still there
    assert server.counts == dict.fromkeys(SEARCHES, 2) | PREVIEWS


def test_previews_and_originals_of_the_same_name_are_kept_apart(source, server, tmp_path):
    server.sounds = {1: server.sound(1, type="ogg")}
    [preview], _ = fetch(source())
    [original], _ = fetch(source(files="originals"))
    assert preview.name == original.name == "1.ogg"
    assert preview.path != original.path
    assert server.counts["/previews/1.ogg"] == server.counts["/apiv2/sounds/1/download/"] == 1


def test_an_original_of_another_size_than_freesound_says_is_downloaded_again(
    source, server, tmp_path
):
    server.sounds = {1: server.sound(1)}
    [recording], _ = fetch(source(files="originals"))
    recording.path.write_bytes(sound_bytes(1)[:-1])
    fetch(source(files="originals"))
    assert recording.path.read_bytes() == sound_bytes(1)


# What goes wrong on the way


@pytest.mark.parametrize(
    "trouble",
    [refuse(500), refuse(503), refuse(408), refuse(429, BURST), hang_up],
    ids=["500", "503", "408", "429", "hang up"],
)
@pytest.mark.parametrize("place", ["/apiv2/search/?page=2", "/previews/4.ogg"])
def test_what_passes_is_tried_again_after_longer_and_longer_waits(
    source, server, tmp_path, waits, place, trouble
):
    server.plan[place] = [trouble, trouble, trouble]
    assert fetch(source())[1] == {}
    assert files(tmp_path) == ALL_FILES
    assert waits == [5, 10, 20]  # wait_seconds, doubled
    assert server.counts == SEARCHES | PREVIEWS | {place: 4}


@pytest.mark.parametrize(("retry_after", "seconds"), [("17", 17), ("0", 0), ("soon", 5)])
def test_a_server_that_says_how_long_to_wait_is_obeyed(source, server, waits, retry_after, seconds):
    server.plan["/apiv2/search/?page=2"] = [refuse(429, BURST, Retry_After=retry_after)]
    source().recordings()
    assert waits == [seconds]


def test_a_date_to_wait_for_is_understood_too(source, server, waits):
    import time

    server.plan["/apiv2/search/?page=1"] = [
        refuse(429, Retry_After=formatdate(time.time() + 30, usegmt=True))
    ]
    source().recordings()
    assert 25 < waits[0] <= 30  # dates have whole seconds; the rest is for a busy machine


@pytest.mark.parametrize(
    ("refusal", "sentence"),
    [
        (
            refuse(429, DAILY),
            r"takes no more requests for now \(.*2000/day\)\): run it again tomorrow; .* is kept",
        ),
        (
            refuse(429, "Too many", Retry_After="7200"),
            r"run it again in 2\.0 hours; what has been fetched is kept",
        ),
        (refuse(429, "the ApiV2 credential has been suspended"), "has suspended this key"),
    ],
    ids=["daily", "hours", "suspended"],
)
def test_a_limit_that_is_not_worth_waiting_for_stops_at_once_and_keeps_what_is_there(
    source, server, tmp_path, waits, refusal, sentence
):
    server.plan["/previews/4.ogg"] = [refusal]
    with pytest.raises(TextureError, match=sentence):
        fetch(source())
    assert waits == []
    assert files(tmp_path) == {f"{sound_id}.ogg": sound_bytes(sound_id) for sound_id in (1, 2, 3)}
    fetch(source())
    assert files(tmp_path) == ALL_FILES
    assert server.counts == SEARCHES | PREVIEWS | {"/previews/4.ogg": 2}


def test_a_limit_that_does_not_pass_stops_and_keeps_what_is_there(source, server, tmp_path, waits):
    server.plan["/previews/2.ogg"] = [refuse(429, BURST)] * 5
    with pytest.raises(
        TextureError,
        match=r"no more requests for the moment .* at 5 tries; what has been fetched is kept",
    ):
        fetch(source())
    assert waits == [5, 10, 20, 40]  # 75 s in all, longer than the minute that the limit is for
    assert files(tmp_path) == {"1.ogg": sound_bytes(1)}


def test_a_server_that_is_not_there_stops_after_the_tries_and_says_so(source, server, waits):
    server.plan["/apiv2/search/?page=2"] = [hang_up] * 3
    with pytest.raises(TextureError, match=r"127\.0\.0\.1 cannot be reached, at 3 tries"):
        source(connection={"tries": 3}).recordings()
    assert len(waits) == 2


def test_a_server_that_falls_silent_is_not_waited_for_forever(source, server, waits):
    def fall_silent(handler):
        handler.send(200, b"{" * 10, {"Content-Length": "20"}, 10)
        handler.close_connection = False
        silence.wait(5)

    silence = threading.Event()
    server.plan["/apiv2/search/?page=1"] = [
        fall_silent,
        lambda handler: silence.wait(5) and hang_up(handler),
    ]
    quick = source(connection={"tries": 2, "timeout_seconds": 0.2})
    with pytest.raises(TextureError, match="does not answer, at 2 tries"):
        quick.recordings()
    silence.set()


def test_a_search_that_goes_on_failing_is_an_error_and_goes_on_from_there_later(source, server):
    server.plan["/apiv2/search/?page=2"] = [refuse(502, "Bad gateway")] * 5
    with pytest.raises(
        TextureError, match=r"the search failed: 127\.0\.0\.1 answered 502: Bad gateway, at 5 tries"
    ):
        source().recordings()
    source().recordings()
    assert server.counts == SEARCHES | {"/apiv2/search/?page=2": 6}


@pytest.mark.parametrize("has_ranges", [True, False])
@pytest.mark.parametrize("files_", ["previews", "originals"])
def test_a_cut_download_goes_on_where_it_was_or_from_the_start(
    source, server, tmp_path, has_ranges, files_
):
    server.sounds = {7: server.sound(7)}
    server.has_ranges = has_ranges
    place = "/previews/7.ogg" if files_ == "previews" else "/apiv2/sounds/7/download/"
    server.plan[place] = [cut_after(100_000), cut_after(50_000)]
    [recording], reasons = fetch(source(files=files_))
    assert reasons == {}
    assert recording.path.read_bytes() == sound_bytes(7)
    asked = [request.get("range") for name, request in server.requests if name == place]
    assert len(asked) == 3
    # What the client had read when the connection went is up to the network; but it had some.
    assert asked[0] is None
    assert re.fullmatch(r"bytes=[1-9]\d*-", asked[1])


def test_a_file_that_changed_between_two_tries_is_not_put_together_from_both(source, server):
    server.sounds = {7: server.sound(7)}

    def first_half_of_another(handler):
        handler.send(200, b"old " * 50_000, {"ETag": '"old"'}, 100_000)

    server.plan["/previews/7.ogg"] = [first_half_of_another]
    [recording], _ = fetch(source())
    assert recording.path.read_bytes() == sound_bytes(7)


def test_the_wrong_part_of_a_file_is_not_taken_for_the_right_one(source, server):
    server.sounds = {7: server.sound(7)}
    wrong = {"ETag": '"7"', "Content-Range": "bytes 4-99/1000"}
    server.plan["/previews/7.ogg"] = [
        cut_after(100_000),
        lambda handler: handler.send(206, b"x" * 96, wrong),
    ]
    [recording], _ = fetch(source())
    # From the start.
    assert ["range" in request for name, request in server.requests if "7.ogg" in name] == [
        False,
        True,
        False,
    ]
    assert recording.path.read_bytes() == sound_bytes(7)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"filesize": 5}, "200004 bytes came, of a file that has 5"),  # (50,000 + 1) times 4 bytes
        ({"md5": "0" * 32}, "other bytes came than were uploaded"),
    ],
)
def test_an_original_that_is_not_what_was_uploaded_is_not_kept(
    source, server, tmp_path, changes, reason
):
    server.sounds = {1: server.sound(1, **changes), 2: server.sound(2)}
    _, reasons = fetch(source(files="originals"))
    assert list(reasons) == ["1.wav"]
    assert reason in reasons["1.wav"]
    assert files(tmp_path) == {"2.wav": sound_bytes(2)}


def test_a_sound_that_has_gone_is_reported_and_the_others_come(source, server, tmp_path, waits):
    server.plan["/previews/2.ogg"] = [refuse(404)]
    server.plan["/previews/5.ogg"] = [refuse(403, "Not\nfor you\x1b[31m")]
    _, reasons = fetch(source())
    assert reasons == {
        "2.ogg": "127.0.0.1 does not have it (any more)",
        # One line, and nothing that colours a terminal.
        "5.ogg": "127.0.0.1 answered 403: Not for you[31m",
    }
    assert waits == []
    assert len(files(tmp_path)) == 5


def test_one_file_that_goes_on_failing_is_reported_but_three_in_a_row_stop_the_run(
    source, server, tmp_path
):
    broken = [refuse(500)] * 5
    server.plan |= {f"/previews/{sound_id}.ogg": list(broken) for sound_id in (2, 3, 5, 6)}
    _, reasons = fetch(source())
    assert set(reasons) == {"2.ogg", "3.ogg", "5.ogg", "6.ogg"}
    assert "could not be downloaded: 127.0.0.1 answered 500, at 5 tries" in reasons["2.ogg"]

    server.sounds |= {sound_id: server.sound(sound_id) for sound_id in (8, 9, 10)}
    server.plan |= {f"/previews/{sound_id}.ogg": list(broken) for sound_id in (8, 9, 10)}
    with pytest.raises(
        TextureError, match=r"3 sounds one after the other failed .* what has been fetched is kept"
    ):
        fetch(source(query="more"))
    assert len(files(tmp_path)) == 7  # those that failed at first came now


@pytest.mark.parametrize("files_", ["previews", "originals"])
def test_a_file_larger_than_allowed_is_left_out(source, server, tmp_path, files_):
    server.sounds = {1: server.sound(1), 2: server.sound(2)}

    def without_a_length(handler):  # so the size shows only while it comes
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (300_000, b"x" * 300_000))

    server.plan["/previews/2.ogg"] = [without_a_length]
    _, reasons = fetch(source(files=files_, max_megabytes=0.1))
    assert list(reasons.values()) == ["is larger than max_megabytes = 0.1 allows"] * 2
    assert files(tmp_path) == {}
    if files_ == "originals":
        # Their size is known beforehand.
        assert not any("download" in name for name in server.counts)


def test_a_web_page_is_not_taken_for_a_sound(source, server):
    server.sounds = {1: server.sound(1)}
    server.plan["/previews/1.ogg"] = [
        lambda handler: handler.send(200, b"<html>", {"Content-Type": "text/html"})
    ]
    assert fetch(source())[1] == {"1.ogg": "a web page came instead of a sound"}


def test_an_original_that_cannot_be_read_here_is_not_downloaded(source, server, tmp_path):
    server.sounds = {
        1: server.sound(1, type="m4a"),
        2: server.sound(2, type="../../x"),
        3: server.sound(3, type="AIFF"),
    }
    recordings, reasons = fetch(source(files="originals"))
    assert [recording.path.name for recording in recordings] == ["1", "2", "3.aiff"]
    assert set(reasons) == {"1", "2"}
    assert reasons["1"].startswith("its original ('m4a') cannot be read here")
    assert server.counts["/apiv2/sounds/1/download/"] == 0


# Keys


@pytest.mark.parametrize("variable", ["FREESOUND_API_KEY", "FREESOUND_OAUTH_TOKEN"])
def test_without_a_key_one_sentence_says_where_to_get_one(source, server, monkeypatch, variable):
    recordings = source(files="originals").recordings()
    monkeypatch.delenv("FREESOUND_API_KEY")
    monkeypatch.delenv("FREESOUND_OAUTH_TOKEN")
    n_requests = len(server.requests)
    if variable == "FREESOUND_API_KEY":
        with pytest.raises(
            TextureError,
            match=r"FREESOUND_API_KEY is not set: .*https://freesound\.org/apiv2/apply",
        ):
            source(query="brook").recordings()
    else:
        with pytest.raises(
            TextureError,
            match=r'FREESOUND_OAUTH_TOKEN is not set: .*"files": "previews" needs none',
        ):
            source(files="originals").fetch(recordings)
    assert len(server.requests) == n_requests


def test_a_token_alone_is_enough_to_search(source, server, monkeypatch):
    monkeypatch.delenv("FREESOUND_API_KEY")
    source().recordings()
    assert server.requests[0][1]["authorization"] == f"Bearer {TOKEN}"


def test_a_wrong_key_is_an_error_that_names_its_variable_and_not_the_key(
    source, server, monkeypatch, waits
):
    monkeypatch.setenv("FREESOUND_API_KEY", "wr0ng")
    with pytest.raises(
        TextureError, match="does not accept the key in FREESOUND_API_KEY"
    ) as raised:
        source().recordings()
    assert "wr0ng" not in str(raised.value)
    assert waits == []


def test_a_key_with_a_line_break_in_it_is_not_repeated_in_the_error(source, monkeypatch):
    monkeypatch.setenv("FREESOUND_API_KEY", f"{KEY}\nX: y")
    with pytest.raises(TextureError, match="FREESOUND_API_KEY holds spaces or signs") as raised:
        source().recordings()
    assert KEY not in str(raised.value)


def test_a_key_that_the_server_repeats_is_not_shown(source, server):
    server.plan["/apiv2/search/?page=1"] = [refuse(400, f"bad request by {KEY} and {TOKEN}")]
    with pytest.raises(TextureError, match=r"answered 400: bad request by \.\.\. and \.\.\.$"):
        source().recordings()


def test_the_key_goes_to_the_api_alone(source, server, serve):
    source_ = source(files="originals")
    elsewhere = serve([1])
    localhost = elsewhere.url.replace("127.0.0.1", "localhost")
    server.sounds = {sound_id: server.sound(sound_id) for sound_id in (1, 2, 3)}
    server.plan |= {
        "/apiv2/search/?page=1": [lead_to(f"{localhost}/apiv2/search/?page=1")],
        # As the real one leads to its file server.
        "/apiv2/sounds/1/download/": [lead_to(f"{localhost}/previews/1.ogg")],
        # The same host, at another port.
        "/apiv2/sounds/2/download/": [lead_to(f"{elsewhere.url}/previews/1.ogg")],
    }
    with pytest.raises(TextureError, match="localhost answered 401"):
        source_.recordings()
    fetch(source_)
    assert elsewhere.counts["/previews/1.ogg"] >= 2
    assert not any("authorization" in request for _, request in elsewhere.requests)
    # It did go to the API itself.
    assert all(
        "authorization" in request for name, request in server.requests if name.startswith("/apiv2")
    )


def test_the_link_to_the_next_page_is_not_followed_with_the_key(source, server):
    assert len(source().recordings()) == 7  # the fake's links lead to a host that does not exist
    assert server.counts == SEARCHES


def test_a_proxy_of_the_environments_does_not_see_what_is_for_this_machine(
    source, server, serve, monkeypatch
):
    proxy = serve()
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy.url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    fetch(source())
    assert proxy.counts == {}


def test_previews_are_asked_for_without_a_key(source, server, tmp_path, monkeypatch):
    from real_datasets._freesound.api import Api

    def trusting(api):
        api._session.trust_env = True
        return api

    for name in ("http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "")
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login ann password s3cret\n")
    netrc.chmod(0o600)
    # Which requests reads by itself, unless the API is on this machine.
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setattr(
        Freesound, "_api", lambda self: trusting(Api(self.base_url, self.connection))
    )
    fetch(source())
    previews = [request for name, request in server.requests if name.startswith("/previews")]
    assert len(previews) == 7
    assert not any("authorization" in request for request in previews)


@pytest.mark.parametrize(
    "url", ["http://example.org/1.ogg", "file:///etc/passwd", "https://[", "//x", "ftp://x/1.ogg"]
)
def test_a_preview_without_a_proper_address_is_reported(source, server, url):
    server.sounds = {1: server.sound(1, previews={"preview-hq-ogg": url}), 2: server.sound(2)}
    assert list(fetch(source())[1]) == ["1.ogg"]


def test_no_secret_is_on_disk_or_on_screen(source, server, tmp_path, capfd):
    server.plan["/previews/2.ogg"] = [refuse(400, f"{KEY}")]
    for files_ in ("previews", "originals"):
        recordings, reasons = fetch(source(files=files_))
        assert KEY not in str((recordings, reasons))
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) >= 7 + 7 + 3  # originals, previews and pages: there is something to look at
    # What goes into run.json, config.json and dataset.json.
    config = json.dumps(source().model_dump(mode="json")).encode()
    for content in [
        config,
        *(path.read_bytes() for path in written),
        "".join(capfd.readouterr()).encode(),
    ]:
        assert KEY.encode() not in content
        assert TOKEN.encode() not in content


@pytest.mark.parametrize(
    "url",
    [
        "http://freesound.org/apiv2",
        "http://127.0.0.1.example.org",
        "ftp://127.0.0.1",
        "https://ann:pw@freesound.org",
        "https://",
    ],
)
def test_a_base_url_where_the_key_would_not_be_safe_is_refused(url):
    with pytest.raises(ValueError, match="should be"):
        checked_base_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://freesound.org/apiv2/",
        "http://localhost:8000",
        "http://127.0.0.2/x",
        "http://[::1]:8000",
    ],
)
def test_a_base_url_is_of_https_or_leads_to_this_machine(url):
    assert checked_base_url(url) == url.rstrip("/")


# The config


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            {"licences": ["Atribution"]},
            r'source\.licences\.0: "Atribution" is not known \(did you mean "Attribution"\?',
        ),
        ({"licences": []}, r"source\.licences: \[\]: "),
        (
            {"gen_ai_preference": ["no-genai"]},
            r'gen_ai_preference\.0: "no-genai" is not known \(did you mean "no-gen-ai"\?',
        ),
        ({"gen_ai_preference": []}, r"source\.gen_ai_preference: \[\]: "),
        ({"query": " "}, r"source\.query: is empty and so are tags"),
        ({"seconds": [9, 1]}, r"source\.seconds: \[9\.0, 1\.0\]: should be \[at least, at most\]"),
        ({"tags": ['a" OR b']}, r"source\.tags\.0: "),
        (
            {"base_url": "http://x.org"},
            r'source\.base_url: "http://x\.org": should begin with https://',
        ),
        ({"querry": "x"}, r'source\.querry: no such key \(did you mean "query"\?'),
    ],
)
def test_a_wrong_setting_is_one_sentence_that_names_it(tmp_path, settings, sentence):
    path = tmp_path / "real.json"
    given = {"type": "freesound", "folder": "sounds", "query": "stream", **settings}
    path.write_text(json.dumps({"output": "real", "source": given}))
    with pytest.raises(UsageError, match=sentence):
        load_config(path, RealConfig)


def test_what_is_there_so_far_is_told_without_asking_anybody(source, server):
    assert source().so_far().endswith("sounds: the search is not finished")
    recordings = source().recordings()
    source().fetch(recordings[:2])
    n_requests = len(server.requests)
    assert source().so_far().endswith("sounds: 7 sounds found, 2 of them downloaded (0 MB)")
    assert len(server.requests) == n_requests


def test_a_wait_is_told_and_waited(monkeypatch, capsys):
    monkeypatch.undo()  # of what nobody really waits
    slept = []
    monkeypatch.setattr(retries.time, "sleep", slept.append)
    retries._wait(60, "freesound.org takes no more requests for the moment (60/minute)")
    assert slept == [60]
    assert (
        capsys.readouterr().err
        == "freesound.org takes no more requests for the moment (60/minute): waiting 60 s\n"
    )
