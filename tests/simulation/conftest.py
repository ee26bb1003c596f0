import numpy as np
import pytest

from aisle.simulation import (
    Attribute,
    AttributeValue,
    ProductType,
    Vocabulary,
    Wording,
    generate_catalogue,
    load_vocabulary,
)
from aisle.simulation.truth import draw_truth
from aisle.simulation.world import draw_world


@pytest.fixture(scope="session")
def vocabulary():
    return load_vocabulary()


@pytest.fixture(scope="session")
def catalogue(vocabulary):
    return generate_catalogue(5_000, seed=7, vocabulary=vocabulary)


@pytest.fixture(scope="session")
def truth(vocabulary):
    """The hidden truth of `catalogue`."""
    return draw_truth(vocabulary, 5_000, seed=7)


@pytest.fixture(scope="session")
def world(vocabulary):
    return draw_world(5_000, seed=3, vocabulary=vocabulary)


@pytest.fixture(scope="session")
def tiny_vocabulary():
    """Two seats under one parent, a lamp in another department; colours with and without shopper words."""
    colour = Attribute(
        name="colour",
        place="before",
        sentences=("Colour: {}.",),
        values=(AttributeValue(("red", "scarlet"), ()), AttributeValue(("navy",), ("dark blue",))),
    )
    size = Attribute(
        name="size", place="after", sentences=("Size: {}.",), values=(AttributeValue(("large",), ("roomy",)),)
    )
    return Vocabulary(
        attributes=(colour, size),
        types=(
            ProductType(
                ("sofa", "divan"),
                ("couch",),
                ("Furniture", "Seating", "Sofas"),
                500.0,
                {"colour": ("red", "navy"), "size": ("large",)},
            ),
            ProductType(("stool",), ("perch",), ("Furniture", "Seating", "Stools"), 50.0, {"colour": ("navy",)}),
            ProductType(("lamp",), ("light",), ("Lighting", "Lamps", "Lamps"), 30.0, {}),
        ),
        wording=Wording(
            patterns=(("brand", "before", "name", "after"), ("name", "after", "before_reversed", "brand")),
            leading_fillers=("new",),
            trailing_fillers=("sale",),
            abbreviations=(("large", "lg"),),
            introductions=("Our {}.",),
            shopper_name_sentences=("Also known as {}.",),
            shopper_value_sentences=("In other words {}.",),
            pairing_sentences=("Goes with {}.",),
            closings=("Free returns.",),
            brand_starts=("Nor", "Bel"),
            brand_ends=("vik", "mora"),
            locations=("GB", "DE"),
        ),
    )


@pytest.fixture(scope="session")
def market():
    """A small marketplace: 3,000 products, 800 shoppers, 30 days."""
    from aisle.simulation import Marketplace, draw_shoppers, draw_world, list_world

    world = draw_world(3_000, seed=5, log_days=30)
    return Marketplace(world, list_world(world, seed=5), draw_shoppers(world, 800, seed=5), days=30, seed=5)


@pytest.fixture(scope="session")
def lexical(market):
    """BM25 over the products of `market`."""
    from aisle.retrieval import LexicalRetriever

    return LexicalRetriever.build(market.products)


@pytest.fixture(scope="session")
def draw_needs(market):
    """Draw the first needs of `market`, one shopper each."""
    from aisle.simulation.gifts import Gifts
    from aisle.simulation.intents import IntentDrawer

    gifts = Gifts(market.world.truth.vocabulary)
    drawer = IntentDrawer(market.world, market.shoppers, gifts, seed=market.seed)
    return lambda num: drawer.draw(np.arange(num), np.arange(num) % len(market.shoppers))


@pytest.fixture(scope="session")
def visits(market):
    """Visits to `market` with about 3,000 needs."""
    from aisle.simulation.visits import draw_visits

    return draw_visits(market.shoppers, num_needs=3_000, days=market.days, seed=market.seed)


@pytest.fixture(scope="session")
def block(market, lexical, visits):
    """All of `visits` at the shop that keeps the log."""
    from aisle.simulation import LoggingPolicy

    policy = LoggingPolicy(market.stock, lexical, seed=market.seed)
    (only,) = market.blocks(visits, policy, needs_per_block=10**9)
    return only
