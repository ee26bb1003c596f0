import dataclasses

import pyarrow as pa
import pytest

from aisle.core.errors import WorkspaceError
from aisle.mining import MiningConfig
from aisle.pipelines.importing import import_tables
from aisle.pipelines.mining import load_mined, mine
from aisle.sources import SourceTables
from aisle.workspace import Workspace

CONFIG = MiningConfig(num_slices=2, threads=1, memory_gb=0.5)


def tables(num_searches=20):
    days = [f"2025-01-{day:02}" for day in range(1, num_searches + 1)]
    names = [f"q{number}" for number in range(num_searches)]
    return {
        "products": pa.table({"product_id": ["a", "b"], "title": ["Lamp", "Sofa"]}),
        "searches": pa.table({"search_id": names, "query": ["lamp"] * num_searches, "searched_at": days}),
        "impressions": pa.table(
            {
                "search_id": names,
                "product_id": ["a"] * num_searches,
                "position": [1] * num_searches,
                "clicked_at": [f"{day} 00:01" for day in days],
            }
        ),
    }


@pytest.fixture
def log_shop(tmp_path):
    """A workspace with a log of twenty searches."""

    def imported(**changes):
        workspace = Workspace.open(tmp_path / "shop", create=True)
        import_tables(workspace, SourceTables({**tables(), **changes}, {}, {}))
        return workspace

    return imported


def test_what_is_mined_is_read_back(log_shop):
    workspace = log_shop()
    result = mine(workspace, CONFIG)
    assert result.manifest.summary["impressions"]["clicked"] == 20
    assert result.manifest.summary["seconds"] > 0
    assert 0.05 < result.manifest.summary["peak_gb"] < 50
    assert load_mined(workspace).table("queries").column("text").to_pylist() == ["lamp"]
    assert not (workspace.folder("mined") / "work").exists()


def test_it_is_skipped_until_a_table_or_a_setting_changes(log_shop):
    workspace = log_shop()
    assert not mine(workspace, CONFIG).skipped
    assert mine(workspace, dataclasses.replace(CONFIG, memory_gb=1.0, threads=2)).skipped
    assert not mine(workspace, dataclasses.replace(CONFIG, num_slices=3)).skipped
    events = pa.table({"actor_id": ["u"], "at": ["2025-01-02"], "action": ["view"], "product_id": ["b"]})
    log_shop(events=events)
    again = mine(workspace, dataclasses.replace(CONFIG, num_slices=3))
    assert not again.skipped
    assert again.manifest.summary["events"]["in_history"] == 1


def test_without_a_log_the_error_tells_what_to_import(log_shop, built_shop):
    with pytest.raises(WorkspaceError, match=r"must hold 'searches'.*--searches"):
        mine(built_shop, CONFIG)


def test_a_damaged_table_is_refused_before_it_is_read(log_shop):
    workspace = log_shop()
    path = workspace.folder("impressions") / "impressions.parquet"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(WorkspaceError, match="as its manifest records"):
        mine(workspace, CONFIG)
