"""What the code never does, whatever it is given: found by reading it."""

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = (
    "texturelib",
    "synthetic_datasets",
    "real_datasets",
    "domain_adaptation",
    "conditioned_synthesis",
    "texture_pipeline",
)
FILES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """Return every call in a file, with the name of what is called, as far as it has one."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def option(call: ast.Call, name: str) -> object:
    return next((ast.literal_eval(each.value) for each in call.keywords if each.arg == name), None)


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{each.name}" for each in node.names} | {str(node.module)}
    return found


def test_all_of_the_code_is_looked_at() -> None:
    assert len(FILES) > 150


def test_no_code_of_others_is_run_and_nothing_is_unpacked() -> None:
    for path in FILES:
        place = str(path.relative_to(ROOT))
        for name, call in calls(path):
            last = name.rpartition(".")[2]
            assert name not in ("eval", "exec", "os.system", "os.popen", "compile", "__import__"), (
                place,
                name,
            )
            assert last not in (
                "unpack_archive",
                "extractall",
                "read_pickle",
                "download",
                "validate_zip",
            ), (place, name)
            assert not name.startswith(
                ("pickle.", "marshal.", "shelve.", "dill.", "yaml.", "joblib.load")
            ), (place, name)
            assert option(call, "shell") is None, (
                f"{place}: {name}: a shell's words would depend on what files are called"
            )
            if name == "torch.load":
                assert option(call, "weights_only") is True, place
            if name in ("np.load", "numpy.load"):
                assert option(call, "allow_pickle") is False, place
        assert not imported(path) & (
            {"pickle", "marshal", "shelve", "tarfile", "zipfile", "yaml"}
            - ALLOWED.get(place, set())
        ), place


# What names the globals of a weights file without loading it; and what takes source paths out of a
# file that it has just written.
ALLOWED = {
    "texturelib/learning/tensors.py": {"pickle", "zipfile"},
    "conditioned_synthesis/exporters/nn_tilde.py": {"zipfile"},
}

SERVERS = {
    "http.server",
    "socketserver",
    "asyncio",
    "xmlrpc.server",
    "flask",
    "uvicorn",
    "tensorboard.program",
}


def test_nothing_listens_but_on_this_machine() -> None:
    for path in FILES:
        assert "0.0.0.0" not in path.read_text(encoding="utf-8"), path
        # Whose own tests look at every port of the real clusters.
        if path.parent.name != "executors":
            assert not imported(path) & SERVERS, path
        for name, call in calls(path):
            if name.rpartition(".")[2] in ("bind", "create_server"):
                address = ast.unparse(call.args[0])
                assert address.startswith(("(LOOPBACK,", "(_LOOPBACK,", "(_GUARDS,")), (
                    f"{path}: {name}({address})"
                )


def test_an_instrument_that_is_played_listens_on_this_machine_alone_unless_told_otherwise() -> None:
    from conditioned_synthesis.cli import play

    assert inspect.signature(play).parameters["host"].default == "127.0.0.1"


def test_the_receiver_of_patches_listens_on_this_machine_alone() -> None:
    receiver = (ROOT / "synthetic_datasets/patches/dataset_receiver.pd").read_text()
    listening = [line for line in receiver.splitlines() if "msg" in line and "listen" in line]
    assert listening
    assert all("127.0.0.1" in line for line in listening)
    for patch in (ROOT / "synthetic_datasets/patches").glob("*.pd"):
        for line in patch.read_text().splitlines():
            assert "netreceive" not in line or line.endswith("netreceive -u -b;"), (
                "no port that it opens by itself"
            )


# A listening test asks, in one page without a server; what it is told stands in it as JSON.
WITH_SCRIPTS = {"listening.html"}


def test_pages_are_escaped_and_hold_no_scripts_where_none_is_needed() -> None:
    templates = [path for package in PACKAGES for path in (ROOT / package).glob("templates/*.html")]
    assert len(templates) >= 3
    for path in templates:
        text = path.read_text(encoding="utf-8")
        assert ("<script" in text) == (path.name in WITH_SCRIPTS)
        assert "autoescape" not in text
        for part in text.split("|safe")[:-1]:
            assert part.rpartition("{{")[2].strip().startswith("' class="), (
                "only what stands in the template itself is safe"
            )
        for attribute in ("src=", "href=", "alt=", "title=", "style="):
            for part in text.split(attribute)[1:]:
                assert part.startswith('"'), (
                    f"{path.name}: {attribute}{part[:40]}: in quotes, or a space would end it"
                )
