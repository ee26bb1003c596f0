import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aisle.core.errors import UsageError
from aisle.simulation.clock import NEVER
from aisle.simulation.world import NUM_STYLES, draw_quality, draw_world


def test_the_same_seed_gives_the_same_world(world, vocabulary):
    again = draw_world(len(world), seed=3, vocabulary=vocabulary)
    other = draw_world(len(world), seed=4, vocabulary=vocabulary)
    for name in ("style", "quality", "price", "price_level", "location_index", "arrived_at", "removed_at"):
        assert np.array_equal(getattr(world, name), getattr(again, name))
        assert not np.array_equal(getattr(world, name), getattr(other, name))
    assert np.array_equal(world.truth.value_index, again.truth.value_index)


def test_styles_are_unit_rows_that_brands_and_shops_share(world):
    assert np.allclose(np.linalg.norm(world.style, axis=1), 1, atol=1e-5)
    rng = np.random.default_rng(0)
    rows = rng.integers(len(world), size=200_000)
    others = rng.integers(len(world), size=200_000)
    alike = (world.style[rows] * world.style[others]).sum(axis=1)
    model = world.truth.model_index
    same_brand = (world.truth.brand_index[rows] == world.truth.brand_index[others]) & (model[rows] != model[others])
    same_shop = (world.truth.shop_index[rows] == world.truth.shop_index[others]) & ~same_brand
    apart = ~same_brand & ~same_shop
    assert abs(alike[apart].mean()) < 0.05
    assert alike[same_brand].mean() > 0.35
    assert 0.08 < alike[same_shop & (model[rows] != model[others])].mean() < 0.3


def test_quality_is_standard_normal_and_neither_price_nor_brand_tells_it(world):
    assert world.quality.mean() == pytest.approx(0, abs=0.1)
    assert world.quality.std() == pytest.approx(1, abs=0.05)
    assert abs(np.corrcoef(world.quality, world.price_level)[0, 1]) < 0.06
    num = np.bincount(world.truth.brand_index)
    means = np.bincount(world.truth.brand_index, world.quality)[num > 100] / num[num > 100]
    assert np.abs(means).max() < 0.5


def test_variants_mostly_share_their_quality(world):
    same = np.diff(world.truth.model_index) == 0
    assert np.abs(np.diff(world.quality)[same]).mean() < 0.4
    assert np.abs(np.diff(world.quality)[~same]).mean() > 0.8


def test_quality_of_models_in_any_order():
    quality = draw_quality(np.array([2, 0, 2, 1]), seed=0)
    assert abs(quality[0] - quality[2]) < 1.5
    assert len(np.unique(quality)) == 4


@settings(max_examples=20, deadline=None)
@given(num_products=st.integers(1, 60), seed=st.integers(0, 2**32), log_days=st.integers(1, 400))
def test_any_size_gives_a_whole_world(tiny_vocabulary, num_products, seed, log_days):
    world = draw_world(num_products, seed=seed, vocabulary=tiny_vocabulary, log_days=log_days)
    assert len(world) == num_products
    assert world.style.shape == (num_products, NUM_STYLES)
    assert (world.price > 0).all()
    assert ((world.removed_at == NEVER) | (world.removed_at > np.maximum(world.arrived_at, 0))).all()
    assert world.department_of_type.tolist() == [0, 0, 1]
    assert set(world.location_index.tolist()) <= {0, 1}


@pytest.mark.parametrize("size", [{"num_products": 0}, {"num_products": 5, "log_days": 0}])
def test_an_empty_world_is_refused(size):
    with pytest.raises(UsageError, match="at least one product and one day"):
        draw_world(**size, seed=0)
