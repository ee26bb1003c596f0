import pyarrow.parquet as pq
import pytest

from aisle.simulation import LoggingPolicy, write_log
from aisle.simulation.sessions import LOG_FILES


@pytest.fixture(scope="module")
def write(market, lexical, tmp_path_factory):
    def written(num_searches, needs_per_block):
        folder = tmp_path_factory.mktemp("log")
        done = []
        summary = write_log(
            market,
            LoggingPolicy(market.stock, lexical, seed=market.seed),
            folder,
            num_searches=num_searches,
            needs_per_block=needs_per_block,
            advance=lambda num, note="", *, total=None: done.append(num),
        )
        return folder, summary, done

    return written


@pytest.fixture(scope="module")
def log(write):
    return write(2_000, 700)


def read(folder, name):
    return pq.read_table(folder / f"{name}.parquet")


def test_the_files_and_the_summary_agree(log):
    folder, summary, done = log
    assert sorted(path.stem for path in folder.iterdir()) == sorted(LOG_FILES)
    assert summary.searches == 2_000 == read(folder, "searches").num_rows == sum(done)
    assert len(done) > 2
    impressions = read(folder, "impressions")
    assert summary.impressions == impressions.num_rows
    assert summary.clicks == 2_000 * 24 - impressions.column("clicked_at").null_count
    assert summary.events == read(folder, "events").num_rows
    assert summary.truth_products == read(folder, "truth").num_rows > 0
    assert summary.truth_searches == read(folder, "intents").num_rows
    assert summary.distinct_queries >= len(read(folder, "searches").column("query").unique())
    assert min(summary.bm25_s, summary.search_time_s, summary.truth_s) > 0


def test_the_log_does_not_depend_on_the_blocks(log, write):
    folder, summary, _ = write(2_000, 10**9)
    for name in LOG_FILES:
        assert read(folder, name).equals(read(log[0], name)), name
    same = {**summary.figures(), "distinct_queries": log[1].distinct_queries}
    assert same == log[1].figures()


def test_only_test_searches_have_a_truth(log):
    searches = read(log[0], "searches")
    split = dict(zip(searches.column("search_id").to_pylist(), searches.column("split").to_pylist(), strict=True))
    assert {split[name] for name in read(log[0], "intents").column("search_id").to_pylist()} == {"test"}
    assert list(split.values()).count("test") == log[1].truth_searches


def test_every_product_and_search_is_known(log):
    folder = log[0]
    products = set(read(folder, "products").column("product_id").to_pylist())
    searches = set(read(folder, "searches").column("search_id").to_pylist())
    for name in ("impressions", "truth"):
        table = read(folder, name)
        assert set(table.column("product_id").to_pylist()) <= products
        assert set(table.column("search_id").to_pylist()) <= searches


def test_the_hash_is_that_of_what_was_asked(log, write):
    _, shorter, _ = write(1_000, 700)
    assert shorter.searches == 1_000
    assert len(shorter.sha256) == 64
    assert shorter.sha256 != log[1].sha256
