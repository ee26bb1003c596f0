import pytest

from aisle.core.errors import UsageError
from aisle.live.writing import journal_deletes, journal_events, journal_products
from aisle.store import Journal


@pytest.fixture
def journal(tmp_path):
    with Journal.open(tmp_path / "journal") as opened:
        yield opened


def test_rows_are_journalled_or_told_why_not(journal):
    rows = [
        {"product_id": "a", "title": "Lamp", "price": "3", "updated_at": "2026-01-01T00:00:00Z"},
        {"title": "Lamp"},
        {"product_id": "old", "title": "Lamp", "updated_at": "2025-01-01T00:00:00Z"},
        {"product_id": "a", "title": "Older lamp", "updated_at": "2025-06-01T00:00:00Z"},
        {"product_id": "b", "title": "Sofa", "price": "dear"},
    ]
    results = journal_products(journal, rows, is_stale=lambda name, updated_us: name == "old")
    assert [one.status for one in results] == ["written", "refused", "stale", "stale", "written"]
    assert [(one.line, one.id, one.offset) for one in results] == [
        (1, "a", 1), (2, None, None), (3, "old", None), (4, "a", None), (5, "b", 2),
    ]  # fmt: skip
    assert [one.problem is None for one in results] == [True, False, True, True, False]
    changes = journal.product_changes(0, most=9)
    assert [(one.product_id, one.product["title"]) for one in changes] == [("a", "Lamp"), ("b", "Sofa")]
    assert changes[0].product["price"] == 3.0


def test_a_product_that_is_not_there_can_be_deleted_all_the_same(journal):
    results = journal_deletes(journal, ["a", "b"], is_there=[True, False])
    assert [(one.id, one.status, one.offset) for one in results] == [("a", "written", 1), ("b", "absent", 2)]
    assert [one.product for one in journal.product_changes(0, most=9)] == [None, None]
    assert journal_deletes(journal, [], is_there=[]) == []
    with pytest.raises(UsageError, match="product_id must be text that is not empty"):
        journal_deletes(journal, [""], is_there=[False])


def test_events_are_journalled_with_a_time_and_an_actor(journal):
    now_us = 1_800_000_000_000_000
    rows = [
        {"action": "click", "user_id": "u", "product_id": 17, "event_id": "e1", "other": 1},
        {"action": "click", "client_id": "c", "at": "2040-01-01T00:00:00Z"},
        {"action": "click", "session_id": "s", "at": "2026-01-01T00:00:00Z", "query": "lamp"},
        {"action": "click"},
        {"user_id": "u"},
        {"action": "click", "user_id": "u", "at": "soon"},
        "click",
    ]
    results, events = journal_events(journal, rows, now_us=now_us)
    assert [one.status for one in results] == ["written"] * 3 + ["refused"] * 4
    assert [one.offset for one in results[:3]] == [1, 2, 3]
    assert (results[0].id, events[0].product_id) == ("e1", "17")
    assert [one.at.year for one in events] == [2027, 2027, 2026]
    assert "must name its user_id, client_id or session_id" in results[3].problem
    assert [one.event for one in journal.events(0, most=9)] == events


def test_nothing_to_write_is_nothing_written(journal):
    assert journal_products(journal, [], is_stale=lambda *_: False) == []
    assert journal_events(journal, [], now_us=0) == ([], [])
    assert journal.head == 0
