"""Indexes over the same vectors: what each finds, how fast, how soon it is built, and the memory of a product.

Run: python benchmarks/index.py [--products 250000] [--dim 256] [--workspace shop] [--indexes hnsw-sq8,ivf-pq4]
Each index is built with its defaults and searched by one thread: by its defaults, and by the fastest of its settings
of searching (`Tried`) that keeps `ann_recall`@100 at --ann-recall, or the surest where none does; all queries in one
call (queries/s, the median of five rounds), and one by one (p50, p99). Times are the processor's, so that what else
the machine does changes them less (it still shares caches); alone on a machine they are the clock's.
Synthetic products lie around centres, near enough to tell clusters apart (tight), or so far that clusters run into each
other (wide); queries lie where products do. With --workspace: its model's vectors, searches of its log as queries, and
recall@100 of the orders of its log's validation and test searches (and of a simulated shop's truth), which is what a
shop loses. "Of float" is the memory beside an HNSW graph over float32 vectors, which is computed.
"""

from __future__ import annotations

import os
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from aisle.core.ranking import QueryBatch, Ranking
from aisle.evaluation import OnSale
from aisle.index import ExactIndex, HnswConfig, IndexConfig, VectorIndex, ann_recall
from aisle.index.build import make_index
from aisle.index.threads import faiss_threads
from aisle.index.tried import tried_values
from aisle.measures import Qrels, grades_of, recall
from aisle.pipelines.catalogue import read_products
from aisle.pipelines.indexing import encode_catalogue
from aisle.pipelines.logged_searches import logged_searches
from aisle.pipelines.recipe import Recipe
from aisle.pipelines.training import load_encoder, load_model
from aisle.workspace import Workspace
from results_file import arguments, publish

K = 100
DEPTH = 200
"""Places that are searched for orders: some products are not on sale any more."""
SPREADS = {"tight": 0.5, "wide": 2.0}
"""Distance of a product from its centre; centres are about 1.4 apart."""
GRAPH_BYTES = 272
"""Of a product in an HNSW graph of 32 links: what an "hnsw" row takes beside its vectors."""
LATENT_DIM = 32
NOISE = 0.02
PRODUCTS_PER_CLUSTER = 500
SAMPLE = 500
WARM_UP = 20
ROUNDS = 5
INDEXES = {
    "exact": IndexConfig(kind="exact"),
    "hnsw-fp16": IndexConfig(),
    "hnsw-sq8": IndexConfig(hnsw=HnswConfig(storage="sq8")),
    "ivf-pq4": IndexConfig(kind="ivf-pq4"),
    "hnsw-pq4": IndexConfig(kind="hnsw-pq4"),
}


@dataclass(frozen=True)
class Orders:
    """Searches of a log with what was to be found.

    Attributes:
        windows: Vectors of searches, what was to be found, and what takes out of rankings what was not on sale.
    """

    windows: tuple[tuple[np.ndarray, Qrels, Callable[[Ranking], Ranking]], ...]

    def recall(self, index: VectorIndex) -> dict[str, Any]:
        """Return the mean of recall@100 over the searches, and their number."""
        values = []
        for vectors, wanted, keep in self.windows:
            grades = grades_of(keep(index.search(vectors, k=DEPTH)), wanted)
            values.append(recall(grades, wanted, k=K, min_grade=1.0))
        every = np.concatenate(values)
        return {"R@100": round(float(np.nanmean(every)), 4), "searches": int(np.isfinite(every).sum())}


@dataclass(frozen=True)
class VectorSet:
    """Vectors to be searched.

    Attributes:
        name: Where they come from.
        products: One row per product.
        queries: Queries.
        orders: Searches with what was ordered, or would be; none for synthetic ones.
    """

    name: str
    products: np.ndarray
    queries: np.ndarray
    orders: Mapping[str, Orders] = field(default_factory=dict)


