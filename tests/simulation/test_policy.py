import numpy as np
import pyarrow as pa
import pytest

from aisle.core.ranking import NO_PRODUCT, QueryBatch
from aisle.simulation.pages import PAGE_SIZE, Requests
from aisle.simulation.policy import RANDOM_SHARE, LexicalCache, LoggingPolicy

DAY = 86_400
QUERIES = ["sofa", "garden chair", "xyzzy", "lamp", "kids pyjamas"]


@pytest.fixture(scope="module")
def policy(market, lexical):
    return LoggingPolicy(market.stock, lexical, seed=3)


def requests(num, *, texts=QUERIES, at=5 * DAY, first=0):
    text = pa.array([texts[i % len(texts)] for i in range(num)])
    return Requests(first + np.arange(num), text, np.zeros(num, np.int64), np.full(num, at))


class Counting:
    """A retriever that remembers what it was asked."""

    name = "counting"

    def __init__(self, lexical):
        self.lexical, self.asked = lexical, []

    def retrieve(self, queries, *, k):
        self.asked += queries.texts
        return self.lexical.retrieve(queries, k=k)


def test_each_distinct_query_is_asked_once(market, lexical):
    counting = Counting(lexical)
    cache = LexicalCache(market.stock, counting)
    first = cache.ranked(pa.array(["sofa", "lamp", "sofa"]))
    again = cache.ranked(pa.array(["lamp", "chair"]))
    assert sorted(counting.asked) == ["chair", "lamp", "sofa"]
    assert len(cache) == 3
    assert np.array_equal(first[0], first[2])
    assert np.array_equal(first[1], again[0])


def test_popularity_decides_among_products_that_match_alike(market, lexical):
    ranked = LexicalCache(market.stock, lexical).ranked(pa.array(["sofa"]))[0]
    found = lexical.retrieve(QueryBatch(["sofa"]), k=64)
    assert set(ranked) == set(found.product_index[0].astype(np.int32))
    assert not np.array_equal(ranked, found.product_index[0])
    score = dict(zip(found.product_index[0], found.score[0] / found.score[0, 0], strict=True))
    blended = [score[p] + 0.3 * market.stock.popularity[p] for p in ranked if p != NO_PRODUCT]
    assert blended == sorted(blended, reverse=True)


def test_pages_are_full_distinct_and_on_sale(market, policy):
    asked = requests(200)
    pages = policy.serve(asked)
    assert pages.product_index.shape == (200, PAGE_SIZE)
    assert market.stock.on_sale(pages.product_index, asked.at).all()
    assert all(len(set(row)) == PAGE_SIZE for row in pages.product_index)


def test_random_places_stay_in_the_department_of_the_first_result(market, policy):
    pages = policy.serve(requests(200, texts=["sofa"]))
    ranked_first = pages.product_index[~pages.is_random[:, 0], 0]
    assert len(set(ranked_first)) == 1
    department = market.stock.department[ranked_first[0]]
    assert (market.stock.department[pages.product_index[pages.is_random]] == department).all()


def test_a_tenth_of_the_places_or_more_is_random(policy):
    share = policy.serve(requests(2_000)).is_random.mean()
    assert share == pytest.approx(RANDOM_SHARE, abs=4 * float(np.sqrt(RANDOM_SHARE / 2_000 / PAGE_SIZE)))
    assert share >= 0.1


def test_the_same_search_gets_the_same_page_in_any_company(policy):
    whole = policy.serve(requests(50))
    part = policy.serve(requests(5, first=25))
    assert np.array_equal(part.product_index, whole.product_index[25:30])
    assert np.array_equal(part.propensity, whole.propensity[25:30])


def test_propensities_are_the_frequencies_of_products_at_places(policy):
    """Over 40,000 pages of one query, each product stands at each place as often as its propensity says."""
    num = 40_000
    pages = policy.serve(requests(num, texts=["sofa"]))
    ranking = np.array([np.bincount(column[~chance]).argmax() for column, chance in
                        zip(pages.product_index.T, pages.is_random.T, strict=True)])  # fmt: skip
    shown = (pages.product_index == ranking).mean(axis=0)
    assert shown == pytest.approx(1 - RANDOM_SHARE, abs=5 * float(np.sqrt(RANDOM_SHARE / num)))
    assert pages.propensity[~pages.is_random] == pytest.approx(1 - RANDOM_SHARE)

    propensity = pages.propensity[pages.is_random]
    assert len(np.unique(propensity)) == 1
    drawn = pages.product_index[pages.is_random]
    counts = np.bincount(drawn)[np.unique(drawn)]
    expected = propensity[0] * num * PAGE_SIZE
    assert len(counts) == round(RANDOM_SHARE / propensity[0])
    assert counts == pytest.approx(expected, abs=5.5 * float(np.sqrt(expected)))


def test_a_shop_with_little_on_sale_gives_no_places_away(market, lexical):
    early = LoggingPolicy(market.stock, lexical, seed=3).serve(requests(50, at=-(10**12)))
    assert (early.product_index == NO_PRODUCT).all(), "nothing had arrived by then"
    assert not early.is_random.any()
    assert (early.propensity == 1).all()


def test_in_place_of_a_small_department_the_whole_shop_is_drawn_from(market, policy):
    sizes = np.bincount(market.stock.department)
    small = int(np.flatnonzero((sizes > 0) & (sizes < 4 * PAGE_SIZE))[0])
    title = market.products.column("title")[int(np.flatnonzero(market.stock.department == small)[0])].as_py()
    pages = policy.serve(requests(100, texts=[title]))
    drawn = market.stock.department[pages.product_index[pages.is_random]]
    assert len(set(drawn)) > 3
    assert pages.is_random.mean() > 0.1
