"""What every benchmark writes: a table for people, JSON for machines, and a results file that a stranger can repeat."""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

_FOLDER = Path(__file__).parent / "results"
_PACKAGES = ("aisle", "torch", "onnxruntime", "numpy", "faiss-cpu", "bm25s", "pyarrow", "duckdb", "tokenizers")


def arguments(description: str) -> argparse.ArgumentParser:
    """Return a parser with the options that all benchmarks share."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout and nothing else there")
    parser.add_argument("--quick", action="store_true", help="a small run that only shows that the script works")
    parser.add_argument("--no-save", action="store_true", help="write no results file")
    return parser


def publish(theme: str, results: Mapping[str, object], table: Sequence[str], options: argparse.Namespace) -> None:
    """Print the results and write `results/<theme>_<machine>_<yyyymm>.{json,md}`; a quick run writes no file."""
    if options.json:
        sys.stdout.write(json.dumps(results) + "\n")
    else:
        sys.stdout.write("\n".join(table) + "\n")
    if options.quick or options.no_save:
        return
    context = _context()
    _FOLDER.mkdir(exist_ok=True)
    stem = f"{theme}_{machine()}_{datetime.now(UTC):%Y%m}"
    text = json.dumps({**results, "context": context}, indent=1)
    (_FOLDER / f"{stem}.json").write_text(text + "\n", encoding="utf-8")
    lines = [f"# {theme}", "", *table, "", *(f"- {name}: {value}" for name, value in context.items()), ""]
    (_FOLDER / f"{stem}.md").write_text("\n".join(lines), encoding="utf-8")


def machine() -> str:
    """Name the kind of machine: processor family and cores."""
    return f"{platform.machine()}-{os.cpu_count()}core".lower()


def _context() -> dict[str, object]:
    return {
        "command": "python " + " ".join([f"benchmarks/{Path(sys.argv[0]).name}", *map(shown, sys.argv[1:])]),
        "commit": _commit(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in _PACKAGES},
    }


def shown(argument: str) -> str:
    """Keep a folder of the machine that measured out of the results; of `a.b=FOLDER/name` the name stays too."""
    name, sign, value = argument.rpartition("=")
    return f"{name}{sign}{Path(value).name}" if "/" in value else argument


def _commit() -> str:
    done = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def _processor() -> str:
    try:
        found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    except OSError:
        found = None
    return found.group(1) if found else platform.processor()
