import pytest

from aisle.mining import MiningConfig

CONFIG = MiningConfig(num_slices=4, threads=1, memory_gb=0.5)


@pytest.fixture
def done(mine_tables):
    searches = [{"search_id": f"q{n}", "query": f"w{n % 3}", "searched_at": n, "user_id": "u"} for n in range(50)]
    page = [
        {"search_id": f"q{n}", "product_id": f"p{n % 4}", "position": 1, "clicked_at": n + 0.5 if n % 2 else None}
        for n in range(50)
    ]
    return mine_tables(CONFIG, products=[f"p{n}" for n in range(4)], searches=searches, impressions=page)


def test_every_snapshot_has_its_files_and_every_slice_that_trains_its_sampling(done):
    files = {path.relative_to(done.folder).as_posix() for path in done.folder.glob("*/*.parquet")}
    numbers = {
        kind: sorted(name for name in files if name.startswith(f"{kind}/")) for kind in ("statistics", "sampling")
    }
    assert numbers["statistics"] == [f"statistics/{n}.parquet" for n in (1, 2, 3, 4)]
    assert numbers["sampling"] == [f"sampling/{n}.parquet" for n in (1, 2, 3)]


def test_counts_grow_from_snapshot_to_snapshot_as_the_searches_do(done):
    begins = done.log.windows.snapshot_times
    first = min(row["searched_at"] for row in done.rows("examples", "train")).timestamp()
    for snapshot, begin in enumerate(begins, start=1):
        minutes = round(begin / 1e6 - first) // 60
        rows = done.rows("statistics", snapshot)
        assert sum(row["impressions"] for row in rows) == minutes
        assert sum(row["clicks"] for row in rows) == minutes // 2


def test_probabilities_of_a_slice_sum_to_one(done):
    for number in (1, 2, 3):
        assert sum(row["probability"] for row in done.rows("sampling", number)) == pytest.approx(1)


def test_snapshots_are_reported_one_by_one(done):
    assert [step for step in done.steps if step.startswith("snapshot")] == [f"snapshot {n}" for n in (1, 2, 3, 4)]
