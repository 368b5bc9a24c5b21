"""What MkDocs adds to the pages in this folder: those that are made from the code, the benchmarks,
and the patches."""

from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

from texture_pipeline.command_reference import command_page
from texture_pipeline.config_reference import config_pages

_ROOT = Path(__file__).parents[1]
_PATCHES = _ROOT / "synthetic_datasets" / "patches"


def on_files(files: Files, config: Any, **_: Any) -> Files:
    made = {f"reference/config/{name}": page for name, page in config_pages().items()}
    made["reference/commands.md"] = command_page()
    made["benchmarks.md"] = (
        (_ROOT / "benchmarks" / "RESULTS.md")
        .read_text(encoding="utf-8")
        .replace("# Results", "# Benchmarks", 1)
    )
    for name, page in made.items():
        files.append(File.generated(config, name, content=page))
    for path in _PATCHES.iterdir():
        files.append(File.generated(config, f"patches/{path.name}", abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    # In the repository the patches lie with the code that plays them; here beside the page.
    return markdown.replace("../synthetic_datasets/patches/", "patches/")
