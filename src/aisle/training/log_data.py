"""What training reads of a mined log beside texts: searches, their outcomes, histories, and the graph by snapshot."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool, Float32, Int8, Int32, Int64

from aisle.features import Context, EventLog, Features, Featuriser, Histories, Neighbours
from aisle.features.context import UNKNOWN_VALUE
from aisle.mining import MinedLog, Ragged
from aisle.negatives import searcher_groups
from aisle.training.beside import BesidePairs

__all__ = ["LOG_FORMAT", "Limits", "LogData", "LogSearches", "write_log"]

LOG_FORMAT = 3
"""Version of what `write_log` writes: features of another one are made anew."""

_Kind = TypeVar("_Kind")
_SECOND_US = 1_000_000
_ALWAYS, _NEVER = -(2**62), 2**62


@dataclass(frozen=True)
class Limits:
    """How much of the log one search or product reads.

    Attributes:
        neighbours: Most neighbours in the graph.
        events: Most events of the actor.
    """

    neighbours: int
    events: int


@dataclass(frozen=True, eq=False)
class LogSearches:
    """Searches of one window, row by row.

    Attributes:
        query_index: Query of each.
        snapshot: Last snapshot before it; of training searches also their slice.
        group: Number of its (query, actor); a search of nobody known is a group of its own.
        searched_at_s: Seconds since 1970.
        history_start: First event of its history.
        history_end: End of its history: the first event that is not strictly before it.
        outcome_start: First of its outcomes.
        outcome_end: End of its outcomes.
        product_index: Product of each outcome.
        stage: `Stage` of each outcome.
        grade: Stage grade of each outcome: shown and skipped 1, clicked 2 … ordered 4.
        weight: 1, or the discount of an assisted outcome.
        assisted: Whether the stage was reached in a later search of the session.
        propensity: Probability that the product was shown at its place; NaN where the log does not tell.
        context: Location and device as rows of the context table; no columns where the part is off.
    """

    query_index: Int64[np.ndarray, " searches"]
    snapshot: Int64[np.ndarray, " searches"]
    group: Int64[np.ndarray, " searches"]
    searched_at_s: Int64[np.ndarray, " searches"]
    history_start: Int64[np.ndarray, " searches"]
    history_end: Int64[np.ndarray, " searches"]
    outcome_start: Int64[np.ndarray, " searches"]
    outcome_end: Int64[np.ndarray, " searches"]
    product_index: Int64[np.ndarray, " outcomes"]
    stage: Int8[np.ndarray, " outcomes"]
    grade: Float32[np.ndarray, " outcomes"]
    weight: Float32[np.ndarray, " outcomes"]
    assisted: Bool[np.ndarray, " outcomes"]
    propensity: Float32[np.ndarray, " outcomes"]
    context: Int32[np.ndarray, "searches slots"]


@dataclass(frozen=True, eq=False)
class _Lifetimes:
    created_us: Int64[np.ndarray, " products"]
    removed_us: Int64[np.ndarray, " products"]
    snapshot_us: Int64[np.ndarray, " snapshots"]
    limits: Int64[np.ndarray, " 3"]


@dataclass(frozen=True, eq=False)
class LogData:
    """A mined log as training reads it, mapped from disk.

    Attributes:
        train: Searches of the training window.
        validation: Searches of the validation window.
        events: All actors' events up to the end of the validation window.
        query_neighbours: Products that each query led to, snapshot 1 first.
        product_neighbours: Queries that led to each product, snapshot 1 first.
        created_us: Since when each product is on sale, microseconds.
        removed_us: Until when.
        snapshot_us: Time of each snapshot, the first one first.
        limits: How much of it one row reads.
        num_queries: Queries of the log itself; those of pairs beside it are numbered behind them.
        beside: Pairs that are learnt beside the searches.
        learnt_until_us: Where training goes on from a model, the time before which that had learnt all searches.
    """

    train: LogSearches
    validation: LogSearches
    events: EventLog
    query_neighbours: list[Ragged]
    product_neighbours: list[Ragged]
    created_us: Int64[np.ndarray, " products"]
    removed_us: Int64[np.ndarray, " products"]
    snapshot_us: Int64[np.ndarray, " snapshots"]
    limits: Limits
    num_queries: int
    beside: BesidePairs
    learnt_until_us: int | None = None

    @property
    def last_snapshot(self) -> int:
        """Number of the snapshot at the end of training, with which a model is validated and served."""
        return len(self.snapshot_us)

    def on_sale(self, snapshot: int) -> Int64[np.ndarray, " on_sale"]:
        """Return the products that could be bought at a snapshot."""
        at = self.snapshot_us[snapshot - 1]
        return np.flatnonzero((self.created_us <= at) & (self.removed_us > at))

    def queries(
        self, features: Features, searches: LogSearches, rows: Int64[np.ndarray, " rows"], *, snapshot: int
    ) -> Features:
        """Make the inputs of searches: words, place, what the query led to, and what its actor did before.

        Args:
            features: Of all queries, by query index.
            searches: Searches of one window.
            rows: Which of them.
            snapshot: Snapshot of the graph.
        """
        query = np.asarray(searches.query_index[rows])
        edges, has_context = self.query_neighbours[snapshot - 1], searches.context.shape[1] > 0
        return replace(
            features.take(query),
            context=Context(np.asarray(searches.context[rows])) if has_context else None,
            neighbours=_neighbours(edges, query, self.limits),
            history=Histories.from_log(
                self.events,
                np.asarray(searches.history_start[rows]),
                np.asarray(searches.history_end[rows]),
                searched_at_s=np.asarray(searches.searched_at_s[rows]),
                most=self.limits.events,
            ),
        )

    def asked(self, search: Int64[np.ndarray, " rows"], query: Int64[np.ndarray, " rows"]) -> LogSearches:
        """Lay searches of the training window beside queries of no actor, place or time, as one window.

        Args:
            search: Search of each row; below 0 where only the query is known.
            query: Query of each row.
        """
        searches, is_search = self.train, search >= 0
        at = np.where(is_search, search, 0)
        no_place = np.full((len(search), searches.context.shape[1]), UNKNOWN_VALUE, np.int32)
        end = np.asarray(searches.history_end[at])
        return replace(
            searches,
            query_index=query,
            searched_at_s=np.asarray(searches.searched_at_s[at]),
            history_start=np.where(is_search, searches.history_start[at], end),
            history_end=end,
            context=np.where(is_search[:, None], searches.context[at], no_place),
        )

    def products(self, features: Features, rows: Int64[np.ndarray, " rows"], *, snapshot: int) -> Features:
        """Make the inputs of products, with their neighbours as of a snapshot."""
        return replace(
            features.take(rows), neighbours=_neighbours(self.product_neighbours[snapshot - 1], rows, self.limits)
        )

    @classmethod
    def read(cls, folder: Path) -> LogData | None:
        """Map what `write_log` wrote; None where there is nothing."""
        if not folder.exists():
            return None
        rest = _load(folder, "lifetimes", _Lifetimes)
        numbers = range(1, len(rest.snapshot_us) + 1)
        return cls(
            train=_load(folder, "train", LogSearches),
            validation=_load(folder, "validation", LogSearches),
            events=_load(folder, "events", EventLog),
            query_neighbours=[_load(folder, f"neighbours_query_{number}", Ragged) for number in numbers],
            product_neighbours=[_load(folder, f"neighbours_product_{number}", Ragged) for number in numbers],
            created_us=rest.created_us,
            removed_us=rest.removed_us,
            snapshot_us=rest.snapshot_us,
            limits=Limits(*rest.limits[:2].tolist()),
            num_queries=int(rest.limits[2]),
            beside=_load(folder, "beside", BesidePairs),
        )


def write_log(
    folder: Path,
    mined: MinedLog,
    *,
    featuriser: Featuriser,
    products: pa.Table,
    num_queries: int,
    limits: Limits,
    beside: BesidePairs,
) -> None:
    """Write a mined log as arrays into a folder that is made for it; nothing of the test window is among them.

    Args:
        folder: Made for it.
        mined: The log.
        featuriser: Makes the context of searches, where that part is on.
        products: Products table.
        num_queries: Queries that are known before the test window, the first ones.
        limits: How much of the log one row will read.
        beside: Pairs beside its searches.
    """
    folder.mkdir()
    windows = mined.windows
    events, places = _events(mined.table("histories"), until_us=windows.validation_until, num_queries=num_queries)
    _save(folder, "events", events)
    for split in ("train", "validation"):
        _save(folder, split, _searches(mined, split, featuriser=featuriser, places=places))
    for snapshot in range(1, windows.num_slices + 1):
        by_query = mined.query_neighbours(snapshot, num_queries=num_queries)
        by_product = mined.product_neighbours(snapshot, num_products=products.num_rows)
        _save(folder, f"neighbours_query_{snapshot}", by_query)
        _save(folder, f"neighbours_product_{snapshot}", by_product)
    lifetimes = _Lifetimes(
        created_us=_times(products, "created_at", missing=_ALWAYS),
        removed_us=_times(products, "removed_at", missing=_NEVER),
        snapshot_us=np.array(windows.snapshot_times, np.int64),
        limits=np.array([limits.neighbours, limits.events, num_queries], np.int64),
    )
    _save(folder, "lifetimes", lifetimes)
    _save(folder, "beside", beside)


def _searches(
    mined: MinedLog, split: str, *, featuriser: Featuriser, places: Int64[np.ndarray, " events_and_1"]
) -> LogSearches:
    examples, outcomes = mined.table("examples", split), mined.table("outcomes", split)
    context = np.empty((examples.num_rows, 0), np.int32)
    if featuriser.context is not None:
        locations = examples.column("location").combine_chunks()
        context = featuriser.context.searches(examples.num_rows, locations=locations).ids
    return LogSearches(
        query_index=_int64(examples, "query_index"),
        snapshot=_int64(examples, "snapshot"),
        group=searcher_groups(_int64(examples, "query_index"), _int64(examples, "actor_index")),
        searched_at_s=_seconds(examples, "searched_at"),
        history_start=places[_int64(examples, "history_start")],
        history_end=places[_int64(examples, "history_end")],
        outcome_start=_int64(examples, "outcome_start"),
        outcome_end=_int64(examples, "outcome_end"),
        product_index=_int64(outcomes, "product_index"),
        stage=np.asarray(outcomes.column("stage").to_numpy(), np.int8),
        grade=np.asarray(outcomes.column("grade").to_numpy(), np.float32),
        weight=np.asarray(outcomes.column("weight").to_numpy(), np.float32),
        assisted=np.asarray(outcomes.column("assisted").to_numpy(), np.bool_),
        propensity=np.asarray(outcomes.column("propensity").to_numpy(), np.float32),
        context=context,
    )


def _events(
    histories: pa.Table, *, until_us: int, num_queries: int
) -> tuple[EventLog, Int64[np.ndarray, " events_and_1"]]:
    """Leave out events of the test window; also return where each event's place is among those that are left."""
    kept = np.asarray(histories.column("at").cast(pa.int64()).to_numpy()) < until_us
    places = np.concatenate([np.zeros(1, np.int64), np.cumsum(kept)])
    left = histories.filter(pa.array(kept))
    query = _int64(left, "query_index")
    return (
        EventLog(
            query_index=np.where(query < num_queries, query, -1),
            product_index=_int64(left, "product_index"),
            stage=_int64(left, "stage"),
            at_s=_seconds(left, "at"),
        ),
        places,
    )


