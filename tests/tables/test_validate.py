import json

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aisle.core.errors import TableError
from aisle.core.ids import IdMap
from aisle.tables import EVENTS, IMPRESSIONS, JUDGMENTS, PRODUCTS, REASON, ROW, SCHEMAS, validate


def reasons(validated):
    return dict(zip(validated.quarantine[ROW].to_pylist(), validated.quarantine[REASON].to_pylist(), strict=True))


def test_a_clean_table_passes_with_its_types_and_extra_columns():
    table = pa.table(
        {"product_id": [1, 2], "title": ["a", "b"], "colour": [b"\xff", None], "quality_sales": ["3", None]}
    )
    validated = validate(table, PRODUCTS)
    assert validated.table.to_pylist() == [
        {"product_id": "1", "title": "a", "colour": b"\xff", "quality_sales": 3.0},
        {"product_id": "2", "title": "b", "colour": None, "quality_sales": None},
    ]
    assert validated.quarantine.num_rows == 0
    assert validated.quarantine.column_names == [*table.column_names, ROW, REASON]
    assert validated.report.problems == ()


def test_every_problem_of_a_table_is_reported_at_once():
    table = pa.table(
        {
            "product_id": ["p1", "p1", None, "p4", "p5"],
            "title": ["a", "b", "", " ", "e"],
            "price": ["1", "2", "3", "x", "-5"],
            "in_stock": ["yes", "no", "perhaps", None, ""],
        }
    )
    validated = validate(table, PRODUCTS)
    assert validated.table["product_id"].to_pylist() == ["p1", "p5"]
    assert validated.table["price"].to_pylist() == [1, None]
    assert reasons(validated) == {
        2: "product_id must be unique: an earlier row has the same",
        3: "product_id must be present and not blank; title must be present and not blank",
        4: "title must be present and not blank",
    }
    found = {(problem.column, problem.rule, problem.action): problem for problem in validated.report.problems}
    assert found["price", "must be a number", "nulled"].first == ((4, "x"),)
    assert found["price", "must be at least 0", "nulled"].first == ((5, "-5"),)
    assert found["in_stock", "must be true or false", "nulled"].count == 1
    assert found["title", "must be present and not blank", "quarantined"].first == ((3, ""), (4, " "))
    assert json.loads(json.dumps(validated.report.as_dict()))["quarantined"] == 3


def test_quarantined_rows_stay_as_they_came():
    table = pa.table({"product_id": [1, 1], "title": ["a", "b"], "price": ["1.50", "x"]})
    row = validate(table, PRODUCTS).quarantine.to_pylist()[0]
    assert row == {"product_id": 1, "title": "b", "price": "x", ROW: 2, REASON: row[REASON]}


def test_a_quarantine_comes_back_without_its_old_marks():
    table = pa.table({"product_id": ["p1"], "title": ["mended"], ROW: [7], REASON: ["title must be present"]})
    assert validate(table, PRODUCTS).table.column_names == ["product_id", "title"]


def test_a_bad_row_does_not_make_a_later_good_one_a_duplicate():
    validated = validate(pa.table({"product_id": ["p1", "p1"], "title": ["", "good"]}), PRODUCTS)
    assert validated.table["title"].to_pylist() == ["good"]


def test_impressions_are_told_apart_by_all_three_keys():
    table = pa.table({"search_id": ["s", "s", "s"], "product_id": ["p", "p", "p"], "position": [1, 2, 1]})
    validated = validate(table, IMPRESSIONS)
    assert validated.table["position"].to_pylist() == [1, 2]
    assert validated.report.problems[0].first == ((3, "s · p · 1"),)


def test_events_may_repeat():
    table = pa.table({"actor_id": ["u", "u"], "at": ["2020-01-01", "2020-01-01"], "action": ["view", "view"]})
    assert validate(table, EVENTS).report.num_usable == 2


def test_judgments():
    table = pa.table(
        {
            "query": ["Red  Dress", "red dress", "red dress", "boots", "boots", "hat"],
            "product_id": ["p1", "p1", "p1", "p1", "p9", "p2"],
            "grade": [3, 3, 1, 2, 2, None],
        }
    )
    validated = validate(table, JUDGMENTS, known_products=IdMap(["p1", "p2"]))
    assert validated.table["query"].to_pylist() == ["Red  Dress", "boots"]
    assert validated.table["split"].to_pylist() == ["test", "test"]
    assert reasons(validated) == {
        2: "query, product_id, split must be unique: an earlier row has the same",
        3: "query, product_id, split must have one grade: an earlier row contradicts",
        5: "product_id must be a product of the catalogue",
        6: "grade must be present and not blank",
    }


