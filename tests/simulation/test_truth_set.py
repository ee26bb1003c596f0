import numpy as np
import pytest

from aisle.simulation.truth_set import MOST_TRUE, find_true_products, shared_work

NUM = 300
AT = 20 * 86_400


@pytest.fixture(scope="module")
def needs(draw_needs):
    return draw_needs(NUM)


@pytest.fixture(scope="module")
def truth(market, needs):
    return find_true_products(market, needs, np.full(NUM, AT))


def test_the_truth_is_what_examining_everything_finds(market, needs, truth):
    every = np.tile(np.arange(len(market.world)), (NUM, 1))
    utility = market.utility.of(needs, every)
    passes = market.stock.on_sale(every, np.full(NUM, AT)) & (utility > needs.threshold[:, None])
    for row in range(NUM):
        best = np.argsort(np.where(passes[row], -utility[row], np.inf))[: min(MOST_TRUE, passes[row].sum())]
        mine = truth.row == row
        assert truth.product_index[mine].tolist() == best.tolist()
        assert truth.utility[mine] == pytest.approx(utility[row, best], abs=1e-4)
    assert 1 < np.bincount(truth.row, minlength=NUM).mean() < MOST_TRUE


def test_work_is_shared_by_key_in_bounded_parts():
    key, of_products = np.array([1, 0, 1, 2]), np.array([0, 1, 1, 0])
    parts = [(rows.tolist(), products.tolist()) for rows, products in shared_work(key, of_products)]
    assert parts == [([1], [0, 3]), ([0, 2], [1, 2]), ([3], [])]


def test_parts_are_bounded(monkeypatch):
    monkeypatch.setattr("aisle.simulation.truth_set._CELLS", 6)
    parts = [rows.tolist() for rows, _ in shared_work(np.zeros(5, int), np.zeros(3, int))]
    assert parts == [[0, 1], [2, 3], [4]]
