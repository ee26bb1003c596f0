"""The service under load, its store open for writes and query vectors not cached, beside the same search without HTTP.

Run: python benchmarks/service.py --products 100000
Or:  python benchmarks/service.py --workspace shop --rates 500,200,300
The service runs in a process of its own on the first core, the load generator on the second. `open` rows arrive at a
fixed rate, latency counted from the intended time of sending; `closed` rows are the highest rate of two clients; `bare`
rows call the live shop in this process, one after the other. A workspace of generated products with a small model is
built where none is named; `--keep FOLDER` leaves it there. `visible` puts 200 products a second beside 100 searches a
second that look for them until they are found.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa

from aisle.core.ranking import QueryBatch
from aisle.live import LiveSearch, LiveSettings, LiveShop
from aisle.pipelines.catalogue import read_products
from aisle.pipelines.importing import import_tables
from aisle.pipelines.indexing import build_indexes
from aisle.pipelines.recipe import load_recipe
from aisle.pipelines.serving import open_live_shop
from aisle.pipelines.training import train_model
from aisle.serving import ServiceSettings, create_app
from aisle.serving import run as run_service
from aisle.simulation import generate_catalogue
from aisle.sources import SourceTables
from aisle.store import NO_FILTER, ProductFilter
from aisle.workspace import Workspace
from load import Connections, closed_loop, open_loop, summary
from results_file import arguments, publish

K = 24
COLUMNS = (
    "products",
    "mode",
    "store",
    "loop",
    "filter_share",
    "requests_s",
    "p50_ms",
    "p99_ms",
    "ann_recall",
    "errors",
)
NO_CACHE = LiveSettings(cached_vectors=0)
PUTS_S, PROBES_S = 200, 100
TINY = (
    *("embedding_dim=32", "features.term.num_buckets=4096", "features.tokens.vocabulary_size=500"),
    *("text.num_layers=1", "text.hidden_dim=16", "text.num_heads=2", "text.share=1", "pairs.pseudo_per_product=2"),
    *("train.epochs=1", "train.batch_size=64", "train.num_uniform=32", "train.min_steps=1"),
)
"""A model of seconds, for runs that only show that the script works."""


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--products", type=int, default=100_000, help="generated products, where no workspace is named")
    parser.add_argument("--workspace", type=Path, help="an indexed workspace; a copy, since products are put into it")
    parser.add_argument("--keep", type=Path, help="folder in which the generated workspace is built, or found again")
    parser.add_argument("--seconds", type=float, default=20, help="of each row")
    parser.add_argument("--rates", default="500,200,300", help="open loop: semantic, semantic filtered, hybrid")
    parser.add_argument("--serve", type=Path, help="be the service of this workspace (what the benchmark starts)")
    options = parser.parse_args()
    if options.quick:
        options.products, options.seconds, options.rates = 600, 1, "50,50,50"
    if options.serve:
        serve(Workspace.open(options.serve))
        return
    with TemporaryDirectory() as folder:
        path = options.workspace or built(options.keep or Path(folder) / "shop", options.products, quick=options.quick)
        results = measured(path, options)
    table = [f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|"]
    table += ["| " + " | ".join(str(row.get(name, "")) for name in COLUMNS) + " |" for row in results["rows"]]
    table += ["", *(f"- {name}: {value}" for name, value in results.items() if name != "rows")]
    publish(f"service_{results['products']}", results, table, options)


def built(path: Path, num_products: int, *, quick: bool) -> Path:
    """Build a workspace of generated products: a small model of terms and text, learnt from the catalogue alone."""
    workspace = Workspace.open(path, create=True)
    if workspace.has("index"):
        return path
    catalogue = generate_catalogue(num_products, seed=1)
    tables = {"products": catalogue.products, "judgments": catalogue.judgments}
    import_tables(workspace, SourceTables(tables, {}, {}))
    size = TINY if quick else ("train.max_minutes=5",)
    recipe = load_recipe(None, ["text.enabled=true", "index.kind=exact", *size])
    train_model(workspace, recipe)
    build_indexes(workspace, recipe)
    return path


def measured(path: Path, options) -> dict[str, object]:
    """Measure without HTTP, then with it."""
    workspace = Workspace.open(path)
    open_live_shop(workspace, settings=NO_CACHE).close()  # builds its version on all cores
    pin(0)
    shop = open_live_shop(workspace, settings=NO_CACHE)
    queries = some_queries(workspace)
    cheap, share = cheapest_tenth(workspace)
    cases = [("semantic", NO_FILTER, 1.0), ("semantic", cheap, share), ("hybrid", NO_FILTER, 1.0)]
    common = {"products": shop.num_products, "store": shop.state().store}
    rows = []
    for mode, where, of in cases:
        found = recall(shop, queries[:200], where) if mode == "semantic" else None
        row = {**common, "mode": mode, "filter_share": round(of, 3), "ann_recall": found}
        rows.append({**row, "loop": "bare", **bare(shop, queries, mode, where, seconds=options.seconds)})
    shop.close()
    rates = [float(rate) for rate in options.rates.split(",")]
    with service(path) as address:
        pin(1)
        for (mode, where, _), rate, row in zip(cases, rates, rows[:3], strict=True):
            requests = search_requests(queries, mode, where)
            for loop, figures in asyncio.run(both_loops(address, requests, rate=rate, seconds=options.seconds)).items():
                rows.append({**row, "loop": loop, "rate": rate if loop == "open" else None, **figures})
        visible = asyncio.run(upserts(address, seconds=options.seconds))
    kept = {
        f"kept_of_bare_{row['mode']}_{row['filter_share']}": round(row["requests_s"] / bare_row["requests_s"], 2)
        for bare_row, row in zip(rows[:3], [row for row in rows if row["loop"] == "closed"], strict=True)
    }
    return {"products": common["products"], "k": K, "rows": rows, "visible": visible, **kept}


def some_queries(workspace: Workspace) -> list[str]:
    """Take two or three words from the middle of titles."""
    titles = read_products(workspace)["title"]
    rows = np.random.default_rng(0).choice(len(titles), min(len(titles), 5_000), replace=False)
    found = (" ".join(title.split()[1:4]) for title in titles.take(pa.array(rows)).to_pylist())
    return [query for query in dict.fromkeys(found) if query]


def cheapest_tenth(workspace: Workspace) -> tuple[ProductFilter, float]:
    """Return a filter that a tenth of the products pass, and the share that does."""
    price = read_products(workspace)["price"].to_numpy()
    limit = float(np.nanquantile(price, 0.1))
    return ProductFilter(price_max=limit), float((price <= limit).mean())


def bare(shop: LiveShop, queries: list[str], mode: str, where: ProductFilter, *, seconds: float) -> dict[str, float]:
    """Search without HTTP, one query after the other: encoder and store alone."""
    took_ms, started = [], time.perf_counter()
    for query in [*queries[:20], *queries]:
        begun = time.perf_counter()
        shop.search(LiveSearch(query, k=K, mode=mode, where=where))
        took_ms.append((time.perf_counter() - begun) * 1e3)
        if begun > started + seconds:
            break
    return summary(took_ms, 0, time.perf_counter() - started)


def recall(shop: LiveShop, queries: list[str], where: ProductFilter) -> float:
    """Return the share of the true nearest that the store finds, read against all of its own vectors."""
    loaded = shop._serving.loaded  # what no search shows
    encoded = np.concatenate([loaded.model.encode_search(QueryBatch([query])) for query in queries])
    index = np.arange(shop.num_products)
    if where.price_max is not None:
        prices = loaded.version.base(["price"])["price"].to_numpy()
        index = np.flatnonzero(prices <= where.price_max)
    scores = encoded @ loaded.store.vectors(index).T
    k = min(K, len(index))
    nearest = index[np.argpartition(-scores, k - 1, axis=1)[:, :k]]
    found = loaded.store.search(encoded, k=k, where=where).product_index
    return round(float(np.mean([len(np.intersect1d(*pair)) / k for pair in zip(found, nearest, strict=True)])), 4)


def search_requests(queries: list[str], mode: str, where: ProductFilter) -> list[dict[str, object]]:
    """Return the bodies of searches."""
    filters = {} if where.is_empty else {"filters": {"price_max": where.price_max}}
    return [{"query": query, "k": K, "mode": mode, **filters} for query in queries]


async def both_loops(address: str, requests: list[dict[str, object]], *, rate: float, seconds: float):
    """Send searches at a fixed rate, then as many as are answered."""
    connections = Connections(address)

    async def search(number: int) -> bool:
        return (await connections.send("POST", "/v1/search", requests[number % len(requests)])).status == 200

    await closed_loop(search, clients=2, seconds=min(2.0, seconds))
    figures = {
        "open": await open_loop(search, rate=rate, seconds=seconds),
        "closed": await closed_loop(search, clients=2, seconds=seconds),
    }
    await connections.close()
    return figures


async def upserts(address: str, *, seconds: float) -> dict[str, float]:
    """Put products at a fixed rate; every second one is looked for until it is found, from its intended sending on."""
    connections = Connections(address)
    took_ms: list[float] = []
    errors = 0
    started = time.perf_counter()

    async def put(number: int) -> bool:
        nonlocal errors
        word = f"zq{number}x{os.getpid()}"
        reply = await connections.send("PUT", f"/v1/products/{word}", {"title": f"{word} lamp", "price": 5})
        if reply.status != 200 or number % (PUTS_S // PROBES_S):
            return reply.status == 200
        for _ in range(500):
            body = {"query": word, "k": 1, "mode": "lexical"}
            hits = (await connections.send("POST", "/v1/search", body)).document.get("hits", [])
            if hits and hits[0]["product_id"] == word:
                took_ms.append((time.perf_counter() - started - 0.05 - number / PUTS_S) * 1e3)
                return True
            await asyncio.sleep(0.02)
        errors += 1
        return False

    started = time.perf_counter()
    figures = await open_loop(put, rate=PUTS_S, seconds=seconds)
    await connections.close()
    p50, p99 = np.percentile(took_ms, [50, 99])
    return {
        "upserts_s": figures["requests_s"],
        "p50_ms": round(float(p50), 1),
        "p99_ms": round(float(p99), 1),
        "errors": figures["errors"],
    }


@contextmanager
def service(path: Path) -> Iterator[str]:
    """Run the service on the first core while the block runs."""
    command = [sys.executable, __file__, "--serve", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield json.loads(process.stdout.readline())["address"]
        finally:
            process.terminate()


def serve(workspace: Workspace) -> None:
    """Be the service: query vectors are not cached."""
    pin(0)
    shop = open_live_shop(workspace, settings=NO_CACHE)
    app = create_app(shop, info={}, settings=ServiceSettings())
    try:
        run_service(app, port=0, on_ready=lambda address: print(json.dumps({"address": address}), flush=True))
    finally:
        shop.close()


def pin(core: int) -> None:
    """Keep this process on one core, where the system can."""
    if hasattr(os, "sched_setaffinity") and core < (os.cpu_count() or 1):
        os.sched_setaffinity(0, {core})


if __name__ == "__main__":
    main()
