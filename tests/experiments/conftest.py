import numpy as np
import pytest

from aisle.experiments import RowRuns, compare_rows
from aisle.experiments.lift import Rate


@pytest.fixture(scope="session")
def draw_rate():
    """Searches and orders of shoppers of whom some buy much and some nothing; `buys` multiplies what they buy."""

    def draw(num, *, seed, buys=1.0):
        rng = np.random.default_rng(seed)
        chances = rng.poisson(rng.gamma(1.0, 8.0, num)).astype(float)
        chance = rng.beta(0.6, 12.0, num)
        return Rate(rng.binomial(chances.astype(int), np.minimum(chance * buys, 1.0)).astype(float), chances)

    return draw


@pytest.fixture(scope="session")
def market():
    """A small marketplace: 1,500 products, 600 shoppers, 30 days."""
    from aisle.simulation import Marketplace, draw_shoppers, draw_world, list_world

    world = draw_world(1_500, seed=5, log_days=30)
    return Marketplace(world, list_world(world, seed=5), draw_shoppers(world, 600, seed=5), days=30, seed=5)


@pytest.fixture(scope="session")
def environment(market):
    from aisle.simulation import Environment

    return Environment(market)


@pytest.fixture(scope="session")
def setup_of(market, environment):
    """Put a retriever, BM25 where none is given, behind the marketplace's search box."""
    from aisle.experiments.setups import LiveSetup
    from aisle.retrieval import LexicalRetriever, Shoppers

    lexical = LexicalRetriever.build(market.products)

    def made(retriever=lexical, shoppers=None, k=50):
        return LiveSetup(retriever, shoppers or Shoppers(), market=market, days=environment.days, k=k)

    return made


@pytest.fixture(scope="session")
def outcome(environment, setup_of):
    """A recorded run of BM25."""
    return environment.run(setup_of(), num_needs=2_500)


class Oracle:
    """A set-up that is told the truth, as none may be: its candidates are what was wanted in a recorded run."""

    def __init__(self, market, outcome):
        from aisle.simulation.truth_set import find_true_products

        truth = find_true_products(market, outcome.needs, outcome.requests.at)
        self._of_key = {}
        for row, product in zip(truth.row.tolist(), truth.product_index.tolist(), strict=True):
            self._of_key.setdefault(int(outcome.requests.key[row]), []).append(product)

    def __call__(self, requests):
        found = np.full((len(requests), 50), -1)
        for row, key in enumerate(requests.key.tolist()):
            wanted = self._of_key.get(key, [])
            found[row, : len(wanted)] = wanted
        return found


@pytest.fixture(scope="session")
def oracle(market, outcome):
    return Oracle(market, outcome)


@pytest.fixture
def compared():
    """Compare "unified" with rows whose values lie lower by a share; `lower` names rows and shares."""

    def of(labels=("truth",), slices=None, **lower):
        values = np.random.default_rng(0).random(200) / 2 + 0.25
        shares = {"unified": 0.0, **{name.replace("_", " "): share for name, share in lower.items()}}
        rows = [
            RowRuns(
                name,
                [{one: {"R@100": values * (1 - share), "MRR": values} for one in labels}],
                baseline=None if name == "unified" else "unified",
                is_baseline=share == 0 and name != "unified",
                training=({"minutes": 1.5, "cpu_minutes": 2.0},),
            )
            for name, share in shares.items()
        ]
        return compare_rows(rows, {one: slices or {} for one in labels}, seed=0)

    return of
