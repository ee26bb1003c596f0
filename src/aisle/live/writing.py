"""Writes of a live shop: rows are held to the contract, journalled, and only then acknowledged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Literal

import pyarrow as pa

from aisle.core.errors import UsageError
from aisle.core.shopper import Shopper
from aisle.live.requests import WriteResult
from aisle.live.rows import Checked, check_rows
from aisle.store import Journal, JournalEvent, ProductChange
from aisle.store.journal_records import from_micros, to_micros
from aisle.tables import PRODUCTS, TIME, Column, TableSchema

__all__ = ["LIVE_EVENTS", "journal_deletes", "journal_events", "journal_products"]

_ACTOR_IDS = ("user_id", "client_id", "session_id")
_TEXT = pa.string()

LIVE_EVENTS = TableSchema(
    "events",
    (
        Column("action", _TEXT, required=True),
        Column("at", TIME, decisive=True),
        *(Column(name, _TEXT) for name in ("event_id", *_ACTOR_IDS, "product_id", "query", "search_id")),
    ),
)
"""An event as it is sent: as in the table `events`, but with the ids that name its actor; without a time it is now."""

_Status = Literal["written", "stale", "absent", "refused"]


def journal_products(
    journal: Journal, rows: Sequence[Any], *, is_stale: Callable[[str, int], bool]
) -> list[WriteResult]:
    """Journal products; durable when this returns.

    Args:
        journal: Where to.
        rows: Rows of the products table, as JSON gives them.
        is_stale: Tells whether the catalogue holds a newer row of a product than of this time.

    Raises:
        WorkspaceError: If the journal cannot be written; then no row is.
    """
    checked = check_rows(rows, PRODUCTS)
    stale = [_is_old(one, is_stale) for one in checked]
    changes = {place: _change(one.row) for place, one in enumerate(checked) if one.row is not None and not stale[place]}
    offsets = dict(zip(changes, journal.append_products(list(changes.values())) if changes else [], strict=True))
    results = []
    for place, one in enumerate(checked):
        offset = offsets.get(place)
        status: _Status = "refused" if one.row is None else "stale" if offset is None else "written"
        results.append(WriteResult(place + 1, _id_of(one, rows[place], "product_id"), status, offset, one.problem))
    return results


def journal_deletes(journal: Journal, product_ids: Sequence[str], *, is_there: Sequence[bool]) -> list[WriteResult]:
    """Journal that products are gone; also those that are not there, so that no older row brings them back.

    Args:
        journal: Where to.
        product_ids: Their ids.
        is_there: Which of them can be found now.

    Raises:
        UsageError: If an id is blank or not Unicode.
        WorkspaceError: If the journal cannot be written; then no id is.
    """
    offsets = journal.append_products([ProductChange(name, None) for name in product_ids]) if product_ids else []
    return [
        WriteResult(line, name, "written" if found else "absent", offset)
        for line, (name, offset, found) in enumerate(zip(product_ids, offsets, is_there, strict=True), start=1)
    ]


def journal_events(
    journal: Journal, rows: Sequence[Any], *, now_us: int
) -> tuple[list[WriteResult], list[JournalEvent]]:
    """Journal events; durable when this returns.

    Args:
        journal: Where to.
        rows: Rows by `LIVE_EVENTS`, as JSON gives them; other columns are not kept.
        now_us: Time of an event that names none, or one that is still to come: the sender's clock is ahead.

    Returns:
        What became of each, and the events that were written.

    Raises:
        WorkspaceError: If the journal cannot be written; then no event is.
    """
    now = from_micros(now_us)
    checked = [_with_actor(one) for one in check_rows(rows, LIVE_EVENTS)]
    events = {place: _event(one.row, now) for place, one in enumerate(checked) if one.row is not None}
    offsets = dict(zip(events, journal.append_events(list(events.values())) if events else [], strict=True))
    results = []
    for place, one in enumerate(checked):
        status: _Status = "refused" if one.row is None else "written"
        event_id = _id_of(one, rows[place], "event_id")
        results.append(WriteResult(place + 1, event_id, status, offsets.get(place), one.problem))
    return results, list(events.values())


def _change(row: dict[str, Any]) -> ProductChange:
    return ProductChange(row["product_id"], row, row.get("updated_at"))


def _is_old(one: Checked, is_stale: Callable[[str, int], bool]) -> bool:
    updated_at: datetime | None = None if one.row is None else one.row.get("updated_at")
    return one.row is not None and updated_at is not None and is_stale(one.row["product_id"], to_micros(updated_at))


def _with_actor(one: Checked) -> Checked:
    if one.row is None or Shopper(*(one.row.get(name) for name in _ACTOR_IDS)).actor_id is not None:
        return one
    must = f"An event must name its {', '.join(_ACTOR_IDS[:-1])} or {_ACTOR_IDS[-1]}"
    received = {"action": one.row["action"]}
    return Checked(None, str(UsageError(must, received=received, remedy="Mend the row and send it again.")))


def _event(row: dict[str, Any], now: datetime) -> JournalEvent:
    names = ("event_id", *_ACTOR_IDS, "product_id", "query", "search_id")
    return JournalEvent(min(row.get("at", now), now), row["action"], **{name: row.get(name) for name in names})


def _id_of(one: Checked, row: Any, name: str) -> str | None:
    """Return the id of a row, as it was sent where the row cannot be used."""
    found = one.row.get(name) if one.row is not None else row.get(name) if isinstance(row, dict) else None
    return found if isinstance(found, str) else None
