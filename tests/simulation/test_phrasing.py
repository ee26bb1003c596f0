import dataclasses

import numpy as np
import pyarrow.compute as pc
import pytest

from aisle.core.text import normalise_texts
from aisle.simulation.gifts import Gifts
from aisle.simulation.needs import ANY, QueryKind
from aisle.simulation.phrasing import NAMES_GROUP, NAMES_NOTHING, NAMES_TYPE, Phrasing
from aisle.simulation.rows import take_rows

NUM = 5_000


@pytest.fixture(scope="module")
def phrasing(market):
    gifts = Gifts(market.world.truth.vocabulary)
    return Phrasing(market.world, market.shoppers, gifts, seed=market.seed)


@pytest.fixture(scope="module")
def needs(draw_needs):
    return draw_needs(NUM)


@pytest.fixture(scope="module")
def first(phrasing, needs):
    return phrasing.write(needs, np.zeros(NUM, np.int8))


def test_every_need_has_a_query(first):
    assert first.text.null_count == 0
    assert pc.min(pc.utf8_length(normalise_texts(first.text))).as_py() >= 2


def test_a_query_is_the_same_in_any_company(phrasing, needs, first):
    rows = np.array([40, 7, 999])
    alone = phrasing.write(take_rows(needs, rows), np.zeros(3, np.int8))
    assert alone.text.to_pylist() == first.text.take(rows).to_pylist()


def test_few_broad_queries_make_much_of_the_traffic(needs, first):
    broad = first.text.filter(needs.kind == QueryKind.BROAD)
    own = first.text.filter(needs.kind == QueryKind.OWN_WORDS)
    assert len(pc.unique(broad)) < 0.45 * len(broad)
    assert len(pc.unique(own)) > 0.9 * len(own)


def test_own_words_stand_in_hardly_any_title(market, needs, first):
    """Sellers' words find titles of the type; shoppers' words do not."""
    titles = " | ".join(market.products.column("title").to_pylist()).lower()
    types = market.world.truth.vocabulary.types
    own = np.flatnonzero(first.says_shopper_words & (needs.kind == QueryKind.OWN_WORDS))
    assert len(own) > 500
    for row in own[:100]:
        kind = types[needs.type_index[row]]
        assert not any(name in titles for name in kind.shoppers if name.isascii()) or len(kind.shoppers) > 1


def test_what_is_said_is_wanted(needs, first):
    assert not (first.states & (needs.wanted < 0)).any()
    assert np.array_equal(first.states_brand, needs.brand_index != ANY)
    stated = first.states.sum(axis=1)
    plain = needs.persona < 0
    assert np.array_equal(stated[plain], needs.num_stated[plain])
    assert (stated[~plain] == (needs.wanted[~plain] >= 0).sum(axis=1)).all()


def test_stated_values_are_in_the_text(market, needs, first):
    vocabulary = market.world.truth.vocabulary
    rows = np.flatnonzero((needs.kind == QueryKind.DETAILED) & first.states.any(axis=1))[:400]
    found = 0
    for row in rows:
        column = int(np.flatnonzero(first.states[row])[0])
        value = vocabulary.attributes[column].values[needs.wanted[row, column]]
        text = first.text[int(row)].as_py().lower()
        found += any(word.lower() in text for word in (*value.sellers, *value.shoppers))
    assert found > 0.88 * len(rows), "typos and abbreviations hide a few"


def test_brands_groups_and_gifts_are_named(market, needs, first):
    brands = market.world.truth.brand_names
    branded = np.flatnonzero(first.states_brand)
    named = [brands[needs.brand_index[row]].lower() in first.text[int(row)].as_py().lower() for row in branded]
    assert np.mean(named) > 0.9
    by_name = {name: (first.names == name).mean() for name in (NAMES_NOTHING, NAMES_GROUP, NAMES_TYPE)}
    assert by_name[NAMES_TYPE] > 0.75
    assert by_name[NAMES_GROUP] > 0.04
    assert by_name[NAMES_NOTHING] > 0.02
    gifts = first.text.filter((needs.kind == QueryKind.GIFT) & (first.names == NAMES_NOTHING)).to_pylist()
    says_gift = [any(word in text for word in ("gift", "present", "for", "stocking")) for text in gifts]
    assert np.mean(says_gift) > 0.6


def test_whoever_asks_again_uses_sellers_words(phrasing, needs):
    second, third = (phrasing.write(needs, np.full(NUM, attempt, np.int8)) for attempt in (1, 2))
    for again in (second, third):
        assert not again.says_shopper_words.any()
        assert (again.names == NAMES_TYPE).all()
    change = second.states.sum(axis=1) - needs.num_stated
    assert set(change[needs.persona < 0]) <= {-1, 0, 1}
    assert (change > 0).any()
    assert not third.states.any()


def test_prices_are_put_into_words(phrasing, needs):
    cheap = dataclasses.replace(needs, price_shift=np.full(NUM, -1.2, np.float32), persona=np.full(NUM, ANY))
    text = phrasing.write(cheap, np.zeros(NUM, np.int8)).text
    assert pc.mean(pc.match_substring(text, "cheap").cast("double")).as_py() > 0.1
