import numpy as np
import pytest

from aisle.simulation.oracles import Revealed
from aisle.simulation.rows import take_rows
from aisle.simulation.truth_set import find_true_products
from aisle.simulation.truth_tables import intents_table, read_hidden, truth_table

NUM = 300


@pytest.fixture(scope="module")
def searches(block):
    return take_rows(block.searches, np.arange(NUM))


@pytest.fixture(scope="module")
def truth(market, searches):
    return find_true_products(market, searches.needs, searches.at)


def test_what_is_written_is_read_back(market, searches, truth):
    number = np.arange(NUM) * 2
    product_id = market.products.column("product_id").combine_chunks()
    intents = intents_table(searches, number)
    hidden = read_hidden(intents, truth_table(truth, number, product_id), product_id)
    assert hidden.search_id[1].as_py() == "q00000002"
    assert np.array_equal(hidden.at, searches.at)
    phrased = searches.phrased
    revealed = Revealed(phrased.states, phrased.names, phrased.states_brand)
    for one, other in ((hidden.needs, searches.needs), (hidden.truth, truth), (hidden.revealed, revealed)):
        for name, column in vars(other).items():
            assert np.array_equal(getattr(one, name), column), name


def test_truth_of_other_searches_is_left_out(market, searches, truth):
    number = np.arange(NUM)
    product_id = market.products.column("product_id").combine_chunks()
    part = take_rows(searches, np.arange(100, 200))
    hidden = read_hidden(intents_table(part, number[100:200]), truth_table(truth, number, product_id), product_id)
    mine = (truth.row >= 100) & (truth.row < 200)
    assert np.array_equal(hidden.truth.row, truth.row[mine] - 100)
    assert np.array_equal(hidden.truth.product_index, truth.product_index[mine])