def _neighbours(edges: Ragged, rows: Int64[np.ndarray, " rows"], limits: Limits) -> Neighbours:
    return Neighbours.from_edges(edges.offsets, edges.index, edges.weight, rows=rows, most=limits.neighbours)


def _times(products: pa.Table, name: str, *, missing: int) -> Int64[np.ndarray, " products"]:
    if name not in products.column_names or pa.types.is_null(products.column(name).type):
        return np.full(products.num_rows, missing, np.int64)
    return np.asarray(pc.fill_null(products.column(name).cast(pa.int64()), missing).to_numpy(), np.int64)


def _seconds(table: pa.Table, name: str) -> Int64[np.ndarray, " rows"]:
    return np.asarray(table.column(name).cast(pa.int64()).to_numpy() // _SECOND_US, np.int64)


def _int64(table: pa.Table, name: str) -> Int64[np.ndarray, " rows"]:
    return np.asarray(table.column(name).to_numpy(), np.int64)


def _save(folder: Path, prefix: str, arrays: Any) -> None:
    for field in fields(arrays):
        np.save(folder / f"{prefix}_{field.name}.npy", getattr(arrays, field.name))


def _load(folder: Path, prefix: str, kind: type[_Kind]) -> _Kind:
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    return kind(**{name: np.load(folder / f"{prefix}_{name}.npy", mmap_mode="r", allow_pickle=False) for name in names})
