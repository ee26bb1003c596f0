"""A log of stated sizes, drawn at random and mapped from disk: what the trainer's speed and memory depend on."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pyarrow as pa
from scipy import sparse

from aisle.core.rng import generator
from aisle.features import EventLog, Features, Terms, Tokens, read_features, write_features
from aisle.features.context import ContextFeaturiser
from aisle.measures import Qrels
from aisle.mining import Ragged
from aisle.tables import STAGE_GRADES, Stage
from aisle.training import TrainingData, TrainingPairs, Validation
from aisle.training.beside import BesidePairs
from aisle.training.log_data import LogData, LogSearches

EVENTS, NEIGHBOURS, SKIPPED, SNAPSHOTS = 20, 10, 6, 2
"""Events of every history, neighbours of every query and product, skipped products of every search, snapshots."""

QUERY_SKEW, PRODUCT_SKEW = 3.5, 2.7
"""Popularity falls with the rank such that 512 searches have about 435 distinct queries and 475 distinct products, as
those of the simulated marketplace `small` have: a text that stands twice in a batch is encoded once."""

_START_S, _DAY_S = 1_700_000_000, 86_400


@dataclasses.dataclass(frozen=True)
class Sizes:
    """What a log is drawn with.

    Attributes:
        products: Products, all of them on sale.
        queries: Distinct queries.
        searches: Training searches with one positive each.
        query_ngrams: N-grams of every query.
        product_ngrams: N-grams of every product.
        query_tokens: Most tokens of a query; a quarter of it at least.
        product_tokens: Likewise of a product.
        buckets: Buckets of the n-grams.
    """

    products: int
    queries: int
    searches: int
    query_ngrams: int
    product_ngrams: int
    query_tokens: int
    product_tokens: int
    buckets: int


def write_training_data(folder: Path, sizes: Sizes, context: ContextFeaturiser) -> TrainingData:
    """Draw features and a log into a folder and map them: every search has a full history, every row neighbours."""
    rng = generator(0, "log")
    _write_texts(folder / "queries", sizes.queries, sizes.query_ngrams, sizes.query_tokens, sizes.buckets)
    _write_texts(folder / "products", sizes.products, sizes.product_ngrams, sizes.product_tokens, sizes.buckets)
    rows = np.stack([rng.integers(0, context.num_rows, sizes.products) for _ in range(context.num_slots)], axis=1)
    np.save(folder / "products" / "context_ids.npy", rows.astype(np.int32))
    query_features, product_features = read_features(folder / "queries"), read_features(folder / "products")
    log = _write_log(folder / "log", sizes, context, rng)
    snapshot, every = log.last_snapshot, np.arange(sizes.products)
    neighbours = log.products(product_features, every, snapshot=snapshot).neighbours
    first = np.arange(min(200, len(log.validation.query_index)))
    answers = log.validation.product_index[log.validation.outcome_start[first]]
    return TrainingData(
        query_features=query_features,
        product_features=dataclasses.replace(product_features, neighbours=neighbours),
        pairs=TrainingPairs(
            queries=pa.array(np.arange(sizes.queries).astype(str)),
            query_index=log.train.query_index,
            product_index=log.train.product_index[log.train.outcome_start],
            weight=np.ones(sizes.searches, np.float32),
        ),
        query_words=sparse.csr_matrix((sizes.queries, 1), dtype=np.int32),
        product_words=sparse.csr_matrix((sizes.products, 1), dtype=np.int32),
        validation=Validation(
            log.queries(query_features, log.validation, first, snapshot=snapshot),
            Qrels.from_triples(
                query_index=first, product_index=answers, grade=np.ones(len(first)), num_queries=len(first)
            ),
        ),
        log=log,
        product_ids=pa.array(every.astype(str)),
    )


def _write_texts(folder: Path, rows: int, ngrams: int, tokens: int, buckets: int) -> None:
    rng = generator(0, folder.name)
    bucket = (rng.zipf(1.3, rows * ngrams) * 2_654_435_761 % buckets).astype(np.int32)
    terms = Terms(np.arange(rows + 1, dtype=np.int64) * ngrams, bucket, np.ones(rows * ngrams, np.float32))
    length = rng.integers(tokens // 4, tokens + 1, rows).astype(np.int64)
    ids = rng.integers(5, 4_000, (rows, tokens), dtype=np.int32)
    write_features(Features(terms, Tokens(ids, length)), folder)


def _write_log(folder: Path, sizes: Sizes, context: ContextFeaturiser, rng: np.random.Generator) -> LogData:
    folder.mkdir()
    num_events = max(EVENTS, sizes.searches)
    events = EventLog(
        query_index=rng.integers(0, sizes.queries, num_events),
        product_index=rng.integers(0, sizes.products, num_events),
        stage=rng.integers(int(Stage.CLICKED), len(Stage), num_events),
        at_s=_START_S + np.arange(num_events),
    )
    _save(folder, "events", events)
    for split, searches in (("train", sizes.searches), ("validation", 200)):
        _save(folder, split, _searches(searches, sizes, context, num_events, rng))
    for snapshot in range(1, SNAPSHOTS + 1):
        _save(folder, f"neighbours_query_{snapshot}", _edges(sizes.queries, sizes.products, rng))
        _save(folder, f"neighbours_product_{snapshot}", _edges(sizes.products, sizes.queries, rng))
    np.save(folder / "lifetimes_created_us.npy", np.zeros(sizes.products, np.int64))
    np.save(folder / "lifetimes_removed_us.npy", np.full(sizes.products, 2**62))
    np.save(folder / "lifetimes_snapshot_us.npy", np.arange(1, SNAPSHOTS + 1))
    np.save(folder / "lifetimes_limits.npy", np.array([NEIGHBOURS, EVENTS, sizes.queries]))
    nothing = np.empty(0, np.int64)
    _save(folder, "beside", BesidePairs(nothing, nothing, np.empty(0, np.float32), np.empty(0, bool)))
    log = LogData.read(folder)
    assert log is not None
    return log


def _searches(
    rows: int, sizes: Sizes, context: ContextFeaturiser, num_events: int, rng: np.random.Generator
) -> LogSearches:
    """Draw searches: one clicked or ordered product each, popular ones more often, then skipped ones."""
    shown = 1 + SKIPPED
    begin = rng.integers(0, num_events - EVENTS + 1, rows)
    product = rng.integers(0, sizes.products, (rows, shown))
    product[:, 0] = _popular(sizes.products, rows, PRODUCT_SKEW, rng)
    stage = np.full((rows, shown), Stage.SHOWN, np.int8)
    stage[:, 0] = rng.choice([Stage.CLICKED, Stage.ORDERED], rows)
    grade_of = np.array([STAGE_GRADES[one] for one in sorted(Stage)], np.float32)
    return LogSearches(
        query_index=_popular(sizes.queries, rows, QUERY_SKEW, rng),
        snapshot=np.sort(rng.integers(1, SNAPSHOTS + 1, rows)),
        group=np.arange(rows),
        searched_at_s=np.full(rows, _START_S + num_events + _DAY_S),
        history_start=begin,
        history_end=begin + EVENTS,
        outcome_start=np.arange(rows) * shown,
        outcome_end=np.arange(1, rows + 1) * shown,
        product_index=product.ravel(),
        stage=stage.ravel(),
        grade=grade_of[stage.ravel()],
        weight=np.ones(rows * shown, np.float32),
        assisted=np.zeros(rows * shown, bool),
        propensity=np.full(rows * shown, np.nan, np.float32),
        context=context.searches(rows, locations=pa.array(rng.choice(["DE", "FR"], rows))).ids,
    )


def _popular(num: int, rows: int, skew: float, rng: np.random.Generator) -> np.ndarray:
    """Draw numbers below `num`, the first ones most often; a skew of 1 draws all alike."""
    return (num * rng.random(rows) ** skew).astype(np.int64)


def _edges(rows: int, others: int, rng: np.random.Generator) -> Ragged:
    """Draw as many edges for every row."""
    return Ragged(
        np.arange(rows + 1, dtype=np.int64) * NEIGHBOURS,
        rng.integers(0, others, rows * NEIGHBOURS, dtype=np.int32),
        rng.random(rows * NEIGHBOURS, dtype=np.float32),
    )


def _save(folder: Path, prefix: str, arrays: EventLog | LogSearches | Ragged) -> None:
    for field in dataclasses.fields(arrays):
        np.save(folder / f"{prefix}_{field.name}.npy", getattr(arrays, field.name))
