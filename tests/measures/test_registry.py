import numpy as np
import pytest

from aisle.core.errors import ShapeError, UsageError
from aisle.measures import (
    average_precision,
    grades_of,
    ndcg,
    parse_measure,
    precision,
    recall,
    reciprocal_rank,
    success,
)


@pytest.mark.parametrize(
    ("written", "name", "k"),
    [
        ("R@10", "R@10", 10),
        ("nDCG@10", "nDCG@10", 10),
        ("MRR", "MRR", None),
        ("MRR@10", "MRR@10", 10),
        (" ndcg@5 ", "nDCG@5", 5),
        ("r@1000", "R@1000", 1000),
        ("P@5", "P@5", 5),
        ("success@1", "Success@1", 1),
        ("AP", "AP", None),
        ("MAP@100", "AP@100", 100),
        ("RR@10", "MRR@10", 10),
    ],
)
def test_names_are_read_and_made_canonical(written, name, k):
    measure = parse_measure(written)
    assert (measure.name, measure.k) == (name, k)


WRONG = ("R", "nDCG", "R@0", "R@-1", "R@1.5", "P", "Success", "F@10", "R(rel=2)@10", "", "MRR@", "R@10@10", "R@1e3")


@pytest.mark.parametrize("written", WRONG)
def test_unknown_names_are_refused_with_the_known_ones(written):
    with pytest.raises(
        UsageError, match=r"one of R@k, nDCG@k, P@k, Success@k, MRR, MRR@k, AP, AP@k\. Received: measure="
    ):
        parse_measure(written)


def test_a_measure_computes_its_function(ranking, qrels):
    grades = grades_of(ranking, qrels)
    expected = {
        "R@3": recall(grades, qrels, k=3, min_grade=3),
        "nDCG@3": ndcg(grades, qrels, k=3),
        "MRR": reciprocal_rank(grades, qrels, min_grade=3),
        "P@3": precision(grades, qrels, k=3, min_grade=3),
        "Success@2": success(grades, qrels, k=2, min_grade=3),
        "AP": average_precision(grades, qrels, min_grade=3),
        "MRR@1": reciprocal_rank(grades, qrels, k=1, min_grade=3),
    }
    for name, values in expected.items():
        np.testing.assert_array_equal(parse_measure(name).per_query(grades, qrels, min_grade=3), values)
    assert len({float(values[0]) for values in expected.values()}) >= 4


@pytest.mark.parametrize("name", ["R@9", "nDCG@9", "P@9", "Success@9", "MRR@9", "AP@9"])
def test_places_beyond_the_catalogue_are_empty(ranking, qrels, name):
    grades = grades_of(ranking, qrels)
    padded = np.pad(grades, [(0, 0), (0, 5)], constant_values=np.nan)
    expected = parse_measure(name).per_query(padded, qrels, min_grade=1)
    found = parse_measure(name).per_query(grades, qrels, min_grade=1, is_whole=True)
    np.testing.assert_allclose(found, expected, rtol=1e-15)
    with pytest.raises(ShapeError, match="at least k places"):
        parse_measure(name).per_query(grades, qrels, min_grade=1)


def test_a_k_beyond_all_bounds_takes_no_memory(ranking, qrels):
    grades = grades_of(ranking, qrels)
    # More judged products than places: the best possible ranking is as deep as they are.
    few = parse_measure("nDCG@999999999").per_query(grades[:, :1], qrels, min_grade=1, is_whole=True)
    assert few[0] == 0
    assert parse_measure("P@1000").per_query(grades, qrels, min_grade=1, is_whole=True)[0] == pytest.approx(2 / 1000)
