"""Is the machine fit, and are the packages there?"""

from __future__ import annotations

import importlib
import os
import platform
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from aisle.core.memory import available_memory
from aisle.pipelines.doctor.finding import Finding, State

__all__ = ["disk_finding", "installation_findings"]

_GIB = 1 << 30
_LEAST_MEMORY, _LEAST_DISK = 2 * _GIB, 2 * _GIB
_FEATURES = ("avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16")
_NATIVE = ("torch", "faiss", "onnxruntime", "pyarrow", "duckdb", "tokenizers")
"""Packages of compiled code, which can be there and still not load on a machine."""

_EXTRAS = {
    "serve": "`aisle serve`",
    "cluster": "a store in a Qdrant cluster",
    "train": "TensorBoard's curves",
    "peers": "sentence-transformers as a competitor",
}
_EXTRA = re.compile(r"extra\s*==\s*['\"]([\w-]+)['\"]")


def installation_findings(
    requires: Callable[[str], list[str] | None] = metadata.requires,
    version_of: Callable[[str], str] = metadata.version,
    cpuinfo: Path = Path("/proc/cpuinfo"),
) -> Iterator[Finding]:
    """Look at Python, the packages of each extra, processor, threads and memory.

    Args:
        requires: Tells what a distribution requires; raises `PackageNotFoundError` where it is not installed.
        version_of: Tells a distribution's version; raises likewise.
        cpuinfo: Linux's description of the processor.
    """
    yield Finding("installation", "python", "ok", f"{platform.python_version()} ({platform.machine()})")
    yield from _packages(requires, version_of)
    yield _native()
    yield _sqlite()
    yield _processor(cpuinfo)
    yield _threads()
    yield _memory(available_memory())


def disk_finding(folder: Path) -> Finding:
    """Look at the room that is left where a workspace lies, or will lie."""
    there = next(one for one in (folder.resolve(), *folder.resolve().parents) if one.exists())
    left = shutil.disk_usage(there).free
    told = f"{left / _GIB:,.1f} GiB free at {there}"
    if left >= _LEAST_DISK:
        return Finding("installation", "disk", "ok", told)
    return Finding("installation", "disk", "warning", told, "Make room: steps write their result beside the old one.")


def _packages(requires: Callable[[str], list[str] | None], version_of: Callable[[str], str]) -> Iterator[Finding]:
    try:
        stated = requires("aisle") or []
    except metadata.PackageNotFoundError:
        told = "aisle runs from a folder and is not installed, so what it requires is not known"
        yield Finding("installation", "packages", "warning", told, "Run `pip install -e .` in its folder.")
        return
    by_extra: dict[str, list[Requirement]] = {"": []}
    for one in map(Requirement, stated):
        extra = _EXTRA.search(str(one.marker or ""))
        by_extra.setdefault(extra.group(1) if extra else "", []).append(one)
    yield _group("aisle", by_extra[""], version_of, bad="problem", remedy="Run `pip install aisle` again.")
    for name, purpose in _EXTRAS.items():
        remedy = f"For {purpose} run `pip install 'aisle[{name}]'`."
        bad: State = "warning" if name == "serve" else "ok"
        yield _group(f"aisle[{name}]", by_extra.get(name, []), version_of, bad=bad, remedy=remedy)


def _group(
    name: str, wanted: list[Requirement], version_of: Callable[[str], str], *, bad: State, remedy: str
) -> Finding:
    """Tell the versions of some packages; one of another version than is required is a problem wherever it stands."""
    told, missing, unfit = [], [], []
    for one in wanted:
        try:
            version = version_of(one.name)
        except metadata.PackageNotFoundError:
            missing.append(one.name)
            continue
        told.append(f"{one.name} {version}")
        if not one.specifier.contains(version, prereleases=True):
            unfit.append(f"{one.name} {version} is not {one.specifier}")
    notes = [*unfit, *([f"missing: {', '.join(missing)}"] if missing else [])]
    state: State = "problem" if unfit else bad if missing else "ok"
    text = "; ".join([*notes, ", ".join(told)] if told else notes) or "no extra of the installed version"
    return Finding("installation", name, state, text, remedy if notes else "")


def _native() -> Finding:
    broken = []
    for name in _NATIVE:
        try:
            importlib.import_module(name)
        except (ImportError, OSError) as error:
            broken.append(f"{name}: {str(error).partition(chr(10))[0]}")
    if broken:
        return Finding(
            "installation", "compiled packages", "problem", "; ".join(broken), "Install these packages again."
        )
    return Finding("installation", "compiled packages", "ok", f"{', '.join(_NATIVE)} load")


def _sqlite() -> Finding:
    return Finding("installation", "sqlite", "ok", sqlite3.sqlite_version)


def _processor(cpuinfo: Path) -> Finding:
    try:
        text = cpuinfo.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return Finding("installation", "processor", "ok", f"{platform.machine()}, features not known")
    flags = set(next((line for line in text.splitlines() if line.startswith("flags")), "").split())
    found = [name for name in _FEATURES if name in flags]
    if platform.machine() == "x86_64" and "avx2" not in flags:
        told = "no AVX2"
        return Finding("installation", "processor", "warning", told, "Search and training are several times slower.")
    return Finding("installation", "processor", "ok", ", ".join(found) or platform.machine())


def _threads() -> Finding:
    allowed, cores = len(os.sched_getaffinity(0)), os.cpu_count()
    asked = os.environ.get("OMP_NUM_THREADS")
    told = f"{allowed} of {cores} cores" + (f", OMP_NUM_THREADS={asked}" if asked else "")
    if asked and asked.isdecimal() and int(asked) > allowed:
        remedy = "Set OMP_NUM_THREADS to the cores that may be used, or leave it out: threads that wait for each other."
        return Finding("installation", "threads", "warning", told, remedy)
    return Finding("installation", "threads", "ok", told)


def _memory(left: int | None) -> Finding:
    if left is None:
        return Finding("installation", "memory", "ok", "not known")
    told = f"{left / _GIB:,.1f} GiB available"
    if left >= _LEAST_MEMORY:
        return Finding("installation", "memory", "ok", told)
    return Finding("installation", "memory", "warning", told, "Close other programs, or train with smaller batches.")
