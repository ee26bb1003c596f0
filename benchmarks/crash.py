"""Nothing that was acknowledged is lost: processes killed in the middle of writes, full disks, damaged files.

`--level journal` kills a process that writes to a journal by itself. `--level service` kills `aisle serve` under
requests over HTTP; it takes a trained and indexed workspace, which it copies. Both print what was acknowledged, what of
it is lost, and what is there by halves.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import crash_journal
import crash_service
from crash_ledger import NOTHING, Findings
from results_file import arguments, publish


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--level", choices=("journal", "service", "both"), default="both")
    parser.add_argument("--rounds", type=int, help="kills per level (200; with --quick 3)")
    parser.add_argument("--switches", type=int, help="kills during a switch of versions (20; with --quick 1)")
    parser.add_argument("--workspace", type=Path, help="trained and indexed, for the level service")
    options = parser.parse_args()
    if options.level != "journal" and options.workspace is None:
        parser.error("--level service needs --workspace")
    with TemporaryDirectory() as folder:
        results = measure(Path(folder), options)
    table = ["| level | kills | acknowledged | lost | half-written |", "|---|---|---|---|---|"]
    table += ["| " + " | ".join(f"{value:,}" if isinstance(value, int) else value for value in row.values()) + " |"
              for row in results["rows"]]  # fmt: skip
    table += ["", *(f"- {name}: {found}" for name, found in results["scenarios"].items())]
    publish("crash", results, table, options)


def measure(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    rounds = options.rounds or (3 if options.quick else 200)
    longest_s = 0.3 if options.quick else 1.5
    found: dict[str, Findings] = {}
    scenarios: dict[str, dict[str, object]] = {}
    if options.level != "service":
        found["journal"] = crash_journal.kill_writers(folder / "journal", rounds=rounds, longest_s=longest_s)
        tell(f"{rounds} kills of a journal's writer: {found['journal']}")
        scenarios |= measure_journal(folder)
    if options.level != "journal":
        shutil.copytree(options.workspace, folder / "shop")
        crashes = crash_service.Crashes(folder / "shop", folder / "serve.log")
        found["service"] = crash_service.kill_services(crashes, rounds=rounds, longest_s=longest_s)
        tell(f"{rounds} kills of the service: {found['service']}")
        switches = options.switches or (1 if options.quick else 20)
        scenarios |= measure_service(crashes, folder, switches=switches)
        found["service"] = crashes.findings
    rows = [{"level": level, "rounds": rounds, **asdict(findings)} for level, findings in found.items()]
    return {"rounds": rounds, **asdict(sum(found.values(), NOTHING)), "rows": rows, "scenarios": scenarios}


def measure_journal(folder: Path) -> dict[str, dict[str, object]]:
    return told(
        {
            "log cut at every byte of its last record": cut_in_memory,
            "disk full": lambda: crash_journal.fill_disk(folder / "disk"),
            "clock going backwards": lambda: crash_journal.turn_clock_back(folder / "clock"),
        }
    )


def measure_service(crashes: crash_service.Crashes, folder: Path, *, switches: int) -> dict[str, dict[str, object]]:
    return told(
        {
            "kill during a switch of versions": lambda: crash_service.kill_in_switches(crashes, rounds=switches),
            "stores deleted, then damaged": lambda: crash_service.lose_stores(crashes),
            "disk full under the service": lambda: crash_service.fill_disk(crashes, folder / "small"),
        }
    )


def told(scenarios: dict[str, Callable[[], dict[str, object]]]) -> dict[str, dict[str, object]]:
    found = {}
    for name, run in scenarios.items():
        found[name] = run()
        tell(f"{name}: {found[name]}")
    return found


def cut_in_memory() -> dict[str, object]:
    """Cut a log on a disk in memory, where there is one: thousands of journals are opened."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        return crash_journal.cut_everywhere(Path(folder))


def tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    main()
