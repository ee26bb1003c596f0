import json
import os
import shutil
from dataclasses import replace

import numpy as np
import pytest

from aisle.core.errors import ModelError, WorkspaceError
from aisle.index import IndexConfig
from aisle.index.build import make_index
from aisle.live.building import FillApart, FillHere, fill_version, lay_out
from aisle.live.known import KnownProducts
from aisle.live.version import LOG_ROWS, MODEL, PRODUCTS_FILE, STORE
from aisle.pipelines.indexing import build_indexes
from aisle.pipelines.training import load_model
from aisle.pipelines.versions import WorkspaceSource
from aisle.store import JournalledChange, open_store
from aisle.store.journal_records import from_micros
from aisle.tables import read_parquet
from aisle.workspace import Workspace

LATER = from_micros(1_800_000_000_000_000)


@pytest.fixture
def source(built_shop):
    return WorkspaceSource(built_shop).read()


@pytest.fixture
def laid_out(source, simulated, tmp_path):
    """A folder of the small shop: its first product is gone, its third has another title, and one is new."""
    ids = simulated.products["product_id"].to_pylist()
    changes = [
        JournalledChange(1, ids[0], None, LATER),
        JournalledChange(2, ids[2], {"product_id": ids[2], "title": "zorblax"}, LATER),
        JournalledChange(3, "new", {"product_id": "new", "title": "flumph"}, LATER),
    ]
    folder = tmp_path / "laid"
    folder.mkdir()
    lay_out(source, changes, folder, offset=3)
    return folder


def test_what_is_unchanged_takes_its_vector_from_the_index(laid_out, simulated, built_shop):
    rows = np.load(laid_out / "rows.npy")
    assert rows.tolist() == [1, -1, *range(3, 300), -1]
    assert np.load(laid_out / LOG_ROWS).tolist() == [-1, *range(299)]
    fill_version(laid_out)
    store, model = open_store(laid_out / STORE), load_model(built_shop)
    base = read_parquet(laid_out / PRODUCTS_FILE)
    assert (store.num_products, store.applied_offset) == (300, 3)
    assert np.allclose(store.vectors(np.arange(300)), model.encode_products(base), atol=2e-2)
    assert [one["title"] for one in store.products(np.array([1, 299]))] == ["zorblax", "flumph"]
    store.close()


def test_files_are_second_names_of_those_of_the_workspace(laid_out, built_shop):
    one, other = laid_out / MODEL / "config.json", built_shop.folder("model") / "config.json"
    assert one.samefile(other)


def test_where_a_disk_has_no_second_names_files_are_copied(source, tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError

    monkeypatch.setattr(os, "link", refuse)
    lay_out(source, [], tmp_path, offset=0)
    one, other = tmp_path / MODEL / "config.json", source.files[f"{MODEL}/config.json"]
    assert one.read_bytes() == other.read_bytes()
    assert not one.samefile(other)


def test_what_is_known_is_brought_into_the_order_of_the_base(source, tmp_path):
    boosted = replace(source, boost=np.arange(300, dtype=np.float32), new_boost=-1.0, squared_norm=4.0)
    first = source.products["product_id"][0].as_py()
    changes = [
        JournalledChange(1, first, None, LATER),
        JournalledChange(2, "n", {"product_id": "n", "title": "n"}, LATER),
    ]
    lay_out(boosted, changes, tmp_path, offset=2)
    known = KnownProducts.load(tmp_path)
    assert known.boost.tolist() == [*range(1, 300), -1]
    assert (known.new_boost, known.squared_norm, known.neighbours) == (-1.0, 4.0, None)


def test_a_store_that_is_lost_is_built_again_without_changing_another_file(laid_out):
    fill_version(laid_out)
    before = {path: path.read_bytes() for path in laid_out.iterdir() if path.is_file()}
    shutil.rmtree(laid_out / STORE)
    FillHere()(laid_out)
    assert {path: path.read_bytes() for path in laid_out.iterdir() if path.is_file()} == before
    store = open_store(laid_out / STORE)
    assert store.num_products == 300
    store.close()


def test_an_index_of_another_width_is_told(laid_out):
    make_index(np.eye(300, 8, dtype=np.float32), IndexConfig(kind="exact")).save(laid_out / "other")
    shutil.rmtree(laid_out / "index")
    (laid_out / "other").rename(laid_out / "index")
    with pytest.raises(ModelError, match=r"of one width.*index=8.*`aisle index`"):
        fill_version(laid_out)


def test_a_process_of_its_own_does_the_same(laid_out):
    FillApart()(laid_out)
    store = open_store(laid_out / STORE)
    assert store.num_products == 300
    store.close()


def test_what_goes_wrong_in_it_is_told(tmp_path):
    with pytest.raises(WorkspaceError, match=r"built to its end.*exit_code=1.*must hold the plan"):
        FillApart()(tmp_path)


def test_it_can_be_ended(laid_out):
    fill = FillApart()
    fill.end()
    with pytest.raises(WorkspaceError, match="exit_code=-15"):
        fill(laid_out)


def test_the_plan_says_what_the_version_is(laid_out):
    plan = json.loads((laid_out / "plan.json").read_text())
    assert plan["offset"] == 3
    assert plan["settings"]["store"] == "qdrant-edge"


def test_a_version_serves_the_size_that_the_index_was_built_with(built_shop, tiny_recipe, tmp_path):
    shutil.copytree(built_shop.path, tmp_path / "shop")
    shop = Workspace.open(tmp_path / "shop")
    build_indexes(shop, tiny_recipe(encode__dim=20, index__kind="exact"))
    source = WorkspaceSource(shop).read()
    assert source.settings.dim == 20
    folder = tmp_path / "small"
    folder.mkdir()
    lay_out(source, [JournalledChange(1, "new", {"product_id": "new", "title": "flumph"}, LATER)], folder, offset=1)
    fill_version(folder)
    store = open_store(folder / STORE)
    assert (store.dim, store.num_products) == (20, 301)
    store.close()
