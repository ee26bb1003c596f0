"""What a live shop does beside answering: flush its store now and then, compact its journal once a day."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Event, Thread

from aisle.core.errors import AisleError

__all__ = ["Upkeep"]

_DAY_S = 86_400.0


class Upkeep:
    """A thread that calls both until it is closed; one that fails is tried again at its next turn.

    Args:
        flush: Called every `every_s` seconds.
        compact: Called once a day, the first time a day after the start.
        every_s: Seconds.
    """

    def __init__(self, flush: Callable[[], None], compact: Callable[[], None], *, every_s: float) -> None:
        self._flush, self._compact, self._every_s = flush, compact, every_s
        self._ended = Event()
        self._thread = Thread(target=self._run, name="aisle-upkeep", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread, after what it is doing."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        waited_s = 0.0
        while not self._ended.wait(self._every_s):
            waited_s += self._every_s
            self._try(self._flush)
            if waited_s >= _DAY_S:
                waited_s = 0.0
                self._try(self._compact)

    def _try(self, task: Callable[[], None]) -> None:
        try:
            task()
        except (AisleError, OSError):  # a full disk today may have room tomorrow; nothing is lost meanwhile
            logging.getLogger(__name__).exception("upkeep of a live shop")
