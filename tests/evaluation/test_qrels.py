import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aisle.core.errors import TableError, UsageError
from aisle.core.ids import IdMap
from aisle.core.text import normalise_text
from aisle.evaluation import JudgedQueries

CATALOGUE = IdMap(["a", "b", "c"])


def table(rows, **more) -> pa.Table:
    query, product_id, grade = zip(*rows, strict=True) if rows else ((), (), ())
    columns = {
        "query": pa.array(query, pa.string()),
        "product_id": pa.array(product_id, pa.string()),
        "grade": pa.array(grade, pa.float64()),
    }
    return pa.table({**columns, **more})


def test_queries_are_grouped_by_normalised_text_in_order_of_first_appearance():
    judged = JudgedQueries.from_judgments(
        table([("Red  Dress", "b", 1.0), ("lamp", "a", 2.0), ("red dress", "a", 3.0)]), CATALOGUE, split=None
    )
    assert judged.texts == ["Red  Dress", "lamp"]
    assert judged.qrels.offsets.tolist() == [0, 2, 3]
    assert judged.qrels.product_index.tolist() == [0, 1, 0]
    assert judged.qrels.grade.tolist() == [3.0, 1.0, 2.0]


def test_of_two_grades_for_one_pair_the_larger_holds():
    rows = [("lamp", "a", 1.0), ("LAMP", "a", 3.0), ("lamp", "a", 2.0)]
    judged = JudgedQueries.from_judgments(table(rows), CATALOGUE, split=None)
    assert judged.qrels.grade.tolist() == [3.0]


def test_judged_products_that_the_catalogue_lacks_still_count_as_relevant():
    rows = [("lamp", "a", 1.0), ("lamp", "gone", 1.0), ("dress", "gone", 2.0), ("dress", "lost", 2.0)]
    judged = JudgedQueries.from_judgments(table(rows), CATALOGUE, split=None)
    assert judged.num_unknown == 2
    assert judged.qrels.num_relevant(1).tolist() == [2, 2]
    assert judged.ids.ids.to_pylist() == ["a", "b", "c", "gone", "lost"]
    assert judged.ids.id_of(judged.qrels.product_index) == ["a", "gone", "gone", "lost"]


def test_a_row_without_a_split_is_a_test_row():
    rows = [("q1", "a", 1.0), ("q2", "a", 1.0), ("q3", "a", 1.0)]
    with_split = table(rows, split=pa.array(["train", None, "test"]))
    assert JudgedQueries.from_judgments(with_split, CATALOGUE, split="test").texts == ["q2", "q3"]
    assert JudgedQueries.from_judgments(with_split, CATALOGUE, split="train").texts == ["q1"]
    assert JudgedQueries.from_judgments(with_split, CATALOGUE, split=None).texts == ["q1", "q2", "q3"]
    assert JudgedQueries.from_judgments(table(rows), CATALOGUE, split="test").texts == ["q1", "q2", "q3"]


def test_several_chunks_and_whole_number_grades_are_read():
    chunk = pa.table({"query": ["x"], "product_id": ["a"], "grade": pa.array([2], pa.int32())})
    judged = JudgedQueries.from_judgments(pa.concat_tables([chunk, chunk]), CATALOGUE, split=None)
    assert judged.qrels.grade.tolist() == [2.0]


def test_no_judgments_at_all_are_no_queries():
    judged = JudgedQueries.from_judgments(table([]), CATALOGUE, split=None)
    assert judged.texts == []
    assert judged.qrels.num_queries == 0


def test_a_split_without_rows_is_refused_with_the_splits_there_are():
    message = r"rows of the split\. Received: split='validation', splits=\['test'\]\."
    with pytest.raises(UsageError, match=message):
        JudgedQueries.from_judgments(table([("q", "a", 1.0)]), CATALOGUE, split="validation")


def test_a_missing_column_is_refused():
    with pytest.raises(TableError, match=r"missing=\['grade'\]"):
        JudgedQueries.from_judgments(table([("q", "a", 1.0)]).drop_columns("grade"), CATALOGUE, split=None)


@pytest.mark.parametrize("row", [(None, "a", 1.0), ("q", None, 1.0), ("q", "a", None), ("q", "a", float("nan"))])
def test_a_missing_value_is_refused(row):
    with pytest.raises(TableError, match="a query, a product and a finite grade"):
        JudgedQueries.from_judgments(table([("q", "b", 1.0), row]), CATALOGUE, split=None)


ROWS = st.lists(
    st.tuples(st.sampled_from(["A", "a ", "b", "B  b", "b b"]), st.sampled_from("abcxy"), st.integers(0, 3))
)


@given(ROWS)
def test_agrees_with_dictionaries(rows):
    texts: dict[str, str] = {}
    grades: dict[tuple[str, str], float] = {}
    for query, product_id, grade in rows:
        key = normalise_text(query)
        texts.setdefault(key, query)
        grades[key, product_id] = max(grades.get((key, product_id), 0.0), float(grade))
    judged = JudgedQueries.from_judgments(table(rows), CATALOGUE, split=None)
    assert judged.texts == list(texts.values())
    keys = [normalise_text(judged.texts[query]) for query in judged.qrels.query_index]
    product_ids = judged.ids.id_of(judged.qrels.product_index)
    assert dict(zip(zip(keys, product_ids, strict=True), judged.qrels.grade, strict=True)) == grades
