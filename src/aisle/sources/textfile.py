"""Looks at a text file before it is read: is it there, whole and UTF-8, and how many lines has it?"""

from __future__ import annotations

import codecs
import gzip
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, cast

import numpy as np

from aisle.core.errors import SourceError

__all__ = ["TextFile", "inspect_text", "open_bytes", "readable"]

_CHUNK_BYTES = 1 << 22
_LONE_CR = re.compile(rb"\r(?!\n)")
_LF, _CR = 10, 13


@dataclass(frozen=True)
class TextFile:
    """What a look at a text file shows.

    Attributes:
        path: The file.
        num_lines: Lines between line ends, blank ones included.
        num_blank_lines: Lines without any character, at most.
        line_end: LF, or CR in a file that has no LF.
        mixed_line_ends: The file has line ends of several kinds.
        has_null_bytes: The file has null bytes.
    """

    path: Path
    num_lines: int
    num_blank_lines: int
    line_end: bytes
    mixed_line_ends: bool
    has_null_bytes: bool = False


def open_bytes(path: Path) -> BinaryIO:
    """Open a file, unpacking it if its name ends in .gz."""
    return cast(BinaryIO, gzip.open(path)) if path.suffix == ".gz" else path.open("rb")


def inspect_text(path: Path) -> TextFile:
    """Read a text file through once.

    Raises:
        SourceError: If it is empty, not UTF-8, or a damaged .gz.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    num_bytes = num_lf = num_cr = num_crlf = num_blank = 0
    has_text, has_null_bytes, last, last_lf = False, False, b"", -1
    for chunk in _chunks(path):
        _check_utf8(decoder, chunk, num_bytes, path)
        has_text = has_text or bool(chunk.strip(b"\xef\xbb\xbf \t\r\n"))
        has_null_bytes = has_null_bytes or b"\0" in chunk
        num_cr += chunk.count(b"\r")
        num_crlf += chunk.count(b"\r\n")
        signs = np.frombuffer(chunk, np.uint8)
        ends = np.flatnonzero(signs == _LF)
        lengths = np.diff(ends, prepend=last_lf - num_bytes) - 1
        num_blank += int(((lengths == 0) | ((lengths == 1) & (signs[ends - 1] == _CR))).sum())
        num_lf += len(ends)
        last_lf = num_bytes + int(ends[-1]) if len(ends) else last_lf
        num_bytes += len(chunk)
        last = chunk[-1:]
    _check_utf8(decoder, b"", num_bytes, path, final=True)
    if not has_text:
        raise SourceError(
            "The file must not be empty", received={"path": str(path), "bytes": num_bytes}, remedy="Check the export."
        )
    line_end, num_ends = (b"\n", num_lf) if num_lf else (b"\r", num_cr)
    mixed = (num_cr > num_crlf) + (num_crlf > 0) + (num_lf > num_crlf) > 1
    return TextFile(path, num_ends + (last != line_end), num_blank, line_end, mixed, has_null_bytes)


def _chunks(path: Path) -> Iterator[bytes]:
    """Yield the file in pieces that never end inside a CRLF."""
    held = b""
    try:
        with open_bytes(path) as file:
            while chunk := file.read(_CHUNK_BYTES):
                chunk, held = held + chunk, b""
                if chunk.endswith(b"\r"):
                    chunk, held = chunk[:-1], b"\r"
                if chunk:
                    yield chunk
    except (OSError, EOFError, zlib.error) as error:
        raise SourceError(
            "The file must be readable and whole",
            received={"path": str(path), "reason": str(error)},
            remedy="Check its permissions, or copy or download it again.",
        ) from error
    if held:
        yield held


def _check_utf8(
    decoder: codecs.IncrementalDecoder, chunk: bytes, offset: int, path: Path, *, final: bool = False
) -> None:
    num_held = len(decoder.getstate()[0])
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError as error:
        at = offset - num_held + error.start
        utf16 = at == 0 and error.object.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        encoding = "UTF-16" if utf16 else "ISO-8859-1"
        raise SourceError(
            "Text files must be UTF-8",
            received={"path": str(path), "byte": at, "value": error.object[error.start : error.start + 1]},
            remedy=f"Convert it, for instance: iconv -f {encoding} -t UTF-8 {path.name} > utf8_{path.name}",
        ) from error


@contextmanager
def readable(file: TextFile, *, by_line: bool = False) -> Iterator[Path]:
    """Give a path under which DuckDB can read the file.

    DuckDB's strict CSV reader refuses files with mixed line ends, so such a file is copied with LF line ends (a
    carriage return amid a line becomes a space). It also takes `*`, `?` and `[` in a path for a pattern, so a file
    with such a name is read through a link.

    Args:
        file: What `inspect_text` found.
        by_line: The file is read as one field per line, without a delimiter. DuckDB then takes null bytes for
            delimiters, so they are left out.
    """
    is_pattern = any(sign in str(file.path) for sign in "*?[")
    drops_null_bytes = by_line and file.has_null_bytes
    is_copied = file.mixed_line_ends or drops_null_bytes
    if not is_copied and not is_pattern:
        yield file.path
        return
    with TemporaryDirectory(prefix="aisle-text-") as folder:
        if is_copied:
            path = Path(folder) / "copy.txt"
            with path.open("wb") as copy:
                for chunk in _chunks(file.path):
                    chunk = chunk.replace(b"\0", b"") if drops_null_bytes else chunk
                    copy.write(_with_lf(chunk) if file.mixed_line_ends else chunk)
        else:
            path = Path(folder) / f"link{file.path.suffix}"
            path.symlink_to(file.path.resolve())
        yield path


def _with_lf(chunk: bytes) -> bytes:
    return _LONE_CR.sub(b" ", chunk.replace(b"\r\n", b"\n"))
