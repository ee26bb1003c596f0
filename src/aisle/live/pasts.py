"""What actors did since the log was mined: their journalled events, in memory."""

from __future__ import annotations

from bisect import insort
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from threading import Lock

from aisle.core.errors import UsageError
from aisle.core.shopper import Shopper
from aisle.store import ACTOR_KINDS, JournalEvent
from aisle.store.journal_records import to_micros
from aisle.tables import ACTION_STAGES

__all__ = ["Pasts", "Step", "stage_of"]

_MOST_STEPS = 100
_MOST_SEARCHES = 100_000


@dataclass(frozen=True, order=True)
class Step:
    """One event that counts.

    Attributes:
        at_us: When, in microseconds since 1970.
        product_id: What it was done to.
        stage: `aisle.tables.Stage` that it reached.
        query: Text of the search that it belongs to; None outside a search.
        ids: The sender's user, client and session.
    """

    at_us: int
    product_id: str
    stage: int
    query: str | None = field(compare=False)
    ids: tuple[str | None, str | None, str | None] = field(compare=False)


@dataclass
class _Past:
    steps: list[Step] = field(default_factory=list)
    version: int = 0


class Pasts:
    """The last events of every actor; threads may share it.

    Args:
        retention_us: Events older than this count no more.
        most: Events of one actor, the last ones.
    """

    def __init__(self, *, retention_us: int, most: int = _MOST_STEPS) -> None:
        self._retention_us, self._most = retention_us, most
        self._pasts: dict[str, _Past] = {}
        self._queries: OrderedDict[str, str] = OrderedDict()
        self._changes = 0
        self._lock = Lock()

    def __len__(self) -> int:
        """Return the number of actors with events."""
        return len(self._pasts)

    def add(self, events: Iterable[JournalEvent]) -> None:
        """Take events in, in any order of time; those that reach no stage of a product count for nobody.

        An event that names a search but no query has that of an earlier event of the same search.
        """
        with self._lock:
            for event in events:
                self._note_query(event)
                step = self._step(event)
                actor_id = Shopper(event.user_id, event.client_id, event.session_id).actor_id
                if step is not None and actor_id is not None:
                    self._put(self._pasts.setdefault(actor_id, _Past()), step)

    def of(self, actor_id: str | None, *, now_us: int) -> tuple[Sequence[Step], int]:
        """Return an actor's events, the oldest first, and the version of them: another one after every change."""
        if actor_id is None:
            return (), 0
        with self._lock:
            past = self._pasts.get(actor_id)
            if past is None:
                return (), 0
            oldest = now_us - self._retention_us
            if past.steps and past.steps[0].at_us < oldest:
                self._changed(past, [step for step in past.steps if step.at_us >= oldest])
            if not past.steps:
                del self._pasts[actor_id]
            return tuple(past.steps), past.version

    def erase(self, kind: str, actor_id: str) -> int:
        """Forget all events of a user, a client or a session; return how many of them counted.

        Raises:
            UsageError: If the kind is none of these.
        """
        place = _place_of(kind)
        erased = 0
        with self._lock:
            for name, past in list(self._pasts.items()):
                kept = [step for step in past.steps if step.ids[place] != actor_id]
                if len(kept) < len(past.steps):
                    erased += len(past.steps) - len(kept)
                    self._changed(past, kept)
                if not kept:
                    del self._pasts[name]
        return erased

    def _put(self, past: _Past, step: Step) -> None:
        if step in past.steps:  # what was told twice happened once
            return
        insort(past.steps, step)
        self._changed(past, past.steps[-self._most :])

    def _changed(self, past: _Past, steps: list[Step]) -> None:
        """Give a past a version that none ever had, so that nothing kept for an earlier one is found again."""
        self._changes += 1
        past.steps, past.version = steps, self._changes

    def _note_query(self, event: JournalEvent) -> None:
        if event.search_id is not None and event.query is not None:
            self._queries[event.search_id] = event.query
            while len(self._queries) > _MOST_SEARCHES:
                self._queries.popitem(last=False)

    def _step(self, event: JournalEvent) -> Step | None:
        stage = stage_of(event.action)
        if stage is None or event.product_id is None:
            return None
        query = event.query
        if query is None and event.search_id is not None:
            query = self._queries.get(event.search_id)
        ids = (event.user_id, event.client_id, event.session_id)
        return Step(to_micros(event.at), event.product_id, stage, query or None, ids)


def stage_of(action: str) -> int | None:
    """Return the stage that an action reaches; None for one that says nothing of a taste, such as a page view.

    >>> stage_of("Add to cart"), stage_of("view")
    (3, None)
    """
    stage = ACTION_STAGES.get(action.strip().lower().replace(" ", "_").replace("-", "_"))
    return None if stage is None else int(stage)


def _place_of(kind: str) -> int:
    """Return where the ids of a kind stand in `Step.ids`.

    Raises:
        UsageError: If there is no such kind.
    """
    if kind not in ACTOR_KINDS:
        must = f"The kind of an actor must be one of {', '.join(ACTOR_KINDS)}"
        raise UsageError(must, received={"kind": kind}, remedy="Name one of these.")
    return ACTOR_KINDS.index(kind)
