import itertools
from datetime import UTC, datetime, timedelta

import pytest

from aisle.core.errors import UsageError
from aisle.live.pasts import Pasts, stage_of
from aisle.store import JournalEvent
from aisle.store.journal_records import to_micros

START = datetime(2026, 1, 1, tzinfo=UTC)
NOW_US = to_micros(START + timedelta(days=1))
DAY_US = 86_400_000_000


def event(minute, product="p1", *, action="click", **more):
    ids = more.pop("ids", {"user_id": "u1"})
    return JournalEvent(START + timedelta(minutes=minute), action, product_id=product, **ids, **more)


def products(pasts, actor="u1", now_us=NOW_US):
    return [step.product_id for step in pasts.of(actor, now_us=now_us)[0]]


def test_every_actor_has_its_last_events_in_the_order_of_time():
    pasts = Pasts(retention_us=DAY_US * 9, most=3)
    pasts.add([event(minute, f"p{minute}") for minute in (3, 1, 4, 2)])
    pasts.add([event(9, "q", ids={"client_id": "c1", "session_id": "s1"})])
    assert (products(pasts), products(pasts, "c1"), products(pasts, "s1")) == (["p2", "p3", "p4"], ["q"], [])
    assert (len(pasts), pasts.of(None, now_us=NOW_US)) == (2, ((), 0))


def test_any_order_of_coming_gives_the_same_past():
    events = [event(minute, f"p{minute % 3}") for minute in range(4)]
    pasts = [Pasts(retention_us=DAY_US * 9, most=3) for _ in range(24)]
    for one, order in zip(pasts, itertools.permutations(events), strict=True):
        one.add(order)
    assert {tuple(products(one)) for one in pasts} == {("p1", "p2", "p0")}


def test_what_was_told_twice_happened_once():
    pasts = Pasts(retention_us=DAY_US * 9)
    pasts.add([event(1), event(1)])
    _, version = pasts.of("u1", now_us=NOW_US)
    pasts.add([event(1)])
    assert (products(pasts), pasts.of("u1", now_us=NOW_US)[1]) == (["p1"], version)


def test_what_reaches_no_stage_of_a_product_counts_for_nobody():
    pasts = Pasts(retention_us=DAY_US * 9)
    pasts.add([event(1, action="view"), event(2, None), event(3, ids={}), event(4, action="search")])
    assert len(pasts) == 0
    assert (stage_of("Add-To Cart"), stage_of("purchase"), stage_of("impression")) == (3, 4, None)


def test_an_event_has_the_query_of_its_search():
    pasts = Pasts(retention_us=DAY_US * 9)
    pasts.add([event(1, None, action="search", search_id="s", query="lamp"), event(2, search_id="s"), event(3)])
    assert [step.query for step in pasts.of("u1", now_us=NOW_US)[0]] == ["lamp", None]


def test_old_events_count_no_more():
    pasts = Pasts(retention_us=DAY_US)
    pasts.add([event(1), event(10, "p2")])
    later = NOW_US + 5 * 60_000_000
    _, version = pasts.of("u1", now_us=NOW_US)
    assert (products(pasts), products(pasts, now_us=later)) == (["p1", "p2"], ["p2"])
    assert pasts.of("u1", now_us=later)[1] != version
    assert products(pasts, now_us=NOW_US + DAY_US) == []
    assert len(pasts) == 0


def test_erasing_takes_all_events_of_an_id_and_leaves_no_version_of_before():
    pasts = Pasts(retention_us=DAY_US * 9)
    both = {"user_id": "u1", "session_id": "s1"}
    pasts.add([event(1, ids=both), event(2, "p2"), event(3, ids={"session_id": "s1"})])
    _, version = pasts.of("u1", now_us=NOW_US)
    assert pasts.erase("session", "s1") == 2
    assert (products(pasts), products(pasts, "s1")) == (["p2"], [])
    assert pasts.erase("user", "u1") == 1
    assert pasts.erase("user", "u1") == 0
    pasts.add([event(1, ids=both)])
    assert pasts.of("u1", now_us=NOW_US)[1] > version
    with pytest.raises(UsageError, match=r"must be one of user, client, session.*kind='cookie'"):
        pasts.erase("cookie", "c")
