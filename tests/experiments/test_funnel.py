import numpy as np
import pytest

from aisle.experiments.funnel import funnels
from aisle.simulation.truth_set import find_true_products


@pytest.fixture(scope="module")
def found(market, setup_of, oracle, outcome):
    early = np.arange(len(outcome.search_visit)) < 500
    slices = {"early": early, "never": np.zeros(len(early), bool)}
    setups = {"a": setup_of(), "b": oracle, "empty": lambda requests: np.full((len(requests), 3), -1)}
    return funnels(market, setups, outcome, slices=slices, most=10**6)


def test_the_oracle_brings_everything_and_the_page_holds_it(found):
    oracle = found["all"]["b"]
    assert oracle.candidates == 1.0
    assert oracle.page == oracle.kept == 1.0, "at most 10 products are true, and a page has 24 places"
    assert 1 <= oracle.place < 2


def test_words_bring_less_and_the_ranker_keeps_a_part(found):
    words = found["all"]["a"]
    assert 0.1 < words.page < words.candidates < 1
    assert words.kept == pytest.approx(words.page / words.candidates)
    assert 1 < words.place < 24


def test_nothing_brought_is_nothing_kept(found):
    empty = found["all"]["empty"]
    assert (empty.candidates, empty.page) == (0, 0)
    assert np.isnan([empty.kept, empty.place]).all()


def test_searches_with_truth_count_in_their_slices(found, market, outcome):
    with_truth = np.unique(find_true_products(market, outcome.needs, outcome.requests.at).row)
    assert found["all"]["a"].searches == len(with_truth)
    assert found["early"]["a"].searches == (with_truth < 500).sum()
    assert "never" not in found
    assert found["early"]["a"].as_dict()["candidates"] == found["early"]["a"].candidates


def test_a_part_of_the_searches_is_taken_evenly(market, setup_of, outcome):
    some = funnels(market, {"a": setup_of()}, outcome, slices={}, most=50)
    assert 0 < some["all"]["a"].searches <= 50
