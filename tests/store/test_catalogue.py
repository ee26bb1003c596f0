import datetime

import numpy as np
import pyarrow as pa
import pytest

from aisle.core.errors import ShapeError
from aisle.store.catalogue import StoredCatalogue, is_on_sale


def test_products_are_on_sale_until_they_are_removed():
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    table = pa.table({"product_id": ["a", "b", "c"], "removed_at": [now - day, now + day, None]})
    assert is_on_sale(table).tolist() == [False, True, True]
    assert is_on_sale(table.drop_columns(["removed_at"])).tolist() == [True] * 3
    assert is_on_sale(pa.table({"product_id": ["a"], "removed_at": pa.nulls(1)})).tolist() == [True]


def test_what_is_removed_is_left_out_and_indices_stay_those_of_the_rows(shelf, random_vectors):
    vectors = random_vectors(7, seed=1)
    catalogue = StoredCatalogue.checked(shelf, vectors)
    assert catalogue.product_index.tolist() == [0, 1, 2, 3, 4, 5]
    assert (len(catalogue), catalogue.dim, catalogue.products.num_rows) == (6, 16, 6)
    part = catalogue.part(4, 10)
    assert part.product_index.tolist() == [4, 5]
    np.testing.assert_array_equal(part.vectors, vectors[4:6])
    assert part.products["product_id"].to_pylist() == ["lamp2", "rug"]


def test_what_does_not_fit_is_refused(shelf, random_vectors):
    with pytest.raises(ShapeError, match="vectors=3"):
        StoredCatalogue.checked(shelf, random_vectors(3, seed=1))
    with pytest.raises(ShapeError, match=r"\[rows, 8\]"):
        StoredCatalogue.checked(shelf, random_vectors(7, seed=1), dim=8)
