"""One thread that writes: callers that wait at the same time share one commit, and so one flush to disk."""

from __future__ import annotations

import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

from aisle.core.errors import UsageError

__all__ = ["GroupWriter"]

_T = TypeVar("_T")
_Work = Callable[[sqlite3.Connection], Any]


@dataclass(frozen=True)
class _Job:
    work: _Work
    in_transaction: bool = True
    answer: Future[Any] = field(default_factory=Future)


class GroupWriter:
    """Runs work on a connection, in the order in which it came, in a thread of its own.

    Work is all or nothing. Where a group cannot be committed each of its jobs is tried on its own, so that an error
    reaches the caller that caused it and no other.

    Args:
        connection: In autocommit mode; no other thread writes through it from now on.
        mark: Reads in a transaction how far it brings the database.
        committed: Called with that mark after the commit, before anybody is told of it; must not raise.
        readable: Turns an error of SQLite into one for callers.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        mark: Callable[[sqlite3.Connection], int],
        committed: Callable[[int], None],
        readable: Callable[[sqlite3.Error], Exception],
    ) -> None:
        self._connection = connection
        self._mark = mark
        self._committed = committed
        self._readable = readable
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._gate = threading.Lock()
        self._is_open = True
        self._thread = threading.Thread(target=self._run, name="journal-writer", daemon=True)
        self._thread.start()

    def transact(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        """Run work in a transaction, and return its result once that is on disk.

        Raises:
            UsageError: If the writer was closed.
            Exception: What the work raised; nothing of it is written then.
        """
        return self._submit(_Job(work))

    def maintain(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        """Run work that cannot be part of a transaction, such as emptying the log."""
        return self._submit(_Job(work, in_transaction=False))

    def close(self) -> None:
        """Finish what waits, then end the thread and close the connection; once is enough."""
        with self._gate:
            if not self._is_open:
                return
            self._is_open = False
            self._jobs.put(None)
        self._thread.join()
        self._connection.close()

    def _submit(self, job: _Job) -> Any:
        with self._gate:
            if not self._is_open:
                raise UsageError("The journal must be open", remedy="Open it again.")
            self._jobs.put(job)
        return job.answer.result()

    def _run(self) -> None:
        is_last = False
        while not is_last:
            waiting, is_last = self._all_waiting()
            while waiting:
                size = next((place for place, job in enumerate(waiting) if not job.in_transaction), len(waiting))
                if size:
                    self._commit(waiting[:size])
                else:
                    self._maintain(waiting[0])
                waiting = waiting[max(size, 1) :]

    def _all_waiting(self) -> tuple[list[_Job], bool]:
        """Wait for a job, take all that came since; and tell whether the end was among them."""
        found = [self._jobs.get()]
        while not self._jobs.empty():
            found.append(self._jobs.get())
        return [job for job in found if job is not None], None in found

    def _commit(self, group: list[_Job]) -> None:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            results = [job.work(self._connection) for job in group]
            mark = self._mark(self._connection)
            self._connection.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - it is raised again in the thread of the caller
            self._roll_back()
            self._retry_alone(group, error)
            return
        self._committed(mark)
        for job, result in zip(group, results, strict=True):
            job.answer.set_result(result)

    def _retry_alone(self, group: list[_Job], error: Exception) -> None:
        if len(group) == 1:
            group[0].answer.set_exception(self._readable(error) if isinstance(error, sqlite3.Error) else error)
            return
        for job in group:
            self._commit([job])

    def _roll_back(self) -> None:
        if self._connection.in_transaction:  # on some errors, such as a full disk, SQLite has done so itself
            self._connection.execute("ROLLBACK")

    def _maintain(self, job: _Job) -> None:
        try:
            job.answer.set_result(job.work(self._connection))
        except Exception as error:  # noqa: BLE001 - as above
            self._retry_alone([job], error)
