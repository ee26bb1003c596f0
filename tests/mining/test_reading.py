import numpy as np
import pytest

from aisle.core.errors import SourceError
from aisle.mining import MinedLog, MiningConfig, Windows

CONFIG = MiningConfig(num_slices=2, threads=1, memory_gb=0.5)


@pytest.fixture
def done(mine_tables):
    searches = [{"search_id": f"q{n}", "query": f"w{n % 2}", "searched_at": n, "user_id": "u"} for n in range(30)]
    page = [
        {"search_id": f"q{n}", "product_id": f"p{place}", "position": place, "clicked_at": n if place > n % 3 else None}
        for n in range(30)
        for place in (1, 2)
    ]
    return mine_tables(CONFIG, products=["p0", "p1", "p2"], searches=searches, impressions=page)


def test_neighbours_are_ragged_rows_heaviest_first(done):
    products = done.log.query_neighbours(2, num_queries=2)
    assert products.offsets.tolist() == [0, 2, 4]
    rows = done.rows("neighbours_query", 2)
    assert products.index.tolist() == [row["product_index"] for row in rows]
    assert (np.diff(products.weight.reshape(2, 2)) <= 0).all()
    queries = done.log.product_neighbours(2, num_products=3)
    # p0 was never shown: an empty row.
    assert queries.offsets.tolist() == [0, 0, 2, 4]
    assert queries.index.dtype == np.int32


def test_windows_come_back_as_they_were_found(done):
    windows = MinedLog(done.folder).windows
    assert isinstance(windows, Windows)
    assert windows.num_slices == 2
    assert windows.as_dict() == done.summary["windows"]


def test_a_table_that_is_not_there(done):
    with pytest.raises(SourceError, match="must exist"):
        done.log.table("statistics", 3)


def test_the_log_ends_after_its_last_search_and_event(done):
    log = MinedLog(done.folder)
    times = [log.table("examples", split).column("searched_at") for split in ("train", "validation", "test")]
    times.append(log.table("histories").column("at"))
    last = max(column.cast("int64").to_numpy().max() for column in times if len(column))
    assert log.end_us == last + 1
