import numpy as np
import pytest

from aisle.simulation.needs import QueryKind
from aisle.simulation.oracles import Knowledge, Revealed, oracle_recall
from aisle.simulation.rows import take_rows
from aisle.simulation.truth_set import find_true_products


@pytest.fixture(scope="module")
def asked(market, block):
    """The block's searches with their truth."""
    searches = take_rows(block.searches, np.arange(2_000))
    return searches, find_true_products(market, searches.needs, searches.at)


@pytest.fixture(scope="module")
def recall(market, asked):
    searches, truth = asked
    phrased = searches.phrased
    revealed = Revealed(phrased.states, phrased.names, phrased.states_brand)

    def measured(knowledge, k):
        return oracle_recall(market, searches.needs, revealed, truth=truth, at=searches.at, knowledge=knowledge, k=k)

    return measured


def test_recall_is_the_share_of_the_truth_within_k(market, asked, recall):
    """Against a plain ranking of the whole catalogue, for the oracle of intent and taste."""
    searches, truth = asked
    measured = recall(Knowledge.INTENT_AND_TASTE, 5)
    every = np.arange(len(market.world))[None, :]
    for row in np.unique(truth.row)[:60]:
        one = take_rows(searches.needs, np.array([row]))
        parts = market.utility.parts(one, every)
        score = parts.type_fit(np.float32(-99), np.float32(-99)) + parts.details + parts.taste + parts.quality
        score[~market.stock.on_sale(every, searches.at[[row]])] = -np.inf
        best = np.argsort(-score[0])[:5]
        true = truth.product_index[truth.row == row]
        assert measured[row] == pytest.approx(np.isin(true, best).mean())


def test_searches_without_truth_have_no_recall(asked, recall):
    has_truth = np.isin(np.arange(2_000), asked[1].row)
    assert np.array_equal(np.isnan(recall(Knowledge.INTENT, 5)), ~has_truth)


def test_who_knows_more_finds_more(asked, recall):
    intent, both, query = (np.nanmean(recall(knowledge, 3)) for knowledge in Knowledge)
    assert both > intent
    assert both > query
    assert np.nanmean(recall(Knowledge.INTENT, 10)) > intent


def test_taste_says_most_where_the_need_says_least(asked, recall):
    gain = recall(Knowledge.INTENT_AND_TASTE, 3) - recall(Knowledge.INTENT, 3)
    kind = asked[0].needs.kind
    assert np.nanmean(gain[kind == QueryKind.BROAD]) > np.nanmean(gain[kind == QueryKind.LONG])
