"""Threads that do the work of requests, each with a bounded queue and a longest wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from http import HTTPStatus
from threading import Lock
from typing import ParamSpec, TypeVar

from starlette.exceptions import HTTPException

from aisle.serving.settings import ServiceSettings

__all__ = ["Worker", "Workers"]

_Asked = ParamSpec("_Asked")
_Answer = TypeVar("_Answer")


class Worker:
    """A thread, or a few, that answer one call after the other.

    Handlers are async, but their work is CPU work of milliseconds. Called directly it would hold up health checks and
    the page's files; in a pool of threads calls would compete for the cores that each of them already fills (BLAS,
    torch). The hop to one thread costs 0.04 ms.

    Args:
        name: Of the thread, and of the queue in messages.
        most: Calls that may wait or run at once.
        timeout_s: Longest wait for an answer, in seconds.
        threads: How many.
    """

    def __init__(self, name: str, *, most: int, timeout_s: float, threads: int = 1) -> None:
        self.name = name
        self.num_refused = 0
        self.num_late = 0
        self._most = most
        self._timeout_s = timeout_s
        self._threads = threads
        self._pool: ThreadPoolExecutor | None = None
        self._lock = Lock()
        self._num_open = 0

    @property
    def num_open(self) -> int:
        """Calls that wait or run."""
        return self._num_open

    async def run(self, function: Callable[_Asked, _Answer], *asked: _Asked.args, **options: _Asked.kwargs) -> _Answer:
        """Call a function in the thread and return what it returns, or raise what it raises.

        Raises:
            HTTPException: With status 503 if too many calls wait, or if the answer is late. A late call that was not
                begun is dropped; one that was goes on and its answer is lost.
        """
        future = self._enter().submit(function, *asked, **options)
        future.add_done_callback(self._leave)
        try:
            async with asyncio.timeout(self._timeout_s):
                return await asyncio.wrap_future(future)
        except TimeoutError:
            self.num_late += 1
            raise _refusal(
                f"The {self.name} must be done within {self._timeout_s:g} s. Received: a busy service. "
                "Try again later; a write may have been done all the same."
            ) from None

    def close(self) -> None:
        """Drop the calls that wait, and wait for the one that runs; a later call begins a new thread."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=True, cancel_futures=True)

    def _enter(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._num_open < self._most:
                self._num_open += 1
                self._pool = self._pool or ThreadPoolExecutor(self._threads, thread_name_prefix=f"aisle-{self.name}")
                return self._pool
        self.num_refused += 1
        raise _refusal(f"At most {self._most} requests of kind {self.name} may wait. Received: more. Try again later.")

    def _leave(self, _future: Future[_Answer]) -> None:
        with self._lock:
            self._num_open -= 1


def _refusal(detail: str) -> HTTPException:
    return HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers={"Retry-After": "1"})


class Workers:
    """The threads of a service: a slow write or the loading of a version must not hold up searches.

    Attributes:
        search: Searches.
        write: Products and events.
        manage: Building and switching versions.
        watch: Questions about how the service is.
    """

    def __init__(self, settings: ServiceSettings) -> None:
        self.search = Worker(
            "search",
            most=settings.most_searches,
            timeout_s=settings.search_timeout_s,
            threads=settings.search_threads,
        )
        # Sixteen, so that writes of many clients share the journal's flushes, which is what they wait for.
        self.write = Worker("write", most=settings.most_writes, timeout_s=settings.write_timeout_s, threads=16)
        self.manage = Worker("manage", most=settings.most_writes, timeout_s=settings.manage_timeout_s)
        self.watch = Worker("watch", most=settings.most_searches, timeout_s=settings.search_timeout_s)

    @property
    def all(self) -> tuple[Worker, ...]:
        """Every thread."""
        return (self.search, self.write, self.manage, self.watch)

    def close(self) -> None:
        """End all threads."""
        for worker in self.all:
            worker.close()
