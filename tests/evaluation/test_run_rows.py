import ir_measures
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ir_measures import AP, RR, P, R, Success, nDCG

from aisle.core.errors import SourceError
from aisle.core.ids import IdMap
from aisle.evaluation import ranking_of_rows, read_run
from aisle.measures import Qrels, grades_of, parse_measure

IDS = IdMap(["b", "a", "ü", "c10", "c9"])


def rows(query, product, score, rank=None, num_queries=1):
    return ranking_of_rows(
        query=np.array(query, np.int64),
        product=np.array(product, np.int64),
        score=np.array(score, np.float64),
        rank=None if rank is None else np.array(rank, np.int64),
        ids=IDS,
        num_queries=num_queries,
    )


def test_by_score_then_by_rank_then_by_larger_id():
    assert rows([0, 0, 0], [0, 1, 2], [1, 3, 2]).product_index.tolist() == [[1, 2, 0]]
    assert rows([0, 0, 0], [0, 1, 2], [1, 1, 1], [3, 1, 2]).product_index.tolist() == [[1, 2, 0]]
    # Ids by their bytes: ü, c9, c10, b, a.
    assert rows([0] * 5, [0, 1, 2, 3, 4], [1] * 5).product_index.tolist() == [[2, 4, 3, 0, 1]]


def test_scores_that_single_precision_cannot_tell_apart_are_equal():
    assert rows([0, 0], [0, 1], [1.0, 1.0 + 1e-12]).product_index.tolist() == [[0, 1]]


def test_queries_without_rows_are_empty():
    found = rows([2, 0], [1, 0], [1, 1], num_queries=3)
    assert found.product_index.tolist() == [[0], [-1], [1]]
    assert found.score[1, 0] == -np.inf


def test_a_product_that_stands_twice_is_refused():
    with pytest.raises(SourceError, match=r"at most once per query\. Received: repeated_rows=1, rows=3"):
        rows([0, 0, 1], [1, 1, 1], [2, 1, 1], num_queries=2)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@given(seed=st.integers(0, 2**32 - 1))
def test_a_file_with_ties_is_measured_as_by_ir_measures(tmp_path_factory, seed):
    """Few distinct scores, no ranks: what is left is the order of ids, which trec_eval turns round."""
    rng = np.random.default_rng(seed)
    num_queries, num_products = 3, 25
    names = [f"p{number}" for number in rng.permutation(num_products)]
    query, product = np.nonzero(rng.random((num_queries, num_products)) < 0.8)
    score = rng.integers(0, 4, len(query))
    judged = rng.integers(0, 4, (num_queries, num_products))
    judged[:, 0] = 3
    path = tmp_path_factory.mktemp("run") / "run"
    lines = [f"q{q + 1} Q0 {names[p]} 0 {s} t" for q, p, s in zip(query, product, score, strict=True)]
    path.write_text("\n".join(lines))
    wanted = {"nDCG@10": nDCG @ 10, "R@5": R @ 5, "P@5": P @ 5, "MRR": RR, "AP@20": AP @ 20, "Success@1": Success @ 1}
    grades = {f"q{q + 1}": {names[p]: int(judged[q, p]) for p in range(num_products)} for q in range(num_queries)}
    theirs = {name: [0.0] * num_queries for name in wanted}
    name_of = {measure: name for name, measure in wanted.items()}
    for metric in ir_measures.iter_calc(list(wanted.values()), grades, list(ir_measures.read_trec_run(str(path)))):
        theirs[name_of[metric.measure]][int(metric.query_id[1:]) - 1] = metric.value
    qrels = Qrels.from_triples(
        query_index=np.repeat(np.arange(num_queries), num_products),
        product_index=np.tile(np.arange(num_products), num_queries),
        grade=judged.ravel().astype(np.float64),
        num_queries=num_queries,
    )
    ranking = read_run(path, ids=IdMap(names), num_queries=num_queries)
    found = grades_of(ranking, qrels)
    for name in wanted:
        ours = parse_measure(name).per_query(found, qrels, min_grade=1, is_whole=True)
        np.testing.assert_allclose(ours, theirs[name], rtol=0, atol=1e-9, err_msg=name)
