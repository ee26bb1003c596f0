import json

import numpy as np
import pytest

from aisle.core.errors import ShapeError, UsageError
from aisle.core.ranking import Ranking
from aisle.evaluation import evaluate, evaluate_rankings, retrieve_all, slices_by_label
from aisle.measures import Qrels


def test_values_by_hand(lexical, semantic, texts, qrels):
    evaluation = evaluate([lexical, semantic], texts, qrels, measures=["R@1", "MRR"])
    np.testing.assert_array_equal(evaluation.is_counted, [True, True, False])
    np.testing.assert_array_equal(evaluation.values["lexical"]["R@1"], [0.5, 0.0, np.nan])
    np.testing.assert_array_equal(evaluation.values["lexical"]["MRR"], [1.0, 0.5, np.nan])
    np.testing.assert_array_equal(evaluation.values["semantic"]["R@1"], [0.5, 1.0, np.nan])
    assert evaluation.headline.systems["lexical"]["MRR"].value == 0.75


def test_the_dictionary_is_plain_json_of_the_promised_form(lexical, semantic, texts, qrels):
    plain = evaluate([lexical, semantic], texts, qrels, min_grade=2).as_dict()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert plain["queries"] == 2
    assert plain["queries_without_relevant"] == 1
    assert plain["min_grade"] == 2.0
    assert list(plain["systems"]) == ["lexical", "semantic"]
    assert list(plain["systems"]["semantic"]) == ["R@10", "R@100", "nDCG@10", "MRR"]
    assert plain["systems"]["semantic"]["R@100"] == {"value": 0.5, "low": 0.0, "high": 1.0}
    assert set(plain["paired"]["semantic - lexical"]["R@100"]) == {"difference", "low", "high", "p"}
    # Lamp: 1 of 3 places shared; dress: both.
    assert plain["overlap@10"]["lexical"]["semantic"] == pytest.approx((1 / 3 + 1) / 2)
    assert plain["overlap@10"]["semantic"]["lexical"] == pytest.approx((1 / 2 + 1) / 2)
    assert plain["by"] == {}


def test_all_measures_average_over_the_same_queries():
    # Query 1 has a positive grade, so nDCG is defined, but none that reaches min_grade.
    qrels = Qrels(np.array([0, 1, 2]), np.array([0, 1]), np.array([3.0, 1.0]))
    ranking = Ranking(np.array([[0], [1]]), np.zeros((2, 1), np.float32))
    evaluation = evaluate_rankings({"a": ranking}, qrels, measures=["nDCG@1", "R@1"], min_grade=2)
    assert np.isnan(evaluation.values["a"]["nDCG@1"]).tolist() == [False, True]
    assert evaluation.headline.num_queries == 1


def test_slices_hold_the_same_table_for_their_queries(lexical, texts, qrels):
    slices = slices_by_label(["head", "tail", "tail"]) | {"none": np.zeros(3, dtype=bool)}
    evaluation = evaluate([lexical], texts, qrels, measures=["MRR"], slices=slices)
    plain = evaluation.as_dict()["by"]
    assert {name: part["queries"] for name, part in plain.items()} == {"head": 1, "tail": 1, "none": 0}
    assert plain["tail"]["systems"]["lexical"]["MRR"]["value"] == 0.5
    assert plain["none"]["systems"]["lexical"]["MRR"]["value"] is None


def test_retrieves_as_deep_as_the_deepest_measure(lexical, texts, qrels):
    evaluate([lexical], texts, qrels, measures=["R@10", "R@2000"])
    evaluate([lexical], texts, qrels, measures=["R@10"], k=20)
    assert lexical.asked == [(3, 2000), (3, 20)]


def test_the_result_depends_on_the_seed_alone(lexical, semantic, texts, qrels):
    runs = [evaluate([lexical, semantic], texts, qrels, seed=4).as_dict() for _ in range(2)]
    assert runs[0] == runs[1]


def test_the_same_measure_named_twice_is_one(lexical, texts, qrels):
    assert evaluate([lexical], texts, qrels, measures=["R@10", "r@10"]).measures == ("R@10",)


def test_many_queries_are_retrieved_in_batches_and_in_order(lexical):
    lexical.answers = {f"q{number}": [number] for number in range(1100)}
    ranking = retrieve_all(lexical, list(lexical.answers), k=2)
    assert ranking.product_index[:, 0].tolist() == list(range(1100))
    assert [size for size, _ in lexical.asked] == [512, 512, 76]
    assert retrieve_all(lexical, [], k=2).product_index.shape == (0, 2)


def test_without_a_relevant_product_the_error_tells_the_highest_grade(lexical, texts, qrels):
    message = r"grade min_grade or above\. Received: min_grade=4, highest_grade=3\.0, judgments=4\. Lower min_grade"
    with pytest.raises(UsageError, match=message):
        evaluate([lexical], texts, qrels, min_grade=4)
    assert lexical.asked == []


def test_without_judgments_the_remedy_is_to_import_some(lexical):
    nothing = Qrels(np.array([0, 0]), np.array([], np.int64), np.array([]))
    with pytest.raises(UsageError, match=r"highest_grade=None.*Import judgments"):
        evaluate([lexical], ["lamp"], nothing)


def test_mistaken_calls_are_refused(lexical, texts, qrels):
    with pytest.raises(UsageError, match=r"distinct names\. Received: systems=\['lexical', 'lexical'\]"):
        evaluate([lexical, lexical], texts, qrels)
    with pytest.raises(UsageError, match="at least one system"):
        evaluate([], texts, qrels)
    with pytest.raises(UsageError, match="at least one system and one measure"):
        evaluate([lexical], texts, qrels, measures=[])
    with pytest.raises(UsageError, match="A measure must be one of"):
        evaluate([lexical], texts, qrels, measures=["F@10"])
    with pytest.raises(UsageError, match="min_grade must be a number above 0"):
        evaluate([lexical], texts, qrels, min_grade=0)
    with pytest.raises(UsageError, match="k must be at least 1"):
        evaluate([lexical], texts, qrels, k=0)
    with pytest.raises(ShapeError, match=r"one text per judged query\. Received: texts=2, judged=3"):
        evaluate([lexical], texts[:2], qrels)
    with pytest.raises(ShapeError, match="A slice must have one entry per query"):
        evaluate([lexical], texts, qrels, slices={"head": np.array([True])})
    assert lexical.asked == []


def test_a_ranking_too_short_for_a_measure_is_refused(qrels):
    ranking = Ranking(np.zeros((3, 1), np.int64), np.zeros((3, 1), np.float32))
    with pytest.raises(ShapeError, match="at least k places"):
        evaluate_rankings({"a": ranking}, qrels, measures=["R@10"])
