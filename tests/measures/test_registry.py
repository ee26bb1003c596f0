import numpy as np
import pytest

from aisle.core.errors import UsageError
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
