import pyarrow as pa
import pytest

from aisle.tables import PRODUCTS, SEARCHES, Column


def test_finds_contract_columns_and_leaves_others():
    assert PRODUCTS.column("price").type == pa.float64()
    assert PRODUCTS.column("colour") is None


def test_prefix_makes_number_columns_where_the_table_has_one():
    assert PRODUCTS.column("quality_sales") == Column("quality_sales", pa.float64())
    assert SEARCHES.column("quality_sales") is None


@pytest.mark.parametrize(("name", "quarantines"), [("query", True), ("split", True), ("location", False)])
def test_required_and_decisive_columns_cost_the_row(name, quarantines):
    assert SEARCHES.column(name).quarantines is quarantines