class Yardstick(ExactIndex):
    """Exact search that answers the same queries once: they are asked for every setting of every index."""

    def search(self, queries: np.ndarray, *, k: int) -> Ranking:
        """Search, or answer as before."""
        known = self.__dict__.setdefault("_known", {})
        if (id(queries), k) not in known:
            known[id(queries), k] = super().search(queries, k=k)
        return known[id(queries), k]


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--workspace", type=Path, help="an indexed workspace, measured beside synthetic vectors")
    parser.add_argument("--products", type=int, default=250_000, help="products of a synthetic set; 0: none")
    parser.add_argument("--dim", type=int, default=256, help="dimensions of synthetic vectors")
    parser.add_argument("--sets", default=",".join(SPREADS), help="synthetic sets")
    parser.add_argument("--indexes", default=",".join(INDEXES))
    parser.add_argument("--ann-recall", type=float, default=0.97, help="what settings of searching must keep")
    parser.add_argument("--name", default="", help="ends the name of the results file")
    options = parser.parse_args()
    if options.quick:
        options.products, options.dim = min(options.products, 3_000), 32
    rows = [row for one in vector_sets(options) for row in measured_set(one, options)]
    results = {"rows": rows, "k": K, "asked": options.ann_recall, "load_15_minutes": round(os.getloadavg()[2], 1)}
    note = (
        f"Load of the machine over the last 15 minutes: {results['load_15_minutes']}; 1 would be the benchmark alone."
    )
    publish("_".join(["index", *options.name.split()]), results, [*table(rows), "", note], options)


def vector_sets(options: Namespace) -> Iterator[VectorSet]:
    if options.workspace:
        yield of_workspace(options.workspace, 200 if options.quick else 5_000)
    for name in options.sets.split(",") if options.products else ():
        yield synthetic(name, options.products, options.dim)


