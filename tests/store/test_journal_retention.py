import datetime
import sqlite3
from importlib import resources

import pyarrow as pa
import pytest

from aisle.core.errors import UsageError
from aisle.store.journal_records import JournalEvent, ProductChange, to_micros
from aisle.store.journal_retention import ACTOR_KINDS, drop_events, drop_overtaken, drop_superseded, erase
from aisle.store.journal_rows import change_row, event_row, write_changes, write_events
from aisle.tables import TIME

NOON = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)
NOW = to_micros(NOON)
HOUR = datetime.timedelta(hours=1)


@pytest.fixture
def connection():
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.executescript((resources.files("aisle.store") / "journal_schema.sql").read_text(encoding="utf-8"))
    yield connection
    connection.close()


def put(connection, *ids, at=None):
    write_changes(connection, [change_row(ProductChange(name, None, at)) for name in ids], now=NOW)


def pin(connection, *offsets):
    connection.executemany("INSERT INTO pins VALUES (?, ?)", [(f"v{offset}", offset) for offset in offsets])


def offsets(connection, table="product_changes"):
    return [row[0] for row in connection.execute(f"SELECT journal_offset FROM {table} ORDER BY journal_offset")]


def test_without_a_version_the_newest_change_of_every_product_stays(connection):
    put(connection, "a", "b", "a", "c", "a")
    assert drop_superseded(connection) == 2
    assert offsets(connection) == [2, 4, 5]


def test_changes_behind_the_smallest_pin_all_stay(connection):
    put(connection, "a", "a", "b", "a", "b", "a")
    pin(connection, 4, 2)
    assert drop_superseded(connection) == 2
    assert offsets(connection) == [3, 4, 5, 6]


def catalogue(**updated_at):
    return pa.table({"product_id": list(updated_at), "updated_at": pa.array(list(updated_at.values()), TIME)})


def test_only_a_newer_row_of_the_catalogue_overtakes_a_change(connection):
    put(connection, "older", "same", "newer", "undated", "absent", at=NOON)
    listed = catalogue(older=NOON - HOUR, same=NOON, newer=NOON + HOUR, undated=None, other=NOON + HOUR)
    assert drop_overtaken(connection, listed) == 1
    assert offsets(connection) == [1, 2, 4, 5]


def test_the_catalogue_overtakes_nothing_behind_the_smallest_pin(connection):
    put(connection, "a", "b", at=NOON)
    pin(connection, 1)
    assert drop_overtaken(connection, catalogue(a=NOON + HOUR, b=NOON + HOUR)) == 1
    assert offsets(connection) == [2]


def test_a_catalogue_without_times_overtakes_nothing(connection):
    assert drop_overtaken(connection, catalogue(a=NOON)) == 0
    put(connection, "a", at=NOON)
    assert drop_overtaken(connection, pa.table({"product_id": ["a"]})) == 0
    assert offsets(connection) == [1]


def test_old_events_go_by_their_own_time_and_by_that_of_journalling(connection):
    events = [JournalEvent(NOON - 2 * HOUR, "view"), JournalEvent(NOON, "view"), JournalEvent(NOON + HOUR, "view")]
    write_events(connection, [event_row(event) for event in events[:2]], now=NOW)
    write_events(connection, [event_row(event) for event in events[2:]], now=NOW + 10**10)
    assert drop_events(connection, before=to_micros(NOON - HOUR)) == 1
    assert offsets(connection, "events") == [2, 3]
    assert drop_events(connection, before=NOW + 1) == 1
    assert offsets(connection, "events") == [3]


@pytest.mark.parametrize(("kind", "left"), [("user", [2, 3]), ("client", [1, 3]), ("session", [1, 2])])
def test_erasure_takes_the_events_of_one_kind_of_id(connection, kind, left):
    events = [JournalEvent(NOON, "view", **{f"{name}_id": "x"}) for name in ACTOR_KINDS]
    write_events(connection, [event_row(event) for event in events], now=NOW)
    assert erase(connection, kind, "x") == 1
    assert erase(connection, kind, "x") == 0
    assert offsets(connection, "events") == left


def test_another_kind_of_actor_is_refused(connection):
    with pytest.raises(UsageError, match=r"must be one of user, client, session\. Received: kind='shop'"):
        erase(connection, "shop", "x")
