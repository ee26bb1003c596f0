"""Running independent tasks side by side, each in a process of its own with its share of the cores."""

from __future__ import annotations

import multiprocessing
import operator
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import compress
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Generic, TypeVar

from aisle.core.errors import AisleError

__all__ = ["Task", "run_side_by_side", "shared_cores"]

Argument = TypeVar("Argument")


@dataclass(frozen=True)
class Task(Generic[Argument]):
    """One call.

    Attributes:
        name: In words, for messages.
        argument: What the function is given; it can be pickled.
        log: File that takes what the process writes on stderr.
    """

    name: str
    argument: Argument
    log: Path


def run_side_by_side(
    function: Callable[[Argument], None],
    tasks: Sequence[Task[Argument]],
    *,
    jobs: int,
    done: Callable[[Task[Argument]], None],
) -> None:
    """Call a function on every task, so many at a time.

    One job runs in this process. Several run in fresh processes with an equal share of the cores' threads each: two of
    one thread are about twice as fast as one of two threads. Where one fails the others are finished first, and what
    they made is kept.

    Args:
        function: A function of a module, so that another process can import it.
        tasks: What to call it on.
        jobs: Tasks at a time.
        done: Called after each task that succeeded.

    Raises:
        AisleError: If a task failed in a process of its own.
    """
    if jobs == 1:
        for task in tasks:
            function(task.argument)
            done(task)
        return
    waiting, running = list(reversed(tasks)), list[tuple[BaseProcess, Task[Argument]]]()
    failed: list[tuple[Task[Argument], int | None]] = []
    with shared_cores(jobs):
        try:
            while running or (waiting and not failed):
                while waiting and len(running) < jobs and not failed:
                    task = waiting.pop()
                    running.append((_started(function, task), task))
                wait([process.sentinel for process, _ in running])
                # Looked at once: one that ends between two looks would be in neither list.
                has_ended = [process.exitcode is not None for process, _ in running]
                ended = list(compress(running, has_ended))
                running = list(compress(running, map(operator.not_, has_ended)))
                failed += [(task, process.exitcode) for process, task in ended if process.exitcode]
                for process, task in ended:
                    if process.exitcode == 0:
                        done(task)
        finally:
            for process, _ in running:
                process.terminate()
    if failed:
        raise _failure(*failed[0])


def _started(function: Callable[[Argument], None], task: Task[Argument]) -> BaseProcess:
    # Spawned: a forked process would share the threads' state of libraries that are loaded already.
    process = multiprocessing.get_context("spawn").Process(target=_call, args=(function, task), daemon=True)
    process.start()
    return process


def _call(function: Callable[[Argument], None], task: Task[Argument]) -> None:
    """Run in the new process: what it prints goes to the log, so that the parent's bar and JSON stay whole."""
    task.log.parent.mkdir(parents=True, exist_ok=True)
    # Left open: an error that comes through is written there by `multiprocessing`.
    sys.stdout = sys.stderr = task.log.open("w", encoding="utf-8", buffering=1)
    function(task.argument)


def _failure(task: Task[Argument], exit_code: int | None) -> AisleError:
    lines = task.log.read_text(encoding="utf-8").strip().splitlines() if task.log.exists() else []
    told = lines[-1] if lines else "it was killed, perhaps for memory: fewer --jobs need less"
    return AisleError(
        "Every run must come to its end",
        received={"run": task.name, "exit_code": exit_code, "problem": told, "log": str(task.log)},
        remedy="Mend it and run again: what is finished is kept.",
    )


@contextmanager
def shared_cores(num_processes: int) -> Iterator[None]:
    """Give processes that are started inside an equal share of the cores' threads each.

    Libraries read the number once, when they are loaded.
    """
    number = max(1, (os.cpu_count() or 1) // num_processes)
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    settings = {**dict.fromkeys(names, str(number)), "OMP_WAIT_POLICY": "passive"}
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
