"""Two processes against one at the same global batch: pairs per second and validation recall, seed by seed.

Run: python benchmarks/processes.py
Or:  python benchmarks/processes.py --workspace shop --set text.enabled=false
One process has all cores; of two each has half of them. Both train the same number of steps on the same batches, from
the same weights; they differ in the draws of drop-out. Without --workspace a marketplace is simulated and mined. The
workspace is copied: nothing is written into it.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from results_file import arguments, publish

MEASURES = ("R@10", "R@100", "nDCG@10")


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--workspace", type=Path, help="a workspace with a mined log or judgments; else simulated")
    parser.add_argument("--set", action="append", default=[], metavar="A.B=VALUE", help="a setting of the training")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    settings = ["train.max_minutes=600", "train.patience=100", *options.set]
    if options.quick:
        settings += ["train.epochs=1", "train.min_steps=1", "train.batch_size=128"]
    seeds = 1 if options.quick else options.seeds
    with tempfile.TemporaryDirectory() as folder:
        shop = Path(folder) / "shop"
        prepare(shop, options)
        rows = [
            train(shop, seed=seed, number=number, settings=settings) for seed in range(seeds) for number in order(seed)
        ]
    results: dict[str, object] = {"cores": os.cpu_count(), "settings": settings, "rows": rows, **compared(rows)}
    publish("processes", results, table(results), options)


def order(seed: int) -> tuple[int, int]:
    """Let either begin in turn, so that a machine that slows down slows both."""
    return (1, 2) if seed % 2 == 0 else (2, 1)


def prepare(shop: Path, options: argparse.Namespace) -> None:
    """Copy the workspace that is given, without its model, or make one."""
    if options.workspace is not None:
        leave = shutil.ignore_patterns("model", "index", "runs", ".partial", "reports")
        shutil.copytree(options.workspace, shop, ignore=leave, symlinks=True)
        return
    products, searches = ("600", "4000") if options.quick else ("20000", "200000")
    aisle("simulate", "--workspace", str(shop), "--products", products, "--searches", searches)
    aisle("mine", "--workspace", str(shop))


def train(shop: Path, *, seed: int, number: int, settings: list[str]) -> dict[str, object]:
    """Train anew in so many processes and return what came of it."""
    shutil.rmtree(shop / "model", ignore_errors=True)
    overrides = [word for one in [f"seed={seed}", *settings] for word in ("--set", one)]
    told = aisle("train", "--workspace", str(shop), *overrides, "--processes", str(number), "--json")
    found = json.loads(told)
    kept = ("pairs_s", "encodes_per_pair", "steps", "batch_size", "best_step", "minutes")
    return {"seed": seed, "processes": number, **{name: found[name] for name in kept}, **found["validation"]}


def compared(rows: list[dict[str, object]]) -> dict[str, object]:
    """Pair the runs of each seed: the ratio of their rates, and differences of measures with an interval over seeds."""
    by = {(row["seed"], row["processes"]): row for row in rows}
    seeds = sorted({row["seed"] for row in rows})
    ratios = [by[seed, 2]["pairs_s"] / by[seed, 1]["pairs_s"] for seed in seeds]
    return {
        "pairs_s_ratio": round(statistics.median(ratios), 3),
        "pairs_s_ratio_range": [round(min(ratios), 3), round(max(ratios), 3)],
        "difference": {name: difference([by[one, 2][name] - by[one, 1][name] for one in seeds]) for name in MEASURES},
    }


def difference(values: list[float]) -> dict[str, float | None]:
    """Return the mean over seeds and a 95 % interval by Student's t; no interval of one seed."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return {"value": mean, "low": None, "high": None}
    from scipy import stats

    half = float(stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values)))
    return {"value": mean, "low": mean - half, "high": mean + half}


def table(results: dict[str, object]) -> list[str]:
    lines = ["| seed | processes | pairs/s | R@10 | R@100 | nDCG@10 |", "|---|---|---|---|---|---|"]
    for row in results["rows"]:
        measures = " | ".join(f"{row[name]:.4f}" for name in MEASURES)
        lines.append(f"| {row['seed']} | {row['processes']} | {row['pairs_s']:,.0f} | {measures} |")
    low, high = results["pairs_s_ratio_range"]
    lines += ["", f"Pairs/s of two processes over one: {results['pairs_s_ratio']} ({low} to {high})."]
    for name, found in results["difference"].items():
        interval = "" if found["low"] is None else f" (95 % interval {found['low']:+.4f} to {found['high']:+.4f})"
        lines.append(f"Two processes less one, {name}: {found['value']:+.4f}{interval}.")
    return lines


def aisle(*arguments: str) -> str:
    """Run a command of ours and return what it printed; what it says of errors goes to this script's own."""
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    command = [sys.executable, "-m", "aisle.cli", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment, text=True).stdout


if __name__ == "__main__":
    main()
