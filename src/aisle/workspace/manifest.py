"""What is written beside every artefact, and the check of its files against it."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from aisle.core.errors import WorkspaceError
from aisle.workspace.hashing import file_sha256, fingerprint

__all__ = ["CARD", "MANIFEST_NAME", "QUARANTINE", "Manifest", "verify_files"]

MANIFEST_NAME = "manifest.json"
CARD = "README.md"
"""What people read, and may complete: no manifest holds them to it."""

QUARANTINE = "quarantine/"
"""Folder, in an artefact, of rows that were set aside."""

_REPORTED_PACKAGES = ("aisle", "numpy", "pyarrow", "torch", "onnxruntime", "faiss-cpu", "bm25s", "transformers")


@dataclass(frozen=True)
class Manifest:
    """How an artefact came to be.

    Attributes:
        step: Name of the step that made it.
        fingerprint: Hash of inputs, config and seed; a step is skipped when it is unchanged.
        inputs: Content hash of every input, by name.
        config: Resolved config of the step.
        seed: Seed of the step.
        files: SHA-256 of every file, by path relative to the artefact.
        summary: Figures that the step reports.
        versions: Versions of Python and of the libraries that shape results.
        created_at: Time of writing, UTC, ISO 8601.
    """

    step: str
    fingerprint: str
    inputs: Mapping[str, str]
    config: Mapping[str, Any]
    seed: int
    files: Mapping[str, str]
    summary: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    created_at: str = ""

    @property
    def content(self) -> str:
        """Hash over the files that steps read: what a step that reads this artefact depends on.

        Rows that were set aside are no input of anything: another bad row in a file must not mean training again.
        """
        return fingerprint({name: sha for name, sha in self.files.items() if not name.startswith(QUARANTINE)})

    @classmethod
    def of_folder(cls, folder: Path, *, without: Sequence[str] = (), **values: Any) -> Manifest:
        """Describe the files that now lie in a folder, but for files or folders `without`, which go on changing."""
        found = (path for path in sorted(folder.rglob("*")) if path.is_file() and path != folder / MANIFEST_NAME)
        names = (path.relative_to(folder) for path in found)
        files = {name.as_posix(): file_sha256(folder / name) for name in names if name.parts[0] not in without}
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return cls(files=files, versions=_versions(), created_at=now, **values)

    def write(self, folder: Path) -> None:
        """Write the manifest into the folder and flush it to disk."""
        path = folder / MANIFEST_NAME
        with path.open("w", encoding="utf-8") as file:
            json.dump(asdict(self), file, indent=1, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Read a folder's manifest.

        Raises:
            WorkspaceError: If it is missing or not readable.
        """
        path = folder / MANIFEST_NAME
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise WorkspaceError(
                "An artefact must hold a manifest",
                received={"folder": str(folder)},
                remedy="Run its step again.",
            ) from None
        except (OSError, ValueError, TypeError, RecursionError) as error:
            raise WorkspaceError(
                "A manifest must be readable",
                received={"path": str(path), "problem": str(error)},
                remedy="Delete the artefact and run its step again.",
            ) from error


def verify_files(folder: Path, files: Mapping[str, str]) -> None:
    """Check every file against its recorded SHA-256, before any library reads a byte of it.

    Raises:
        WorkspaceError: Naming the first file that is missing or differs.
    """
    for name, expected in files.items():
        path = folder / name
        if not path.is_file() or file_sha256(path) != expected:
            state = "changed" if path.is_file() else "missing"
            raise WorkspaceError(
                "Every file of an artefact must be as its manifest records it",
                received={"file": str(path), "state": state},
                remedy="Delete the artefact's folder and run its step again.",
            )


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in _REPORTED_PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
