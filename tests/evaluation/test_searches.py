from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from aisle.core.errors import ShapeError
from aisle.core.ranking import Ranking
from aisle.evaluation import EvaluatedSearches, OnSale, evaluate_searches, rank_searches
from aisle.evaluation.searches import REPEATS
from aisle.measures import Qrels
from aisle.tables.schema import TIME


def qrels(pairs, num_queries):
    query, product = (np.array(column, np.int64) for column in zip(*pairs, strict=True)) if pairs else ([], [])
    return Qrels.from_triples(
        query_index=np.array(query, np.int64),
        product_index=np.array(product, np.int64),
        grade=np.ones(len(pairs)),
        num_queries=num_queries,
    )


def searches(*, repeated=()):
    """Three searches of two texts; the second and the third are the same text at other times."""
    return EvaluatedSearches(
        texts=["lamp", "dress", "dress"],
        at=np.array([10, 10, 30]),
        wanted=qrels([(0, 1), (1, 2), (2, 3)], 3),
        repeated=qrels(list(repeated), 3),
        slices={"head": np.array([False, True, True])},
    )


ALWAYS = OnSale.of_products(pa.table({"product_id": ["a", "b", "c", "d"]}))


def fixed(fixed_retriever, **answers):
    return {"fixed": fixed_retriever("fixed", answers)}


def test_each_search_is_measured_and_each_text_retrieved_once(fixed_retriever):
    systems = fixed(fixed_retriever, lamp=[1], dress=[2, 0])
    found, rankings = evaluate_searches(systems, searches(), ALWAYS, k=100, seed=0)
    assert found.headline.num_queries == 3
    assert found.values["fixed"]["R@10"].tolist() == [1, 1, 0]
    assert found.slices["head"].systems["fixed"]["R@10"].value == 0.5
    assert systems["fixed"].asked == [(2, 100)]
    assert rankings["fixed"].product_index[2, :3].tolist() == [2, 0, -1]


def test_candidates_are_those_on_sale_at_the_time_of_the_search(fixed_retriever):
    created = pa.array([None, None, 20, None], TIME)
    on_sale = OnSale.of_products(pa.table({"created_at": created}))
    _, rankings = evaluate_searches(fixed(fixed_retriever, dress=[2, 3]), searches(), on_sale, k=100, seed=0)
    assert rankings["fixed"].product_index[1:, :3].tolist() == [[3, -1, -1], [2, 3, -1]]


def test_searches_are_ranked_as_in_the_evaluation(fixed_retriever):
    systems = fixed(fixed_retriever, lamp=[1], dress=[2, 0])
    _, rankings = evaluate_searches(systems, searches(), ALWAYS, k=100, seed=0)
    ranked = rank_searches(systems, searches(), ALWAYS, k=100)
    assert list(ranked) == ["fixed"]
    np.testing.assert_array_equal(ranked["fixed"].product_index, rankings["fixed"].product_index)


def test_repeated_orders_are_a_slice_of_their_own(fixed_retriever):
    systems = fixed(fixed_retriever, lamp=[1, 0], dress=[0])
    found, _ = evaluate_searches(systems, searches(repeated=[(0, 0)]), ALWAYS, k=100, seed=0)
    assert found.slices[REPEATS].num_queries == 1
    assert found.slices[REPEATS].systems["fixed"]["MRR"].value == 0.5
    assert found.headline.systems["fixed"]["MRR"].value == pytest.approx(1 / 3)
    without, _ = evaluate_searches(systems, searches(), ALWAYS, k=100, seed=0)
    assert REPEATS not in without.slices


def test_columns_of_another_length_are_refused():
    with pytest.raises(ShapeError, match=r"All columns of searches must be of one length. Received: texts=1, at=2"):
        EvaluatedSearches(["lamp"], np.array([1, 2]), qrels([], 1), qrels([], 1), {})


def test_a_known_shoppers_search_is_retrieved_by_itself():
    class ByPlace:
        name = "by place"

        def retrieve(self, queries, *, k):
            index = np.full((len(queries), k), -1)
            index[:, 0] = [1 if place == "DE" else 3 for place in queries.locations]
            return Ranking(index, np.where(index >= 0, 0, -np.inf).astype(np.float32))

    known = replace(searches(), locations=["DE", "DE", None])
    _, rankings = evaluate_searches({"by place": ByPlace()}, known, ALWAYS, k=100, seed=0)
    assert rankings["by place"].product_index[:, 0].tolist() == [1, 1, 3]