def synthetic(name: str, num_products: int, dim: int) -> VectorSet:
    """Draw unit vectors around centres, of which some have more products than others."""
    rng = np.random.default_rng(0)
    num_clusters = max(1, num_products // PRODUCTS_PER_CLUSTER)
    centres = unit(rng.standard_normal((num_clusters, dim), dtype=np.float32))
    mix = rng.standard_normal((LATENT_DIM, dim), dtype=np.float32) * (SPREADS[name] / np.sqrt(dim * LATENT_DIM))
    share = np.arange(1, num_clusters + 1) ** -0.5

    def around(num: int) -> np.ndarray:
        centre = centres[rng.choice(num_clusters, num, p=share / share.sum())]
        centre += rng.standard_normal((num, LATENT_DIM), dtype=np.float32) @ mix
        centre += NOISE * rng.standard_normal((num, dim), dtype=np.float32)
        return unit(centre)

    return VectorSet(f"synthetic, {name}", around(num_products), around(SAMPLE))


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def of_workspace(path: Path, max_searches: int) -> VectorSet:
    """Encode a workspace's catalogue and its searches."""
    workspace = Workspace.open(path)
    products, model = read_products(workspace), load_model(workspace)
    vectors, _ = encode_catalogue(workspace, model, products, Recipe().encode)
    encoder, on_sale = load_encoder(workspace, model, products), OnSale.of_products(products)

    def window(labels: Any, split: str) -> tuple[np.ndarray, Qrels, Callable[[Ranking], Ranking]]:
        searches = logged_searches(workspace, labels=labels, split=split, max_searches=max_searches, seed=0)
        asked = encoder.encode(QueryBatch(searches.texts, searches.locations, searches.past))
        return asked, searches.wanted, partial(on_sale.keep, at=searches.at)

    orders = {"orders": Orders((window("log", "validation"), window("log", "test")))}
    if workspace.has("truth"):
        orders["truth"] = Orders((window("truth", "test"),))
    queries = orders["truth" if "truth" in orders else "orders"].windows[0][0]
    return VectorSet("workspace", vectors, queries[:SAMPLE], orders)


def measured_set(one: VectorSet, options: Namespace) -> list[dict[str, Any]]:
    """Measure every index on one set of vectors."""
    exact = Yardstick.build(one.products)
    rows: list[dict[str, Any]] = []
    for name in options.indexes.split(","):
        for found in measured(one, INDEXES[name], exact, asked=options.ann_recall):
            rows.append({"set": one.name, "index": name, **found})
            sys.stderr.write(f"{rows[-1]}\n")
    return rows


def measured(one: VectorSet, config: IndexConfig, exact: Yardstick, *, asked: float) -> Iterator[dict[str, Any]]:
    """Build one index, and measure it as its defaults search it and as the fastest settings do that keep the recall."""
    with faiss_threads(1):
        started = time.process_time()
        built = make_index(one.products, config)
        build_s = time.process_time() - started
    fastest = chosen(built, config, one.queries, exact, asked=asked)
    searches = {"defaults": built, "fastest": fastest}
    if fastest.parameters == built.parameters:
        searches.pop("fastest")
    for searched_by, index in searches.items():
        p50, p99 = np.percentile(one_by_one(index, one.queries), [50, 99])
        yield {
            "searched_by": searched_by,
            "settings": index.parameters,
            "products": index.num_products,
            "dim": index.dim,
            "build_s": round(build_s, 1),
            "bytes_per_product": round(index.num_bytes / index.num_products, 1),
            "ann_recall": round(ann_recall(index, exact, one.queries, k=K), 4),
            "queries_s": round(queries_a_second(index, one.queries)),
            "p50_ms": round(float(p50), 3),
            "p99_ms": round(float(p99), 3),
            "of_float": round(index.num_bytes / index.num_products / (4 * index.dim + GRAPH_BYTES), 3),
            **{name: orders.recall(index) for name, orders in one.orders.items()},
        }


def chosen(index: Any, config: IndexConfig, queries: np.ndarray, exact: Yardstick, *, asked: float) -> VectorIndex:
    """Return the index searched by the fastest settings that keep the recall, or by the surest."""
    section = getattr(config, config.section(config.kind), None)
    space = tried_values(type(section), is_of_search=True) if section else {}
    ways = [dict(zip(space, values, strict=True)) for values in product(*space.values())] if space else []
    tried = [index.with_search(**way) for way in ways] or [index]
    recalls = [ann_recall(one, exact, queries, k=K) for one in tried]
    kept = [one for one, found in zip(tried, recalls, strict=True) if found >= asked]
    if not kept:
        return tried[int(np.argmax(recalls))]
    return max(kept, key=lambda one: queries_a_second(one, queries))


def queries_a_second(index: VectorIndex, queries: np.ndarray) -> float:
    """Measure one thread, all queries in one call: the median of some rounds."""
    took = []
    with faiss_threads(1):
        for _ in range(ROUNDS):
            started = time.process_time()
            index.search(queries, k=K)
            took.append(time.process_time() - started)
    return len(queries) / float(np.median(took))


def one_by_one(index: VectorIndex, queries: np.ndarray) -> np.ndarray:
    """Return the milliseconds of each query alone, by one thread."""
    took = []
    with faiss_threads(1):
        for row in range(-WARM_UP, len(queries)):
            started = time.process_time()
            index.search(queries[row : row + 1] if row >= 0 else queries[:1], k=K)
            took.append((time.process_time() - started) * 1e3)
    return np.array(took[WARM_UP:])


def table(rows: list[dict[str, Any]]) -> list[str]:
    """Lay the figures out; a speed stands beside the recall that it was had at."""
    names = [name for name in ("orders", "truth") if any(name in row for row in rows)]
    heads = ["vectors", "index", "searched by", f"ann_recall@{K}", "queries/s", "p50 ms", "p99 ms", "bytes per product"]
    heads += ["of float", "build s", *(f"R@{K} of {name}" for name in names)]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for row in rows:
        settings = ", ".join(f"{name} {value}" for name, value in row["settings"].items()) or "–"
        cells = [
            f"{row['set']}, {row['products']:,} × {row['dim']}",
            row["index"],
            f"{row['searched_by']}: {settings}",
            f"{row['ann_recall']:.4f}",
            f"{row['queries_s']:,}",
            f"{row['p50_ms']:.2f}",
            f"{row['p99_ms']:.2f}",
            f"{row['bytes_per_product']:,.0f}",
            f"{row['of_float']:.0%}",
            f"{row['build_s']:.0f}",
            *(f"{row[name][f'R@{K}']:.4f} ({row[name]['searches']:,})" if name in row else "" for name in names),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


if __name__ == "__main__":
    main()
