"""Downloads that go on where they stopped."""

from __future__ import annotations

import hashlib
import http.client
import urllib.error
import urllib.request
from pathlib import Path

from aisle.core.errors import SourceError, UsageError
from aisle.core.progress import progress_bar

__all__ = ["fetch"]

_CHUNK_BYTES = 1 << 20
_TIMEOUT_S = 60
_PARTIAL_CONTENT = 206
_RANGE_NOT_SATISFIABLE = 416


def fetch(url: str, path: Path, *, sha256: str | None = None) -> Path:
    """Download a file unless it is there.

    The bytes come into `<name>.part`, which gets its name only when it is whole; a later call asks for the rest alone,
    where the server can give it.

    Args:
        url: http or https.
        path: Where the file goes; its folder exists.
        sha256: What the file must hash to; None where that is not known.

    Returns:
        `path`.

    Raises:
        SourceError: If the server cannot be reached, answers with an error, or breaks off, or the file is another.
        UsageError: If the URL is of another kind.
    """
    if path.is_file():
        return path
    if not url.startswith(("http://", "https://")):
        raise UsageError("A download must be http or https", received={"url": url})
    part = path.with_name(path.name + ".part")
    try:
        whole = _fetch_rest(url, part)
    except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
        if isinstance(error, urllib.error.HTTPError) and error.code == _RANGE_NOT_SATISFIABLE:
            part.unlink(missing_ok=True)  # longer than the file on the server: of another version
        raise _unreachable(url, str(error)) from error
    if not whole:
        raise _unreachable(url, "the connection broke")
    _check_content(part, url, sha256)
    part.replace(path)
    return path


def _check_content(part: Path, url: str, sha256: str | None) -> None:
    if sha256 is None:
        return
    with part.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        part.unlink()  # else the next call would go on at its end
        raise SourceError(
            "The downloaded file must have the known SHA-256",
            received={"url": url, "sha256": found, "known": sha256},
            remedy="Run the command again; if it stays, the file has changed: use --path with a copy that you trust.",
        )


def _fetch_rest(url: str, part: Path) -> bool:
    """Append what is missing to the part; return whether it is whole now."""
    offset = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={offset}-"} if offset else {})  # noqa: S310 - http alone
    with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response:  # noqa: S310
        offset = offset if response.status == _PARTIAL_CONTENT else 0
        length = response.headers.get("Content-Length")
        total = offset + int(length) if length is not None else None
        with part.open("ab" if offset else "wb") as file, progress_bar(part.stem, total=total, unit="bytes") as advance:
            advance(offset)
            while chunk := response.read(_CHUNK_BYTES):
                file.write(chunk)
                advance(len(chunk))
    return total is None or part.stat().st_size == total


def _unreachable(url: str, reason: str) -> SourceError:
    return SourceError(
        "The download must be reachable",
        received={"url": url, "reason": reason},
        remedy="Run the command again to go on, or use --path with a folder that you downloaded elsewhere.",
    )
