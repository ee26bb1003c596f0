"""Mining 20 million impressions, beside one plain join and group-by over the same files.

Run: python benchmarks/mining.py
Draws the log, mines it through a workspace (`aisle mine` with its checksums), and times `impressions JOIN searches
GROUP BY query, product_id` with the same threads and memory limit; a tenth of the log gives the slope. Every figure is
of a process of its own, the better of two, taken in turn; the peak is its resident memory, Python and all.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import duckdb

from aisle.mining import MiningConfig
from aisle.pipelines.mining import mine
from aisle.workspace import Workspace
from results_file import arguments, publish

IMPRESSIONS = 20_000_000
PLACES = 10
THREADS = 2
MEMORY_GB = 4.0
DUCKDB_GB = 3.0
"""DuckDB's share of the memory, for both: Python, Arrow and what DuckDB does not count take the rest."""


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--impressions", type=int, default=IMPRESSIONS)
    parser.add_argument("--folder", type=Path, help="where to draw the logs; default: a temporary folder")
    parser.add_argument("--part", choices=list(PARTS), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        sys.stdout.write(json.dumps(PARTS[options.part](options.folder, options.impressions)) + "\n")
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        results = run(Path(folder), 200_000 if options.quick else options.impressions)
    publish("mining", results, table_of(results), options)


def run(folder: Path, impressions: int) -> dict[str, Any]:
    small, large = ({"folder": folder / name, "impressions": count} for name, count in sizes(impressions))
    drawn = in_process("draw", **small) | in_process("draw", **large)
    small_parts, large_parts, joins = [], [], []
    for _ in range(2):
        small_parts.append(in_process("mine", **small))
        joins.append(in_process("join", **large))
        large_parts.append(in_process("mine", **large))
    mined_small, mined, join = (min(parts, key=wall) for parts in (small_parts, large_parts, joins))
    factor = large["impressions"] / small["impressions"]
    return {
        "impressions": mined["impressions"],
        "mine_s": mined["wall_s"],
        "join_group_by_s": join["wall_s"],
        "ratio": round(mined["wall_s"] / join["wall_s"], 2),
        "peak_gb": mined["peak_gb"],
        "slope": round(mined["wall_s"] / mined_small["wall_s"] / factor, 3),
        "mine_cpu_s": mined["cpu_s"],
        "join_group_by_cpu_s": join["cpu_s"],
        "cpu_ratio": round(mined["cpu_s"] / join["cpu_s"], 2),
        "cpu_slope": round(mined["cpu_s"] / mined_small["cpu_s"] / factor, 3),
        "draw_s": drawn["wall_s"],
        "small_impressions": mined_small["impressions"],
        "small_mine_s": mined_small["wall_s"],
        "threads": THREADS,
        "memory_limit_gb": MEMORY_GB,
        "train_positives_per_search": mined["positives_per_search"],
        "mined_gb": mined["mined_gb"],
        # More than the threads: other work was running beside, and wall times are longer than on a free machine.
        "load_average": round(os.getloadavg()[1], 1),
    }


def wall(part: Mapping[str, Any]) -> float:
    return part["wall_s"]


def sizes(impressions: int) -> list[tuple[str, int]]:
    return [("small", impressions // 10), ("large", impressions)]


def table_of(results: Mapping[str, Any]) -> list[str]:
    return ["| figure | value |", "|---|---|", *(f"| {name} | {value:,} |" for name, value in results.items())]


def in_process(part: str, *, folder: Path, impressions: int) -> dict[str, Any]:
    """Run one part in a process of its own and return its figures."""
    folder.mkdir(exist_ok=True)
    command = [sys.executable, __file__, "--part", part, "--folder", str(folder), "--impressions", str(impressions)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def timed(work: Callable[[], Mapping[str, Any]]) -> dict[str, Any]:
    started, cpu_before = time.perf_counter(), time.process_time()
    figures = work()
    return {
        **figures,
        "wall_s": round(time.perf_counter() - started, 2),
        "cpu_s": round(time.process_time() - cpu_before, 2),
        "peak_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9, 2),
    }


def connect(folder: Path) -> duckdb.DuckDBPyConnection:
    config = {"threads": THREADS, "memory_limit": f"{DUCKDB_GB}GB", "temp_directory": str(folder / "spilled")}
    connection = duckdb.connect(config={**config, "preserve_insertion_order": False})
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def draw(folder: Path, impressions: int) -> dict[str, Any]:
    """Draw a log: for each search ten impressions, for each product 40, for each shopper about 67."""
    workspace = Workspace.open(folder / "shop", create=True)
    names = ("products", "searches", "impressions")
    values = {
        "num_products": impressions // 40,
        "num_searches": impressions // PLACES,
        "num_queries": impressions // PLACES,
        "num_users": impressions * 3 // 200,
        "places": PLACES,
        **{name: str(folder / f"{name}.parquet") for name in names},
    }

    def work() -> dict[str, Any]:
        with connect(folder) as connection:
            sql = (Path(__file__).parent / "mining_log.sql").read_text(encoding="utf-8")
            for statement in connection.extract_statements(sql):
                connection.execute(statement, {name: values[name] for name in statement.named_parameters})
        for name in names:
            workspace.run_step(
                name, lambda out, name=name: move(folder / f"{name}.parquet", out), config={"drawn": impressions}
            )
        return {}

    return timed(work)


def move(file: Path, folder: Path) -> None:
    file.rename(folder / file.name)


def mine_shop(folder: Path, impressions: int) -> dict[str, Any]:
    workspace = Workspace.open(folder / "shop")
    # A config of its own each time: an unchanged step would be skipped.
    config = MiningConfig(memory_gb=DUCKDB_GB, threads=THREADS, max_query_chars=512 + time.time_ns() % 1000)

    def work() -> dict[str, Any]:
        summary = mine(workspace, config).manifest.summary
        return {
            "impressions": summary["impressions"]["rows"],
            "positives_per_search": summary["splits"]["train"]["positives_per_search"],
        }

    size = timed(work)
    mined = sum(path.stat().st_size for path in workspace.folder("mined").rglob("*") if path.is_file())
    return {**size, "mined_gb": round(mined / 1e9, 3)}


def join_group_by(folder: Path, impressions: int) -> dict[str, Any]:
    sql = """
        CREATE TABLE pairs AS
        SELECT query, product_id, count(*) AS impressions, count(clicked_at) AS clicks
        FROM read_parquet($impressions) INNER JOIN read_parquet($searches) USING (search_id)
        GROUP BY query, product_id
    """
    files = {name: str(folder / "shop" / name / f"{name}.parquet") for name in ("impressions", "searches")}

    def work() -> dict[str, Any]:
        with connect(folder) as connection:
            connection.execute(sql, files)
        return {}

    return timed(work)


PARTS = {"draw": draw, "mine": mine_shop, "join": join_group_by}


if __name__ == "__main__":
    main()
