import dataclasses

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aisle.core.errors import WorkspaceError
from aisle.pipelines.catalogue import read_products
from aisle.pipelines.importing import import_tables
from aisle.pipelines.simulating import (
    SIMULATED,
    SIMULATED_TABLES,
    build_marketplace,
    simulate_marketplace,
)
from aisle.simulation import MarketplaceConfig, frozen_config, frozen_figures
from aisle.sources import SourceTables
from aisle.workspace import Workspace

CONFIG = MarketplaceConfig(products=600, searches=400, users=80, days=20, seed=3)


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    workspace = Workspace.open(tmp_path_factory.mktemp("simulated") / "shop", create=True)
    return workspace, simulate_marketplace(workspace, CONFIG)


def test_every_table_is_an_artefact(simulated):
    workspace, result = simulated
    assert not result.skipped
    assert result.manifest.summary["searches"] == 400
    for name, files in SIMULATED_TABLES.items():
        assert set(workspace.manifest(name).files) == {f"{file}.parquet" for file in files}
        workspace.verified(name)
    assert read_products(workspace).num_rows == 600


def test_the_tables_take_no_room_of_their_own(simulated):
    path = simulated[0].folder("impressions") / "impressions.parquet"
    assert path.stat().st_nlink == 2


def test_an_unchanged_config_is_skipped_and_another_is_not(simulated, tmp_path):
    workspace, _ = simulated
    again = simulate_marketplace(workspace, CONFIG)
    assert again.skipped
    other = Workspace.open(tmp_path / "other", create=True)
    simulate_marketplace(other, dataclasses.replace(CONFIG, searches=150))
    assert pq.read_metadata(other.folder("searches") / "searches.parquet").num_rows == 150
    changed = simulate_marketplace(other, dataclasses.replace(CONFIG, searches=150, seed=4))
    assert not changed.skipped
    assert other.manifest("truth").inputs == {"simulation": changed.manifest.content}


def test_the_marketplace_is_drawn_again_without_its_log(simulated):
    market = build_marketplace(CONFIG)
    assert market.products.equals(pq.read_table(simulated[0].folder("products") / "products.parquet"))


def test_a_catalogue_of_ones_own_is_sold(tmp_path):
    names = ["red wool scarf", "blue cotton scarf", "oak table", "pine table", "steel pan", "copper pan"]
    table = pa.table(
        {
            "product_id": [f"own-{number}" for number in range(240)],
            "title": [f"{names[number % 6]} no {number}" for number in range(240)],
            "category": [["Things", names[number % 6].split()[-1]] for number in range(240)],
            "price": [10.0 + number for number in range(240)],
        }
    )
    pq.write_table(table, tmp_path / "own.parquet")
    workspace = Workspace.open(tmp_path / "shop", create=True)
    simulate_marketplace(workspace, CONFIG, catalogue=tmp_path / "own.parquet")
    shown = pq.read_table(workspace.folder("impressions") / "impressions.parquet").column("product_id")
    assert set(shown.to_pylist()) <= set(table.column("product_id").to_pylist())
    assert len(shown.unique()) > 100
    assert read_products(workspace).column("title").to_pylist() == table.column("title").to_pylist()


@pytest.mark.slow
def test_the_frozen_small_log_is_the_same_again(tmp_path):
    """What was asked to the letter; what came of it up to the last bit of a sum, which differs between processors."""
    workspace = Workspace.open(tmp_path / "shop", create=True)
    summary = simulate_marketplace(workspace, frozen_config("small")).manifest.summary
    for name, value in frozen_figures("small").items():
        expected = value if isinstance(value, str) else pytest.approx(value, rel=1e-3)
        assert summary[name] == expected, name


def test_tables_from_elsewhere_are_not_replaced(tmp_path):
    workspace = Workspace.open(tmp_path / "shop", create=True)
    products = pa.table({"product_id": ["a"], "title": ["Lamp"]})
    import_tables(workspace, SourceTables({"products": products}, {}, {"source": "own"}))
    with pytest.raises(WorkspaceError, match=r"must have a workspace of its own.*imported=\['products'\]"):
        simulate_marketplace(workspace, CONFIG)
    assert pq.read_table(workspace.folder("products") / "products.parquet").num_rows == 1


def test_a_generated_catalogue_may_become_a_marketplace(tmp_path):
    workspace = Workspace.open(tmp_path / "shop", create=True)
    products = pa.table({"product_id": ["a"], "title": ["Lamp"]})
    import_tables(workspace, SourceTables({"products": products}, {}, {"source": SIMULATED}))
    simulate_marketplace(workspace, CONFIG)
    assert pq.read_table(workspace.folder("products") / "products.parquet").num_rows == CONFIG.products
