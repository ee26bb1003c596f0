"""Nothing that was acknowledged is lost: processes killed in the middle of writes, full disks, damaged files.

`--level journal` kills a process that writes to a journal by itself; `--level service` kills `aisle serve` under
requests over HTTP. Both print what was acknowledged, what of it is lost, and what is there by halves.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import crash_journal
from crash_ledger import NOTHING
from results_file import arguments, publish


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int, help="kills per level (200; with --quick 3)")
    options = parser.parse_args()
    rounds = options.rounds or (3 if options.quick else 200)
    with TemporaryDirectory() as folder:
        results = measure(Path(folder), rounds=rounds, is_quick=options.quick)
    table = ["| level | kills | acknowledged | lost | half-written |", "|---|---|---|---|---|"]
    table += ["| " + " | ".join(str(value) for value in row.values()) + " |" for row in results["rows"]]
    table += ["", *(f"- {name}: {found}" for name, found in results["scenarios"].items())]
    publish("crash", results, table, options)


def cut_in_memory() -> dict[str, int]:
    """Cut a log on a disk in memory, where there is one: thousands of journals are opened."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        return crash_journal.cut_everywhere(Path(folder))


def measure(folder: Path, *, rounds: int, is_quick: bool) -> dict[str, Any]:
    longest_s = 0.3 if is_quick else 1.5
    found = {"journal": crash_journal.kill_writers(folder / "journal", rounds=rounds, longest_s=longest_s)}
    scenarios = {
        "log cut at every byte of its last record": cut_in_memory(),
        "disk full": crash_journal.fill_disk(folder / "disk"),
        "clock going backwards": crash_journal.turn_clock_back(folder / "clock"),
    }
    rows = [{"level": level, "rounds": rounds, **asdict(findings)} for level, findings in found.items()]
    return {"rounds": rounds, **asdict(sum(found.values(), NOTHING)), "rows": rows, "scenarios": scenarios}


if __name__ == "__main__":
    main()
