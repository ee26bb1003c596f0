"""Agreement with ir-measures, whose definitions these measures claim to follow."""

import ir_measures
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ir_measures import AP, RR, P, R, Success, nDCG

from aisle.core.ranking import Ranking
from aisle.measures import Qrels, grades_of, parse_measure

NAMES = ("R@10", "R@100", "R@1000", "nDCG@10", "nDCG@20", "MRR", "MRR@10", "P@5", "P@10", "AP", "AP@20", "Success@5")
DEEPEST = 1000


def random_case(seed: int, *, min_grade: int) -> tuple[Ranking, Qrels]:
    """Judgments in which every query has a relevant product, and a ranking with gaps and distinct scores."""
    rng = np.random.default_rng(seed)
    num_queries, num_products, k = int(rng.integers(1, 5)), int(rng.integers(110, 160)), 100
    is_judged = rng.random((num_queries, num_products)) < rng.choice([0.02, 0.3])
    is_judged[:, 0] = True
    query, product = np.nonzero(is_judged)
    grade = rng.integers(0, 4, len(query)).astype(np.float64)
    grade[product == 0] = min_grade
    products = np.stack([rng.permutation(num_products)[:k] for _ in range(num_queries)])
    score = np.sort(rng.permutation(10_000)[: num_queries * k].reshape(num_queries, k))[:, ::-1].astype(np.float32)
    products, score = (np.pad(part, [(0, 0), (0, DEEPEST - k)]) for part in (products, score))
    is_empty = np.arange(DEEPEST) >= rng.integers(1, k + 1, num_queries)[:, None]
    products[is_empty], score[is_empty] = -1, -np.inf
    qrels = Qrels.from_triples(query_index=query, product_index=product, grade=grade, num_queries=num_queries)
    return Ranking(products, score), qrels


def foreign_values(ranking: Ranking, qrels: Qrels, *, min_grade: int) -> dict[str, list[float]]:
    judged: dict[str, dict[str, int]] = {str(query): {} for query in range(qrels.num_queries)}
    for query, product, grade in zip(qrels.query_index, qrels.product_index, qrels.grade, strict=True):
        judged[str(query)][str(product)] = int(grade)
    run = {
        str(query): {str(p): float(s) for p, s in zip(products, scores, strict=True) if p >= 0}
        for query, (products, scores) in enumerate(zip(ranking.product_index, ranking.score, strict=True))
    }
    rel = min_grade
    named = {"R@10": R(rel=rel) @ 10, "R@100": R(rel=rel) @ 100, "nDCG@10": nDCG @ 10}
    named |= {"MRR": RR(rel=rel), "MRR@10": RR(rel=rel) @ 10, "R@1000": R(rel=rel) @ 1000, "nDCG@20": nDCG @ 20}
    named |= {"P@5": P(rel=rel) @ 5, "P@10": P(rel=rel) @ 10, "Success@5": Success(rel=rel) @ 5}
    named |= {"AP": AP(rel=rel), "AP@20": AP(rel=rel) @ 20}
    values: dict[str, list[float]] = {name: [np.nan] * qrels.num_queries for name in named}
    name_of = {measure: name for name, measure in named.items()}
    for metric in ir_measures.iter_calc(list(named.values()), judged, run):
        values[name_of[metric.measure]][int(metric.query_id)] = metric.value
    return values


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), min_grade=st.integers(1, 3))
def test_every_query_has_the_value_of_ir_measures(seed, min_grade):
    ranking, qrels = random_case(seed, min_grade=min_grade)
    grades = grades_of(ranking, qrels)
    expected = foreign_values(ranking, qrels, min_grade=min_grade)
    for name in NAMES:
        ours = parse_measure(name).per_query(grades, qrels, min_grade=min_grade)
        np.testing.assert_allclose(ours, expected[name], rtol=0, atol=1e-9, err_msg=name)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_permuting_queries_permutes_values(seed):
    ranking, qrels = random_case(seed, min_grade=1)
    order = np.random.default_rng(seed).permutation(qrels.num_queries)
    moved_ranking = Ranking(ranking.product_index[order], ranking.score[order])
    moved_qrels = Qrels.from_triples(
        query_index=np.argsort(order)[qrels.query_index],
        product_index=qrels.product_index,
        grade=qrels.grade,
        num_queries=qrels.num_queries,
    )
    for name in NAMES:
        measure = parse_measure(name)
        values = measure.per_query(grades_of(ranking, qrels), qrels, min_grade=1)
        moved = measure.per_query(grades_of(moved_ranking, moved_qrels), moved_qrels, min_grade=1)
        np.testing.assert_array_equal(moved, values[order])
