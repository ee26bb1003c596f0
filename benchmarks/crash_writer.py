"""The process that a crash test kills: threads that write to a journal, and tell on stdout what was acknowledged.

    python benchmarks/crash_writer.py FOLDER ROUND

A line is `send TOKEN ROWS` before a call and `done TOKEN` after it. It goes on until it is killed.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

from aisle.core.rng import generator
from aisle.store import Journal, JournalEvent, ProductChange

_THREADS = 4
_PRODUCTS = 50
"""Products of each thread, which it changes again and again."""


def main() -> None:
    folder, number = Path(sys.argv[1]), int(sys.argv[2])
    journal = Journal.open(folder)
    journal.pin("crash test", 0)  # else compaction would take out, rightly, what newer calls supersede
    threads = [Thread(target=write, args=(journal, f"{number}-{thread}"), daemon=True) for thread in range(_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def write(journal: Journal, name: str) -> None:
    """Call one method after the other, for ever."""
    rng = generator(0, name)
    for call in range(10**9):
        token, num_rows, kind = f"{name}-{call}", int(rng.integers(1, 6)), rng.random()
        products = [f"{name}-{product}" for product in rng.integers(0, _PRODUCTS, num_rows)]
        if kind < 0.6:
            tell(f"send {token} {num_rows}")
            journal.append_products([ProductChange(product, _product(token, rng.random())) for product in products])
        elif kind < 0.8:
            tell(f"send {token} 1")  # its only trace is the id
            journal.append_products([ProductChange(token, None)])
        else:
            tell(f"send {token} {num_rows}")
            now = datetime.now(UTC)
            events = [JournalEvent(now, "click", f"{token}/{row}", token, query=token) for row in range(num_rows)]
            journal.append_events(events)
        tell(f"done {token}")
        if call % 200 == 199:
            journal.compact(1)


def _product(token: str, share: float) -> dict[str, object]:
    """Make a product of up to several pages, which begins and ends with the token."""
    return {"title": token, "description": "x" * int(20_000 * share**8), "brand": token}


def tell(line: str) -> None:
    os.write(1, f"{line}\n".encode())


if __name__ == "__main__":
    main()
