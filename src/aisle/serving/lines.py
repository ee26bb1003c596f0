"""Lists of JSON lines (NDJSON): read in blocks as they arrive, never held whole."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from aisle.api.limits import MAX_BULK_LINES, MAX_LINE_BYTES

__all__ = ["BLOCK_LINES", "Line", "blocks_of_lines", "lines_of"]

BLOCK_LINES = 256
"""Lines that are written together: enough for one commit to carry many, few enough that no search waits long."""

_BLOCK_BYTES = 4 * MAX_LINE_BYTES


@dataclass(frozen=True)
class Line:
    """One line of a list.

    Attributes:
        number: Its place, from 1; blank lines count and are left out.
        text: What stands in it, or None where it is too long to be held.
    """

    number: int
    text: bytes | None


async def lines_of(chunks: AsyncIterator[bytes], *, longest: int = MAX_LINE_BYTES) -> AsyncIterator[Line]:
    """Cut a body into lines, holding no more than one line and one chunk.

    Args:
        chunks: The body as it arrives.
        longest: Most bytes of a line; of a longer one only the number is given.
    """
    number, start, is_long = 1, b"", False
    async for chunk in chunks:
        *whole, rest = chunk.split(b"\n")
        for piece in whole:
            line = _line(number, start + piece, is_long=is_long, longest=longest)
            if line is not None:
                yield line
            number, start, is_long = number + 1, b"", False
        start += rest
        if len(start) > longest:
            start, is_long = b"", True
    line = _line(number, start, is_long=is_long, longest=longest)
    if line is not None:
        yield line


def _line(number: int, text: bytes, *, is_long: bool, longest: int) -> Line | None:
    if is_long or len(text) > longest:
        return Line(number, None)
    return Line(number, text) if text.strip() else None


async def blocks_of_lines(lines: AsyncIterator[Line], *, most: int = MAX_BULK_LINES) -> AsyncIterator[list[Line]]:
    """Gather lines into blocks of bounded size; ends after the block that holds line `most` + 1."""
    block: list[Line] = []
    num_bytes = 0
    async for line in lines:
        block.append(line)
        num_bytes += len(line.text or b"")
        if line.number > most:
            break
        if len(block) >= BLOCK_LINES or num_bytes >= _BLOCK_BYTES:
            yield block
            block, num_bytes = [], 0
    if block:
        yield block
