"""What each channel and loss earns: recall on a simulated marketplace's truth, several seeds, by slice.

Run: python benchmarks/quality.py [--config small|default] [--seeds 3] [--rows unified,"term only"] [--workspace FOLDER]
Truth = what each shopper would order if everything on sale were examined (simulated). Every row has the same examples,
negatives, served dimensions, stopping rule and time limit, and differs from `unified` by the settings that ROWS names.
With --workspace a run that was killed goes on; two runs may share it with different --rows, and a last one prints all.
"""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

import numpy as np

from aisle.evaluation import bootstrap_intervals, paired_test
from aisle.pipelines.evaluating import evaluate_systems
from aisle.pipelines.indexing import build_indexes
from aisle.pipelines.logged_searches import logged_searches
from aisle.pipelines.mining import mine
from aisle.pipelines.recipe import load_recipe
from aisle.pipelines.simulating import simulate_marketplace
from aisle.pipelines.training import train_model
from aisle.simulation import MarketplaceConfig, frozen_config
from aisle.workspace import Workspace
from results_file import arguments, publish

ROWS = {
    "unified": [],
    "term only": ["graph.enabled=false", "context.enabled=false", "history.enabled=false"],
    "without graph": ["graph.enabled=false"],
    "without context": ["context.enabled=false"],
    "without history": ["history.enabled=false"],
    "without ranking loss": ["train.ranking_weight=0"],
    "concat fusion": ["fusion=concat"],
}
MEASURES = ("R@10", "R@100", "nDCG@10")
SLICES = ("head", "torso", "tail", "unseen", "domestic", "with history", "signed in")
TABLES = ("products", "users", "searches", "impressions", "events", "simulation", "truth", "mined")
QUICK = MarketplaceConfig(products=600, searches=4_000, users=800, seed=1)
BM25 = "BM25"
Values = dict[str, np.ndarray]
"""What was measured of one row with one seed."""


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--config", choices=("small", "default"), default="small")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", help=f"some of {', '.join(ROWS)}")
    parser.add_argument("--workspace", type=Path, help="keeps the marketplace and what was measured")
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="A.B=VALUE")
    options = parser.parse_args()
    names = options.rows.split(",") if options.rows else list(ROWS)
    seeds = range(1 if options.quick else options.seeds)
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.workspace or Path(scratch)
        shop = marketplace(folder / "shop", QUICK if options.quick else frozen_config(options.config))
        overrides = [*options.overrides, *(["train.epochs=1"] if options.quick else [])]
        measured = {(name, seed): measure(folder, shop, name, seed, overrides) for name in names for seed in seeds}
    results = summary(measured, names, len(seeds))
    publish(
        f"quality_{options.config}",
        {"config": options.config, "overrides": overrides, **results},
        table(results),
        options,
    )


def marketplace(path: Path, config: MarketplaceConfig) -> Workspace:
    """Simulate and mine, where that was not done."""
    workspace = Workspace.open(path, create=True)
    simulate_marketplace(workspace, config)
    mine(workspace, load_recipe(None, []).mining)
    return workspace


def measure(folder: Path, shop: Workspace, name: str, seed: int, overrides: list[str]) -> Values:
    """Train and measure one row with one seed, or read what was measured; values per search, NaN where none counts."""
    kept = folder / "measured" / f"{name.replace(' ', '_')}-{seed}.npz"
    if kept.exists():
        return dict(np.load(kept, allow_pickle=False))
    workspace = linked(shop, folder / "rows" / f"{name.replace(' ', '_')}-{seed}")
    recipe = load_recipe(None, [*overrides, *ROWS[name], f"seed={seed}"])
    trained = train_model(workspace, recipe).manifest.summary
    build_indexes(workspace, recipe)
    values = {f"training/{key}": np.array(trained[key]) for key in ("minutes", "steps", "pairs_s", "encodes_per_pair")}
    for labels in ("truth", "log"):
        outcome = evaluate_systems(workspace, labels=labels, systems=("lexical", "semantic"))
        counted = outcome.evaluation.is_counted
        for system, measures in outcome.evaluation.values.items():
            for measure_name in MEASURES:
                values[f"{labels}/{system}/{measure_name}"] = np.where(counted, measures[measure_name], np.nan)
        searches = logged_searches(workspace, labels=labels, split="test", max_searches=10_000, seed=0)
        values |= {f"{labels}/slice/{slice_name}": mask for slice_name, mask in searches.slices.items()}
    kept.parent.mkdir(exist_ok=True)
    np.savez(kept.with_suffix(".tmp.npz"), **values)
    kept.with_suffix(".tmp.npz").replace(kept)
    return values


def linked(shop: Workspace, path: Path) -> Workspace:
    """Open a workspace with the same tables, by hard links: a row's features and model are its own."""
    workspace = Workspace.open(path, create=True)
    for source in (shop.path / table for table in TABLES):
        for file in source.rglob("*"):
            target = path / file.relative_to(shop.path)
            target.parent.mkdir(parents=True, exist_ok=True)
            if file.is_file() and not target.exists():
                os.link(file, target)
    return workspace


