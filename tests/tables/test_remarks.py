import pyarrow as pa

from aisle.tables import EVENTS, PRODUCTS, SEARCHES, validate
from aisle.tables.remarks import remarks

TIME = "2024-01-01"


def test_a_near_name_is_remarked_on():
    table = pa.table({"product_id": ["a"], "title": ["x"], "descripton": ["y"], "zebra": ["z"]})
    assert remarks(table, PRODUCTS) == ("column 'descripton' is kept as an extra column; did you mean 'description'?",)


def test_strange_texts_are_kept_and_the_rule_is_told():
    queries = ["x" * 10_000, "مصباح أحمر", "🛋️ lamp", "a\0b", "\0"]
    table = pa.table({"search_id": ["1", "2", "3", "4", "5"], "query": queries, "searched_at": [TIME] * 5})
    validated = validate(table, SEARCHES)
    assert validated.table["query"].to_pylist() == [*queries[:3], "ab"]
    assert validated.quarantine["search_id"].to_pylist() == ["5"]
    assert validated.report.notes == (
        "query: null bytes were taken out of 2 texts",
        "query: 1 texts of more than 1,000 characters are kept; models read their start",
    )


def test_ordinary_tables_need_no_remark():
    assert remarks(pa.table({"actor_id": [1], "at": [TIME], "action": ["view"]}), EVENTS) == ()
