import numpy as np
import pytest

from aisle.core.errors import UsageError
from aisle.simulation.shoppers import ShopperKind, draw_shoppers
from aisle.simulation.world import draw_world


@pytest.fixture(scope="module")
def shoppers(world):
    return draw_shoppers(world, 20_000, seed=5)


def test_shapes_and_ranges(world, shoppers):
    departments = len(world.truth.vocabulary.departments)
    assert len(shoppers) == 20_000
    assert shoppers.departments.shape == shoppers.favourite_brand.shape == (20_000, departments)
    assert np.allclose(shoppers.departments.sum(axis=1), 1, atol=1e-5)
    assert np.allclose(np.linalg.norm(shoppers.style, axis=1), 1, atol=1e-5)
    for name in ("style_strength", "price_strength", "brand_strength", "local_strength"):
        strength = getattr(shoppers, name)
        assert strength.min() > 0
        assert strength.mean() == pytest.approx(1, abs=0.05)
    assert set(shoppers.kind.tolist()) == {int(kind) for kind in ShopperKind}


def test_visits_are_heavy_tailed_and_the_new_come_less_often(shoppers):
    busiest = np.sort(shoppers.activity)[::-1]
    assert 0.35 <= busiest[:2_000].sum() / busiest.sum() <= 0.6
    mean = [shoppers.activity[shoppers.kind == kind].mean() for kind in ShopperKind]
    assert mean[ShopperKind.SIGNED_IN] > mean[ShopperKind.RETURNING] > mean[ShopperKind.NEW]


def test_favourites_are_sold_in_their_department_and_suit_the_taste(world, shoppers):
    department = world.department_of_type[world.truth.type_index]
    here = 7
    has = shoppers.favourite_brand[:, here] >= 0
    assert has.mean() == pytest.approx(0.4, abs=0.02)
    brands = shoppers.favourite_brand[has, here]
    assert set(brands.tolist()) <= set(world.truth.brand_index[department == here].tolist())
    num = np.bincount(world.truth.brand_index)
    style = np.stack([np.bincount(world.truth.brand_index, column) for column in world.style.T], axis=1)
    style /= np.maximum(num, 1)[:, None]
    liking = (style[brands] * shoppers.style[has]).sum(axis=1)
    strangers = (style[np.random.default_rng(0).permutation(brands)] * shoppers.style[has]).sum(axis=1)
    assert liking.mean() > strangers.mean() + 0.1


def test_each_shopper_keeps_to_some_departments(shoppers):
    assert 1.5 <= (shoppers.departments > 0.1).sum(axis=1).mean() <= 5


def test_seeds(world, shoppers):
    again, other = draw_shoppers(world, 20_000, seed=5), draw_shoppers(world, 20_000, seed=6)
    assert np.array_equal(shoppers.favourite_shop, again.favourite_shop)
    assert np.array_equal(shoppers.activity, again.activity)
    assert not np.array_equal(shoppers.style, other.style)


def test_a_department_without_products_has_no_demand_and_no_favourites(tiny_vocabulary):
    world = draw_world(1, seed=0, vocabulary=tiny_vocabulary)
    empty = 1 - world.department_of_type[world.truth.type_index[0]]
    shoppers = draw_shoppers(world, 50, seed=0)
    assert (shoppers.departments[:, empty] == 0).all()
    assert (shoppers.favourite_brand[:, empty] == -1).all()


def test_nobody_is_refused(world):
    with pytest.raises(UsageError, match=r"at least one shopper.*num_users=0"):
        draw_shoppers(world, 0, seed=0)
