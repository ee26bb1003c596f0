"""Actors that asked to be forgotten: what the mined log still knows of them counts no more."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

__all__ = ["Forgotten"]


class Forgotten:
    """A list of actors on disk, by the hash of their id: it names nobody.

    The imported tables are the shop's own; what they hold of an actor is gone with the next import and training alone.
    Until then nothing of it is read.

    Args:
        path: The file; made when somebody is first forgotten.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._hashes = set(path.read_text(encoding="ascii").split()) if path.exists() else set[str]()

    def __contains__(self, actor_id: str) -> bool:
        """Tell whether an actor asked to be forgotten."""
        return bool(self._hashes) and _hash(actor_id) in self._hashes

    def add(self, actor_id: str) -> None:
        """Note an actor, on disk when this returns."""
        if actor_id in self:
            return
        with self._path.open("a", encoding="ascii") as file:
            file.write(_hash(actor_id) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self._hashes.add(_hash(actor_id))


def _hash(actor_id: str) -> str:
    return hashlib.sha256(actor_id.encode()).hexdigest()
