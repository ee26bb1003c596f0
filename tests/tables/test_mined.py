import pytest

from aisle.tables import MINED_SCHEMAS, TIME


def test_the_tables_of_a_mined_log():
    assert set(MINED_SCHEMAS) == {
        "queries",
        "actors",
        "examples",
        "outcomes",
        "histories",
        "neighbours_query",
        "neighbours_product",
        "statistics",
        "sampling",
    }


@pytest.mark.parametrize("schema", MINED_SCHEMAS.values(), ids=lambda schema: schema.name)
def test_names_are_distinct_and_types_follow_names(schema):
    assert len(set(schema.names)) == len(schema.names)
    for column in schema.columns:
        if column.name.endswith("_index"):
            assert str(column.type) == "int32"
        if column.name.endswith(("_start", "_end")):
            assert str(column.type) == "int64"
        if column.name == "at" or column.name.endswith("_at"):
            assert column.type == TIME
