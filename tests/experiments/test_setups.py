import numpy as np
import pyarrow as pa
import pytest

from aisle.core.ranking import NO_PRODUCT, Ranking
from aisle.experiments.setups import SplitSetup, take_requests
from aisle.retrieval import Shoppers
from aisle.simulation.pages import Requests
from aisle.simulation.shoppers import ShopperKind


class Everything:
    """Returns all products in their order, and remembers what it was asked."""

    name = "everything"

    def __init__(self):
        self.asked = []

    def retrieve(self, queries, *, k):
        self.asked.append(queries)
        found = np.tile(np.arange(k), (len(queries), 1))
        return Ranking(found, -found.astype(np.float32))


class Remembering(Shoppers):
    def __init__(self):
        super().__init__(reads_places=True)
        self.told = []

    def batch(self, texts, **known):
        self.told.append(known)
        return super().batch(texts, **known)


@pytest.fixture
def requests(market, environment):
    kinds = market.shoppers.kind
    users = np.array([np.flatnonzero(kinds == kind)[0] for kind in (ShopperKind.SIGNED_IN, ShopperKind.ANONYMOUS)])
    users = users[[0, 0, 1]]
    identity = np.array([ShopperKind.SIGNED_IN, ShopperKind.RETURNING, ShopperKind.ANONYMOUS], np.int8)
    at = environment.days[0] * 86_400 + np.array([1, 2, 90_000])
    return Requests(np.arange(3), pa.array(["sofa", "sofa", "red lamp"]), users, at, identity)


def test_a_system_is_told_what_a_request_carries_and_no_more(market, environment, setup_of, requests):
    shoppers = Remembering()
    setup_of(Everything(), shoppers)(requests)
    (told,) = shoppers.told
    user = f"{requests.user_index[0]:08}"
    assert told["actor_ids"] == [f"u{user}", f"c{user}", None]
    assert told["user_ids"] == [f"u{user}", None, None]
    places = market.world.truth.vocabulary.wording.locations
    assert told["locations"] == [places[market.shoppers.location_index[one]] for one in requests.user_index]
    assert (told["searched_us"] > told["known_us"]).all()
    assert told["searched_us"][0] - told["known_us"] == 1_000_000, "the log counts up to the beginning of the test"
    assert set(told) == {"actor_ids", "user_ids", "locations", "searched_us", "known_us"}


def test_candidates_are_the_first_on_sale_at_the_time_of_the_search(market, setup_of, requests):
    found = setup_of(Everything(), k=20)(requests)
    assert found.shape == (3, 20)
    for row, at in zip(found, requests.at, strict=True):
        every = np.arange(len(market.stock))
        on_sale = every[market.stock.on_sale(every[None, :], np.array([at]))[0]]
        assert row.tolist() == on_sale[:20].tolist()


def test_places_stay_empty_where_little_is_found(setup_of, requests):
    class Nothing(Everything):
        def retrieve(self, queries, *, k):
            return Ranking(np.full((len(queries), k), NO_PRODUCT), np.full((len(queries), k), -np.inf, np.float32))

    assert (setup_of(Nothing(), k=7)(requests) == NO_PRODUCT).all()
    assert setup_of(Nothing(), k=7)(take_requests(requests, np.arange(0))).shape == (0, 7)


def test_large_batches_are_answered_as_small_ones(setup_of, outcome, monkeypatch):
    some = take_requests(outcome.requests, np.arange(100))
    whole = setup_of()
    found = whole(some)
    monkeypatch.setattr("aisle.experiments.setups._SEARCHES_AT_ONCE", 33)
    assert np.array_equal(setup_of()(some), found)
    assert whole.searches == 100
    assert whole.searches_per_second > 0
    assert setup_of().searches_per_second == 0


def test_each_shopper_meets_one_set_up(setup_of, outcome):
    a, b = Everything(), Everything()
    in_b = np.arange(600) % 3 == 0
    requests = take_requests(outcome.requests, np.arange(200))
    sides = [setup_of(a, k=5), setup_of(b, k=5)]
    found = SplitSetup(*sides, in_b)(requests)
    goes_to_b = in_b[requests.user_index]
    for asked, rows in ((a, ~goes_to_b), (b, goes_to_b)):
        texts = requests.text.filter(pa.array(rows)).to_pylist()
        assert [text for batch in asked.asked for text in batch.texts] == texts
    assert np.array_equal(found, setup_of(Everything(), k=5)(requests))
