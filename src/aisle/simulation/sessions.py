"""The log of a marketplace, streamed into Parquet files block by block."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from aisle.core.progress import Advance
from aisle.simulation.log_tables import LogTables
from aisle.simulation.marketplace import Block, Marketplace
from aisle.simulation.policy import LoggingPolicy
from aisle.simulation.rows import take_rows
from aisle.simulation.searching import Searches
from aisle.simulation.truth_set import find_true_products
from aisle.simulation.truth_tables import intents_table, truth_table
from aisle.simulation.visits import draw_visits

__all__ = ["LOG_FILES", "LogSummary", "write_log"]

LOG_FILES = ("products", "searches", "impressions", "events", "users", "truth", "intents")
"""Names of the files, without `.parquet`."""

Write = Callable[[str, pa.Table], None]

_LEAST_PER_NEED = 1.14
"""Searches per need, a little less than there are: the last few shoppers are those who do not come."""
_NEEDS_PER_BLOCK = 20_000


@dataclass
class LogSummary:
    """What was simulated.

    Attributes:
        searches, impressions, events: Rows.
        distinct_queries: Distinct query texts.
        clicks, carts, orders: Impressions that reached the stage.
        searches_with_click: Searches.
        truth_searches: Searches of the test window; `truth_products` the products of their truth.
        sha256: Hash of the titles and of the first query of every need, in order: what was drawn before anybody looked
            at a page. It does not depend on the last bit of any sum, so that every machine gives the same.
        bm25_s: Seconds that the lexical retriever took.
        search_time_s: Seconds of everything else that makes and writes searches; the truth set apart.
        truth_s: Seconds that the truth set took.
    """

    searches: int = 0
    impressions: int = 0
    events: int = 0
    distinct_queries: int = 0
    clicks: int = 0
    carts: int = 0
    orders: int = 0
    searches_with_click: int = 0
    truth_searches: int = 0
    truth_products: int = 0
    sha256: str = ""
    bm25_s: float = 0.0
    search_time_s: float = 0.0
    truth_s: float = 0.0

    def figures(self) -> dict[str, int | str]:
        """Return what the same seed gives again: everything but the seconds."""
        return {name: value for name, value in asdict(self).items() if not name.endswith("_s")}


def write_log(
    market: Marketplace,
    policy: LoggingPolicy,
    folder: Path,
    *,
    num_searches: int,
    needs_per_block: int = _NEEDS_PER_BLOCK,
    advance: Advance | None = None,
) -> LogSummary:
    """Simulate a log and write `LOG_FILES` into a folder.

    Memory is bounded by the block; the log does not depend on it.

    Args:
        market: The marketplace.
        policy: The shop.
        folder: Where to.
        num_searches: Searches of the log; a market with very few shoppers can have some less.
        needs_per_block: Needs that are simulated at a time.
        advance: Told of every block's searches.
    """
    started, drawn = time.perf_counter(), hashlib.sha256()
    num_needs = int(num_searches / _LEAST_PER_NEED + 4 * num_searches**0.5)
    visits = draw_visits(market.shoppers, num_needs=num_needs, days=market.days, seed=market.seed)
    tables = LogTables(market, visits.identity)
    with _writers(folder) as write:
        writer = _LogWriter(market, tables, write)
        summary = writer.summary
        write("products", market.products)
        write("users", tables.users())
        drawn.update(_lines(market.products.column("title").combine_chunks()))
        for block in market.blocks(visits, policy, needs_per_block=needs_per_block):
            kept = _first(block, num_searches - summary.searches)
            writer.add(kept)
            drawn.update(_lines(kept.searches.phrased.text.filter(pa.array(kept.searches.attempt == 0))))
            if advance is not None:
                advance(len(kept.searches))
            if summary.searches >= num_searches:
                break
    summary.sha256 = drawn.hexdigest()
    summary.distinct_queries, summary.bm25_s = len(policy.cache), policy.cache.seconds
    summary.search_time_s = time.perf_counter() - started - summary.bm25_s - summary.truth_s
    return summary


def _first(block: Block, num: int) -> Block:
    """Cut a block after so many searches, and what happened on later visits."""
    if len(block.searches) <= num:
        return block
    searches = take_rows(block.searches, np.arange(num))
    before = np.flatnonzero(block.strolls.visit <= searches.visit[-1])
    return Block(searches, take_rows(block.strolls, before))


class _LogWriter:
    """Writes blocks and counts them."""

    def __init__(self, market: Marketplace, tables: LogTables, write: Write) -> None:
        self._market, self._tables, self._write = market, tables, write
        self.summary = LogSummary()

    def add(self, block: Block) -> None:
        """Write a block, and the truth of its test searches."""
        summary, tables, searches = self.summary, self._tables, block.searches
        impressions = tables.impressions(searches, first=summary.searches)
        events = tables.events(block.strolls)
        self._write("searches", tables.searches(searches, first=summary.searches))
        self._write("impressions", impressions)
        self._write("events", events)
        self._add_truth(searches)
        summary.clicks += _num_times(impressions, "clicked_at")
        summary.carts += _num_times(impressions, "carted_at")
        summary.orders += _num_times(impressions, "ordered_at")
        summary.searches_with_click += int(searches.actions.clicked.any(axis=1).sum())
        summary.impressions += impressions.num_rows
        summary.events += events.num_rows
        summary.searches += len(searches)

    def _add_truth(self, searches: Searches) -> None:
        started = time.perf_counter()
        rows = np.flatnonzero(self._tables.is_test(searches.at))
        asked, number = take_rows(searches, rows), self.summary.searches + rows
        truth = find_true_products(self._market, asked.needs, asked.at)
        self._write("truth", truth_table(truth, number, self._tables.product_id))
        self._write("intents", intents_table(asked, number))
        self.summary.truth_searches += len(rows)
        self.summary.truth_products += len(truth.row)
        self.summary.truth_s += time.perf_counter() - started


def _num_times(table: pa.Table, name: str) -> int:
    return int(table.num_rows - table.column(name).null_count)


def _lines(texts: pa.Array) -> bytes:
    """Return texts one per line; the lines of two columns are those of both together."""
    column = pa.ListArray.from_arrays(pa.array([0, len(texts)], pa.int32()), texts)
    return str(pc.binary_join(column, "\n")[0].as_py() or "").encode() + b"\n"


@contextmanager
def _writers(folder: Path) -> Iterator[Write]:
    """Yield a function that appends a table to the file of its name; each call makes a row group."""
    with ExitStack() as stack:
        open_files: dict[str, pq.ParquetWriter] = {}

        def write(name: str, table: pa.Table) -> None:
            if name not in open_files:
                file = pq.ParquetWriter(folder / f"{name}.parquet", table.schema, compression="zstd")
                open_files[name] = stack.enter_context(file)
            open_files[name].write_table(table)

        yield write
