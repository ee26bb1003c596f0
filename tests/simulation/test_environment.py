import numpy as np
import pyarrow as pa
import pytest

from aisle.core.ranking import NO_PRODUCT, QueryBatch
from aisle.simulation.clock import NEVER, SECONDS_PER_DAY
from aisle.simulation.environment import Environment, FixedRanker
from aisle.simulation.pages import Requests
from aisle.simulation.shoppers import ShopperKind

K = 100


def arrays(outcome):
    """All columns, also those of the tables within."""
    values = [*vars(outcome).values(), *vars(outcome.requests).values(), *vars(outcome.needs).values()]
    return [np.asarray(value) for value in values if isinstance(value, np.ndarray | pa.Array)]


@pytest.fixture(scope="module")
def environment(market):
    return Environment(market)


@pytest.fixture(scope="module")
def by_words(lexical):
    return lambda requests: lexical.retrieve(QueryBatch(requests.text.to_pylist()), k=K).product_index


def by_chance(requests):
    return np.random.default_rng(0).integers(3_000, size=(len(requests), K))


@pytest.fixture(scope="module")
def outcome(environment, by_words):
    return environment.run(by_words, num_needs=1_500)


def test_the_same_run_is_the_same(environment, by_words, outcome):
    again = environment.run(by_words, num_needs=1_500)
    assert all(np.array_equal(one, other) for one, other in zip(arrays(again), arrays(outcome), strict=True))
    other = environment.run(by_words, num_needs=1_500, run=1)
    assert not np.array_equal(other.visit_user, outcome.visit_user)


def test_good_candidates_sell_more(environment, outcome):
    chance = environment.run(by_chance, num_needs=1_500)
    assert outcome.search_purchase_rate > 3 * chance.search_purchase_rate
    assert outcome.conversion > chance.conversion
    assert outcome.search_clicked.mean() > 3 * chance.search_clicked.mean()


def test_rates_are_shares_of_searches_and_of_all_visits(outcome):
    assert outcome.search_purchase_rate == outcome.search_ordered.mean()
    searching = np.zeros(len(outcome.visit_user), bool)
    searching[outcome.search_visit] = True
    assert 0.1 < (~searching).mean() < 0.5
    assert outcome.visit_ordered[outcome.search_visit[outcome.search_ordered]].all()
    assert 0 < outcome.visit_ordered[~searching].mean() < 0.2


def test_only_the_chosen_shoppers_take_part(environment, market, by_words):
    users = np.arange(len(market.shoppers)) % 2 == 0
    outcome = environment.run(by_words, num_needs=1_500, users=users)
    assert len(outcome.visit_user) > 50
    assert users[outcome.visit_user].all()


def test_shops_show_candidates_on_sale_ranked(environment, market, lexical):
    ranker = FixedRanker(market)
    requests = Requests(np.arange(2), pa.array(["sofa", "sofa"]), np.zeros(2, int), np.array([0, 86_400 * 29]))
    found = lexical.retrieve(QueryBatch(["sofa", "sofa"]), k=50).product_index
    score = ranker.score(requests, found)
    assert np.array_equal(np.isfinite(score), market.stock.on_sale(found, requests.at))
    empty = ranker.score(requests, np.full((2, 3), NO_PRODUCT))
    assert np.isneginf(empty).all()


def test_the_ranker_sees_words_order_stars_and_popularity(market):
    ranker = FixedRanker(market)
    product = int(np.flatnonzero(market.stock.on_sale(np.arange(3_000)[None, :], np.array([0]))[0])[0])
    title = market.products.column("title")[product].as_py()
    page = np.array([[product, product]])

    def score(text):
        return ranker.score(Requests(np.zeros(1, int), pa.array([text]), np.zeros(1, int), np.zeros(1, int)), page)[0]

    assert score(title)[0] > score("xyzzy")[0] + 0.9
    assert score(title)[0] > score(title)[1], "the earlier candidate"


def test_searches_are_told_with_what_the_shop_and_only_the_simulator_know(environment, market, by_words, outcome):
    seen = []

    def watching(requests):
        seen.append(requests)
        return by_words(requests)

    again = environment.run(watching, num_needs=1_500)
    keys = np.concatenate([requests.key for requests in seen])
    order, asked = np.argsort(keys), again.requests
    assert np.array_equal(np.sort(keys), asked.key)
    for name in ("user_index", "at", "identity"):
        served = np.concatenate([getattr(requests, name) for requests in seen])
        assert np.array_equal(served[order], getattr(asked, name)), name
    assert pa.concat_arrays([requests.text for requests in seen]).take(pa.array(order)).equals(asked.text)
    kind = market.shoppers.kind[asked.user_index]
    assert (asked.identity[kind == ShopperKind.ANONYMOUS] == ShopperKind.ANONYMOUS).all()
    signed_in = asked.identity[kind == ShopperKind.SIGNED_IN] == ShopperKind.SIGNED_IN
    assert 0.8 < signed_in.mean() < 1, "on some visits the shop knows only the device"
    first, end = environment.days
    assert (asked.at >= first * SECONDS_PER_DAY).all()
    assert (asked.at < end * SECONDS_PER_DAY).all()
    bought = again.search_ordered
    assert (again.search_ordered_at[bought] > asked.at[bought]).all()
    assert np.array_equal(again.search_ordered_at != NEVER, bought)


def test_a_run_stops_at_whole_shoppers(environment, by_words, outcome, monkeypatch):
    monkeypatch.setattr("aisle.simulation.environment._NEEDS_PER_BLOCK", 100)
    told = []
    some = environment.run(by_words, num_needs=1_500, num_searches=300, advance=told.append)
    assert sum(told) == len(some.search_visit)
    assert 300 <= len(some.search_visit) < 600
    taken_part = outcome.visit_user <= some.visit_user.max()
    assert np.array_equal(outcome.visit_user[taken_part], some.visit_user)
    num = len(some.search_visit)
    assert np.array_equal(outcome.search_ordered_at[:num], some.search_ordered_at)
    assert np.array_equal(outcome.visit_ordered[taken_part][:-5], some.visit_ordered[:-5])
