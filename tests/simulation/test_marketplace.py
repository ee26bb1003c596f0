import dataclasses

import numpy as np
import pyarrow as pa
import pytest

from aisle.core.ranking import NO_PRODUCT
from aisle.simulation import LoggingPolicy
from aisle.simulation.clock import NEVER, SECONDS_PER_DAY
from aisle.simulation.needs import ANY
from aisle.simulation.rows import join_rows, take_rows


def assert_equal(one, other):
    for field in dataclasses.fields(one):
        left, right = getattr(one, field.name), getattr(other, field.name)
        if dataclasses.is_dataclass(left):
            assert_equal(left, right)
        elif isinstance(left, pa.Array):
            assert left.equals(right), field.name
        else:
            assert np.array_equal(left, right), field.name


@pytest.mark.parametrize("needs_per_block", [200, 1_111])
def test_what_happens_does_not_depend_on_the_blocks(market, lexical, visits, block, needs_per_block):
    policy = LoggingPolicy(market.stock, lexical, seed=market.seed)
    parts = list(market.blocks(visits, policy, needs_per_block=needs_per_block))
    assert len(parts) > 2
    assert_equal(join_rows([part.searches for part in parts]), block.searches)
    assert_equal(join_rows([part.strolls for part in parts]), block.strolls)


def test_every_need_of_every_visit_is_searched_for(visits, block):
    first = block.searches.attempt == 0
    counts = np.bincount(block.searches.visit[first], minlength=len(visits))
    assert np.array_equal(counts, visits.num_needs)
    assert np.array_equal(visits.user_index[block.searches.visit], block.searches.needs.user_index)


def test_nothing_is_shown_outside_its_life(market, block):
    searches = block.searches
    shown = searches.pages.product_index != NO_PRODUCT
    assert (market.stock.on_sale(searches.pages.product_index, searches.at) == shown).all()
    rows, places = np.nonzero(searches.stamps.ordered_at != NEVER)
    product = searches.pages.product_index[rows, places][:, None]
    assert market.stock.on_sale(product, searches.at[rows]).all()


def test_every_action_follows_its_search_within_the_log(market, block):
    stamps, at = block.searches.stamps, block.searches.at[:, None]
    end = market.days * SECONDS_PER_DAY
    for earlier, later in (
        (at, stamps.clicked_at),
        (stamps.clicked_at, stamps.favorited_at),
        (stamps.clicked_at, stamps.carted_at),
        (stamps.carted_at, stamps.ordered_at),
    ):
        happens = later != NEVER
        assert happens.any()
        assert (np.broadcast_to(earlier, later.shape)[happens] < later[happens]).all()
        assert (later[happens] < end).all()


def test_some_needs_repeat_what_the_shopper_bought_before(block):
    searches = block.searches
    repeats = np.flatnonzero((searches.needs.ordered_before != ANY) & (searches.attempt == 0))
    assert len(repeats) > 10
    product = searches.ordered_product()
    for row in repeats:
        before = np.arange(len(searches)) < row
        same = before & (searches.needs.user_index == searches.needs.user_index[row])
        bought = same & (product == searches.needs.ordered_before[row])
        assert bought.any()
        assert (searches.needs.type_index[bought] == searches.needs.type_index[row]).all()
    again = product[repeats] == searches.needs.ordered_before[repeats]
    assert again.mean() > 0.1


def test_another_first_number_is_another_run_of_the_same_shoppers(market, lexical, visits, block):
    few = take_rows(visits, np.arange(100))
    policy = LoggingPolicy(market.stock, lexical, seed=market.seed)
    (other,) = market.blocks(few, policy, needs_per_block=10**9, first_number=1 << 40)
    first = other.searches.attempt == 0
    assert other.searches.needs.need[first].tolist() == ((1 << 40) + np.arange(few.num_needs.sum())).tolist()
    assert not np.array_equal(other.searches.needs.type_index[:50], block.searches.needs.type_index[:50])


def test_the_log_looks_like_a_log(block):
    searches = block.searches
    clicked = searches.actions.clicked
    assert 0.25 < clicked.any(axis=1).mean() < 0.45
    assert 0.02 < (searches.stamps.ordered_at != NEVER).any(axis=1).mean() < 0.08
    ctr = clicked.mean(axis=0)
    assert ctr[0] > ctr[3] > ctr[8] > ctr[20]
    visits = np.unique(searches.visit[searches.attempt > 0])
    assert 0.1 < len(visits) / len(np.unique(searches.visit)) < 0.25
    assert clicked[searches.pages.is_random].mean() < 0.5 * clicked[~searches.pages.is_random].mean()
