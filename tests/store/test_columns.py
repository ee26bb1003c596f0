import numpy as np
import pyarrow as pa
import pytest

from aisle.store import NO_FILTER, ProductFilter
from aisle.store.columns import FilterColumns
from aisle.store.payload import PayloadSchema


@pytest.mark.parametrize("own", [(), ("colour", "size.cm")])
@pytest.mark.parametrize("cut", [0, 2])
def test_slices_and_chunks_of_a_table_are_read_as_the_table(shelf, own, cut):
    schema = PayloadSchema(own)
    whole = FilterColumns(shelf, schema)
    parts = FilterColumns(pa.concat_tables([shelf.slice(0, 3), shelf.slice(3)]).slice(cut), schema)
    for where in (
        ProductFilter(attributes={"colour": ("red",)}),
        ProductFilter(category=("Home",)),
        ProductFilter(price_min=15.0),
        ProductFilter(attributes={"bulb": ("E27",)}),
        ProductFilter(in_stock=True, blocked=("stool",)),
    ):
        assert whole.passing(where)[cut:].tolist() == parts.passing(where).tolist()
        assert whole.passing(where).any()
    assert whole.passing(NO_FILTER) is None


def test_an_attribute_twice_counts_with_its_last_value():
    pairs = pa.array([[("c", "x"), ("c", "y")], [("c", "y"), ("d", None)]], pa.map_(pa.string(), pa.string()))
    columns = FilterColumns(pa.table({"product_id": ["a", "b"], "attributes": pairs}), PayloadSchema(("c",)))
    assert columns.hits("find.a0", passing=None) == [("y", 2)]
    assert columns.hits("find.a0", passing=np.array([True, False])) == [("y", 1)]
    assert columns.hits("find.none", passing=None) == []


def test_columns_that_are_not_there_hold_nothing():
    columns = FilterColumns(pa.table({"product_id": ["a"]}), PayloadSchema())
    for where in (ProductFilter(brands=("x",)), ProductFilter(price_min=0.0), ProductFilter(category=("x",))):
        assert columns.passing(where).tolist() == [False]
