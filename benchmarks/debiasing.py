"""Does recall freed of the logging search's preferences order systems as the truth does? On a simulated marketplace.

Run: python benchmarks/debiasing.py SHOP [SHOP …] [--systems semantic,hybrid] [--searches 3000]
     python benchmarks/debiasing.py --held-out 4242 [--workspace FOLDER] [--weights 0.25,0.75]
Each SHOP is a workspace with an index over the same simulated marketplace, such as the rows of `quality.py`; lexical
search of the first joins them. Printed for every system: recall on truth, plain recall of the log's clicks and orders,
and the same debiased; and for both how far they order the systems as truth does (Spearman's rank correlation).

How debiasing is done was chosen on the frozen `small`. With --held-out a marketplace of its sizes and of another seed
is made, models are trained on it, and they are measured with the same settings: nothing was chosen there. --weights
adds hybrids of each model in which the semantic side has that share.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from aisle.core.ranking import Retriever
from aisle.pipelines.debiasing import DebiasingConfig, measure_debiased
from aisle.pipelines.indexing import build_indexes
from aisle.pipelines.mining import mine
from aisle.pipelines.questions import DEPTH, Asked, read_questions
from aisle.pipelines.recipe import load_recipe
from aisle.pipelines.searching import load_retrievers
from aisle.pipelines.simulating import simulate_marketplace
from aisle.pipelines.training import train_model
from aisle.retrieval import HybridRetriever
from aisle.simulation import frozen_config
from aisle.workspace import Workspace
from results_file import arguments, publish
from shops import QUICK

KS = (10, 100)
KINDS = ("truth", "plain", "debiased")
Row = dict[str, dict[str, float]]
HELD_OUT = {
    "unified": [],
    "term only": [f"{name}.enabled=false" for name in ("graph", "context", "history")],
}
"""Rows whose models are trained on a held-out marketplace: settings beside the defaults."""


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("shops", nargs="*", type=Path)
    parser.add_argument("--held-out", type=int, metavar="SEED", help="make a marketplace of this seed, and models")
    parser.add_argument("--workspace", type=Path, help="keeps the marketplace and the models of --held-out")
    parser.add_argument("--systems", default="semantic,hybrid")
    parser.add_argument("--weights", default="", help="semantic shares of more hybrids, with commas")
    parser.add_argument("--searches", type=int, default=3_000)
    parser.add_argument("--max-weight", type=float, default=DebiasingConfig.max_weight)
    options = parser.parse_args()
    if not options.shops and options.held_out is None:
        parser.error("name a SHOP, or give --held-out SEED")
    num_searches = 300 if options.quick else options.searches
    systems = options.systems.split(",")
    weights = [float(weight) for weight in options.weights.split(",") if weight]
    with tempfile.TemporaryDirectory() as scratch:
        shops = options.shops
        if options.held_out is not None:
            shops = held_out(options.workspace or Path(scratch), options.held_out, quick=options.quick)
        rows: dict[str, Row] = {}
        for number, shop in enumerate(shops):
            systems_of_shop = retrievers(Workspace.open(shop), systems, weights, with_lexical=number == 0)
            found = measured(Workspace.open(shop), systems_of_shop, num_searches, options.max_weight)
            rows |= {name if name == "lexical" else f"{shop.name} {name}": row for name, row in found.items()}
    agreement = {f"R@{k}": {kind: order_agreement(rows, f"R@{k}", kind) for kind in ("plain", "debiased")} for k in KS}
    results = {"simulated": True, "searches": num_searches, "max_weight": options.max_weight, "rows": rows}
    name = "debiasing" if options.held_out is None else "debiasing_held_out"
    publish(name, {**results, "rank_correlation_with_truth": agreement}, table(rows, agreement), options)


def held_out(folder: Path, seed: int, *, quick: bool) -> list[Path]:
    """Make the marketplace and a workspace with an index for each row of `HELD_OUT`, where that was not done."""
    market = Workspace.open(folder / "market", create=True)
    simulate_marketplace(market, replace(QUICK if quick else frozen_config("small"), seed=seed))
    mine(market, load_recipe(None, []).mining)
    shops = [folder / name for name in HELD_OUT]
    for shop, settings in zip(shops, HELD_OUT.values(), strict=True):
        if not shop.exists():
            shutil.copytree(market.path, shop)
        workspace = Workspace.open(shop)
        recipe = load_recipe(None, [*(["train.epochs=1"] if quick else []), *settings])
        train_model(workspace, recipe)
        build_indexes(workspace, recipe)
    return shops


def retrievers(
    workspace: Workspace, systems: list[str], weights: list[float], *, with_lexical: bool
) -> dict[str, Retriever]:
    """Load systems of a workspace, with hybrids of other weights beside them."""
    loaded = load_retrievers(workspace, ["lexical", "semantic", "hybrid"])
    hybrids = {
        f"hybrid {weight:g}": HybridRetriever(loaded["lexical"], loaded["semantic"], weight=weight)
        for weight in weights
    }
    names = [*(["lexical"] if with_lexical else []), *systems]
    return {**{name: loaded[name] for name in names}, **hybrids}


def measured(
    workspace: Workspace, retrievers: Mapping[str, Retriever], num_searches: int, max_weight: float
) -> dict[str, Row]:
    """Return system → measure → truth, plain and debiased recall."""
    truth = read_questions(workspace, Asked(labels="truth", max_searches=num_searches, slices=[]))
    measures = [f"R@{k}" for k in KS]
    true = truth.measure(truth.rank(retrievers, k=DEPTH), measures=measures, seed=0).headline.systems
    config = DebiasingConfig(min_coverage=0, max_weight=max_weight)
    asked = Asked(labels="log", max_searches=num_searches)
    log = measure_debiased(workspace, retrievers, asked=asked, measures=measures, config=config).recall
    return {
        name: {
            measure: {
                "truth": true[name][measure].value,
                "plain": log.plain[name][measure].value,
                "debiased": log.debiased[name][measure].value,
                "debiased_low": log.debiased[name][measure].low,
                "debiased_high": log.debiased[name][measure].high,
            }
            for measure in measures
        }
        for name in retrievers
    }


def order_agreement(rows: dict[str, Row], measure: str, kind: str) -> float | None:
    truth, found = (np.array([row[measure][name] for row in rows.values()]) for name in ("truth", kind))
    return round(float(spearmanr(truth, found)[0]), 3) if len(rows) > 2 else None


def table(rows: dict[str, Row], agreement: dict[str, dict[str, float | None]]) -> list[str]:
    heads = [f"{kind} R@{k}" for k in KS for kind in KINDS]
    lines = ["| system | " + " | ".join(heads) + " |", "|---" * (len(heads) + 1) + "|"]
    for name, row in rows.items():
        cells = [f"{row[f'R@{k}'][kind]:.3f}" for k in KS for kind in KINDS]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    told = [
        f"{measure}: rank correlation with truth {found['plain']} plain, {found['debiased']} debiased"
        for measure, found in agreement.items()
    ]
    return [*lines, "", *told, "", "A simulated marketplace: all figures are simulated."]


if __name__ == "__main__":
    main()
