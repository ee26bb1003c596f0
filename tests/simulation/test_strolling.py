import numpy as np

from aisle.simulation.clock import NEVER


def test_only_visits_without_a_need_stroll(block, visits):
    assert len(block.strolls.visit) > 100
    assert (visits.num_needs[block.strolls.visit] == 0).all()
    assert np.array_equal(visits.user_index[block.strolls.visit], block.strolls.user_index)


def test_products_are_on_sale_and_met_once(market, block):
    strolls = block.strolls
    assert market.stock.on_sale(strolls.product_index[:, None], strolls.viewed_at).all()
    pairs = np.stack([strolls.visit, strolls.product_index])
    assert np.unique(pairs, axis=1).shape == pairs.shape


def test_actions_follow_one_another(block, visits):
    strolls = block.strolls
    assert (strolls.viewed_at >= visits.at[strolls.visit]).all()
    ordered = strolls.ordered_at != NEVER
    carted = strolls.carted_at != NEVER
    assert not (ordered & ~carted).any()
    assert ordered.sum() > 0
    assert carted.sum() > ordered.sum()
    assert (strolls.viewed_at[carted] < strolls.carted_at[carted]).all()
    assert (strolls.carted_at[ordered] < strolls.ordered_at[ordered]).all()
    same = np.diff(strolls.visit) == 0
    assert (np.diff(strolls.viewed_at)[same] > 0).all()


def test_what_is_liked_is_viewed_and_kept(market, block):
    strolls = block.strolls
    worth = market.utility.without_need(strolls.user_index, strolls.product_index[:, None])[:, 0]
    other = market.utility.without_need(strolls.user_index, np.roll(strolls.product_index, 7)[:, None])[:, 0]
    assert worth.mean() > other.mean() + 0.2
    carted = strolls.carted_at != NEVER
    assert worth[carted].mean() > worth[~carted].mean()
