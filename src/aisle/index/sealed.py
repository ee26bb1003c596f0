"""A folder whose `index.json` names every file with its SHA-256, so that nothing damaged reaches a parser.

Faiss and NumPy read native structures from files; the check comes before any of them sees a byte. The header
carries a fingerprint of itself, so a changed header is found as well.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aisle.core.errors import WorkspaceError
from aisle.workspace import file_sha256, fingerprint, verify_files

__all__ = ["FORMAT_VERSION", "HEADER_NAME", "damaged", "seal_folder", "sealed_kind", "unseal_folder"]

FORMAT_VERSION = 1
"""Version of the header and of the files that it names; folders of other versions are refused."""

HEADER_NAME = "index.json"


def seal_folder(folder: Path, *, kind: str, values: Mapping[str, Any], files: Sequence[str]) -> None:
    """Write the header of a folder; comes last, when all its files are written.

    Args:
        folder: Holds the files.
        kind: What the folder is, such as "hnsw".
        values: What `unseal_folder` gives back; JSON-able.
        files: Names of the files in the folder that belong to it.
    """
    header: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "kind": kind,
        "values": dict(values),
        "files": {name: file_sha256(folder / name) for name in files},
    }
    header["fingerprint"] = fingerprint(header)
    (folder / HEADER_NAME).write_text(json.dumps(header, indent=1, ensure_ascii=False), encoding="utf-8")


def sealed_kind(folder: Path, *, known: Sequence[str]) -> str:
    """Return the kind of a sealed folder; its files are not looked at.

    Raises:
        WorkspaceError: If the header is missing, damaged, of another version, or of no known kind.
    """
    return str(_read_header(folder, known)["kind"])


def unseal_folder(folder: Path, *, kind: str) -> dict[str, Any]:
    """Check the header and every file of a sealed folder.

    Returns:
        The values that `seal_folder` was given.

    Raises:
        WorkspaceError: If the folder is missing, damaged, of another version or of another kind.
    """
    header = _read_header(folder, [kind])
    verify_files(folder, header["files"])
    return dict(header["values"])


def damaged(folder: Path, problem: str) -> WorkspaceError:
    """Return the error for a folder that cannot be read as what it says it is."""
    return WorkspaceError(
        "An index must be readable",
        received={"folder": str(folder), "problem": problem},
        remedy="Delete the folder and build the index again.",
    )


def _read_header(folder: Path, known: Sequence[str]) -> dict[str, Any]:
    header = _parse_header(folder)
    if header.get("format_version") != FORMAT_VERSION:
        raise WorkspaceError(
            f"An index must be of format version {FORMAT_VERSION}",
            received={"folder": str(folder), "format_version": header.get("format_version")},
            remedy="Build the index again with this version of Aisle.",
        )
    if not _is_intact(header):
        raise damaged(folder, f"{HEADER_NAME} is not as it was written")
    if header["kind"] not in known:
        raise WorkspaceError(
            f"The folder must hold an index of kind {' or '.join(known)}",
            received={"folder": str(folder), "kind": header["kind"]},
            remedy="Name another folder, or build the index again.",
        )
    return header


def _is_intact(header: dict[str, Any]) -> bool:
    content = {name: value for name, value in header.items() if name != "fingerprint"}
    try:
        return bool(header.get("fingerprint") == fingerprint(content))
    except ValueError:  # infinity or half a character, which no header of ours holds
        return False


def _parse_header(folder: Path) -> dict[str, Any]:
    try:
        header = json.loads((folder / HEADER_NAME).read_text(encoding="utf-8"), parse_constant=_no_constant)
    except FileNotFoundError:
        raise WorkspaceError(
            f"An index folder must hold {HEADER_NAME}",
            received={"folder": str(folder)},
            remedy="Build the index first.",
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise damaged(folder, f"{HEADER_NAME}: {error}") from error
    if not isinstance(header, dict):
        raise damaged(folder, f"{HEADER_NAME} is no JSON object")
    return header


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")
