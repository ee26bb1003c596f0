"""Searches of the mined log, or of a simulated marketplace's truth, as queries to be measured."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
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
from aisle.pipelines.column_slices import WORDS, asked_columns, column_slices, word_slices
from aisle.pipelines.exposures import shown_by
from aisle.pipelines.mining import load_mined
from aisle.pipelines.search_slices import search_slices
from aisle.retrieval import ActorLog
from aisle.tables import STAGE_GRADES, Stage, read_parquet
from aisle.workspace import Workspace

__all__ = ["SearchLabels", "logged_searches"]

SearchLabels = Literal["log", "truth"]
"""What counts as found: the orders of the log (clicks and carts where its window has none), or what this shopper would
have ordered if everything were examined."""


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


def logged_searches(
    workspace: Workspace,
    *,
    labels: SearchLabels,
    split: str,
    max_searches: int,
    seed: int,
    groups: Collection[str] = (),
    stage: Stage | None = None,
) -> EvaluatedSearches:
    """Read the searches of a split that have something to be found.

    Args:
        workspace: Where a log was mined; "truth" needs a simulated one.
        labels: What counts as found.
        split: "validation" or "test".
        max_searches: Most searches; beyond it they are drawn evenly.
        seed: Seed of the draw.
        groups: Slices beside those of `SLICE_GROUPS`: `words`, or `column:NAME` with a column of searches or users.
        stage: Least stage of what a log's searches count as found; None for orders, or clicks where there are none.

    Raises:
        UsageError: If labels, split or a column are unknown, or no search has anything to be found.
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
    found = _reached(mined, examples, split, stage) if labels == "log" else _true(workspace, examples, products)
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
    chosen, found = _chosen(examples, found, searched)
    pairs = {"row": found.row, "product_index": found.product_index}
    exposed = _exposed(workspace, chosen, products, found) if labels == "log" else None
    slices = search_slices(mined, chosen, products, **pairs)
    measured = _measured(mined, chosen, found, slices=slices, exposed=exposed)
    return replace(measured, slices={**slices, **_asked_slices(workspace, measured, groups)})


def _exposed(workspace: Workspace, examples: pa.Table, products: pa.Table, found: _Found) -> dict[str, float] | None:
    ids = (examples.column("search_id").combine_chunks(), products.column("product_id").combine_chunks())
    is_new = ~found.repeated
    return shown_by(workspace, *ids, row=found.row[is_new], product_index=found.product_index[is_new])


def _asked_slices(
    workspace: Workspace, searches: EvaluatedSearches, groups: Collection[str]
) -> dict[str, Bool[np.ndarray, " searches"]]:
    slices = word_slices(searches.texts) if WORDS in groups else {}
    for name in asked_columns(groups):
        slices |= column_slices(name, _column(workspace, searches, name))
    return slices


def _column(workspace: Workspace, searches: EvaluatedSearches, name: str) -> pa.Array:
    """Return a column of the searches, or of their users."""
    table = read_parquet(workspace.verified("searches") / "searches.parquet")
    table = table.take(pc.index_in(pa.array(searches.ids), value_set=table.column("search_id").combine_chunks()))
    if name in table.column_names:
        return table.column(name).combine_chunks()
    known = list(table.column_names)
    if workspace.has("users") and "user_id" in table.column_names:
        users = read_parquet(workspace.verified("users") / "users.parquet")
        known += users.column_names
        if name in users.column_names:
            row = pc.index_in(table.column("user_id"), value_set=users.column("user_id").combine_chunks())
            return users.column(name).combine_chunks().take(row.combine_chunks())
    raise UsageError(
        "A column for slices must be one of searches or users",
        received={"column": name, "columns": list(dict.fromkeys(known))},
        remedy="Name one of these, or import the table with that column.",
    )


def _reached(mined: MinedLog, examples: pa.Table, split: str, stage: Stage | None) -> _Found:
    outcomes = mined.table("outcomes", split)
    start, end = (_int64(examples, f"outcome_{side}") for side in ("start", "end"))
    position, _ = expand_slices(start, end)
    row = np.repeat(np.arange(examples.num_rows), end - start)
    grade = outcomes.column("grade").to_numpy()[position]
    has_orders = bool((grade >= STAGE_GRADES[Stage.ORDERED]).any())
    least = STAGE_GRADES[stage or (Stage.ORDERED if has_orders else Stage.CLICKED)]
    position, row = position[grade >= least], row[grade >= least]
    product = _int64(outcomes, "product_index")[position]
    told = "orders" if has_orders else "clicks and carts, as the window has no orders"
    if stage is not None:
        told = f"products {stage.name.lower()} or better"
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


def _chosen(examples: pa.Table, found: _Found, searched: Int64[np.ndarray, " chosen"]) -> tuple[pa.Table, _Found]:
    """Keep some searches, and what is to be found of them."""
    place = np.full(examples.num_rows, -1, np.int64)
    place[searched] = np.arange(len(searched))
    kept = place[found.row] >= 0
    kept_found = _Found(place[found.row[kept]], found.product_index[kept], found.repeated[kept], found.labelled)
    return examples.take(pa.array(searched)), kept_found


def _measured(
    mined: MinedLog,
    examples: pa.Table,
    found: _Found,
    *,
    slices: dict[str, Bool[np.ndarray, " searches"]],
    exposed: dict[str, float] | None,
) -> EvaluatedSearches:
    num_searches = examples.num_rows
    query = mined.table("queries").column("text").combine_chunks().take(examples.column("query_index").combine_chunks())
    return EvaluatedSearches(
        texts=query.to_pylist(),
        at=np.asarray(examples.column("searched_at").cast(pa.int64()).to_numpy()),
        wanted=found.qrels(num_searches, repeated=False),
        repeated=found.qrels(num_searches, repeated=True),
        slices=slices,
        labelled=found.labelled,
        locations=examples.column("location").to_pylist(),
        past=_past(mined, examples),
        shown_by=exposed,
        ids=examples.column("search_id").to_pylist(),
    )


def _past(mined: MinedLog, examples: pa.Table) -> PastEvents:
    """Return what the actors did strictly before their searches, as far back as the log was mined for."""
    searched_us = np.asarray(examples.column("searched_at").cast(pa.int64()).to_numpy())
    return ActorLog(mined).past(_int64(examples, "history_start"), _int64(examples, "history_end"), searched_us)


def _int64(table: pa.Table, name: str) -> Int64[np.ndarray, " rows"]:
    return np.asarray(table.column(name).to_numpy(), np.int64)
