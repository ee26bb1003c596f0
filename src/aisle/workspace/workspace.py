"""The workspace: where artefacts lie, and how a step replaces one."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from aisle.core.errors import WorkspaceError
from aisle.workspace.hashing import fingerprint
from aisle.workspace.manifest import CARD, MANIFEST_NAME, Manifest, verify_files

__all__ = ["FORMAT_VERSION", "StepResult", "Workspace"]

FORMAT_VERSION = 1
"""Version of the folder's layout; a workspace of another version is refused."""

_COMMANDS = {
    "products": ": `aisle import --products FILE`",
    "judgments": ": `aisle import --judgments FILE`",
    "searches": ": `aisle import --searches FILE`",
    "impressions": ": `aisle import --impressions FILE`",
    "mined": ": `aisle mine`",
    "pretrained": ": `aisle pretrain`",
    "features": ": `aisle train`",
    "model": ": `aisle train`",
    "index": ": `aisle index`",
}
_MARKER = "workspace.json"
_OLD = "old."


@dataclass(frozen=True)
class StepResult:
    """What became of a step.

    Attributes:
        manifest: The artefact's manifest.
        skipped: True where nothing had changed and the artefact was kept.
    """

    manifest: Manifest
    skipped: bool


class Workspace:
    """A folder of artefacts, one folder each, with a manifest.

    An artefact is built in `.partial/<step>-<fingerprint>` and renamed into place when it is whole, so a killed step
    leaves either the old artefact or the new one. The partial folder survives a kill: a step that keeps checkpoints
    there resumes from them when it is run again with the same inputs and config.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def open(cls, path: Path, *, create: bool = False) -> Workspace:
        """Open a workspace, or create it.

        Raises:
            WorkspaceError: If it is missing (without `create`), is another kind of folder, or is of another version.
        """
        marker = path / _MARKER
        if not marker.exists():
            if not create:
                raise WorkspaceError(
                    "The workspace must exist",
                    received={"workspace": str(path)},
                    remedy="Run `aisle import` first.",
                )
            _create(path)
        _check_version(marker)
        return cls(path)

    @classmethod
    def plan(cls, path: Path) -> Workspace:
        """Open a workspace, or plan one that its first step makes: a command that fails before leaves nothing behind.

        Raises:
            WorkspaceError: If it is another kind of folder, or of another version.
        """
        if (path / _MARKER).exists():
            return cls.open(path)
        _check_new(path)
        return cls(path)

    def folder(self, name: str) -> Path:
        """Return where the artefact lies, without checking it."""
        return self.path / name

    def has(self, name: str) -> bool:
        """Tell whether the artefact exists (whole, as artefacts only exist whole)."""
        manifest = self.folder(name) / MANIFEST_NAME
        if not manifest.exists():
            self._recover(name)
        return manifest.exists()

    def manifest(self, name: str) -> Manifest:
        """Return the artefact's manifest.

        Raises:
            WorkspaceError: If the artefact does not exist.
        """
        if not self.has(name):
            raise WorkspaceError(
                f"The workspace must hold {name!r}",
                received={"workspace": str(self.path), "holds": self.names()},
                remedy=f"Run the step that makes {name!r} first{_COMMANDS.get(name, '')}.",
            )
        return Manifest.read(self.folder(name))

    def names(self) -> list[str]:
        """Return the names of all artefacts."""
        for old in self.path.glob(f".partial/{_OLD}*"):
            self._recover(old.name.removeprefix(_OLD))
        return sorted(path.parent.name for path in self.path.glob(f"*/{MANIFEST_NAME}"))

    def verified(self, name: str) -> Path:
        """Return the artefact's folder after checking every file's SHA-256.

        Raises:
            WorkspaceError: If the artefact does not exist or a file is not as written.
        """
        verify_files(self.folder(name), self.manifest(name).files)
        return self.folder(name)

    def run_step(
        self,
        name: str,
        build: Callable[[Path], Mapping[str, Any] | None],
        *,
        inputs: Sequence[str] | Mapping[str, str] = (),
        config: Mapping[str, Any],
        seed: int = 0,
    ) -> StepResult:
        """Build an artefact, unless one with the same inputs, config and seed is there.

        Args:
            name: Name of the artefact and of the step.
            build: Writes the artefact's files into the folder that it is given and returns figures for the summary.
                The folder may hold what a killed run of the same step left.
            inputs: Names of artefacts that it reads, or content hashes by name (of files outside the workspace).
            config: Resolved config; JSON-able.
            seed: Seed of the step.

        Returns:
            The manifest, and whether the step was skipped.

        Raises:
            WorkspaceError: If an input is missing or another process is writing to this workspace.
        """
        hashes = dict(inputs) if isinstance(inputs, Mapping) else {key: self.manifest(key).content for key in inputs}
        mark = fingerprint({"step": name, "inputs": hashes, "config": config, "seed": seed, "format": FORMAT_VERSION})
        if self.has(name) and self.manifest(name).fingerprint == mark:
            return StepResult(self.manifest(name), skipped=True)
        if not (self.path / _MARKER).exists():
            _create(self.path)
        with self._lock():
            partial = self._partial(name, mark)
            summary = build(partial) or {}
            manifest = Manifest.of_folder(
                partial,
                without=(CARD,),
                step=name,
                fingerprint=mark,
                inputs=hashes,
                config=config,
                seed=seed,
                summary=dict(summary),
            )
            manifest.write(partial)
            self._replace(name, partial)
        return StepResult(manifest, skipped=False)

    def _partial(self, name: str, mark: str) -> Path:
        wanted = self.path / ".partial" / f"{name}-{mark[:16]}"
        wanted.mkdir(parents=True, exist_ok=True)
        for other in wanted.parent.iterdir():
            if other.name.rpartition("-")[0] == name and other != wanted:
                shutil.rmtree(other)
        return wanted

    def _replace(self, name: str, partial: Path) -> None:
        old = self._old(name)
        shutil.rmtree(old, ignore_errors=True)
        with self._swap():
            if self.folder(name).exists():
                self.folder(name).rename(old)
            partial.rename(self.folder(name))
        _fsync_folder(self.path)
        shutil.rmtree(old, ignore_errors=True)

    def _recover(self, name: str) -> None:
        """Put the old artefact back where a kill fell between the two renames of `_replace`."""
        old, folder = self._old(name), self.folder(name)
        if not old.exists() or folder.exists():
            return
        with self._swap():
            # Seen again behind a writer that was not killed: the new artefact is in its place by now.
            if old.exists() and not folder.exists():
                old.rename(folder)

    def _old(self, name: str) -> Path:
        return self.path / ".partial" / f"{_OLD}{name}"

    @contextmanager
    def _swap(self) -> Iterator[None]:
        """Let one process at a time, reader or writer, rename artefacts; held for an instant, so that others wait."""
        with (self.path / ".partial" / ".swap").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    @contextmanager
    def _lock(self) -> Iterator[None]:
        with self._lock_file() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise WorkspaceError(
                    "Only one process may write to a workspace",
                    received={"workspace": str(self.path)},
                    remedy="Wait for the other `aisle` to finish.",
                ) from None
            yield

    def _lock_file(self) -> TextIO:
        try:
            return (self.path / ".lock").open("w")
        except OSError as error:
            raise WorkspaceError(
                "The workspace must be writable",
                received={"workspace": str(self.path), "problem": str(error)},
                remedy="Mend its permissions, or work on a copy.",
            ) from error


def _create(path: Path) -> None:
    marker = path / _MARKER
    _check_new(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
        temporary = _temporary(path)
        temporary.write_text(json.dumps({"format_version": FORMAT_VERSION}), encoding="utf-8")
        temporary.replace(marker)
    except OSError as error:
        raise _not_writable(path, error) from error


def _check_new(path: Path) -> None:
    try:
        if path.exists() and not path.is_dir():
            raise WorkspaceError(
                "The workspace must be a folder", received={"workspace": str(path)}, remedy="Name another."
            )
        if path.exists() and any(other != _temporary(path) for other in path.iterdir()):
            raise WorkspaceError(
                "A new workspace must be an empty or a new folder",
                received={"workspace": str(path)},
                remedy="Name another folder; nothing was changed in this one.",
            )
    except OSError as error:
        raise _not_writable(path, error) from error


def _temporary(path: Path) -> Path:
    return (path / _MARKER).with_suffix(".tmp")


def _not_writable(path: Path, error: OSError) -> WorkspaceError:
    return WorkspaceError(
        "The folder of a new workspace must be writable",
        received={"workspace": str(path), "problem": str(error)},
        remedy="Name another folder.",
    )


def _check_version(marker: Path) -> None:
    try:
        version = json.loads(marker.read_text(encoding="utf-8"))["format_version"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        version = "unreadable"
    if version != FORMAT_VERSION:
        raise WorkspaceError(
            f"The workspace must be of format version {FORMAT_VERSION}",
            received={"workspace": str(marker.parent), "format_version": version},
            remedy="Import into a new workspace with this version of Aisle.",
        )


def _fsync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
