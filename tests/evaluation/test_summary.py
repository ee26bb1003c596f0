import json

import numpy as np
import pytest

from aisle.evaluation import Difference, Estimate, summarise

NAN = float("nan")
VALUES = {
    "lexical": {"R@10": np.array([0.0, 0.5, 1.0, NAN]), "MRR": np.array([1.0, 1.0, 1.0, NAN])},
    "semantic": {"R@10": np.array([1.0, 1.0, 1.0, NAN]), "MRR": np.array([0.5, 0.5, 0.5, NAN])},
    "hybrid": {"R@10": np.array([1.0, 0.5, 1.0, NAN]), "MRR": np.array([1.0, 0.5, 1.0, NAN])},
}
OVERLAPS = {
    "lexical": {"semantic": np.array([0.2, 0.4, NAN, 1.0])},
    "semantic": {"lexical": np.array([NAN, NAN, NAN, 1.0])},
}
COUNTED = np.array([True, True, True, False])


def test_averages_are_over_the_chosen_queries():
    summary = summarise(VALUES, overlaps=OVERLAPS, chosen=COUNTED, seed=1)
    assert summary.num_queries == 3
    assert summary.systems["lexical"]["R@10"] == Estimate(0.5, 0.0, 1.0)
    assert summary.systems["lexical"]["MRR"] == Estimate(1.0, 1.0, 1.0)
    assert summary.overlap["lexical"]["semantic"] == pytest.approx(0.3)
    assert np.isnan(summary.overlap["semantic"]["lexical"])


def test_every_system_is_compared_with_those_before_it():
    summary = summarise(VALUES, overlaps={}, chosen=COUNTED, seed=1)
    assert list(summary.paired) == ["semantic - lexical", "hybrid - lexical", "hybrid - semantic"]
    # Differences 1, 0.5, 0: four sign assignments of two queries, two of them as extreme.
    assert summary.paired["semantic - lexical"]["R@10"] == Difference(0.5, 0.0, 1.0, 0.5)
    assert summary.paired["semantic - lexical"]["MRR"] == Difference(-0.5, -0.5, -0.5, 0.25)


def test_a_set_without_queries_is_null_in_json():
    plain = summarise(VALUES, overlaps=OVERLAPS, chosen=np.zeros(4, dtype=bool), seed=1).as_dict()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert plain["queries"] == 0
    assert plain["systems"]["hybrid"]["MRR"] == {"value": None, "low": None, "high": None}
    assert plain["paired"]["hybrid - lexical"]["MRR"] == {"difference": None, "low": None, "high": None, "p": None}
    assert plain["overlap@10"]["lexical"]["semantic"] is None


def test_one_query_has_a_value_but_no_interval():
    plain = summarise(VALUES, overlaps={}, chosen=np.arange(4) == 1, seed=1).as_dict()
    assert plain["systems"]["lexical"]["R@10"] == {"value": 0.5, "low": None, "high": None}
