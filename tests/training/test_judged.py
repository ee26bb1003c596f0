import numpy as np
import pyarrow as pa
import pytest

from aisle.core.ids import IdMap
from aisle.tables import STAGE_GRADES, Stage
from aisle.training import judged_pairs


def judgments_of(*rows):
    queries, products = zip(*rows, strict=True) if rows else ((), ())
    return pa.table({"query": pa.array(queries, pa.string()), "product_id": pa.array(products, pa.string())})


def test_clicked_and_later_stages_are_pairs_weighted_by_their_grade():
    judgments = judgments_of(("a", "x"), ("a", "y"), ("b", "x"), ("b", "z"), ("B", "y"))
    stages = (Stage.SHOWN, Stage.CLICKED, Stage.FAVORITED, Stage.CARTED, Stage.ORDERED)
    pairs = judged_pairs(judgments, np.array([STAGE_GRADES[stage] for stage in stages]), IdMap(["x", "y", "z"]))
    assert pairs.queries.to_pylist() == ["a", "b"]
    assert pairs.query_index.tolist() == [0, 1, 1, 1]
    assert pairs.product_index.tolist() == [1, 0, 2, 1]
    assert pairs.weight.tolist() == [0.5, 0.75, 0.75, 1.0]


def test_products_that_the_catalogue_has_not_are_left_out():
    pairs = judged_pairs(judgments_of(("a", "gone"), ("b", "x")), np.array([4.0, 4.0]), IdMap(["x"]))
    assert pairs.queries.to_pylist() == ["b"]
    assert pairs.product_index.tolist() == [0]


@pytest.mark.parametrize("grades", [[1.0, 1.99], [np.nan, np.nan], [0.0, -3.0]])
def test_nothing_clicked_gives_no_pairs(grades):
    pairs = judged_pairs(judgments_of(("a", "x"), ("b", "x")), np.array(grades), IdMap(["x"]))
    assert len(pairs) == 0


def test_no_judgments_give_no_pairs():
    assert len(judged_pairs(judgments_of(), np.empty(0), IdMap(["x"]))) == 0


def test_judgments_in_several_chunks_are_read_as_one():
    one, two = judgments_of(("a", "x"), ("b", "y")), judgments_of(("a", "y"))
    chunked = pa.concat_tables([one, two])
    assert chunked.column("query").num_chunks == 2
    pairs = judged_pairs(chunked, np.array([4.0, 1.0, 2.0]), IdMap(["x", "y"]))
    assert pairs.queries.to_pylist() == ["a"]
    assert pairs.product_index.tolist() == [0, 1]
    assert pairs.weight.tolist() == [1.0, 0.5]
