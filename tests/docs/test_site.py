"""`make docs`: the site is built without a warning, and can be read without a network."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    pytest.importorskip("material", reason="needs mkdocs-material (`make docs` installs it)")
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        cwd=ROOT,
        env={"NO_MKDOCS_2_WARNING": "1", "PATH": "", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder


def test_every_page_is_in_the_site(site):
    pages = {
        path.relative_to(ROOT / "docs").with_suffix(".html").as_posix()
        for path in (ROOT / "docs").rglob("*.md")
    }
    made = {"reference/commands.html", "reference/config/adaptation.html", "benchmarks.html"}
    assert pages | made <= {path.relative_to(site).as_posix() for path in site.rglob("*.html")}


def test_nothing_is_fetched_to_show_a_page(site):
    for path in site.rglob("*.html"):
        html = path.read_text(encoding="utf-8")
        fetched = re.findall(r'<(?:script|img|iframe)[^>]*\ssrc="?([^"\s>]+)', html) + re.findall(
            r'<link[^>]*\srel="?(?:stylesheet|icon|preconnect)"?[^>]*\shref="?([^"\s>]+)', html
        )
        assert not [target for target in fetched if target.startswith(("http", "//"))], path.name


def test_search_needs_no_server(site):
    assert (site / "search" / "search_index.js").is_file()
    assert 'src="iframe-worker.js"' in (site / "index.html").read_text()


def test_patches_can_be_taken_from_their_page(site):
    links = re.findall(r'href="(patches/[^"]+)"', (site / "patches.html").read_text())
    assert {"patches/template.pd", "patches/dataset_receiver.maxpat"} <= set(links)
    assert all((site / link).is_file() for link in links)
