"""Check that the stages have what they need: Python and its packages, programs, cores, memory,
and the device that trainings would compute on."""

import importlib
import os
import platform
import time
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from texture_pipeline.doctor.findings import Finding
from texture_pipeline.doctor.plan import Plan
from texture_pipeline.stages import STAGES, Job
from texturelib.caches import NUMBA, place_of_compiled_code
from texturelib.errors import TextureError, first_line
from texturelib.extras import EXTRA_OF, TOOLKIT, needed
from texturelib.memory import memory

_AREA = "environment"
_PAGE = "page"

# Compiled packages, which may be installed and still not load.
_IMPORTED = {
    "numba": "numba",
    "torch": "torch",
    "lightning-fabric": "lightning_fabric",
}


def look_at_environment(plan: Plan | None) -> Iterator[Finding]:
    """Check the environment. plan: the commands to check for; None: everything that the toolkit
    can do."""
    packages = (
        {job.stage.package for job in plan.jobs} if plan else {stage.package for stage in STAGES}
    )
    extras = {EXTRA_OF[package] for package in packages} | (
        {_PAGE} if plan is None or plan.is_whole else set()
    )
    found: dict[str, str] = {}
    yield from _packages(sorted(extras), found)
    yield from _imports([name for name in _IMPORTED if name in found])
    yield from _programs(plan.jobs if plan else None)
    yield from _caches()
    yield Finding(_AREA, "ok", _machine())
    if "torch" in found:
        yield from _accelerators(plan.jobs if plan else None)


def _packages(extras: Sequence[str], found: dict[str, str]) -> Iterator[Finding]:
    """Check the packages. found: receives the installed versions, by name."""
    try:
        requirements = needed(extras)
    except PackageNotFoundError:
        yield Finding(
            _AREA,
            "NO",
            f"Python {platform.python_version()} does not have {TOOLKIT}",
            "run it from .venv/bin",
        )
        return
    lacking = []
    for requirement in requirements:
        try:
            found[requirement.name] = there = version(requirement.name)
        except PackageNotFoundError:
            lacking.append(str(requirement))
            continue
        if requirement.specifier.contains(there, prereleases=True):
            continue
        pinned = str(requirement.specifier).startswith("==")
        wanted = f"{requirement.name} is {there}, and {requirement.specifier} is {'what is tested' if pinned else 'needed'}"
        yield Finding(_AREA, "note" if pinned else "NO", wanted, f'pip install "{requirement}"')
    for each in lacking:
        yield Finding(
            _AREA, "NO", f"{each} is not installed", f'pip install "{each}", or make setup'
        )
    of = f" for {', '.join(extras)}" if extras else ""
    versions = ", ".join(f"{name} {there}" for name, there in found.items())
    yield Finding(_AREA, "ok", f"Python {platform.python_version()}; packages{of}: {versions}")


def _imports(names: Sequence[str]) -> Iterator[Finding]:
    began = time.monotonic()
    for name in names:
        try:
            importlib.import_module(_IMPORTED[name])
        except (ImportError, OSError) as error:  # OSError: a missing shared library
            yield Finding(
                _AREA,
                "NO",
                f"{name} is installed but does not import ({first_line(error)})",
                f"install {name} again",
            )
    if names:
        yield Finding(
            _AREA, "ok", f"imported in {time.monotonic() - began:.1f} s: {', '.join(names)}"
        )


def _programs(jobs: Sequence[Job] | None) -> Iterator[Finding]:
    if jobs is None:
        try:
            from synthetic_datasets.engines.puredata import PureData

            yield Finding(_AREA, "ok", f"Pure Data {PureData.programs()['puredata']}, for patches")
        except TextureError as error:
            yield Finding(_AREA, "note", f"{error} (only patches need it)")
        except ImportError:
            pass  # already reported
        return
    for job in jobs:
        if engine := getattr(job.config, "engine", None):
            try:
                for name, there in engine.programs().items():
                    yield Finding(_AREA, "ok", f"{name} {there}, for {job.path.name}")
            except TextureError as error:
                yield Finding(_AREA, "NO", f"{job.path.name}: {error}")


def _caches() -> Iterator[Finding]:
    place, stays = place_of_compiled_code()
    if stays:
        yield Finding(_AREA, "ok", f"compiled code is kept in {place}")
    else:
        words = f"neither the toolkit's folder nor the home folder can be written: compiled code is kept in {place}"
        yield Finding(
            _AREA,
            "note",
            words,
            f"set {NUMBA} to a folder that stays, so that it is not compiled again",
        )


def _machine() -> str:
    import joblib

    total, free = memory()
    load = os.getloadavg()[0]
    busy = (
        f"; busy (load {load:.1f}), which goes into what is measured"
        if load > joblib.cpu_count()
        else ""
    )
    return f"{joblib.cpu_count()} cores{busy}; {total / 2**30:.1f} GiB of memory, {free / 2**30:.1f} of it free"


def _accelerators(jobs: Sequence[Job] | None) -> Iterator[Finding]:
    from texturelib.learning.compute import ComputeConfig, start_fabric

    try:
        import lightning_fabric  # noqa: F401
        import torch
    except (ImportError, OSError):
        return  # already reported
    wanted = (
        {job.path.name: getattr(job.config, "compute", None) for job in jobs}
        if jobs is not None
        else {"": ComputeConfig()}
    )
    said: set[str] = set()
    for name, compute in wanted.items():
        if compute is None:
            continue
        place = f"{name}: " if name else ""
        try:
            device = start_fabric(compute).device
        except TextureError as error:
            mend = 'set compute.accelerator to "auto" or "cpu", or install the torch that belongs to the accelerator'
            yield Finding(_AREA, "NO", f"{place}{error}", mend)
            continue
        words = f"trainings compute on {_described(device)}"
        if compute.processes > 1 or compute.precision != "32-true":
            words += f", {compute.processes} processes, {compute.precision}"
        if words not in said:
            said.add(words)
            yield Finding(_AREA, "ok", f"{place}{words}")
    if not torch.cuda.is_available() and Path("/dev/nvidia0").exists():
        yield Finding(
            _AREA, "note", f"there is an NVIDIA GPU, but torch {torch.__version__} cannot use it"
        )


def _described(device: Any) -> str:
    import torch

    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        return f"{torch.cuda.get_device_name(device)}, {free / 2**30:.0f} of {total / 2**30:.0f} GiB free"
    return (
        f"the CPU, up to {torch.get_num_threads()} threads" if device.type == "cpu" else str(device)
    )