def test_a_judgment_of_one_split_leaves_those_of_another_alone():
    columns = {"query": ["a", "a"], "product_id": ["p", "p"], "grade": [1, 3], "split": ["test", "train"]}
    assert validate(pa.table(columns), JUDGMENTS).table["split"].to_pylist() == ["test", "train"]


def test_unknown_split_is_set_aside():
    columns = {"query": ["a", "b", "c"], "product_id": ["p"] * 3, "grade": [1] * 3, "split": ["train", "dev", None]}
    validated = validate(pa.table(columns), JUDGMENTS)
    assert validated.table["split"].to_pylist() == ["train", "test"]
    assert reasons(validated) == {2: "split must be one of train, validation, test"}


def test_missing_columns_are_listed_with_what_was_probably_meant():
    with pytest.raises(TableError) as caught:
        validate(pa.table({"productid": ["p1"], "Title": ["a"]}), PRODUCTS)
    assert "missing=['product_id', 'title']" in str(caught.value)
    assert "Did you mean --map product_id=productid,title=Title?" in str(caught.value)


def test_a_misspelt_optional_column_is_noted():
    validated = validate(pa.table({"product_id": ["p1"], "title": ["a"], "descripton": ["d"]}), PRODUCTS)
    assert validated.report.notes == ("column 'descripton' is kept as an extra column; did you mean 'description'?",)


def test_column_names_that_stand_twice_are_refused():
    table = pa.table([pa.array(["a"]), pa.array(["b"])], names=["title", "title"])
    with pytest.raises(TableError, match="must have different names"):
        validate(table, PRODUCTS)


@pytest.mark.parametrize("title", [[], [None], [" "]])
def test_a_table_without_a_usable_row_is_refused(title):
    table = pa.table({"product_id": pa.array(["p"] * len(title), pa.string()), "title": pa.array(title, pa.string())})
    with pytest.raises(TableError, match="must have at least one usable row"):
        validate(table, PRODUCTS)


GOOD = {
    "product_id": "good", "title": "t", "search_id": "good", "query": "good", "searched_at": "2020-01-01",
    "position": "1", "actor_id": "a", "at": "2020-01-01", "action": "view", "user_id": "good", "grade": "1",
}  # fmt: skip
VALUE = (
    st.none() | st.sampled_from(["", " ", "1", "0", "-1", "nan", "2020-02-30", "train", "good"]) | st.text(max_size=4)
)


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=lambda schema: schema.name)
@given(data=st.data())
def test_no_row_is_lost_and_none_is_set_aside_without_a_reason(schema, data):
    num_rows = data.draw(st.integers(0, 12))
    columns = {
        name: [GOOD.get(name), *data.draw(st.lists(VALUE, min_size=num_rows, max_size=num_rows))]
        for name in schema.names
    }
    columns["row"] = [str(row) for row in range(num_rows + 1)]
    table = pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})
    validated = validate(table, schema, known_products=IdMap(["good", "1"]))
    rows = validated.table["row"].to_pylist() + validated.quarantine["row"].to_pylist()
    assert sorted(rows, key=int) == columns["row"]
    assert all(validated.quarantine[REASON].to_pylist())
    assert validated.quarantine[ROW].to_pylist() == [int(row) + 1 for row in validated.quarantine["row"].to_pylist()]
    assert [validated.table.schema.field(column.name).type for column in schema.columns] == [
        column.type for column in schema.columns
    ]
    assert not any(validated.table[name].null_count for name in schema.required)


@given(st.lists(st.tuples(VALUE, VALUE, VALUE), max_size=12))
def test_validating_twice_changes_nothing(rows):
    names = ("product_id", "title", "price")
    columns = dict(zip(names, zip(("good", "t", "1"), *rows, strict=True), strict=True))
    once = validate(pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()}), PRODUCTS)
    twice = validate(once.table, PRODUCTS)
    assert twice.table.equals(once.table)
    assert twice.report.problems == ()


def test_a_by_product_may_be_empty():
    table = pa.table({"actor_id": ["u"], "at": ["2024-01-01"], "action": ["view"], "product_id": ["gone"]})
    known = {"known_products": IdMap(["p"])}
    validated = validate(table, SCHEMAS["events"], **known, may_be_empty=True)
    assert (validated.table.num_rows, validated.quarantine.num_rows) == (0, 1)
    with pytest.raises(TableError, match="name its column with --product-key"):
        validate(table, SCHEMAS["events"], **known)


def test_impressions_of_an_unknown_search_are_set_aside():
    table = pa.table({"search_id": ["s", "t"], "product_id": ["p", "p"], "position": [1, 1]})
    validated = validate(table, SCHEMAS["impressions"], known_searches=IdMap(["s"]))
    assert validated.table["search_id"].to_pylist() == ["s"]
    assert validated.quarantine["_reason"].to_pylist() == ["search_id must be a search of the searches table"]
