"""API keys: read from a file or the environment, held as digests, compared in constant time."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from aisle.core.errors import UsageError

__all__ = ["KEY_VARIABLE", "MIN_KEY_CHARS", "READ_KEY_VARIABLE", "Access", "KeyRing", "load_keys"]

MIN_KEY_CHARS = 16
"""Shortest key. `openssl rand -hex 32` makes a good one."""

KEY_VARIABLE = "AISLE_API_KEY"
"""Environment variable that holds the key, where no file is named."""

READ_KEY_VARIABLE = "AISLE_READ_KEY"
"""Environment variable that holds the key for searches only."""

_LONGEST_FILE = 4096

Access = Literal["none", "read", "write"]


@dataclass(frozen=True)
class KeyRing:
    """The keys of a service, as SHA-256 digests: neither their length nor their beginning shows in comparing.

    Attributes:
        write: Digest of the key that may do everything.
        read: Digest of the key that may search and look; None: there is none.
    """

    write: bytes = field(repr=False)
    read: bytes | None = field(default=None, repr=False)

    @classmethod
    def of(cls, key: str, *, read_key: str | None = None) -> KeyRing:
        """Hold keys.

        Args:
            key: May do everything.
            read_key: May search and look; None: there is none.

        Raises:
            UsageError: If a key is too short or cannot be sent in a header, or both are the same.
        """
        _check_key(key)
        if read_key is None:
            return cls(_digest(key))
        _check_key(read_key)
        if key == read_key:
            raise UsageError("The key for reading must be another one than that for writing", remedy="Make a new one.")
        return cls(_digest(key), _digest(read_key))

    def access(self, key: str) -> Access:
        """Tell what a key opens; takes the same time for every key."""
        given = _digest(key)
        opens_all = hmac.compare_digest(given, self.write)
        opens_reads = hmac.compare_digest(given, self.read or bytes(len(given)))
        if opens_all:
            return "write"
        return "read" if opens_reads and self.read is not None else "none"


def load_keys(key_file: Path | None, read_key_file: Path | None, environment: Mapping[str, str]) -> KeyRing | None:
    """Read keys: from files where they are named, else from `AISLE_API_KEY` and `AISLE_READ_KEY`.

    Returns:
        The keys, or None where there is neither.

    Raises:
        UsageError: If a file cannot be read, a key is too short, or there is only a key for reading.
    """
    key = _read_key(key_file) if key_file is not None else environment.get(KEY_VARIABLE) or None
    read_key = _read_key(read_key_file) if read_key_file is not None else environment.get(READ_KEY_VARIABLE) or None
    if key is not None:
        return KeyRing.of(key, read_key=read_key)
    if read_key is None:
        return None
    raise UsageError(
        "A key for reading must stand beside one that may write",
        received={"key": None},
        remedy=f"Give --api-key-file or {KEY_VARIABLE} too.",
    )


def _read_key(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            return file.read(_LONGEST_FILE).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"The file of the key must be readable text ({error})",
            received={"path": str(path)},
            remedy="Name a file that holds the key and nothing else.",
        ) from error


def _check_key(key: str) -> None:
    # The key itself is never told: messages end up in logs.
    if len(key) < MIN_KEY_CHARS:
        raise UsageError(
            f"A key must have at least {MIN_KEY_CHARS} characters",
            received={"characters": len(key)},
            remedy="Make one with `openssl rand -hex 32`.",
        )
    if not all("!" <= character <= "~" for character in key):
        raise UsageError(
            "A key must consist of visible ASCII characters without spaces, so that a header can carry it",
            received={"characters": len(key)},
            remedy="Make one with `openssl rand -hex 32`.",
        )


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
