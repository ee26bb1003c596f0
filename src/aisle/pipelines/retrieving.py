"""The top products of every query of a file, with what their scores are made of: food for a shop's own ranker."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aisle.core.errors import UsageError
from aisle.core.ids import IdMap
from aisle.core.progress import progress_bar
from aisle.core.ranking import NO_PRODUCT, QueryBatch, Retriever, check_k
from aisle.evaluation import OnSale
from aisle.pipelines.catalogue import read_products
from aisle.pipelines.run_files import check_run_path, open_run
from aisle.pipelines.searching import load_retrievers, load_shoppers
from aisle.retrieval import Explained, Shoppers, retrieve_explained
from aisle.sources.query_files import read_queries_file
from aisle.workspace import Workspace

__all__ = ["RetrievalOutcome", "retrieve_file"]

_PLACES_AT_ONCE = 1 << 18
_MOST_QUERIES_AT_ONCE = 4096
_MARGIN = 1.25
"""Places that are retrieved beyond what the share of products on sale asks for, where some are not."""

_MOST_DEPTH = 4
"""Times k that are retrieved at most: a query from before the catalogue would otherwise ask for all of it."""


@dataclass(frozen=True)
class RetrievalOutcome:
    """What was written.

    Attributes:
        out: The file.
        system: Name of the retrieval system.
        queries: Queries that were answered.
        rows: Results written.
        without_results: Queries to which nothing was found.
        set_aside: Rows of the file that could not be asked.
        problems: Why, in words.
        personal: Queries with a past or a place, where the model reads these.
        unknown_actors: Queries that name an actor whom the log does not know; they count as nobody's.
    """

    out: str
    system: str
    queries: int
    rows: int
    without_results: int
    set_aside: int
    problems: list[str]
    personal: int
    unknown_actors: int


@dataclass
class _Counts:
    rows: int = 0
    without_results: int = 0
    personal: int = 0
    unknown_actors: int = 0

    def add(self, asked: QueryBatch, answer: Explained, *, num_unknown: int) -> None:
        is_found = answer.ranking.product_index != NO_PRODUCT
        has_past = np.diff(asked.past.offsets) > 0 if asked.past is not None else np.zeros(len(asked), np.bool_)
        has_place = np.array([place is not None for place in asked.locations or [None] * len(asked)])
        self.rows += int(is_found.sum())
        self.without_results += int((~is_found.any(axis=1)).sum())
        self.personal += int((has_past | has_place).sum())
        self.unknown_actors += num_unknown


def retrieve_file(workspace: Workspace, queries: Path, out: Path, *, system: str, k: int) -> RetrievalOutcome:
    """Write the top products of every query of a file, block by block.

    Where a query says when it was asked, candidates are the products on sale then and its actor's past ends there;
    else candidates are the whole catalogue, as in `aisle search`, and the past is all that was mined.

    Args:
        workspace: Where systems were indexed.
        queries: See `read_queries_file`.
        out: Parquet file or run in TREC's format to write; see `run_rows`.
        system: Name of the retrieval system.
        k: Places per query; rows are fewer where the system finds no more.

    Raises:
        UsageError: If k, the system or the file to write cannot be used.
        SourceError: If the queries cannot be read.
        TableError: If the file has no column `query` or no usable row.
        WorkspaceError: If nothing was indexed.
    """
    check_k(k)
    check_run_path(out)
    if out.exists() and queries.exists() and out.samefile(queries):
        raise UsageError("The results must not overwrite the queries", received={"out": str(out)})
    found = read_queries_file(queries)
    (retriever,) = load_retrievers(workspace, [system]).values()
    products = read_products(workspace)
    ids, on_sale = IdMap(products.column("product_id")), OnSale.of_products(products)
    k = min(k, len(ids))
    answering = _Answering(retriever, load_shoppers(workspace), on_sale, k=k, depth=_depth(found.table, on_sale, k=k))
    counts, size = _Counts(), min(_MOST_QUERIES_AT_ONCE, max(1, _PLACES_AT_ONCE // answering.depth))
    with (
        open_run(out, ids=ids, system=system) as write,
        progress_bar(f"Retrieving ({system})", total=found.table.num_rows, unit="queries") as advance,
    ):
        for start in range(0, found.table.num_rows, size):
            block = found.table.slice(start, size)
            answer = answering.answer(block, counts)
            write(block, answer)
            advance(block.num_rows)
    problems = [str(problem) for problem in found.report.problems]
    set_aside = found.quarantine.num_rows
    return RetrievalOutcome(
        str(out), system, found.table.num_rows, set_aside=set_aside, problems=problems, **vars(counts)
    )


def _depth(queries: pa.Table, on_sale: OnSale, *, k: int) -> int:
    """Return the places to retrieve so that about k are on sale: one number a file, as a hybrid's scores hang on it."""
    at = queries.column("searched_at").drop_null().cast(pa.int64()).to_numpy()
    num_products = len(on_sale.created_at)
    least = int(on_sale.count(at).min(initial=num_products))
    if least == num_products:
        return k
    return min(num_products, _MOST_DEPTH * k, int(np.ceil(_MARGIN * k * num_products / max(least, 1))))


@dataclass(frozen=True)
class _Answering:
    retriever: Retriever
    shoppers: Shoppers
    on_sale: OnSale
    k: int
    depth: int

    def answer(self, block: pa.Table, counts: _Counts) -> Explained:
        """Answer some queries, each for its own shopper at its own time."""
        columns = {name: block.column(name).combine_chunks() for name in block.column_names}
        has_time = pc.is_valid(columns["searched_at"]).to_numpy(zero_copy_only=False)
        times = pc.fill_null(columns["searched_at"].cast(pa.int64()), self.shoppers.now_us)
        at = np.asarray(times.to_numpy(zero_copy_only=False), np.int64)
        actor_ids = pc.coalesce(columns["user_id"], columns["client_id"], columns["session_id"]).to_pylist()
        asked = self.shoppers.batch(
            columns["query"].to_pylist(),
            actor_ids=actor_ids,
            user_ids=columns["user_id"].to_pylist(),
            locations=columns["location"].to_pylist(),
            searched_us=at,
        )
        found = retrieve_explained(self.retriever, asked, k=self.depth)
        index = found.ranking.product_index
        is_candidate = self.on_sale.is_candidate(index, at) | (~has_time[:, None] & (index != NO_PRODUCT))
        answer = found.kept(is_candidate, k=self.k)
        counts.add(asked, answer, num_unknown=int(self.shoppers.is_unknown(actor_ids).sum()))
        return answer
