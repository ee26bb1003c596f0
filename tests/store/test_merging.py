import datetime
import json

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aisle.core.errors import TableError
from aisle.store.journal_records import JournalledChange, as_json
from aisle.store.merging import changed_products, merge_changes
from aisle.tables import PRODUCTS, TIME, validate

DAY = datetime.timedelta(days=1)
FIRST = datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC)


def catalogue(*rows, **columns):
    """Products by (id, day of the last update or None); their title is the id."""
    days = [None if day is None else FIRST + day * DAY for _, day in rows]
    ids = [name for name, _ in rows]
    return pa.table({"product_id": ids, "title": ids, "updated_at": pa.array(days, TIME), **columns})


def changes(*rows):
    """Changes by (id, title or None for a deletion, day), journalled in this order."""
    return [
        JournalledChange(offset, name, None if title is None else {"title": title}, FIRST + day * DAY)
        for offset, (name, title, day) in enumerate(rows, start=1)
    ]


def titles(table):
    return list(zip(table["product_id"].to_pylist(), table["title"].to_pylist(), strict=True))


def test_changed_products_keep_their_place_and_new_ones_follow():
    base = catalogue(("a", 0), ("b", 0), ("c", 0))
    merged = merge_changes(base, changes(("z", "Z", 1), ("b", "B", 1), ("y", "Y", 1), ("a", None, 1)))
    assert titles(merged) == [("b", "B"), ("c", "c"), ("z", "Z"), ("y", "Y")]
    assert merged["updated_at"].to_pylist() == [FIRST + DAY, FIRST, FIRST + DAY, FIRST + DAY]


def test_the_newest_counts_and_a_change_before_a_row_of_the_same_time():
    base = catalogue(("older", 2), ("same", 2), ("newer", 2), ("undated", None))
    rows = [(name, "change", day) for name, day in (("older", 1), ("same", 2), ("newer", 3), ("undated", -9999))]
    assert dict(titles(merge_changes(base, changes(*rows)))) == {
        "older": "older",
        "same": "change",
        "newer": "change",
        "undated": "change",
    }


def test_of_several_changes_the_newest_counts_and_of_equal_ones_the_last():
    rows = [("a", "day 2", 2), ("a", "day 3", 3), ("a", "day 3 again", 3), ("a", "day 1", 1), ("b", "B", 1)]
    assert titles(merge_changes(catalogue(), changes(*rows))) == [("a", "day 3 again"), ("b", "B")]


def test_a_deletion_is_older_or_newer_like_any_change():
    rows = [("a", None, 1), ("b", None, 3), ("c", "C", 1), ("c", None, 2), ("d", None, 1), ("d", "D", 2)]
    merged = merge_changes(catalogue(("a", 2), ("b", 2)), changes(*rows))
    assert titles(merged) == [("a", "a"), ("d", "D")]


def test_a_product_keeps_the_place_of_its_first_change():
    rows = [("y", "Y", 1), ("z", "Z", 1), ("y", "Y2", 2)]
    assert titles(merge_changes(catalogue(), changes(*rows))) == [("y", "Y2"), ("z", "Z")]


def test_no_change_changes_nothing():
    base = catalogue(("a", 0))
    assert merge_changes(base, []) is base
    gone = merge_changes(base, changes(("a", None, 1)))
    assert gone.num_rows == 0
    assert gone.schema == base.schema


def test_a_catalogue_without_times_is_older_than_any_change():
    base = catalogue(("a", 0), ("b", 0)).drop_columns("updated_at")
    merged = merge_changes(base, changes(("a", "A", -9999)))
    assert merged.to_pylist() == [
        {"product_id": "a", "title": "A", "updated_at": FIRST - 9999 * DAY},
        {"product_id": "b", "title": "b", "updated_at": None},
    ]


FULL = {
    "product_id": "p",
    "title": "Shoe",
    "category": ["a", "b"],
    "price": 1.5,
    "attributes": [("colour", "red"), ("size", None)],
    "in_stock": True,
    "created_at": FIRST,
    "updated_at": FIRST + DAY,
    "quality_stars": 4.0,
    "shelf": 3,
    "seen_at": FIRST + 2 * DAY,
}


def journalled(*products):
    """Products as they come back from a journal."""
    return [
        JournalledChange(1 + place, one["product_id"], json.loads(as_json("", one)), one.get("updated_at", FIRST))
        for place, one in enumerate(products)
    ]


def typed(*products):
    contract = {"category": pa.list_(pa.string()), "attributes": pa.map_(pa.string(), pa.string()), "seen_at": TIME}
    columns = {name: pa.array([one.get(name) for one in products], contract.get(name)) for name in products[0]}
    return validate(pa.table(columns), PRODUCTS).table


def test_a_product_comes_back_as_it_was_validated():
    base = typed(FULL)
    again = changed_products(journalled(base.to_pylist()[0]), like=base.schema)
    assert again.select(base.column_names).equals(base)


def test_a_column_keeps_the_catalogues_type_and_what_does_not_fit_is_null():
    odd = {"product_id": "q", "title": "Q", "shelf": "upstairs", "seen_at": "now", "size": "L"}
    merged = merge_changes(typed(FULL), journalled(odd, FULL | {"product_id": "r", "size": 4}))
    assert merged.schema.field("shelf").type == pa.int64()
    assert merged["shelf"].to_pylist() == [3, None, 3]
    assert merged["seen_at"].to_pylist() == [FULL["seen_at"], None, FULL["seen_at"]]
    assert merged["size"].to_pylist() == [None, "L", "4"]


def test_what_is_no_product_is_named():
    with pytest.raises(TableError, match=r"Journalled products must keep the contract.*'q'.*title"):
        changed_products(journalled(FULL, {"product_id": "q", "title": " "}))


_DAYS = st.integers(0, 4)
_NAMES = st.sampled_from("abcde")
_BASES = st.dictionaries(_NAMES, st.none() | _DAYS).map(lambda rows: catalogue(*rows.items()))
_CHANGES = st.lists(st.tuples(_NAMES, st.none() | st.sampled_from(["one", "two"]), _DAYS), max_size=8)


def slow_reference(base, rows):
    known = {row["product_id"]: (row["updated_at"] or FIRST - DAY, row["title"]) for row in base.to_pylist()}
    for name, title, day in rows:
        if name not in known or FIRST + day * DAY >= known[name][0]:
            known[name] = (FIRST + day * DAY, title)
    return {name: (at, title) for name, (at, title) in known.items() if title is not None}


@given(_BASES, _CHANGES, st.integers(0, 8))
def test_merging_whole_or_in_parts_equals_a_slow_reference(base, rows, cut):
    def by_id(table):
        return {row["product_id"]: (row["updated_at"] or FIRST - DAY, row["title"]) for row in table.to_pylist()}

    found = changes(*rows)
    whole = merge_changes(base, found)
    assert len(set(whole["product_id"].to_pylist())) == whole.num_rows
    assert by_id(whole) == slow_reference(base, rows)
    # A journal holds no change older than an earlier one of its product; so parts of it may be merged one by one.
    kept = [
        change
        for place, change in enumerate(found)
        if not any(e.product_id == change.product_id and e.updated_at > change.updated_at for e in found[:place])
    ]
    parts = merge_changes(merge_changes(base, kept[:cut]), kept[cut:])
    assert by_id(parts) == by_id(whole)
