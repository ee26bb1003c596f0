import numpy as np

from aisle.core.ranking import NO_PRODUCT
from aisle.simulation.rows import take_rows
from aisle.simulation.searching import MAX_ATTEMPTS


def per_need(searches):
    return np.unique(searches.needs.need, return_index=True, return_counts=True)


def test_needs_are_tried_one_to_three_times_in_order(block):
    searches = block.searches
    _, start, counts = per_need(searches)
    assert counts.max() <= MAX_ATTEMPTS
    assert (counts > 1).mean() > 0.08
    expected = np.concatenate([np.arange(count) for count in counts])
    assert np.array_equal(searches.attempt, expected)
    assert np.array_equal(searches.attempt[start], np.zeros(len(start)))


def test_only_those_who_found_nothing_ask_again_and_later(block):
    searches = block.searches
    again = np.flatnonzero(searches.attempt > 0)
    assert not searches.actions.is_content[again - 1].any()
    assert (searches.at[again] == searches.stamps.ended_at[again - 1]).all()
    asked_again = np.zeros(len(searches), bool)
    asked_again[again - 1] = True
    has_clicked = searches.actions.clicked.any(axis=1)
    open_ = ~searches.actions.is_content & (searches.attempt < MAX_ATTEMPTS - 1)
    assert asked_again[open_ & ~has_clicked].mean() > asked_again[open_ & has_clicked].mean() > 0


def test_the_same_need_asks_in_other_words(block):
    again = np.flatnonzero(block.searches.attempt > 0)
    text = block.searches.phrased.text
    changed = [text[int(row)].as_py() != text[int(row) - 1].as_py() for row in again]
    assert np.mean(changed) > 0.85


def test_the_ordered_product_is_what_was_ordered_on_the_spot(block):
    product = block.searches.ordered_product()
    rows, places = np.nonzero(block.searches.actions.ordered)
    assert len(rows) > 30
    assert np.array_equal(product[rows], block.searches.pages.product_index[rows, places])
    none = take_rows(block.searches, np.setdiff1d(np.arange(len(product)), rows))
    assert (none.ordered_product() == NO_PRODUCT).all()


def test_those_who_mean_to_buy_try_harder(block):
    searches = block.searches
    first = searches.attempt == 0
    ready = searches.actions.is_ready
    assert ready[~first].mean() > ready[first].mean() + 0.08
