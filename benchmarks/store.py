"""The bare product store, without model and HTTP: single calls of one thread, latency beside recall against exact.

Run: python benchmarks/store.py --products 100000
Vectors are synthetic: unit vectors in clusters of about 500 products, with a falling spectrum as of a learnt model.
`cpu_ms` is processor time of the whole process per call, which a busy machine changes less than the clock's.
`--keep FOLDER` leaves the store there, and takes it from there the next time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa

from aisle.index import ExactIndex
from aisle.index.arrays import checked_vectors
from aisle.store import LexicalSettings, ProductFilter, ProductStore, StoreConfig, build_store, open_store
from results_file import arguments, publish

_K = 24
_NUM_BRANDS, _NUM_SHOPS = 10, 500
_PUT = 1_000
_COLUMNS = ("what", "filter_share", "requests_s", "p50_ms", "p99_ms", "cpu_ms", "ann_recall")


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--products", type=int, default=100_000)
    parser.add_argument("--dim", type=int, default=256)
    parser.add_argument("--calls", type=int, default=2_000, help="calls of each kind")
    parser.add_argument("--kind", default="qdrant-edge", choices=("qdrant-edge", "faiss"))
    parser.add_argument("--keep", type=Path, help="folder of the store, built there if it is missing")
    options = parser.parse_args()
    if options.quick:
        options.products, options.dim, options.calls = 3_000, 32, 50
    with TemporaryDirectory() as folder:
        results = measured(options, options.keep or Path(folder) / "store")
    table = [f"| {' | '.join(_COLUMNS)} |", "|---" * len(_COLUMNS) + "|"]
    table += ["| " + " | ".join(str(row.get(name, "")) for name in _COLUMNS) + " |" for row in results["rows"]]
    table += ["", *(f"- {name}: {value}" for name, value in results.items() if name != "rows")]
    publish(f"store_{options.kind}_{options.products}", results, table, options)


def measured(options, folder: Path) -> dict[str, object]:
    """Build or open the store, and measure every kind of call."""
    products, vectors = catalogue(options.products), clustered(options.products, options.dim, seed=1)
    queries = clustered(max(options.calls, 200), options.dim, seed=2, like=options.products)
    results: dict[str, object] = {"products": options.products, "dim": options.dim, "kind": options.kind, "k": _K}
    if not folder.exists():
        lexical, config = LexicalSettings(("title",)), StoreConfig()
        started = time.perf_counter()
        build_store(
            options.kind, folder, products=products, vectors=vectors, applied_offset=0, lexical=lexical, config=config
        ).close()
        results["build_s"] = round(time.perf_counter() - started, 1)
    results["bytes_on_disk"] = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    started = time.perf_counter()
    store = open_store(folder)
    results["reopen_s"] = round(time.perf_counter() - started, 2)
    rows = searches(store, products, vectors, queries, options.calls) + reads(store, products, options.calls)
    if store.is_writable and options.keep is None:
        rows += writes(store, products, vectors, queries, options.calls)
    store.close()
    return {**results, "rows": rows}


def searches(store: ProductStore, products: pa.Table, vectors: np.ndarray, queries: np.ndarray, calls: int):
    """Measure searches by vectors and words, with recall against reading all."""
    texts = [" ".join(title.split()[1:3]) for title in products["title"].slice(0, calls).to_pylist()]
    brand, shop, stock = (np.asarray(products[name]) for name in ("brand", "shop_id", "in_stock"))
    filters = {
        "semantic": (ProductFilter(), None),
        "semantic, one brand": (ProductFilter(brands=("b3",)), brand == "b3"),
        "semantic, two brands in half of the stock": (
            ProductFilter(brands=("b3", "b4"), in_stock=True),
            np.isin(brand, ["b3", "b4"]) & stock,
        ),
        "semantic, one shop": (ProductFilter(shop_ids=("s3",)), shop == "s3"),
    }
    rows = []
    for what, (where, passing) in filters.items():
        row = timed(what, lambda i, where=where: store.search(queries[i : i + 1], k=_K, where=where), calls)
        row["filter_share"] = 1.0 if passing is None else round(float(passing.mean()), 4)
        kept = np.arange(len(vectors)) if passing is None else np.flatnonzero(passing)
        rows.append({**row, "ann_recall": recall(store, where, vectors, kept, queries[:200])})
    words = ProductFilter(brands=("b3",))
    rows.append(timed("words", lambda i: store.search_words([texts[i]], k=_K), calls))
    rows.append(timed("words, one brand", lambda i: store.search_words([texts[i]], k=_K, where=words), calls))
    return rows


def reads(store: ProductStore, products: pa.Table, calls: int):
    """Measure facets, counts and the fetching of what is shown."""
    where, rng = ProductFilter(brands=("b3",)), np.random.default_rng(4)
    shown = rng.integers(products.num_rows, size=(calls, _K))
    few = max(20, calls // 20)
    return [
        timed("facets of brand, category and shop", lambda _: store.facets(("brand", "category", "shop_id")), few),
        timed("the same of one brand", lambda _: store.facets(("brand", "category", "shop_id"), where=where), few),
        timed("count of one brand", lambda _: store.count(where), calls),
        timed("fields of 24 products", lambda i: store.products(shown[i]), calls),
    ]


def writes(store: ProductStore, products: pa.Table, vectors: np.ndarray, queries: np.ndarray, calls: int):
    """Measure puts of one product, searches beside what waits for the graph, and flushes."""
    rng = np.random.default_rng(3)
    places = rng.integers(products.num_rows, size=_PUT * 10)

    def put(i: int) -> None:
        place = int(places[i % len(places)])
        store.put(np.array([place]), products.slice(place, 1), vectors[place : place + 1])

    rows = [timed("put of one product", put, min(_PUT, calls))]
    for begin in range(0, len(places), _PUT):
        part = np.unique(places[begin : begin + _PUT])
        store.put(part, products.take(pa.array(part)), vectors[part])
    rows.append(timed("semantic, after 10,000 puts", lambda i: store.search(queries[i : i + 1], k=_K), calls))

    def flush(i: int) -> None:
        for turn in range(20):
            put(20 * i + turn)
        store.flush(i)

    rows.append(timed("20 puts and a flush", flush, 20))
    return rows


def timed(what: str, call: Callable[[int], object], calls: int) -> dict[str, object]:
    """Call so many times, each for itself; the first tenth, at most 50, warms up."""
    for i in range(min(50, calls // 10)):
        call(i)
    took, began, cpu = [], time.perf_counter(), time.process_time()
    for i in range(calls):
        started = time.perf_counter()
        call(i)
        took.append(1e3 * (time.perf_counter() - started))
    p50, p99 = np.percentile(took, [50, 99])
    return {
        "what": what,
        "requests_s": round(calls / (time.perf_counter() - began)),
        "p50_ms": round(float(p50), 3),
        "p99_ms": round(float(p99), 3),
        "cpu_ms": round(1e3 * (time.process_time() - cpu) / calls, 3),
    }


def recall(
    store: ProductStore, where: ProductFilter, vectors: np.ndarray, kept: np.ndarray, queries: np.ndarray
) -> float:
    """Return the share of the exact answer that the store finds, scored again with the exact vectors."""
    exact = ExactIndex.build(vectors if len(kept) == len(vectors) else vectors[kept])
    k = min(_K, len(kept))
    wanted = exact.search(queries, k=k).score[:, -1:]
    found = np.concatenate([store.search(query[None], k=k, where=where).product_index for query in queries])
    score = np.where(found >= 0, np.einsum("qd,qkd->qk", queries, vectors[np.maximum(found, 0)]), -np.inf)
    return round(float((score >= wanted - 1e-5 * np.abs(wanted)).mean()), 4)


def clustered(num: int, dim: int, *, seed: int, like: int | None = None) -> np.ndarray:
    """Return unit vectors around the centres of a catalogue of `like` products."""
    fixed, rng = np.random.default_rng(99), np.random.default_rng(seed)
    scale = (1 / np.sqrt(1 + np.arange(dim) / 16)).astype(np.float32)
    num_centres = max(8, (like or num) // 500)
    top = fixed.standard_normal((40, dim), np.float32)
    centres = 0.9 * top[fixed.integers(40, size=num_centres)] + fixed.standard_normal((num_centres, dim), np.float32)
    vectors = np.empty((num, dim), np.float32)
    for begin in range(0, num, 100_000):
        size = min(100_000, num - begin)
        noise = 0.75 * rng.standard_normal((size, dim), np.float32)
        block = (centres[rng.integers(num_centres, size=size)] + noise) * scale
        vectors[begin : begin + size] = block / np.linalg.norm(block, axis=1, keepdims=True)
    return checked_vectors(vectors, name="vectors")


def catalogue(num: int) -> pa.Table:
    """Return products with titles of eight words from a vocabulary that is used as Zipf says."""
    rng = np.random.default_rng(7)
    words = np.array([f"w{number:x}" for number in range(50_000)])
    titles = words[np.minimum(rng.zipf(1.2, size=(num, 8)) + 3, len(words)) - 1]
    category = [[f"c{number // 50}", f"c{number // 50}-{number}"] for number in range(1000)]
    return pa.table(
        {
            "product_id": [f"p{number}" for number in range(num)],
            "title": [" ".join(title) for title in titles],
            "category": pa.array(category, pa.list_(pa.string())).take(pa.array(rng.integers(1000, size=num))),
            "brand": np.char.add("b", rng.integers(_NUM_BRANDS, size=num).astype(str)),
            "shop_id": np.char.add("s", rng.integers(_NUM_SHOPS, size=num).astype(str)),
            "price": np.round(rng.lognormal(3, 1, size=num), 2),
            "in_stock": rng.random(num) < 0.5,
            "location": np.array(["DE", "FR", "GB", "NL"])[rng.integers(4, size=num)],
        }
    )


if __name__ == "__main__":
    main()
