import pytest

from aisle.store import NO_FILTER, ProductFilter
from aisle.store.kept_counts import KeptCounts

CHEAP = ProductFilter(price_max=5.0)


def write(counts, before, after):
    with counts.changing() as change:
        change.note([before], [after])


def test_a_count_is_taken_once_and_follows_what_is_written():
    counts, taken = KeptCounts(), []
    count = lambda: taken.append(1) or 7  # noqa: E731
    assert counts.get(CHEAP, count) == 7
    write(counts, None, {"price": 1.0})
    write(counts, {"price": 1.0}, {"price": 9.0})
    write(counts, None, {"price": 2.0})
    write(counts, {"price": 8.0}, None)
    assert (counts.get(CHEAP, count), counts.get(CHEAP, count), len(taken)) == (8, 8, 1)
    assert counts.get(NO_FILTER, lambda: 20) == 20


def test_a_count_is_taken_again_after_too_many_writes():
    counts = KeptCounts(most_changes=2)
    assert counts.get(CHEAP, lambda: 7) == 7
    write(counts, None, {"price": 1.0})
    write(counts, None, {"price": 1.0})
    assert counts.get(CHEAP, lambda: 100) == 9
    for _ in range(3):
        write(counts, None, {"price": 1.0})
    assert counts.get(CHEAP, lambda: 100) == 100


def test_the_filters_asked_for_last_are_remembered():
    counts = KeptCounts(most_counts=2)
    first, second, third = (ProductFilter(price_max=price) for price in (1.0, 2.0, 3.0))
    for where, found in ((first, 1), (second, 2), (first, 0), (third, 3)):
        counts.get(where, lambda found=found: found)
    assert [counts.get(where, lambda: 9) for where in (first, third, second)] == [1, 3, 9]


def test_a_count_taken_beside_a_write_is_not_remembered():
    counts = KeptCounts()

    def count():
        write(counts, None, {"price": 1.0})
        return 7

    assert (counts.get(CHEAP, count), counts.get(CHEAP, lambda: 8)) == (7, 8)
    with counts.changing():
        assert counts.get(NO_FILTER, lambda: 1) == 1
    assert counts.get(NO_FILTER, lambda: 2) == 2


def failing_write(counts):
    with counts.changing() as change:
        change.note([None], [{"price": 1.0}])
        raise OSError("the disk is full")


def test_a_write_that_fails_leaves_no_count_behind():
    counts = KeptCounts()
    counts.get(CHEAP, lambda: 7)
    with pytest.raises(OSError, match="full"):
        failing_write(counts)
    assert counts.get(CHEAP, lambda: 3) == 3
