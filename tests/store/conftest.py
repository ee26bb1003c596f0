"""Stores of every kind over one small catalogue that a person can read, and over 300 generated products."""

import datetime

import numpy as np
import pyarrow as pa
import pytest

from aisle.store import LexicalSettings, StoreConfig, build_store, open_store

DIM = 16
KINDS = ("qdrant-edge",)
_CONFIG = StoreConfig(num_attribute_indexes=1, storage="fp32")
_OLD = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)


def unit_vectors(num, *, seed):
    vectors = np.random.default_rng(seed).standard_normal((num, DIM)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture(scope="session")
def random_vectors():
    return unit_vectors


@pytest.fixture(scope="session")
def shelf():
    """Seven products; lamp2 has hardly any field, and gone was removed years ago."""
    return pa.table(
        {
            "product_id": ["chair1", "chair2", "stool", "lamp1", "lamp2", "rug", "gone"],
            "title": ["oak chair", "oak chair chair", "bar stool", "oak lamp", "", "red rug", "old chair"],
            "category": pa.array(
                [
                    ["Home", "Seats"],
                    ["Home", "Seats"],
                    ["Home", "Seats", "Bar"],
                    ["Home > Seats"],
                    None,
                    ["Home"],
                    None,
                ],
                pa.list_(pa.string()),
            ),
            "brand": ["Norvik", "Belmora", "Norvik", "Belmora", None, 'O"R', "Norvik"],
            "shop_id": ["s1", "s1", "s2", "s2", None, "s3", "s1"],
            "price": [10.0, 20.0, 30.0, 40.0, None, float("nan"), 1.0],
            "in_stock": [True, False, True, True, None, True, True],
            "location": ["DE", "DE", "FR", "FR", None, "DE", "DE"],
            "attributes": pa.array(
                [
                    [("colour", "red"), ("size.cm", "90")],
                    [("colour", "blue")],
                    [("colour", "red"), ("size.cm", "60")],
                    [("colour", "blue"), ("bulb", "E27")],
                    None,
                    [("colour", None)],
                    [],
                ],
                pa.map_(pa.string(), pa.string()),
            ),
            "created_at": pa.array([_OLD] * 7, pa.timestamp("us", "UTC")),
            "removed_at": pa.array([None] * 6 + [_OLD], pa.timestamp("us", "UTC")),
            "quality_stars": [4.5, None, 3.0, 2.0, None, float("inf"), 1.0],
            "image": ["https://x/1.jpg", None, None, None, None, None, None],
        }
    )


@pytest.fixture(scope="session")
def make_store(tmp_path_factory):
    """Build a store of a kind; what was made is closed at the end."""
    made = []

    def make(kind, products, vectors, *, config=_CONFIG, path=None, **values):
        folder = path or tmp_path_factory.mktemp("stores") / "store"
        settings = {"lexical": LexicalSettings(("title",)), "applied_offset": 3, "config": config, **values}
        made.append(build_store(kind, folder, products=products, vectors=vectors, **settings))
        return made[-1]

    yield make
    for store in made:
        store.close()


@pytest.fixture
def reopen():
    """Close a store and open it again from its folder."""
    opened = []

    def again(store):
        store.close()
        opened.append(open_store(store.folder))
        return opened[-1]

    yield again
    for store in opened:
        store.close()


@pytest.fixture(scope="session", params=KINDS)
def kind(request):
    return request.param


@pytest.fixture(scope="session")
def shelf_store(kind, make_store, shelf):
    """The seven products in a store that nothing changes."""
    return make_store(kind, shelf, unit_vectors(7, seed=1))


@pytest.fixture(scope="session")
def shop_vectors(simulated):
    return unit_vectors(simulated.products.num_rows, seed=2)


@pytest.fixture(scope="session")
def shop_store(kind, make_store, simulated, shop_vectors):
    """The 300 generated products in a store that nothing changes."""
    return make_store(kind, simulated.products, shop_vectors)


@pytest.fixture
def own_store(kind, make_store, shelf):
    """The seven products in a store to be changed."""
    store = make_store(kind, shelf, unit_vectors(7, seed=1))
    if not store.is_writable:
        pytest.skip("read-only")
    return store
