"""The packages that the toolkit needs, read from its own metadata, and the sentence for one that
is missing."""

import re
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, requires
from traceback import walk_tb
from typing import TYPE_CHECKING, Any

from texturelib.errors import first_line

if TYPE_CHECKING:
    from packaging.requirements import Requirement

TOOLKIT = "texture-toolkit"
EXTRA_OF = {  # a package of ours, and its extra in pyproject.toml
    "synthetic_datasets": "synthetic",
    "real_datasets": "real",
    "domain_adaptation": "adaptation",
    "conditioned_synthesis": "synthesis",
    "texture_pipeline": "page",
}
_OTHER_EXTRAS = ("onnx", "judge", "dask", "ray", "live", "visqol", "pesq")
# Packages whose import names differ.
_PACKAGE_OF = {
    "lightning_fabric": "lightning-fabric",
    "pythonosc": "python-osc",
    "yaml": "pyyaml",
    "visqol": "visqol-python",
}


def needed(extras: Sequence[str]) -> "list[Requirement]":
    """Return the requirements of the toolkit with these extras, each once. Errors:
    PackageNotFoundError when the toolkit is not installed."""
    from packaging.requirements import Requirement

    listed = [Requirement(line) for line in requires(TOOLKIT) or ()]
    found: dict[str, Requirement] = {}
    to_do, seen = ["", *extras], set()
    while to_do:
        extra = to_do.pop(0)
        seen.add(extra)
        # Requirements without an extra, and those of this extra.
        for each in listed:
            if each.marker is not None and not each.marker.evaluate({"extra": extra}):
                continue
            if each.name == TOOLKIT:
                to_do += [other for other in sorted(each.extras) if other not in seen]
            else:
                found.setdefault(each.name, Requirement(f"{each.name}{each.specifier}"))
    return list(found.values())


def not_importable(error: ImportError) -> str | None:
    """Return a sentence about a package that a command needs and that is missing or does not
    load; None where the missing module is one of ours or part of a package, which is a bug."""
    module = (error.name or "").partition(".")[0]
    if not module or module in {*EXTRA_OF, "texturelib"} or "." in str(error.name):
        return None
    package = _PACKAGE_OF.get(module, module.replace("_", "-"))
    if not isinstance(error, ModuleNotFoundError):
        is_compiled = ".so" in f"{error.path} {error}"
        return (
            f"{package} is installed but does not load ({first_line(error)})"
            if is_compiled
            else None
        )
    ours = [name for name in _packages_of(error) if name in EXTRA_OF]
    for extra in ["", *(EXTRA_OF[name] for name in ours), *EXTRA_OF.values(), *_OTHER_EXTRAS]:
        if _needs(extra, package):
            whole = f"{TOOLKIT}[{extra}]" if extra else TOOLKIT
            brings = f'the extra "{extra}" brings it' if extra else "the toolkit needs it"
            return f'{package} is not installed; {brings}: pip install "{whole}"'
    return f"{package} is not installed, but something that is installed needs it; make setup, or pip install {package}"


def _needs(extra: str, package: str) -> bool:
    try:
        return package in {_normal(each.name) for each in needed([extra])}
    except (PackageNotFoundError, ImportError):
        return False


def _packages_of(error: BaseException) -> Iterator[str]:
    """Yield the packages whose code was running when the error was raised, the innermost first."""
    frames: list[Any] = [frame for frame, _ in walk_tb(error.__traceback__)]
    for frame in reversed(frames):
        yield str(frame.f_globals.get("__name__")).partition(".")[0]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
