"""Searches of the mined log, or of a simulated marketplace's truth, as queries to be measured."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool, Int64

from aisle.core.errors import UsageError
from aisle.core.ids import IdMap
from aisle.core.ragged import expand_slices
from aisle.core.ranking import PastEvents
from aisle.evaluation import EvaluatedSearches
from aisle.measures import Qrels
from aisle.mining import MinedLog
from aisle.pipelines.catalogue import read_products
from aisle.pipelines.mining import load_mined
from aisle.retrieval import ActorLog
from aisle.tables import STAGE_GRADES, Stage, read_parquet
from aisle.workspace import Workspace

__all__ = ["SearchLabels", "logged_searches"]

SearchLabels = Literal["log", "truth"]
"""What counts as found: the orders of the log (clicks and carts where its window has none), or what this shopper would
have ordered if everything were examined."""

_SIGNED_IN = "user"


class _Found:
    """Relevant products as pairs of a search's row and a product, and in words what they are."""

    def __init__(self, row: np.ndarray, product_index: np.ndarray, repeated: np.ndarray, labelled: str) -> None:
        self.row = row
        self.product_index = product_index
        self.repeated = repeated
        self.labelled = labelled

    def qrels(self, num_searches: int, *, repeated: bool) -> Qrels:
        kept = self.repeated == repeated
        ones = np.ones(int(kept.sum()))
        return Qrels.from_triples(
            query_index=self.row[kept], product_index=self.product_index[kept], grade=ones, num_queries=num_searches
        )

    def share(self, flag: Bool[np.ndarray, " pairs"], num_searches: int) -> np.ndarray:
        """Return the share of each search's products that are flagged; NaN where it has none."""
        count = np.bincount(self.row, minlength=num_searches)
        flagged = np.bincount(self.row, weights=flag, minlength=num_searches)
        return np.where(count > 0, flagged / np.maximum(count, 1), np.nan)


def logged_searches(
    workspace: Workspace, *, labels: SearchLabels, split: str, max_searches: int, seed: int
) -> EvaluatedSearches:
    """Read the searches of a split that have something to be found.

    Slices: the band of the query's frequency as of the last snapshot before the search; signed in or not; with or
    without a history; *cold*, where nothing that is to be found had been shown before the snapshot; *domestic* and
    *abroad*, by where the products to be found are sold from.

    Args:
        workspace: Where a log was mined; "truth" needs a simulated one.
        labels: What counts as found.
        split: "validation" or "test".
        max_searches: Most searches; beyond it they are drawn evenly.
        seed: Seed of the draw.

    Raises:
        UsageError: If the labels or the split are unknown, or no search has anything to be found.
        WorkspaceError: If the log was not mined, or has no truth.
    """
    if labels == "truth" and not workspace.has("truth"):
        raise UsageError(
            "Only a simulated marketplace has a truth",
            received={"labels": labels, "workspace": str(workspace.path)},
            remedy="Measure on --labels log or judgments, or make one with `aisle simulate --searches N`.",
        )
    if labels not in get_args(SearchLabels) or split not in {"validation", "test"}:
        raise UsageError(
            "Searches are measured with labels of log or truth, on validation or test",
            received={"labels": labels, "split": split},
            remedy="Give --labels log and --split test.",
        )
    mined, products = load_mined(workspace), read_products(workspace)
    examples = mined.table("examples", split)
    found = _ordered(mined, examples, split) if labels == "log" else _true(workspace, examples, products)
    searched = np.unique(found.row)
    if not len(searched):
        raise UsageError(
            "At least one search must have a product to be found",
            received={"labels": labels, "split": split, "searches": examples.num_rows},
            remedy="Simulate and mine again, so that truth and log are of one run."
            if labels == "truth"
            else "The window has no clicks, carts or orders: mine a longer log, or measure on --labels judgments.",
        )
    if len(searched) > max_searches:
        searched = np.sort(np.random.default_rng(seed).choice(searched, max_searches, replace=False))
    return _chosen(mined, examples, found, searched, products)


def _ordered(mined: MinedLog, examples: pa.Table, split: str) -> _Found:
    outcomes = mined.table("outcomes", split)
    start, end = (_int64(examples, f"outcome_{side}") for side in ("start", "end"))
    position, _ = expand_slices(start, end)
    row = np.repeat(np.arange(examples.num_rows), end - start)
    grade = outcomes.column("grade").to_numpy()[position]
    has_orders = bool((grade >= STAGE_GRADES[Stage.ORDERED]).any())
    least = STAGE_GRADES[Stage.ORDERED if has_orders else Stage.CLICKED]
    position, row = position[grade >= least], row[grade >= least]
    product = _int64(outcomes, "product_index")[position]
    told = "orders" if has_orders else "clicks and carts, as the window has no orders"
    return _Found(row, product, outcomes.column("repeated").to_numpy()[position], told)


