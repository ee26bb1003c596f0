"""The fastest index that keeps a stated recall, beside the one that a recipe builds, on a marketplace's own vectors.

Run: python benchmarks/tuning.py [--config small|default] [--workspace FOLDER] [--ann-recall 0.97] [--trials 12]
A thin caller of `aisle tune`: queries are clicked searches of the validation window with their shoppers, one thread,
k = 100. Printed is the Pareto front of speed, `ann_recall` and memory, the chosen point, exact search and the recipe's
default.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aisle.index import HnswConfig
from aisle.pipelines.tuning import TuneConfig, tune_workspace
from results_file import arguments, publish
from shops import trained_shop


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--config", choices=("small", "default"), default="small")
    parser.add_argument("--workspace", type=Path, help="keep the shop and its model there, or take them from there")
    parser.add_argument("--ann-recall", type=float, default=TuneConfig.ann_recall)
    parser.add_argument("--trials", type=int, default=TuneConfig.trials)
    options = parser.parse_args()
    config = TuneConfig(ann_recall=options.ann_recall, trials=2 if options.quick else options.trials)
    with tempfile.TemporaryDirectory() as folder:
        workspace = trained_shop(options.workspace or Path(folder) / "shop", options.config, quick=options.quick)
        tune_workspace(workspace, config)
        found = json.loads((workspace.verified("tuning") / "tuning.json").read_text(encoding="utf-8"))
    publish(f"tuning_{options.config}", {"config": options.config, **found}, table(found), options)


def table(found: Mapping[str, Any]) -> list[str]:
    """Lay the front out for people, fastest first."""
    lines = [
        f"{found['products']:,} products, {found['queries']:,} queries, k = {found['k']}, one thread; at least "
        f"{found['asked']:g} asked for; {found['tried']} settings measured.",
        "",
        "| index | queries/s | ann_recall | bytes per product | build, s |",
        "|---|---|---|---|---|",
    ]
    points = {json.dumps(one, sort_keys=True): one for one in [*found["front"], *map(dict, defaults(found))]}
    for one in sorted(points.values(), key=lambda point: -point["queries_s"]):
        marks = [word for word, is_so in (("chosen", one == found["chosen"]), ("default", is_default(one))) if is_so]
        name = f"{one['kind']}: {', '.join(f'{key} {value}' for key, value in one['settings'].items())}"
        told = f"{name} ({', '.join(marks)})" if marks else name
        numbers = (f"{one['queries_s']:,.0f}", f"{one['ann_recall']:.4f}", f"{one['bytes_per_product']:,.0f}")
        lines.append(f"| {told} | {' | '.join(numbers)} | {one['build_s']:.1f} |")
    return [*lines, f"| exact | {found['exact_queries_s']:,.0f} | 1 | – | – |"]


def defaults(found: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [one for one in found["points"] if is_default(one)]


def is_default(point: Mapping[str, Any]) -> bool:
    return all(getattr(HnswConfig(), name) == value for name, value in point["settings"].items())


if __name__ == "__main__":
    main()
