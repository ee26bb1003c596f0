import datetime
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aisle.core.errors import UsageError
from aisle.store.journal_records import as_json, checksum, from_micros, to_micros

DAY = datetime.datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=datetime.UTC)


def test_times_keep_every_microsecond_and_their_zone():
    abroad = DAY.astimezone(datetime.timezone(datetime.timedelta(hours=5)))
    assert from_micros(to_micros(DAY)) == DAY
    assert to_micros(abroad) == to_micros(DAY)
    assert to_micros(datetime.datetime(1969, 12, 31, 23, 59, 59, tzinfo=datetime.UTC)) == -1_000_000


def test_a_time_without_zone_is_refused():
    with pytest.raises(UsageError, match="A time must have a zone"):
        to_micros(DAY.replace(tzinfo=None))


@given(st.integers(-(10**15), 10**15))
def test_micros_are_a_bijection(micros):
    assert to_micros(from_micros(micros)) == micros


def test_a_product_is_written_as_plain_json():
    product = {
        "title": "Café",
        "price": np.float32(1.5),
        "quality_stars": float("nan"),
        "category": ["a", "b"],
        "attributes": [("colour", "red"), ("size", "L")],
        "created_at": DAY,
    }
    assert json.loads(as_json("p1", product)) == {
        "title": "Café",
        "price": 1.5,
        "quality_stars": None,
        "category": ["a", "b"],
        "attributes": {"colour": "red", "size": "L"},
        "created_at": "2026-03-01T12:30:15.123456+00:00",
    }


@pytest.mark.parametrize("value", [b"bytes", {1, 2}, 2**70, "\ud800"])
def test_what_json_cannot_hold_is_refused(value):
    with pytest.raises(UsageError, match=r"must be numbers, texts, times, lists and maps\. Received: product_id='p1'"):
        as_json("p1", {"title": "A", "extra": value})


_FIELD = st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1), st.text(), st.binary())


@given(st.lists(_FIELD, max_size=6), st.lists(_FIELD, max_size=6))
def test_equal_fields_have_equal_checksums_and_others_differ(one, other):
    same = [(type(field), field) for field in one] == [(type(field), field) for field in other]
    assert (checksum(*one) == checksum(*other)) == same


def test_checksum_tells_apart_what_looks_alike():
    alike = [("ab", "c"), ("a", "bc"), ("", None), (None, ""), ("1", 2), (1, "2"), (b"1", 2), ()]
    assert len({checksum(*fields) for fields in alike}) == len(alike)


def test_checksum_does_not_change_between_versions():
    assert checksum(1, "p1", b"{}", None, 5) == 1220761942
