import pyarrow as pa
import pytest

from aisle.core.errors import UsageError
from aisle.pipelines.product_keys import with_product_ids

PRODUCTS = pa.table(
    {"product_id": ["a", "b", "c"], "ean": [["1", "2"], ["2", None, "3"], None], "sku": ["x", "y", None]}
)


def test_keys_in_lists_become_product_ids_and_others_stay():
    table = pa.table({"product_id": ["3", "2", "9", None], "position": [1, 2, 3, 4]})
    named, note = with_product_ids(table, PRODUCTS, key="ean")
    assert named.to_pydict() == {"product_id": ["b", "a", "9", None], "position": [1, 2, 3, 4]}
    assert note == "2 of 3 products found by ean; 1 keys belong to several products, the first was taken"


def test_keys_may_be_one_text_per_product():
    named, note = with_product_ids(pa.table({"product_id": ["y"]}), PRODUCTS, key="sku")
    assert named["product_id"].to_pylist() == ["b"]
    assert note == "1 of 1 products found by sku"


def test_a_table_without_products_stays():
    table = pa.table({"actor_id": ["u"]})
    assert with_product_ids(table, PRODUCTS, key="sku")[0] is table


@pytest.mark.parametrize(("key", "text"), [("eam", "Did you mean ean"), ("nested", "texts or of lists")])
def test_a_key_that_is_none(key, text):
    products = PRODUCTS.append_column("nested", pa.array([{"k": 1}] * 3))
    with pytest.raises(UsageError, match=text):
        with_product_ids(pa.table({"product_id": ["y"]}), products, key=key)
