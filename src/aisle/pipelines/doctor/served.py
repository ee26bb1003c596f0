"""Are the versions that are served whole, and has each all that the journal holds?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from aisle.core.errors import AisleError
from aisle.pipelines.doctor.finding import DAMAGE, Finding, State
from aisle.store import JournalView, inspect_journal
from aisle.workspace import Manifest, verify_files

__all__ = ["JOURNAL", "VERSIONS", "served_findings"]

JOURNAL, VERSIONS = "journal", "versions"
"""Folders of a workspace."""

_CURRENT, _STATE = "current", "store/state.json"
_MUCH_LAG = 10_000
"""Changes that a store may be behind without a word: they are applied when it is opened."""


def served_findings(workspace: Path) -> Iterator[Finding]:
    """Look at the journal of a workspace and at every version; neither is opened for writing, so a service may run.

    Args:
        workspace: Its folder.
    """
    view = None
    if (workspace / JOURNAL).exists():
        finding, view = _journal(workspace / JOURNAL)
        yield finding
    if (workspace / VERSIONS).is_dir():
        yield from _versions(workspace / VERSIONS, view)


def _journal(folder: Path) -> tuple[Finding, JournalView | None]:
    try:
        view = inspect_journal(folder)
    except AisleError as error:
        return Finding("journal", "journal", "problem", str(error), error.remedy), None
    except DAMAGE as error:
        remedy = f"Put {folder} back from a copy: what it holds since the last import stands nowhere else."
        return Finding("journal", "journal", "problem", f"it cannot be read: {error}", remedy), None
    told = f"{view.product_changes:,} product changes and {view.events:,} events, up to offset {view.head:,}"
    return Finding("journal", "journal", "ok", f"{told}; {view.size_bytes / 1e6:,.1f} MB"), view


def _versions(folder: Path, journal: JournalView | None) -> Iterator[Finding]:
    found = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    unfinished = sorted(path.name for path in folder.iterdir() if path.is_dir() and path.name.startswith("."))
    current = _current(folder / _CURRENT)
    for path in found:
        yield _version(path, journal, is_current=path.name == current)
    if unfinished:
        told = f"being built, or left by a build that was killed: {', '.join(unfinished)}"
        yield Finding("versions", "unfinished", "warning", told, "`aisle serve` takes them away when it starts.")
    if found and current not in {path.name for path in found}:
        told = f"none of the versions is the current one ({current or 'no name is noted'})"
        yield Finding("versions", _CURRENT, "problem", told, "Run `aisle serve`: it builds one, and notes it.")


def _current(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return None


def _version(folder: Path, journal: JournalView | None, *, is_current: bool) -> Finding:
    name = f"{folder.name} (current)" if is_current else folder.name
    remedy = f"Delete {folder} and run `aisle serve`: a version is built again from workspace and journal."
    try:
        manifest = Manifest.read(folder)
        verify_files(folder, manifest.files)
        applied = int(json.loads((folder / _STATE).read_text(encoding="utf-8"))["applied_offset"])
    except AisleError as error:
        return Finding("versions", name, "problem", str(error), remedy)
    except DAMAGE as error:
        return Finding("versions", name, "problem", f"{type(error).__name__}: {error}", remedy)
    told = f"{len(manifest.files)} files as written on {manifest.created_at}; changes applied up to {applied:,}"
    return _compared(Finding("versions", name, "ok", told), applied, journal, remedy=remedy)


def _compared(finding: Finding, applied: int, journal: JournalView | None, *, remedy: str) -> Finding:
    """Hold what a store has against what the journal holds."""
    head = journal.head if journal is not None else 0
    if journal is None and applied == 0:
        return finding
    if applied > head:
        told = f"its store has changes up to {applied:,}, the journal holds them up to {head:,} only"
        return Finding("versions", finding.name, "problem", told, remedy)
    state: State = "warning" if head - applied > _MUCH_LAG else "ok"
    told = f"{finding.told} of {head:,}"
    return Finding(
        "versions", finding.name, state, told, "Restart `aisle serve`, or build a version." if state != "ok" else ""
    )
