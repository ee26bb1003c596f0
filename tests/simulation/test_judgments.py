import numpy as np
import pytest

from aisle.simulation import judgments as module
from aisle.simulation.judgments import grade_products, judge_queries
from aisle.simulation.listing import product_ids
from aisle.simulation.queries import BRAND, Intent, SimulatedQuery, draw_queries
from aisle.simulation.truth import draw_truth


@pytest.fixture(scope="module")
def small_truth(tiny_vocabulary):
    return draw_truth(tiny_vocabulary, 400, seed=2)


def ask(text, type_index, aspects, kind="exact"):
    return SimulatedQuery(text, kind, Intent(type_index, aspects))


def slow_grade(truth, row, query):
    """The definition, product by product."""
    types = truth.vocabulary.types
    actual, wanted = types[truth.type_index[row]], types[query.intent.type_index]
    if actual.category[:-1] != wanted.category[:-1]:
        return None
    if actual is not wanted:
        return 1.0
    amiss = sum(
        (truth.brand_index[row] if aspect == BRAND else truth.value_index[row, aspect]) != value
        for aspect, value in query.intent.aspects.items()
    )
    return {0: 3.0, 1: 2.0}.get(amiss, 1.0)


@pytest.mark.parametrize("aspects", [{}, {0: 1}, {0: 1, 1: 0}, {0: 0, BRAND: 1}])
def test_grades_agree_with_the_definition(small_truth, aspects):
    query = ask("sofa", 0, aspects)
    rows, grades = grade_products(small_truth, query)
    expected = {row: slow_grade(small_truth, row, query) for row in range(len(small_truth))}
    expected = {row: grade for row, grade in expected.items() if grade is not None}
    assert dict(zip(rows.tolist(), grades.tolist(), strict=True)) == expected
    assert len(set(expected.values())) > 1


def test_two_aspects_amiss_are_worth_no_more_than_a_related_type(small_truth):
    brand = int(small_truth.brand_index[small_truth.type_index == 0][0])
    rows, grades = grade_products(small_truth, ask("red sofa", 0, {0: 0, BRAND: brand}))
    amiss = (small_truth.value_index[rows, 0] != 0) & (small_truth.brand_index[rows] != brand)
    of_type = small_truth.type_index[rows] == 0
    assert (amiss & of_type).any()
    assert (grades[amiss & of_type] == 1.0).all()


def test_the_table_holds_every_grade_of_every_query(small_truth):
    queries = [ask("navy sofa", 0, {0: 1}), ask("lamp", 2, {}, kind="paraphrase")]
    table = judge_queries(small_truth, queries, seed=0)
    for query in queries:
        rows, grades = grade_products(small_truth, query)
        of_query = table.filter(np.array(table["query"].to_pylist()) == query.text)
        assert of_query["product_id"].to_pylist() == product_ids(rows).to_pylist()
        assert of_query["grade"].to_pylist() == grades.tolist()
        assert set(of_query["kind"].to_pylist()) == {query.kind}


def test_only_lower_grades_are_sampled(small_truth, monkeypatch):
    monkeypatch.setattr(module, "MAX_PARTIAL", 10)
    query = ask("navy sofa", 0, {0: 1})
    _, complete = grade_products(small_truth, query)
    kept = np.array(judge_queries(small_truth, [query], seed=0)["grade"].to_pylist())
    assert (kept == 3.0).sum() == (complete == 3.0).sum() > 10
    assert (kept == 2.0).sum() == (kept == 1.0).sum() == 10


def test_each_kind_is_halved_between_the_splits(small_truth):
    queries = draw_queries(small_truth, 6, seed=0)
    table = judge_queries(small_truth, queries, seed=0)
    split_of = dict(zip(table["query"].to_pylist(), table["split"].to_pylist(), strict=True))
    for kind in {query.kind for query in queries}:
        splits = [split_of[query.text] for query in queries if query.kind == kind]
        assert abs(splits.count("validation") - splits.count("test")) <= 1


def test_no_queries_give_an_empty_table_of_the_same_types(small_truth):
    empty = judge_queries(small_truth, [], seed=0)
    assert len(empty) == 0
    assert empty.schema == judge_queries(small_truth, [ask("lamp", 2, {})], seed=0).schema
