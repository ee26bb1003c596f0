"""Speed of the simulated marketplace: impressions per second of search time, BM25's time apart, and peak memory.

Run: python benchmarks/simulation.py [--config small|default]
One process. Search time is everything that makes searches and writes them to Parquet: needs, queries, pages, behaviour,
times, tables. Beside it: the shares that tell whether the log looks like a log.
"""

from __future__ import annotations

import resource
import tempfile
from pathlib import Path

from aisle.pipelines.simulating import simulate_marketplace
from aisle.simulation import MarketplaceConfig, frozen_config
from aisle.workspace import Workspace
from results_file import arguments, publish

COUNTS = ("searches", "impressions", "events", "distinct_queries", "clicks", "carts", "orders", "searches_with_click")
COUNTS = (*COUNTS, "truth_searches", "truth_products", "sha256")
QUICK = MarketplaceConfig(products=5_000, searches=10_000, users=2_000, seed=1)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--config", choices=("small", "default"), default="default")
    parser.add_argument("--workspace", type=Path, help="new folder to keep the log in")
    options = parser.parse_args()
    config = QUICK if options.quick else frozen_config(options.config)
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace.open(options.workspace or Path(folder) / "shop", create=True)
        summary = simulate_marketplace(workspace, config).manifest.summary
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    results = {
        "config": "quick" if options.quick else options.config,
        **{name: summary[name] for name in COUNTS},
        **{name: round(summary[name], 2) for name in ("search_time_s", "bm25_s", "bm25_build_s", "truth_s", "world_s")},
        "impressions_s": round(summary["impressions"] / summary["search_time_s"]),
        "peak_gb": round(peak_gb, 3),
        "click_rate": round(summary["searches_with_click"] / summary["searches"], 4),
        "orders_per_search": round(summary["orders"] / summary["searches"], 4),
    }
    names = ("searches", "impressions", "search_time_s", "impressions_s", "distinct_queries", "bm25_s", "truth_s")
    names = (*names, "peak_gb", "click_rate", "orders_per_search")
    cells = [f"{results[name]:,}" for name in names]
    table = [
        "| " + " | ".join(("config", *names)) + " |",
        "|---" * (len(names) + 1) + "|",
        "| " + " | ".join((results["config"], *cells)) + " |",
    ]
    publish("simulation", results, table, options)


if __name__ == "__main__":
    main()
