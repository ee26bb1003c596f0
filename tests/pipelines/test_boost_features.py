import numpy as np
import pyarrow as pa
import pytest

from aisle.pipelines.boost_features import quality_features
from aisle.pipelines.catalogue import read_products
from aisle.pipelines.mining import load_mined
from aisle.tables import TIME


@pytest.fixture
def shop_parts(learnt_shop):
    return read_products(learnt_shop), load_mined(learnt_shop)


def column(features, name):
    return features.values[:, features.names.index(name)]


def test_what_is_known_is_scaled(shop_parts):
    products, mined = shop_parts
    features = quality_features(products, mined)
    assert {"quality_stars", "popularity"} <= set(features.names)
    assert ((features.values >= 0) & (features.values <= 1)).all()
    stars = column(features, "quality_stars")
    assert stars[1] > stars[0]
    # p30 was never shown; it came while the log was running.
    statistics = mined.table("statistics", mined.windows.num_slices).to_pydict()
    assert 31 not in statistics["product_index"]
    assert column(features, "popularity")[31] == 0


def test_quality_of_after_the_end_of_training_is_not_used(shop_parts):
    products, mined = shop_parts
    place = products.column_names.index("updated_at")
    later = pa.array([mined.windows.train_end] * products.num_rows, pa.int64()).cast(TIME)
    for dated in (later, pa.nulls(products.num_rows, TIME)):
        features = quality_features(products.set_column(place, "updated_at", dated), mined)
        assert "quality_stars" not in features.names
        assert "popularity" in features.names


def test_a_product_that_came_later_is_in_the_middle_of_popularity_and_fresh(shop_parts):
    products, mined = shop_parts
    place, end = products.column_names.index("created_at"), mined.windows.train_end
    day = 86_400_000_000
    created = [end - (number + 1) * day for number in range(products.num_rows)]
    created[31] = end + day
    made = pa.array(created, pa.int64()).cast(TIME)
    features = quality_features(products.set_column(place, "created_at", made), mined)
    assert column(features, "popularity")[31] == 0.5
    fresh = column(features, "freshness")
    assert fresh[31] == fresh.max() == 1
    assert (np.diff(fresh[:31]) <= 0).all()
