from dataclasses import FrozenInstanceError, replace

import pytest

from aisle.core.shopper import NOBODY
from aisle.live import LiveSearch, LiveState
from aisle.store import NO_FILTER

STATE = LiveState(
    "v1",
    "qdrant-edge",
    3,
    1.0,
    journal_head=7,
    applied_offset=5,
    cache_hits=0,
    cache_misses=0,
    actors=0,
    building=False,
)


def test_a_search_that_says_nothing_else_is_plain():
    search = LiveSearch("lamp")
    assert (search.k, search.mode, search.sort, search.shopper, search.where) == (
        24,
        None,
        "relevance",
        NOBODY,
        NO_FILTER,
    )
    assert (search.personalise, search.collapse, search.explain, search.pinned, search.facets) == (
        True,
        False,
        False,
        (),
        (),
    )
    with pytest.raises(FrozenInstanceError):
        search.k = 3


def test_the_lag_is_what_the_journal_is_ahead():
    assert STATE.lag == 2
    assert replace(STATE, applied_offset=7).lag == 0
    assert replace(STATE, applied_offset=9).lag == 0
