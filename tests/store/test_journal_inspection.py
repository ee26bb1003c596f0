import contextlib
import datetime
import sqlite3

import pytest

from aisle.core.errors import WorkspaceError
from aisle.store.journal import Journal
from aisle.store.journal_inspection import inspect_journal
from aisle.store.journal_records import JournalEvent, ProductChange

NOON = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)


@pytest.fixture
def folder(tmp_path):
    with Journal.open(tmp_path) as journal:
        journal.append_products([ProductChange("a", {"title": "A"}), ProductChange("b", None)])
        journal.append_events([JournalEvent(NOON, "click")])
        journal.pin("v1", 2)
    return tmp_path


def test_a_journal_is_counted_beside_its_writer_and_without_one(folder):
    view = inspect_journal(folder)
    assert (view.head, view.product_changes, view.events, view.pins) == (3, 2, 1, {"v1": 2})
    assert view.size_bytes > 10_000
    with Journal.open(folder) as journal:
        journal.append_events([JournalEvent(NOON, "view")])
        assert inspect_journal(folder).events == 2


def change(folder, sql):
    with contextlib.closing(sqlite3.connect(folder / "journal.db")) as other, other:
        other.execute(sql)


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("UPDATE product_changes SET product_id = 'c' WHERE journal_offset = 2", "offset=2"),
        ("UPDATE events SET action = 'order'", "offset=3"),
        ("UPDATE state SET head = 2", "it holds offset 3, beyond its head"),
        ("DROP TABLE pins", "no such table: pins"),
    ],
)
def test_what_is_wrong_is_named(folder, sql, problem):
    change(folder, sql)
    with pytest.raises(WorkspaceError, match=problem):
        inspect_journal(folder)


def test_acknowledged_rows_that_are_missing_are_named(folder):
    change(folder, "DELETE FROM events")
    change(folder, "UPDATE state SET head = 2")
    with pytest.raises(WorkspaceError, match=r"all that was acknowledged\. Received: .*head=2, acknowledged=3"):
        inspect_journal(folder)


def test_a_folder_without_a_journal_is_refused(tmp_path):
    with pytest.raises(WorkspaceError, match="The journal's folder must be there"):
        inspect_journal(tmp_path / "none")