def _true(workspace: Workspace, examples: pa.Table, products: pa.Table) -> _Found:
    folder = workspace.verified("truth")
    truth, intents = (read_parquet(folder / f"{name}.parquet") for name in ("truth", "intents"))
    searches = IdMap(examples.column("search_id"))
    row = searches.index_of(truth.column("search_id"))
    product = IdMap(products.column("product_id")).index_of(truth.column("product_id"))
    before = np.full(examples.num_rows, -1, np.int64)
    row_of_intent = searches.index_of(intents.column("search_id"))
    known = row_of_intent >= 0
    before[row_of_intent[known]] = _int64(intents, "ordered_before")[known]
    kept = row >= 0
    row, product = row[kept], product[kept]
    return _Found(row, product, product == before[row], "true products")


def _chosen(
    mined: MinedLog, examples: pa.Table, found: _Found, searched: Int64[np.ndarray, " chosen"], products: pa.Table
) -> EvaluatedSearches:
    num_searches = len(searched)
    place = np.full(examples.num_rows, -1, np.int64)
    place[searched] = np.arange(num_searches)
    kept = place[found.row] >= 0
    found = _Found(place[found.row[kept]], found.product_index[kept], found.repeated[kept], found.labelled)
    examples = examples.take(pa.array(searched))
    query = mined.table("queries").column("text").combine_chunks().take(examples.column("query_index").combine_chunks())
    return EvaluatedSearches(
        texts=query.to_pylist(),
        at=np.asarray(examples.column("searched_at").cast(pa.int64()).to_numpy()),
        wanted=found.qrels(num_searches, repeated=False),
        repeated=found.qrels(num_searches, repeated=True),
        slices=_slices(mined, examples, found, products),
        labelled=found.labelled,
        locations=examples.column("location").to_pylist(),
        past=_past(mined, examples),
    )


def _past(mined: MinedLog, examples: pa.Table) -> PastEvents:
    """Return what the actors did strictly before their searches, as far back as the log was mined for."""
    searched_us = np.asarray(examples.column("searched_at").cast(pa.int64()).to_numpy())
    return ActorLog(mined).past(_int64(examples, "history_start"), _int64(examples, "history_end"), searched_us)


def _slices(
    mined: MinedLog, examples: pa.Table, found: _Found, products: pa.Table
) -> dict[str, Bool[np.ndarray, " searches"]]:
    num_searches = examples.num_rows
    band = examples.column("band").to_numpy(zero_copy_only=False)
    is_signed_in = examples.column("actor_kind").to_numpy(zero_copy_only=False) == _SIGNED_IN
    has_history = _int64(examples, "history_end") > _int64(examples, "history_start")
    is_warm = np.zeros(products.num_rows, bool)
    last = mined.table("statistics", mined.windows.num_slices)
    is_warm[_int64(last, "product_index")] = True
    cold = found.share(~is_warm[found.product_index], num_searches)
    slices = {name: band == name for name in ("head", "torso", "tail", "unseen")}
    slices |= {"signed in": is_signed_in, "anonymous": ~is_signed_in}
    slices |= {"with history": has_history, "without history": ~has_history}
    slices["cold products"] = cold == 1
    slices |= _by_place(examples, found, products)
    return {name: mask for name, mask in slices.items() if mask.any()}


def _by_place(examples: pa.Table, found: _Found, products: pa.Table) -> dict[str, Bool[np.ndarray, " searches"]]:
    if "location" not in products.column_names:
        return {}
    place = examples.column("location").combine_chunks().take(pa.array(found.row))
    origin = products.column("location").combine_chunks().take(pa.array(found.product_index))
    is_domestic = pc.fill_null(pc.equal(place, origin), False).to_numpy(zero_copy_only=False)
    is_known = pc.is_valid(pc.equal(place, origin)).to_numpy(zero_copy_only=False)
    known = found.share(is_known, examples.num_rows) == 1
    domestic = found.share(is_domestic, examples.num_rows)
    return {"domestic": known & (domestic == 1), "abroad": known & (domestic == 0)}


def _int64(table: pa.Table, name: str) -> Int64[np.ndarray, " rows"]:
    return np.asarray(table.column(name).to_numpy(), np.int64)
