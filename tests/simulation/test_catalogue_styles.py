import numpy as np
import pyarrow as pa
import pytest

from aisle.simulation.catalogue_styles import find_styles
from aisle.simulation.styles import NUM_STYLES
from aisle.simulation.world_listing import list_world


@pytest.fixture(scope="module")
def products(world):
    return list_world(world, seed=3)


@pytest.fixture(scope="module")
def styles(world, products):
    return find_styles(products, world.truth.type_index, seed=0)


def test_rows_are_unit_and_centred_within_types(world, styles):
    length = np.linalg.norm(styles.style, axis=1)
    assert np.isclose(length, 1, atol=1e-5).mean() > 0.99
    num = np.bincount(world.truth.type_index)
    totals = np.stack([np.bincount(world.truth.type_index, column) for column in styles.style.T], axis=1)
    assert np.abs(totals[num > 100] / num[num > 100][:, None]).max() < 0.5


def test_words_stand_for_their_style(products, styles):
    texts = [
        f" {title} {text or ''} ".lower()
        for title, text in zip(products["title"].to_pylist(), products["description"].to_pylist(), strict=True)
    ]
    gaps = []
    for dimension, words in enumerate(styles.words):
        for word in words[:1]:
            says = np.array([f" {word}" in text for text in texts])
            gaps.append(styles.style[says, dimension].mean() - styles.style[~says, dimension].mean())
    assert len(gaps) >= 8
    assert min(gaps) > 0
    assert np.mean(gaps) > 0.1


def test_brands_and_words_of_one_type_are_no_style(products, styles):
    words = {word for of_style in styles.words for word in of_style}
    assert not words & {brand.lower() for brand in products["brand"].to_pylist()}
    assert "sofa" not in words


def test_seeds(world, products, styles):
    again = find_styles(products, world.truth.type_index, seed=0)
    assert np.array_equal(styles.style, again.style)
    assert styles.words == again.words


def test_a_catalogue_too_small_has_no_style():
    found = find_styles(pa.table({"title": ["red sofa", "grey lamp"]}), np.array([0, 1]), seed=0)
    assert (found.style == 0).all()
    assert found.words == ((),) * NUM_STYLES
