import pyarrow as pa
import pytest

from aisle.tables import JUDGMENTS, PRODUCTS, SCHEMAS, TIME

REQUIRED = {
    "products": {"product_id", "title"},
    "searches": {"search_id", "query", "searched_at"},
    "impressions": {"search_id", "product_id", "position"},
    "events": {"actor_id", "at", "action"},
    "users": {"user_id"},
    "judgments": {"query", "product_id", "grade"},
}


def test_the_six_tables_and_their_required_columns():
    assert {name: set(schema.required) for name, schema in SCHEMAS.items()} == REQUIRED


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=lambda schema: schema.name)
def test_names_are_distinct_and_keys_always_have_a_value(schema):
    assert len(set(schema.names)) == len(schema.names)
    assert all(schema.column(name).required or schema.column(name).default for name in schema.key)


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=lambda schema: schema.name)
def test_times_are_utc_microseconds_and_ids_are_text(schema):
    for column in schema.columns:
        if column.name.endswith("_at") or column.name == "at":
            assert column.type == TIME
        if column.name.endswith("_id"):
            assert column.type == pa.string()


def test_nested_types():
    assert PRODUCTS.column("category").type == pa.list_(pa.string())
    assert PRODUCTS.column("attributes").type == pa.map_(pa.string(), pa.string())


def test_judgments_are_test_unless_they_say_otherwise():
    assert JUDGMENTS.column("split").default == "test"
