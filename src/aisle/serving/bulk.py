"""Lists of products or events: a result per line, given while the list still comes in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import asdict, replace
from http import HTTPStatus

import orjson
from fastapi import Response
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from aisle.api.limits import MAX_BULK_LINES, MAX_LINE_BYTES
from aisle.live import WriteResult
from aisle.serving.bodies import NDJSON
from aisle.serving.line_writes import refused
from aisle.serving.lines import Line, blocks_of_lines, lines_of
from aisle.serving.workers import Worker

__all__ = ["BulkResponse"]

_TOO_LONG = f"A line must hold at most {MAX_LINE_BYTES} bytes. Received: more. Send less of this one."
_NO_ROOM = (
    f"A list must hold at most {MAX_BULK_LINES} lines. Received: more. This line and those after it were not read; "
    "send them in another request."
)


class BulkResponse(Response):
    """Reads the request's lines block by block, and sends what became of each.

    Reading never waits for sending: most clients send all before they read anything, and a service that waited for
    them to read would wait for ever. What is kept meanwhile is bounded by the number of lines.

    Args:
        worker: Thread that writes.
        write: Writes some lines, none of which is too long, and returns one result each, in order.
    """

    def __init__(self, worker: Worker, write: Callable[[Sequence[Line]], Sequence[WriteResult]]) -> None:
        super().__init__(media_type=NDJSON)
        del self.headers["content-length"]
        self._worker = worker
        self._write = write

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        results: asyncio.Queue[bytes | None] = asyncio.Queue()
        reader = asyncio.create_task(self._read(receive, results))
        try:
            await send({"type": "http.response.start", "status": HTTPStatus.OK, "headers": self.raw_headers})
            while (text := await results.get()) is not None:
                await send({"type": "http.response.body", "body": text, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            await reader
        finally:
            reader.cancel()

    async def _read(self, receive: Receive, results: asyncio.Queue[bytes | None]) -> None:
        last = 0
        try:
            async for block in blocks_of_lines(lines_of(_chunks(receive))):
                last = block[-1].number
                results.put_nowait(_told(await self._written(block)))
        except HTTPException as error:  # the body is too large, or stopped coming
            results.put_nowait(_told([refused(last + 1, error.detail)]))
        finally:
            results.put_nowait(None)

    async def _written(self, block: Sequence[Line]) -> list[WriteResult]:
        usable = [line for line in block if line.text is not None and line.number <= MAX_BULK_LINES]
        found: dict[int, WriteResult] = {}
        try:
            if usable:
                written = await self._worker.run(self._write, usable)
                found = {
                    line.number: replace(result, line=line.number) for line, result in zip(usable, written, strict=True)
                }
        except HTTPException as error:
            found = {line.number: refused(line.number, error.detail) for line in usable}
        return [found.get(line.number) or _unusable(line) for line in block]


def _unusable(line: Line) -> WriteResult:
    return refused(line.number, _TOO_LONG if line.number <= MAX_BULK_LINES else _NO_ROOM)


def _told(results: Sequence[WriteResult]) -> bytes:
    return b"".join(orjson.dumps(asdict(result), option=orjson.OPT_APPEND_NEWLINE) for result in results)


async def _chunks(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        yield message.get("body", b"")
        if not message.get("more_body", False):
            return
