"""How long it takes to measure a system: many queries against a large catalogue, by ANN, with intervals and slices.

Run: python benchmarks/evaluation.py [--queries 100000] [--products 1000000] [--dim 128] [--k 100]
Vectors are synthetic: products lie near a surface of few dimensions, as a model's do; a query lies near the products
that are relevant to it. The index is built once, as by `aisle index`, and is not part of the evaluation's time.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from aisle.core.ranking import Ranking
from aisle.evaluation import evaluate_rankings
from aisle.index import HnswConfig, IndexConfig, VectorIndex, build_index
from aisle.measures import Qrels
from results_file import arguments, publish

MEASURES = ("R@10", "R@100", "nDCG@10", "MRR@10", "P@10", "AP@100", "Success@10")
NUM_RELEVANT = 3
LATENT_DIM = 24
BLOCK = 10_000
MAX_MINUTES = 5
ResultT = TypeVar("ResultT")


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--queries", type=int, default=100_000)
    parser.add_argument("--products", type=int, default=1_000_000)
    parser.add_argument("--dim", type=int, default=128)
    parser.add_argument("--k", type=int, default=100)
    parser.add_argument("--links", type=int, default=32, help="links per product of the HNSW graph")
    parser.add_argument("--ef-construction", type=int, default=200)
    options = parser.parse_args()
    if options.quick:
        options.queries, options.products = 2_000, 10_000
    rng = np.random.default_rng(0)
    products, queries, qrels = draw(rng, options.queries, options.products, options.dim)
    sample = queries[:: max(1, len(queries) // 200)]
    config = HnswConfig(num_links=options.links, ef_construction=options.ef_construction)
    index, report = build_index(products, IndexConfig(hnsw=config), sample_queries=sample)
    del products
    seconds: dict[str, float] = {}
    ranking = timed(seconds, "search_s", lambda: searched(index, queries, options.k))
    bands = np.array(["head", "torso", "tail"])[rng.integers(0, 3, len(queries))]
    slices = {band: bands == band for band in ("head", "torso", "tail")}
    found = timed(
        seconds, "measure_s", lambda: evaluate_rankings({"ann": ranking}, qrels, measures=MEASURES, slices=slices)
    )
    results: dict[str, object] = {
        "queries": options.queries,
        "products": options.products,
        "dim": options.dim,
        "k": options.k,
        "index": report.to_dict(),
        **{name: round(value, 1) for name, value in seconds.items()},
        "evaluation_s": round(sum(seconds.values()), 1),
        "under_5_minutes": sum(seconds.values()) < MAX_MINUTES * 60,
        "measures": {name: round(one.value, 4) for name, one in found.headline.systems["ann"].items()},
        "peak_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 2),
    }
    publish("evaluation", results, table(results, report.ann_recall, report.build_s), options)


def draw(
    rng: np.random.Generator, num_queries: int, num_products: int, dim: int
) -> tuple[np.ndarray, np.ndarray, Qrels]:
    """Draw unit vectors of products and queries, and the products that each query is about."""
    mix = rng.standard_normal((LATENT_DIM, dim)).astype(np.float32)
    latent = rng.standard_normal((num_products, LATENT_DIM), dtype=np.float32)
    products = unit(latent @ mix + 0.5 * rng.standard_normal((num_products, dim), dtype=np.float32))
    wanted = rng.integers(0, num_products, num_queries)
    others = rng.integers(0, num_products, (num_queries, NUM_RELEVANT - 1))
    noise = rng.standard_normal((num_queries, dim), dtype=np.float32)
    queries = unit(products[wanted] + 0.2 * products[others].sum(axis=1) + 0.04 * noise)
    qrels = Qrels.from_triples(
        query_index=np.repeat(np.arange(num_queries), NUM_RELEVANT),
        product_index=np.column_stack([wanted, others]).ravel(),
        grade=np.tile([3.0, *[1.0] * (NUM_RELEVANT - 1)], num_queries),
        num_queries=num_queries,
    )
    return products, queries, qrels


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def searched(index: VectorIndex, queries: np.ndarray, k: int) -> Ranking:
    parts = [index.search(queries[start : start + BLOCK], k=k) for start in range(0, len(queries), BLOCK)]
    return Ranking(
        np.concatenate([part.product_index for part in parts]), np.concatenate([part.score for part in parts])
    )


def timed(seconds: dict[str, float], name: str, work: Callable[[], ResultT]) -> ResultT:
    started = time.perf_counter()
    result = work()
    seconds[name] = time.perf_counter() - started
    return result


def table(results: dict[str, object], ann_recall: float, build_s: float) -> list[str]:
    """Lay the figures out; a speed stands beside the recall that it was had at."""
    return [
        "| queries | products | dim | k | search s | measures, intervals, slices s | in all s | ann_recall | peak GB |",
        "|---|---|---|---|---|---|---|---|---|",
        f"| {results['queries']:,} | {results['products']:,} | {results['dim']} | {results['k']} "
        f"| {results['search_s']} | {results['measure_s']} | {results['evaluation_s']} | {ann_recall:.4f} "
        f"| {results['peak_gb']} |",
        "",
        f"Under 5 minutes: {'yes' if results['under_5_minutes'] else 'no'}. Building the index took {build_s:.0f} s "
        "and is not counted. Vectors are synthetic.",
    ]


if __name__ == "__main__":
    main()
