"""Is every artefact of a workspace there, as it was written, and made of the present others?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from aisle.core.errors import AisleError
from aisle.core.progress import Advance
from aisle.pipelines.doctor.finding import DAMAGE, Finding, State
from aisle.pipelines.doctor.served import JOURNAL, VERSIONS
from aisle.workspace import Manifest, Workspace, verify_files

__all__ = ["artefact_findings", "num_files"]

_ELSEWHERE = (VERSIONS, JOURNAL)
_COMMANDS = {
    "simulation": "aisle simulate",
    "truth": "aisle simulate",
    "mined": "aisle mine",
    "pretrained": "aisle pretrain",
    "features": "aisle train",
    "text_vectors": "aisle train",
    "model": "aisle train",
    "index": "aisle index",
    "boost": "aisle boost",
    "tuning": "aisle tune",
}
_TABLES = ("products", "judgments", "searches", "impressions", "events", "users")
_REFUSED = {"index": ("products", "model"), "boost": ("index",), "mined": ("searches", "impressions", "products")}
"""Artefact → inputs whose change makes every later command refuse it; others are told only."""

_CHAIN = ("products", "mined", "features", "model", "index", "boost", "tuning")


def num_files(workspace: Workspace) -> int:
    """Return how many artefacts there are to look at."""
    return len(_folders(workspace))


def artefact_findings(workspace: Workspace, advance: Advance) -> Iterator[Finding]:
    """Look at every artefact, then tell what to run next.

    Args:
        workspace: Opened.
        advance: Called after each artefact.
    """
    broken, stale = [], []
    for folder in _folders(workspace):
        name = folder.relative_to(workspace.path).as_posix()
        finding = _artefact(workspace, folder, name)
        yield finding
        if finding.state == "problem":
            broken.append(name)
        if finding.state != "ok":
            stale.append(name)
        advance(1, name)
    yield from _left_overs(workspace)
    yield _next_step(workspace, broken=broken, stale=stale)


def _folders(workspace: Workspace) -> list[Path]:
    """Return the folders of all artefacts, and of what was kept below one, such as an evaluation."""
    workspace.names()  # puts an artefact back that a kill left aside
    found = {path.parent for depth in ("*", "*/*", "*/*/*") for path in workspace.path.glob(f"{depth}/manifest.json")}
    outside = {workspace.path / name for name in (*_ELSEWHERE, ".partial")}
    return sorted(path for path in found if not outside & {path, *path.parents})


def _artefact(workspace: Workspace, folder: Path, name: str) -> Finding:
    try:
        manifest = Manifest.read(folder)
        verify_files(folder, manifest.files)
        changed = _changed_inputs(workspace, manifest) if folder.parent == workspace.path else []
        told = f"{len(manifest.files)} files as written on {manifest.created_at}"
    except AisleError as error:
        return Finding("workspace", name, "problem", str(error), _remake(name, folder))
    except DAMAGE as error:
        told = f"its manifest is not as it was written ({type(error).__name__}: {error})"
        return Finding("workspace", name, "problem", told, _remake(name, folder))
    if not changed:
        return Finding("workspace", name, "ok", told)
    state: State = "problem" if set(changed) & set(_REFUSED.get(name, ())) else "warning"
    told = f"made before the present {', '.join(changed)}"
    return Finding("workspace", name, state, told, f"Run `{_command(name)}` again.")


def _changed_inputs(workspace: Workspace, manifest: Manifest) -> list[str]:
    """Return the artefacts that are no longer what an artefact was made of; inputs from elsewhere are not known."""
    changed = {
        name.partition("/")[0]
        for name, content in manifest.inputs.items()
        if _present(workspace, name, content) not in {None, content}
    }
    return sorted(changed)


def _present(workspace: Workspace, name: str, content: str) -> str | None:
    """Return the hash that now stands for an input; None where it is none of this workspace's."""
    artefact, _, file = name.partition("/")
    if not workspace.has(artefact):
        return None
    manifest = workspace.manifest(artefact)
    if file:
        return manifest.files.get(file) or manifest.files.get(f"{file}.parquet") or "none"
    return content if content in manifest.files.values() else manifest.content


def _command(name: str) -> str:
    first = name.partition("/")[0]
    if first in _TABLES:
        return f"aisle import --{first} FILE"
    return _COMMANDS.get(first, f"aisle {first}")


def _remake(name: str, folder: Path) -> str:
    return f"Delete {folder} and run `{_command(name)}` again."


def _left_overs(workspace: Workspace) -> Iterator[Finding]:
    partial = sorted(path.name for path in workspace.path.glob(".partial/*") if path.is_dir())
    if partial:
        told = f"steps that did not end, or are running: {', '.join(partial)}"
        remedy = f"Run them again: they go on where they were. Else delete {workspace.path / '.partial'}."
        yield Finding("workspace", "unfinished", "warning", told, remedy)
    known = {path.relative_to(workspace.path).parts[0] for path in _folders(workspace)} | set(_ELSEWHERE)
    others = sorted(
        path.name
        for path in workspace.path.iterdir()
        if path.is_dir() and not path.name.startswith(".") and path.name not in known
    )
    if others:
        told = f"folders without a manifest: {', '.join(others)}"
        yield Finding("workspace", "others", "warning", told, "No step wrote these; delete them if nobody needs them.")


def _next_step(workspace: Workspace, *, broken: list[str], stale: list[str]) -> Finding:
    def told(state: State, text: str, command: str) -> Finding:
        return Finding("workspace", "next", state, text, f"Run `{command}`.")

    for name in _CHAIN:
        if name in broken:
            return told("problem", f"{name} is not usable", _command(name))
        if name in stale:
            return told("warning", f"{name} is not of the present data", _command(name))
        needed = name in {"products", "model", "index"} or (name == "mined" and _has_log(workspace))
        if needed and not workspace.has(name):
            return told("warning", f"there is no {name} yet", _command(name))
    return Finding("workspace", "next", "ok", "everything is there: `aisle search`, `aisle evaluate`, `aisle serve`")


def _has_log(workspace: Workspace) -> bool:
    return workspace.has("searches") and workspace.has("impressions")