def summary(
    measured: dict[tuple[str, int], dict[str, np.ndarray]], names: list[str], num_seeds: int
) -> dict[str, object]:
    """Average each search over seeds; intervals are over searches, the range is over seeds."""
    first = measured[names[0], 0]
    slices = {labels: {"all": None, **masks(first, labels)} for labels in ("truth", "log")}
    of_row = {name: [measured[name, seed] for seed in range(num_seeds)] for name in names}
    rows = [row(BM25, [first], "lexical", slices, None)]
    unified = of_row.get("unified")
    rows += [
        row(name, runs, "semantic", slices, unified if name != "unified" else None) for name, runs in of_row.items()
    ]
    return {"seeds": num_seeds, "searches": int(np.isfinite(first["truth/semantic/R@100"]).sum()), "rows": rows}


def masks(values: Values, labels: str) -> Values:
    return {name: values[f"{labels}/slice/{name}"] for name in SLICES if f"{labels}/slice/{name}" in values}


def row(name: str, runs: list[dict], system: str, slices: dict, unified: list[dict] | None) -> dict[str, object]:
    made: dict[str, object] = {"name": name, "seeds": len(runs)}
    for labels, by_name in slices.items():
        found = {each: stats(runs, f"{labels}/{system}/", mask, unified) for each, mask in by_name.items()}
        made["measures" if labels == "truth" else "logged_orders"] = found.pop("all")
        made["slices" if labels == "truth" else "logged_slices"] = found
    if system == "semantic":
        made["training"] = {
            key.removeprefix("training/"): [round(float(run[key]), 3) for run in runs]
            for key in runs[0]
            if key.startswith("training/")
        }
    return made


def stats(runs: list[dict], prefix: str, mask: np.ndarray | None, unified: list[dict] | None) -> dict[str, dict]:
    """Return the mean of each measure, its interval, the range over seeds and the paired difference of `unified`."""
    told = {}
    for name in MEASURES:
        values = np.mean([run[prefix + name] for run in runs], axis=0)
        chosen = np.isfinite(values) if mask is None else np.isfinite(values) & mask
        own = values[chosen][:, None]
        low, high = bootstrap_intervals(own, seed=0)
        by_seed = [float(run[prefix + name][chosen].mean()) for run in runs]
        told[name] = {
            "value": float(own.mean()),
            "low": float(low[0]),
            "high": float(high[0]),
            "seeds": [min(by_seed), max(by_seed)],
        }
        if unified is not None:
            best = np.mean([run[prefix + name] for run in unified], axis=0)[chosen][:, None]
            test = paired_test(best, own, seed=0)
            told[name]["unified_minus_this"] = {
                key: float(getattr(test, key)[0]) for key in ("difference", "low", "high", "p")
            }
    return told


def table(results: dict[str, object]) -> list[str]:
    """Lay the results out for people."""
    found = f"{results['searches']:,} test searches, mean of {results['seeds']} seed(s)"
    lines = [f"Simulated. {found}; [95 % interval over searches]", ""]
    lines += head("row", "R@100, truth", "R@10, truth", "nDCG@10, truth", "R@100, logged orders", "minutes")
    for one in results["rows"]:
        cells = [cell(one["measures"][name]) for name in ("R@100", "R@10", "nDCG@10")]
        minutes = np.mean(one.get("training", {}).get("minutes", [0.0]))
        lines.append(line(one["name"], *cells, cell(one["logged_orders"]["R@100"]), f"{minutes:.1f}"))
    known = [name for name in SLICES if name in results["rows"][0]["slices"]]
    lines += ["", *head("R@100, truth", *known)]
    lines += [line(one["name"], *(cell(one["slices"][name]["R@100"]) for name in known)) for one in results["rows"]]
    lines += ["", *head("unified minus", "R@100, truth", "nDCG@10, truth", "nDCG@10, logged orders", *known)]
    for one in results["rows"]:
        if "unified_minus_this" in one["measures"]["R@100"]:
            cells = [one["measures"]["R@100"], one["measures"]["nDCG@10"], one["logged_orders"]["nDCG@10"]]
            cells += [one["slices"][name]["R@100"] for name in known]
            lines.append(line(one["name"], *map(difference, cells)))
    return lines


def head(*cells: str) -> list[str]:
    return [line(*cells), "|---" * len(cells) + "|"]


def line(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def cell(one: dict) -> str:
    return re.sub(r"0(?=\.)", "", f"{one['value']:.3f} [{one['low']:.3f}, {one['high']:.3f}]")


def difference(one: dict) -> str:
    test = one["unified_minus_this"]
    return f"{test['difference']:+.3f} [{test['low']:+.3f}, {test['high']:+.3f}], p = {test['p']:.3f}"


if __name__ == "__main__":
    main()
