import pyarrow.parquet as pq
import pytest

from aisle.core.errors import TableError, UsageError, WorkspaceError
from aisle.mining import MinedLog
from aisle.pipelines.importing import import_tables
from aisle.pipelines.mining import load_mined, mine
from aisle.sources import SourceTables
from aisle.workspace import Workspace


@pytest.fixture
def grown(tmp_path, grown_tables, small_recipe):
    """A shop with 40 searches mined; 20 more, of later, are there."""

    def make(*, later=True):
        workspace = Workspace.open(tmp_path / "shop", create=True)
        import_tables(workspace, SourceTables(grown_tables(40)))
        mine(workspace, small_recipe().mining)
        if later:
            import_tables(workspace, SourceTables(grown_tables(60, start=40)), add=True)
        return workspace

    return make


@pytest.mark.parametrize("since", ["last", "2025-01-02T16:00", "2025-01-02T16:00Z", "2025-01-02T17:00+01:00"])
def test_the_log_goes_on_from_where_it_was_mined(grown, small_recipe, since):
    workspace = grown()
    before = MinedLog(workspace.folder("mined")).windows
    result = mine(workspace, small_recipe().mining, since=since)
    assert not result.skipped
    windows = load_mined(workspace).windows
    assert windows.snapshot_times[: before.num_slices] == before.snapshot_times
    assert windows.train_end > before.train_end
    assert result.manifest.summary["continues"]["snapshots"] == before.num_slices
    assert result.manifest.summary["searches"]["rows"] == 60


def test_a_second_time_there_is_nothing_to_do(grown, small_recipe):
    workspace = grown()
    done = mine(workspace, small_recipe().mining, since="last")
    again = mine(workspace, small_recipe().mining, since="last")
    assert again.skipped
    assert again.manifest.content == done.manifest.content
    # Mining it all has windows of its own.
    assert not mine(workspace, small_recipe().mining).skipped


def test_a_day_that_was_mined_is_refused(grown, small_recipe):
    workspace = grown()
    with pytest.raises(UsageError, match=r"mined already.*since='2025-01-02T15:00'.*2025-01-02T15:00:00"):
        mine(workspace, small_recipe().mining, since="2025-01-02T15:00")
    mine(workspace, small_recipe().mining, since="2025-01-02T16:00")
    with pytest.raises(UsageError, match="mined already"):
        mine(workspace, small_recipe().mining, since="2025-01-02T16:00")


def test_a_day_without_searches_is_refused_by_its_date_and_taken_in_by_last(grown, small_recipe, grown_tables):
    workspace = grown(later=False)
    with pytest.raises(UsageError, match=r"must hold searches.*searches_since=0.*aisle import --add"):
        mine(workspace, small_recipe().mining, since="2025-01-02T16:00")
    import_tables(workspace, SourceTables({"products": grown_tables(0, num_products=31)["products"]}), add=True)
    before = MinedLog(workspace.folder("mined")).windows
    result = mine(workspace, small_recipe().mining, since="last")
    assert not result.skipped
    assert result.manifest.summary["products"]["rows"] == 31
    assert load_mined(workspace).windows == before


def test_no_day_is_left_out(grown, small_recipe):
    with pytest.raises(UsageError, match=r"No day may be left out.*searches_between=4"):
        mine(grown(), small_recipe().mining, since="2025-01-02T20:00")


def test_other_settings_are_refused_by_name(grown, small_recipe):
    workspace = grown()
    with pytest.raises(UsageError, match=r"mining\.skips_below.*3 → 5.*same --recipe"):
        mine(workspace, small_recipe("mining.skips_below=5").mining, since="last")
    assert not mine(workspace, small_recipe("mining.memory_gb=0.6").mining, since="last").skipped


def test_changed_rows_are_refused_and_the_mined_log_stays(grown, small_recipe, grown_tables):
    workspace = grown()
    before = workspace.manifest("mined").content
    changed = grown_tables(1)
    changed["searches"] = changed["searches"].set_column(1, "query", [["rug"]])
    import_tables(workspace, SourceTables(changed), add=True)
    with pytest.raises(TableError, match="must be as they were"):
        mine(workspace, small_recipe().mining, since="last")
    assert workspace.manifest("mined").content == before


def test_nothing_to_go_on_from_and_no_date(tmp_path, grown, grown_tables, small_recipe):
    workspace = Workspace.open(tmp_path / "other", create=True)
    import_tables(workspace, SourceTables(grown_tables(40)))
    with pytest.raises(WorkspaceError, match="must hold 'mined'"):
        mine(workspace, small_recipe().mining, since="last")
    with pytest.raises(UsageError, match=r"must be a date.*since='monday'"):
        mine(grown(), small_recipe().mining, since="monday")


def test_named_splits_are_those_of_the_searches(tmp_path, grown_tables, small_recipe):
    workspace = Workspace.open(tmp_path / "shop", create=True)
    for start, end, split in ((0, 30, "train"), (30, 40, "test"), (40, 50, "test")):
        part = grown_tables(end, start=start)
        part["searches"] = part["searches"].append_column("split", [[split] * (end - start)])
        import_tables(workspace, SourceTables(part), add=True)
        if end == 40:
            mine(workspace, small_recipe().mining)
    before = MinedLog(workspace.folder("mined")).windows
    mine(workspace, small_recipe().mining, since="last")
    assert load_mined(workspace).windows == before
    assert pq.read_metadata(workspace.folder("mined") / "examples" / "test.parquet").num_rows == 20
