"""How fast product changes become durable: calls of one row, of one caller and of many, and lists.

What bounds it is the disk: the time of one bare flush stands beside.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

import numpy as np

from aisle.store import Journal, ProductChange
from results_file import arguments, publish

_PRODUCT = {"title": "Wireless mouse, silent keys", "description": "x" * 800, "brand": "Norvik", "price": 19.9}
_SETTINGS = ((1, 1), (4, 1), (16, 1), (64, 1), (1, 100), (1, 1000))


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--folder", type=Path, help="on the disk to be measured (default: the temporary one)")
    options = parser.parse_args()
    num_calls = 20 if options.quick else 400
    with TemporaryDirectory(dir=options.folder) as folder:
        flush_ms = bare_flush_ms(Path(folder) / "file", num=num_calls)
        rows = [measure(Path(folder), callers, each, num_calls=num_calls) for callers, each in _SETTINGS]
    table = [f"One flush of 4 KiB: {flush_ms} ms.", "", "| callers | rows per call | rows/s | p50 ms | p99 ms |"]
    table += ["|---|---|---|---|---|"]
    table += [
        f"| {r['callers']} | {r['rows_per_call']} | {r['rows_s']:,} | {r['p50_ms']} | {r['p99_ms']} |" for r in rows
    ]
    publish("journal", {"flush_ms": flush_ms, "rows": rows}, table, options)


def bare_flush_ms(path: Path, *, num: int) -> float:
    """Return the median time of one write of a page and its flush."""
    took = []
    with path.open("wb", buffering=0) as file:
        for _ in range(num):
            started = time.perf_counter()
            file.write(b"x" * 4096)
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - started)
    return round(float(np.median(took)) * 1e3, 2)


def measure(folder: Path, callers: int, rows_per_call: int, *, num_calls: int) -> dict[str, object]:
    """Let callers append lists of products without a pause."""
    took: list[float] = []
    with Journal.open(folder / f"{callers}-{rows_per_call}") as journal:
        each = -(-num_calls // (1 if rows_per_call == 1 else 10))

        def call(caller: int) -> None:
            for number in range(each):
                names = [f"{caller}-{number}-{row}" for row in range(rows_per_call)]
                started = time.perf_counter()
                journal.append_products([ProductChange(name, _PRODUCT) for name in names])
                took.append(time.perf_counter() - started)

        threads = [Thread(target=call, args=(caller,)) for caller in range(callers)]
        started = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        elapsed = time.perf_counter() - started
    p50, p99 = np.percentile(np.array(took) * 1e3, [50, 99])
    rows_s = round(len(took) * rows_per_call / elapsed)
    return {
        "callers": callers,
        "rows_per_call": rows_per_call,
        "rows_s": rows_s,
        "p50_ms": round(float(p50), 2),
        "p99_ms": round(float(p99), 2),
    }


if __name__ == "__main__":
    main()
