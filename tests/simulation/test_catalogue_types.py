import numpy as np
import pyarrow as pa
import pytest

from aisle.simulation.catalogue_types import find_types
from aisle.simulation.world_listing import list_world


@pytest.fixture(scope="module")
def products(world):
    return list_world(world, seed=3)


@pytest.fixture(scope="module")
def clustered(products):
    return find_types(products.drop_columns(["category"]), seed=0)


def test_categories_are_the_types(world, products):
    found = find_types(products, seed=0)
    pairs = np.unique(np.stack([found.type_index, world.truth.type_index], axis=1), axis=0)
    assert len(pairs) == len(found.paths) == len(np.unique(world.truth.type_index))
    types = world.truth.vocabulary.types
    for kind, original in pairs.tolist():
        assert found.paths[kind] == types[original].category
        assert found.sellers[kind][0] == types[original].category[-1].lower()


def test_short_paths_are_padded_and_missing_ones_guessed_from_the_title():
    titles = ["red sofa", "grey sofa", "sofa bed", "old sofa"] * 5 + ["usb cable", "hdmi cable", "cable 1m"] * 5
    paths = [["Seats"]] * 20 + [["Tech", "Cables"]] * 15
    paths[3] = paths[25] = None
    found = find_types(pa.table({"title": titles, "category": pa.array(paths, pa.list_(pa.string()))}), seed=0)
    assert found.paths == (("Seats", "Seats", "Seats"), ("Tech", "Cables", "Cables"))
    assert found.type_index.tolist() == [0] * 20 + [1] * 15


def test_clusters_of_titles_come_close_to_the_types(world, clustered):
    # Share of the products whose cluster mostly holds their own department.
    department = world.department_of_type[world.truth.type_index]
    counts = np.zeros((len(clustered.paths), department.max() + 1))
    np.add.at(counts, (clustered.type_index, department), 1)
    assert counts.max(axis=1).sum() / counts.sum() > 0.6
    assert 20 <= len(clustered.paths) <= 60


def test_clusters_have_distinct_names_from_their_titles_and_a_hierarchy(products, clustered):
    names = [sellers[0] for sellers in clustered.sellers]
    assert len(set(names)) == len(names)
    titles = np.array([title.lower() for title in products["title"].to_pylist()])
    for kind in range(len(names)):
        said = [all(word in title for word in names[kind].split()) for title in titles[clustered.type_index == kind]]
        assert np.mean(said) > 0.1
    for path, sellers in zip(clustered.paths, clustered.sellers, strict=True):
        assert len(path) == 3
        assert path[2] == sellers[0]
    groups = {path[:2] for path in clustered.paths}
    assert len({path[0] for path in clustered.paths}) < len(groups) < len(names)
    assert len({group for _, group in groups}) == len(groups)


def test_words_of_descriptions_are_not_those_of_titles():
    titles = ["red sofa", "grey sofa", "sofa bed"] * 10 + ["usb cable", "hdmi cable", "long cable"] * 10
    descriptions = ["a couch for two"] * 30 + ["a wire, no sofa"] * 29 + [None]
    products = pa.table({"title": titles, "description": descriptions, "category": [["A"]] * 30 + [["B"]] * 30})
    found = find_types(products, seed=0)
    assert "couch" in found.shoppers[0]
    assert "wire" in found.shoppers[1]
    assert not {"sofa", "cable"} & {word for phrases in found.shoppers for phrase in phrases for word in phrase.split()}


def test_brands_and_colours_name_nothing():
    titles = ["Norvik black lamp", "Norvik black spot", "Norvik black lamp"] * 40
    found = find_types(pa.table({"title": titles, "brand": ["Norvik"] * 120}), seed=0)
    words = {word for sellers in found.sellers for phrase in sellers for word in phrase.split()}
    assert not words & {"norvik", "black"}


def test_one_product():
    found = find_types(pa.table({"title": ["sofa"]}), seed=0)
    assert found.type_index.tolist() == [0]
    assert found.paths == (("product", "product", "product"),)
