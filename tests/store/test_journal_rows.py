import datetime
import sqlite3
from importlib import resources

import pytest

from aisle.core.errors import UsageError, WorkspaceError
from aisle.store.journal_records import JournalEvent, ProductChange, from_micros, to_micros
from aisle.store.journal_rows import (
    change_row,
    event_row,
    read_changes,
    read_events,
    read_head,
    write_changes,
    write_events,
)

NOON = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)
NOW = to_micros(NOON)
HOUR = datetime.timedelta(hours=1)


@pytest.fixture
def connection():
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.executescript((resources.files("aisle.store") / "journal_schema.sql").read_text(encoding="utf-8"))
    yield connection
    connection.close()


def put(connection, *changes, now=NOW):
    return write_changes(connection, [change_row(ProductChange(*change)) for change in changes], now=now)


def shown(connection, after=0, most=100):
    return [(one.offset, one.product_id, one.product) for one in read_changes(connection, after, most=most)]


def test_changes_come_back_in_order_with_their_offsets(connection):
    assert put(connection, ("a", {"title": "A"}), ("b", None)) == [1, 2]
    assert put(connection, ("a", {"title": "A2"})) == [3]
    assert shown(connection) == [(1, "a", {"title": "A"}), (2, "b", None), (3, "a", {"title": "A2"})]
    assert shown(connection, after=1, most=1) == [(2, "b", None)]
    assert read_head(connection) == 3


def test_an_older_change_is_left_out_and_an_equal_one_wins(connection):
    assert put(connection, ("a", {"title": "new"}, NOON), ("a", {"title": "old"}, NOON - HOUR)) == [1, None]
    assert put(connection, ("a", None, NOON - HOUR), ("a", None, NOON), ("b", None, NOON - HOUR)) == [None, 2, 3]
    assert read_head(connection) == 3


def test_a_change_without_a_time_counts_from_its_journalling(connection):
    put(connection, ("a", {"title": "A"}))
    assert read_changes(connection, 0, most=1)[0].updated_at == NOON
    assert put(connection, ("a", None, NOON - HOUR)) == [None]


def test_a_change_without_a_time_is_newer_than_one_from_the_future(connection):
    put(connection, ("a", {"title": "A"}, NOON + 9 * HOUR))
    assert put(connection, ("a", None)) == [2]
    assert read_changes(connection, 1, most=1)[0].updated_at == NOON + 9 * HOUR


def test_a_clock_that_goes_back_moves_nothing_back(connection):
    put(connection, ("a", {"title": "first"}))
    assert put(connection, ("a", {"title": "second"}), now=NOW - 10**12) == [2]
    assert write_events(connection, [event_row(JournalEvent(NOON, "click"))], now=NOW - 10**12) == [3]
    assert [from_micros(row[0]) for row in connection.execute("SELECT journalled_at FROM product_changes")] == [
        NOON
    ] * 2
    assert connection.execute("SELECT journalled_at FROM events").fetchone()[0] == NOW


def test_events_come_back_as_they_were(connection):
    events = [
        JournalEvent(NOON, "click", "e1", "u1", "c1", "s1", "p1", "Red Shoes", "q1"),
        JournalEvent(NOON - HOUR, "view"),
    ]
    assert write_events(connection, [event_row(event) for event in events], now=NOW) == [1, 2]
    assert [one.event for one in read_events(connection, 0, most=9)] == events
    assert [one.offset for one in read_events(connection, 1, most=9)] == [2]


def test_an_event_sent_twice_is_kept_once(connection):
    event = event_row(JournalEvent(NOON, "click", "e1", "u1"))
    other = event_row(JournalEvent(NOON, "click", "e1", "u2"))
    assert write_events(connection, [event, event], now=NOW) == [1, 1]
    assert write_events(connection, [other, event], now=NOW) == [2, 1]
    assert read_head(connection) == 2


def test_events_without_an_id_are_all_kept(connection):
    event = event_row(JournalEvent(NOON, "click", user_id="u1"))
    assert write_events(connection, [event, event], now=NOW) == [1, 2]


def test_both_kinds_share_one_sequence(connection):
    put(connection, ("a", None))
    write_events(connection, [event_row(JournalEvent(NOON, "click"))], now=NOW)
    assert put(connection, ("b", None)) == [3]


@pytest.mark.parametrize("table", ["product_changes", "events"])
def test_a_row_that_changed_on_disk_is_found(connection, table):
    put(connection, ("a", {"title": "A"}))
    write_events(connection, [event_row(JournalEvent(NOON, "click", product_id="a"))], now=NOW)
    connection.execute(f"UPDATE {table} SET product_id = 'b'")
    read = read_changes if table == "product_changes" else read_events
    with pytest.raises(WorkspaceError, match="Every row of the journal must be as it was written"):
        read(connection, 0, most=9)


def test_what_cannot_be_written_is_refused():
    with pytest.raises(UsageError, match="A journalled product_id must be text that is not empty"):
        change_row(ProductChange("", None))
    with pytest.raises(UsageError, match="A journalled product_id must be text"):
        change_row(ProductChange("\ud800", None))
    with pytest.raises(UsageError, match="A journalled action"):
        event_row(JournalEvent(NOON, ""))
    with pytest.raises(UsageError, match=r"A journalled query must be text\. Received: query="):
        event_row(JournalEvent(NOON, "click", query="\udfff"))
    with pytest.raises(UsageError, match="A time must have a zone"):
        change_row(ProductChange("a", None, NOON.replace(tzinfo=None)))
    assert event_row(JournalEvent(NOON, "click", query=""))[7] == ""
