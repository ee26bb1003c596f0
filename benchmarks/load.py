"""A load generator: HTTP over kept connections, written by hand so that it costs a tenth of a request's time."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Reply:
    """Status and body of one answer."""

    status: int
    body: bytes

    @property
    def document(self):
        """The body as JSON."""
        return json.loads(self.body)


class Connections:
    """Connections to one service, each used by one request at a time; more are opened as they are needed."""

    def __init__(self, address: str) -> None:
        self._host, port = address.removeprefix("http://").rstrip("/").rsplit(":", 1)
        self._port = int(port)
        self._free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def send(self, method: str, path: str, document: object | None = None) -> Reply:
        """Send one request and wait for its answer."""
        reader, writer = await self._connection()
        body = b"" if document is None else json.dumps(document).encode()
        head = f"{method} {path} HTTP/1.1\r\nhost: {self._host}:{self._port}\r\ncontent-length: {len(body)}\r\n"
        writer.write(head.encode() + b"content-type: application/json\r\n\r\n" + body)
        answer = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(answer.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        reply = Reply(int(answer[9:12]), await reader.readexactly(length))
        if b"\r\nconnection: close" in answer:
            writer.close()
        else:
            self._free.append((reader, writer))
        return reply

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Take a free connection that the service has not closed since, else open one."""
        while self._free:
            reader, writer = self._free.pop()
            if not reader.at_eof():
                return reader, writer
            writer.close()
        return await asyncio.open_connection(self._host, self._port)

    async def close(self) -> None:
        """End all connections."""
        for _, writer in self._free:
            writer.close()


Request = Callable[[int], Awaitable[bool]]
"""Sends the request of a number; False: it failed."""


async def open_loop(request: Request, *, rate: float, seconds: float) -> dict[str, float]:
    """Send at a fixed rate, whatever comes back; latency counts from the intended time of sending."""
    took_ms: list[float] = []
    errors = 0
    started = time.perf_counter() + 0.05

    async def one(number: int) -> None:
        nonlocal errors
        errors += not await request(number)
        took_ms.append((time.perf_counter() - started - number / rate) * 1e3)

    tasks = []
    for number in range(int(rate * seconds)):
        wait_s = started + number / rate - time.perf_counter()
        if wait_s > 0:
            await asyncio.sleep(wait_s)
        tasks.append(asyncio.create_task(one(number)))
    await asyncio.gather(*tasks)
    return summary(took_ms, errors, time.perf_counter() - started)


async def closed_loop(request: Request, *, clients: int, seconds: float) -> dict[str, float]:
    """Let each client send its next request when the one before is answered: the highest rate there is."""
    took_ms: list[float] = []
    errors = 0
    started = time.perf_counter()

    async def client(number: int) -> None:
        nonlocal errors
        while (sent := time.perf_counter()) < started + seconds:
            errors += not await request(number)
            took_ms.append((time.perf_counter() - sent) * 1e3)
            number += clients

    await asyncio.gather(*(client(number) for number in range(clients)))
    return summary(took_ms, errors, time.perf_counter() - started)


def summary(took_ms: Sequence[float], errors: int, seconds: float) -> dict[str, float]:
    """Return rate, median, 99th percentile and errors."""
    p50, p99 = np.percentile(took_ms, [50, 99])
    return {
        "requests_s": round(len(took_ms) / seconds, 1),
        "p50_ms": round(float(p50), 2),
        "p99_ms": round(float(p99), 2),
        "errors": errors,
    }
