import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aisle.core.errors import ModelError
from aisle.features import ContextConfig, ContextFeaturiser
from aisle.features.context import UNKNOWN_VALUE

SCHEMA = pa.schema(
    {
        "category": pa.list_(pa.string()),
        "brand": pa.string(),
        "shop_id": pa.string(),
        "price": pa.float64(),
        "quality_rating": pa.float64(),
        "location": pa.string(),
    }
)
ROWS = [
    {"category": ["home", "sofas"], "brand": "Norvik", "shop_id": "s1", "price": 1.0, "location": "DE"},
    {"category": ["home", "sofas"], "brand": "norvik ", "shop_id": "s1", "price": 2.0, "location": "de"},
    {"category": ["home", "lamps"], "brand": "Belmora", "price": 30.0, "quality_rating": 4.5, "location": "US"},
    {"category": ["toys"], "price": 40.0, "quality_rating": 1.0},
    {"brand": ""},
]
PRODUCTS = pa.Table.from_pylist(ROWS, schema=SCHEMA)
CONFIG = ContextConfig(max_depth=2, min_products=1, num_buckets=2, min_category_prices=2)
FITTED = ContextFeaturiser.fit(PRODUCTS, CONFIG, locations=pa.array(["FR", None, "us"]), devices=pa.array(["app"]))
SLOTS = (
    "category_1",
    "category_2",
    "brand",
    "shop",
    "location",
    "price",
    "quality_rating",
    "price_in_category",
)
ROW = st.fixed_dictionaries(
    {
        "category": st.none() | st.lists(st.sampled_from(["home", "sofas", "new"]), max_size=3),
        "brand": st.none() | st.sampled_from(["Norvik", "new"]),
        "price": st.none() | st.floats(0, 100),
        "location": st.none() | st.sampled_from(["de", "mars"]),
    }
)


def context(products):
    """Ids by slot, counted from the slot's missing row."""
    ids = FITTED.products(products).ids
    begin = [FITTED._begin[slot] for slot in SLOTS]
    return {slot: (ids[:, place] - begin[place]).tolist() for place, slot in enumerate(SLOTS)}


def test_every_field_has_its_own_rows():
    assert FITTED.num_slots == len(SLOTS)
    found = context(PRODUCTS)
    assert found["category_1"] == [1, 1, 1, 2, 0]
    assert found["category_2"] == [1, 1, 2, 0, 0]
    assert found["brand"] == [1, 1, 2, 0, 0]
    assert found["shop"] == [1, 1, 0, 0, 0]
    assert found["location"] == [1, 1, 2, 0, 0]
    assert found["price"] == [1, 1, 2, 2, 0]
    assert found["quality_rating"] == [0, 0, 2, 1, 0]


def test_a_price_is_dear_or_cheap_for_its_category():
    # Sofas cost 1 or 2; the one lamp counts among all of home (1, 2, 30), the one toy among the whole catalogue.
    assert context(PRODUCTS)["price_in_category"] == [1, 2, 2, 2, 0]


def test_rows_of_different_slots_never_meet():
    ids = FITTED.products(PRODUCTS).ids
    ends = [*[FITTED._begin[slot] for slot in SLOTS[1:]], FITTED._begin["device"]]
    for place, end in enumerate(ends):
        assert ids[:, place].min() >= FITTED._begin[SLOTS[place]]
        assert ids[:, place].max() < end
    assert ids.max() < FITTED.num_rows
    assert ids.dtype == np.int32


def test_a_search_from_a_place_has_the_row_of_products_from_there():
    product = FITTED.products(PRODUCTS).ids[:, SLOTS.index("location")]
    search = FITTED.searches(4, locations=pa.array([" us", "DE", None, "mars"])).ids
    assert search[:, 0].tolist() == [product[2], product[0], UNKNOWN_VALUE, UNKNOWN_VALUE]
    assert (search[:, 1] == UNKNOWN_VALUE).all()


def test_places_and_devices_of_searches_alone_are_known_too():
    found = FITTED.searches(2, locations=pa.array(["fr", "us"]), devices=pa.array(["App", "phone"])).ids
    assert (found[:, 0] >= 0).all()
    assert found[0, 1] == FITTED.num_rows - 1
    assert found[1, 1] == UNKNOWN_VALUE


def test_nothing_known_of_searches_is_unknown():
    np.testing.assert_array_equal(FITTED.searches(3).ids, np.full((3, 2), UNKNOWN_VALUE))


def test_without_a_column_its_slot_is_missing():
    ids = FITTED.products(pa.table({"title": ["a", "b"]})).ids
    begin = [FITTED._begin[slot] for slot in SLOTS]
    np.testing.assert_array_equal(ids, [begin, begin])


@settings(max_examples=30, deadline=None)
@given(st.lists(ROW, max_size=5))
def test_a_product_has_the_same_context_alone_and_in_any_company(rows):
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    whole = FITTED.products(table)
    assert whole.ids.shape == (len(rows), len(SLOTS))
    for place in range(len(rows)):
        np.testing.assert_array_equal(FITTED.products(table.slice(place, 1)).ids, whole.take(np.array([place])).ids)


def test_scalars_can_be_named():
    config = ContextConfig(max_depth=0, min_products=1, scalars=("weight",))
    fitted = ContextFeaturiser.fit(pa.table({"weight": [1, 5, None], "quality_x": [1.0, 2.0, 3.0]}), config)
    assert list(fitted.edges) == ["price", "weight"]
    place = [slot for slot in fitted._begin if slot != "device"].index("weight")
    ids = fitted.products(pa.table({"weight": [5, None]})).ids[:, place] - fitted._begin["weight"]
    assert ids[0] > 0
    assert ids[1] == 0


def test_rare_values_are_missing():
    fitted = ContextFeaturiser.fit(PRODUCTS, ContextConfig(min_products=2))
    assert fitted.vocabularies["brand"].values.to_pylist() == ["norvik"]


def test_a_saved_featuriser_gives_the_same_context(tmp_path):
    path = tmp_path / "context.json"
    FITTED.save(path)
    loaded = ContextFeaturiser.load(path, CONFIG)
    assert loaded.num_rows == FITTED.num_rows
    np.testing.assert_array_equal(loaded.products(PRODUCTS).ids, FITTED.products(PRODUCTS).ids)
    places = pa.array(["de", "fr"])
    np.testing.assert_array_equal(loaded.searches(2, locations=places).ids, FITTED.searches(2, locations=places).ids)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.unlink(),
        lambda path: path.write_text(""),
        lambda path: path.write_text("[]"),
        lambda path: path.write_text("{}"),
        lambda path: path.write_bytes(path.read_bytes()[:-9]),
        lambda path: path.write_text(json.dumps({**json.loads(path.read_text()), "edges": {"price": [[1, 2, 3]]}})),
        lambda path: path.write_text(json.dumps({**json.loads(path.read_text()), "vocabularies": {"brand": [3]}})),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(tmp_path, damage):
    path = tmp_path / "context.json"
    FITTED.save(path)
    damage(path)
    with pytest.raises(ModelError, match="must hold its vocabularies and quantiles"):
        ContextFeaturiser.load(path, CONFIG)
