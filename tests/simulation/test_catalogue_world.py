import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from aisle.core.errors import TableError
from aisle.simulation.catalogue_world import complete_catalogue, world_of_catalogue
from aisle.simulation.gifts import Gifts
from aisle.simulation.lexicon import Lexicon
from aisle.simulation.shoppers import draw_shoppers
from aisle.simulation.world_listing import list_world
from aisle.sources.icecat import load_icecat
from aisle.tables import PRODUCTS, validate

ICECAT = Path(os.environ.get("AISLE_TEST_DATA", "absent")) / "icecat"


@pytest.fixture(scope="module")
def products(world):
    """A catalogue as a shop might bring it: no clock, no ratings, some gaps."""
    listed = list_world(world, seed=3)
    listed = listed.drop_columns(["removed_at", "updated_at", "quality_rating", "quality_num_ratings", "shop_id"])
    prices = pc.if_else(pa.array(np.arange(len(listed)) % 10 == 0), pa.scalar(None, pa.float64()), listed["price"])
    return listed.set_column(listed.column_names.index("price"), "price", prices)


@pytest.fixture(scope="module")
def rebuilt(products):
    return world_of_catalogue(products, seed=0)


def test_what_the_table_says_is_kept(world, products, rebuilt):
    brands = [rebuilt.truth.brand_names[index] for index in rebuilt.truth.brand_index]
    assert brands == products["brand"].to_pylist()
    known = products["price"].is_valid().to_numpy()
    assert np.array_equal(rebuilt.price[known], world.price[known])
    places = rebuilt.truth.vocabulary.wording.locations
    assert [places[index] for index in rebuilt.location_index] == products["location"].to_pylist()


def test_variants_share_a_model_and_differ_in_what_varies(world, rebuilt):
    group = world.truth.varies.any(axis=1)
    same = np.diff(world.truth.model_index) == 0
    assert (np.diff(rebuilt.truth.model_index)[same & group[1:]] == 0).all()
    assert len(np.unique(rebuilt.truth.model_index)) == rebuilt.truth.model_index.max() + 1
    alone = ~np.isin(rebuilt.truth.model_index, rebuilt.truth.model_index[group])
    assert not rebuilt.truth.varies[alone].any()
    assert rebuilt.truth.varies[group].any(axis=1).mean() > 0.4


def test_missing_prices_are_their_types_median(products, rebuilt):
    missing = np.flatnonzero(products["price"].is_null().to_numpy())
    kinds = rebuilt.truth.vocabulary.types
    medians = [kinds[rebuilt.truth.type_index[row]].median_price for row in missing]
    assert rebuilt.price[missing].tolist() == medians
    row = missing[0]
    of_type = (rebuilt.truth.type_index == rebuilt.truth.type_index[row]) & products["price"].is_valid().to_numpy()
    prices = np.sort(rebuilt.price[of_type])
    assert rebuilt.price[row] == prices[len(prices) // 2]


def test_the_world_is_whole_and_reproducible(products, rebuilt):
    again = world_of_catalogue(products, seed=0)
    assert np.array_equal(rebuilt.style, again.style)
    assert np.array_equal(rebuilt.arrived_at, again.arrived_at)
    assert np.allclose(np.linalg.norm(rebuilt.style, axis=1), 1, atol=1e-5)
    for attribute, column in zip(rebuilt.truth.vocabulary.attributes, rebuilt.truth.value_index.T, strict=True):
        assert column.max() < len(attribute.values)
    shops = np.unique(rebuilt.truth.shop_index)
    assert len(products) / 100 <= len(shops) <= len(products) / 20


def test_shoppers_and_their_language_fit_in(rebuilt):
    shoppers = draw_shoppers(rebuilt, 200, seed=0)
    assert shoppers.departments.shape[1] == len(rebuilt.truth.vocabulary.departments)
    lexicon = Lexicon(rebuilt.truth.vocabulary)
    names = lexicon.seller_names.pick(rebuilt.truth.type_index, np.full(len(rebuilt), 0.5))
    assert names.null_count == 0
    assert lexicon.style_words.pick(np.array([0]), np.array([0.0])).null_count == 0
    assert Gifts(rebuilt.truth.vocabulary).pick_persona(np.array([0]), np.array([0.5])).tolist() == [-1]


def test_the_completed_table_follows_the_contract_and_keeps_the_texts(products, rebuilt):
    completed = complete_catalogue(rebuilt, products, seed=0)
    assert validate(completed, PRODUCTS).report.problems == ()
    for name in ("product_id", "title", "description", "category", "attributes", "in_stock"):
        assert completed[name].equals(products[name])
    assert completed["price"].null_count == completed["shop_id"].null_count == 0
    created = completed["created_at"].to_numpy() > np.datetime64("2025-06-01")
    assert np.array_equal(created, rebuilt.arrived_at > 0)
    assert completed["quality_num_ratings"].null_count == 0


def test_titles_alone_are_enough():
    titles = [f"{colour} {kind} {row}" for row in range(60) for colour, kind in [("red", "sofa"), ("blue", "cable")]]
    products = pa.table({"product_id": [f"x{row}" for row in range(120)], "title": titles})
    world = world_of_catalogue(products, seed=0)
    assert (world.price > 0).all()
    assert set(world.truth.brand_names) == {"unbranded"}
    completed = complete_catalogue(world, products, seed=0)
    assert {"price", "shop_id", "location", "created_at"} <= set(completed.column_names)


def test_one_product():
    world = world_of_catalogue(pa.table({"product_id": ["x"], "title": ["sofa"]}), seed=0)
    assert len(world) == 1
    assert world.price_level.tolist() == [0.0]


@pytest.mark.parametrize(
    ("columns", "text"),
    [({"title": ["sofa"]}, r"rows=1, missing=\['product_id'\]"), ({"product_id": [], "title": []}, "rows=0")],
)
def test_what_is_no_catalogue_is_refused(columns, text):
    with pytest.raises(TableError, match=text):
        world_of_catalogue(pa.table(columns), seed=0)


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.skipif(not ICECAT.is_dir(), reason="AISLE_TEST_DATA names no folder with icecat")
def test_a_real_catalogue():
    products = validate(load_icecat(ICECAT).tables["products"], PRODUCTS).table
    world = world_of_catalogue(products, seed=1)
    vocabulary = world.truth.vocabulary
    assert len(world) == 19_406
    assert 100 <= len(vocabulary.types) <= 200
    assert {"notebook", "mouse", "keyboard"} <= {kind.name for kind in vocabulary.types}
    assert "product colour" in {attribute.name for attribute in vocabulary.attributes}
    assert sum(bool(kind.shoppers) for kind in vocabulary.types) > 50
    assert validate(complete_catalogue(world, products, seed=1), PRODUCTS).report.problems == ()
