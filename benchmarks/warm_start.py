"""Is a day of log worth a full retraining? Going on from a model against training anew, on a simulated marketplace.

Run: python benchmarks/warm_start.py [--workspace FOLDER] [--seeds 0,1,2] [--set train.warm.passes=8]
The marketplace `small` is cut at the beginning of its last day. A model is trained on what lies before (not timed).
Then the day is added, and the log is mined and a model is trained in two ways: `full`, anew, and `warm`, with
`mine --since` and `train --from model`. Both have the same validation and test window. `kept` is the earlier model
with no training at all: what the day is worth. Times are the processor's, mining, features and training together.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aisle.evaluation.paired import paired_test
from aisle.index import ExactIndex
from aisle.pipelines.catalogue import read_products
from aisle.pipelines.importing import import_tables
from aisle.pipelines.indexing import encode_catalogue
from aisle.pipelines.measured_sets import values_per_query
from aisle.pipelines.mining import mine
from aisle.pipelines.questions import Asked, read_questions
from aisle.pipelines.recipe import Recipe, load_recipe
from aisle.pipelines.simulating import simulate_marketplace
from aisle.pipelines.training import load_encoder, load_model, train_model
from aisle.retrieval import SemanticRetriever
from aisle.simulation import frozen_config
from aisle.sources import SourceTables
from aisle.tables import read_parquet
from aisle.workspace import Workspace
from results_file import arguments, publish
from shops import QUICK

MEASURES = ("R@10", "R@100")
SETS = {"truth": Asked("test", "truth", slices=[]), "validation orders": Asked("validation", "log", slices=[])}
TABLES = ("products", "searches", "impressions", "events", "users")
ACTIONS = ("clicked_at", "favorited_at", "carted_at", "ordered_at")
DAY_US = 24 * 3600 * 1_000_000
Values = dict[str, dict[str, np.ndarray]]


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--workspace", type=Path, help="keeps marketplaces and models; what is there is not done again")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--searches", type=int, default=3_000, help="most searches that are measured")
    parser.add_argument("--set", action="append", default=[], dest="settings", help="a setting of the recipe")
    options = parser.parse_args()
    seeds = [0] if options.quick else [int(seed) for seed in options.seeds.split(",")]
    settings = [*options.settings, *(["train.epochs=1", "train.min_steps=20"] if options.quick else [])]
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.workspace or Path(scratch)
        cut_marketplace(folder, quick=options.quick)
        found = [
            one_seed(folder, load_recipe(None, [*settings, f"seed={seed}"]), 300 if options.quick else options.searches)
            for seed in seeds
        ]
    results = {"simulated": True, "seeds": seeds, "settings": options.settings, **summary(found)}
    publish("warm_start", results, table(results), options)


def cut_marketplace(folder: Path, *, quick: bool) -> None:
    """Make two workspaces: `before`, the marketplace as it was known before its last day, and `after`, all of it."""
    if (folder / "after").exists():
        return
    market = Workspace.open(folder / "market", create=True)
    simulate_marketplace(market, QUICK if quick else frozen_config("small"))
    whole = {name: read_parquet(market.verified(name) / f"{name}.parquet") for name in TABLES}
    # The log's own splits are dropped: windows move with the log, as those of a shop do.
    whole["searches"] = whole["searches"].drop_columns(["split"])
    # A shop of seconds has too few searches a day to learn from.
    before = before_days(whole, 20 if quick else 1)
    known = before["products"].column("product_id").combine_chunks()
    is_new = pc.invert(pc.is_in(whole["products"].column("product_id"), value_set=known))
    whole["products"] = pa.concat_tables(
        [whole["products"].filter(pc.invert(is_new)), whole["products"].filter(is_new)]
    )
    for name, tables in (("before", before), ("after.partial", whole)):
        workspace = Workspace.open(folder / name, create=True)
        import_tables(workspace, SourceTables(tables))
        for truth in ("truth", "simulation"):
            shutil.copytree(market.folder(truth), workspace.folder(truth), dirs_exist_ok=True)
    (folder / "after.partial").rename(folder / "after")


def before_days(tables: dict[str, pa.Table], days: int) -> dict[str, pa.Table]:
    """Return what was known at the beginning of the log's last days."""
    last_us = pc.max(tables["searches"].column("searched_at").cast(pa.int64())).as_py()
    day = pa.scalar((last_us // DAY_US + 1 - days) * DAY_US, pa.int64()).cast(pa.timestamp("us", tz="UTC"))
    searches = tables["searches"].filter(pc.less(tables["searches"].column("searched_at"), day))
    ids = searches.column("search_id").combine_chunks()
    impressions = tables["impressions"]
    shown = impressions.filter(pc.is_in(impressions.column("search_id"), value_set=ids))
    products = tables["products"].filter(pc.less(tables["products"].column("created_at"), day))
    return {
        "products": known_at(products, ["removed_at"], day),
        "searches": searches,
        "impressions": known_at(shown, ACTIONS, day),
        "events": tables["events"].filter(pc.less(tables["events"].column("at"), day)),
        "users": tables["users"],
    }


def known_at(table: pa.Table, columns: list[str] | tuple[str, ...], day: pa.Scalar) -> pa.Table:
    for name in columns:
        column = table.column(name)
        known = pc.if_else(pc.fill_null(pc.less(column, day), False), column, pa.scalar(None, column.type))
        table = table.set_column(table.column_names.index(name), name, known)
    return table


def one_seed(folder: Path, recipe: Recipe, num_searches: int) -> tuple[dict[str, dict[str, float]], Values]:
    """Train both ways; return the seconds of each step, and the measures of every search by system and set."""
    seed, after = recipe.seed, Workspace.open(folder / "after")
    before = copied(folder / "before", folder / f"before-{seed}")
    steps(before, {"mine": lambda: mine(before, recipe.mining), "train": lambda: train_model(before, recipe)})
    full = copied(folder / "after", folder / f"full-{seed}")
    seconds = {
        "full": steps(full, {"mine": lambda: mine(full, recipe.mining), "train": lambda: train_model(full, recipe)})
    }
    kept = copied(before.path, folder / f"kept-{seed}")
    tables = {name: read_parquet(after.verified(name) / f"{name}.parquet") for name in TABLES}
    added = steps(kept, {"import": lambda: import_tables(kept, SourceTables(tables), add=True)})
    warm = copied(kept.path, folder / f"warm-{seed}")
    steps(kept, {"mine": lambda: mine(kept, recipe.mining, since="last")})
    seconds["warm"] = steps(
        warm,
        {
            "mine": lambda: mine(warm, recipe.mining, since="last"),
            "train": lambda: train_model(warm, recipe, start="model"),
        },
    )
    seconds["add"] = added
    values = {name: measured(workspace, num_searches) for name, workspace in (("full", full), ("warm", warm))}
    return seconds, {**values, "kept": measured(kept, num_searches)}


def copied(source: Path, target: Path) -> Workspace:
    if not target.exists():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("seconds.*.json", "values.*.npz"))
    return Workspace.open(target)


def steps(workspace: Workspace, todo: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Do steps and return the processor seconds of each; those of a step that was done before are kept beside it."""
    seconds = {}
    for name, do in todo.items():
        noted = workspace.path / f"seconds.{name}.json"
        if not noted.exists():
            started = time.process_time()
            do()
            noted.write_text(json.dumps(time.process_time() - started), encoding="utf-8")
        seconds[name] = float(json.loads(noted.read_text(encoding="utf-8")))
    return seconds


def measured(workspace: Workspace, num_searches: int) -> dict[str, np.ndarray]:
    """Return set → measures of every search, [searches, measures]; noted beside the model, and not done again."""
    noted = workspace.path / f"values.{num_searches}.npz"
    if noted.exists():
        with np.load(noted) as found:
            return {name: found[name] for name in SETS}
    model, products = load_model(workspace), read_products(workspace)
    encode = load_encoder(workspace, model, products).encode_queries
    vectors, _ = encode_catalogue(workspace, model, products, load_recipe(None, []).encode)
    retriever = SemanticRetriever(encode, ExactIndex.build(vectors))
    values = {}
    for name, asked in SETS.items():
        questions = read_questions(workspace, replace(asked, max_searches=num_searches))
        found = values_per_query(questions, retriever, MEASURES)
        values[name] = np.stack([found[measure] for measure in MEASURES], axis=1)
    np.savez(noted, **values)
    return values


def summary(found: list[tuple[dict[str, dict[str, float]], Values]]) -> dict[str, object]:
    """Average over seeds, search by search, and compare on the same searches."""
    seconds = [one for one, _ in found]
    cost = {
        way: {step: round(float(np.mean([one[way][step] for one in seconds])), 2) for step in seconds[0][way]}
        for way in ("full", "warm", "add")
    }
    ratios = [sum(one["warm"].values()) / sum(one["full"].values()) for one in seconds]
    sets = {}
    for name in SETS:
        mean = {way: np.mean([values[way][name] for _, values in found], axis=0) for way in ("full", "warm", "kept")}
        counted = ~np.isnan(mean["full"]).any(axis=1)
        rows = {way: column[counted] for way, column in mean.items()}
        sets[name] = {"searches": int(counted.sum()), "seeds": per_seed(found, name), **compared(rows)}
    return {"cpu_s": cost, "time_ratio": round(float(np.mean(ratios)), 3), "time_ratios": ratios, "sets": sets}


def per_seed(found: list[tuple[dict[str, dict[str, float]], Values]], name: str) -> list[dict[str, float]]:
    return [
        {way: round(float(np.nanmean(v[way][name][:, 1])), 4) for way in ("full", "warm", "kept")} for _, v in found
    ]


def compared(rows: dict[str, np.ndarray]) -> dict[str, object]:
    out: dict[str, object] = {}
    for place, measure in enumerate(MEASURES):
        means = {way: round(float(column[:, place].mean()), 4) for way, column in rows.items()}
        shares = {f"{way} of full": round(means[way] / means["full"], 4) for way in ("warm", "kept")}
        tests = {}
        for first, second in (("warm", "full"), ("kept", "full"), ("warm", "kept")):
            test = paired_test(rows[first], rows[second], seed=0)
            bounds = (test.difference[place], test.low[place], test.high[place])
            tests[f"{first} - {second}"] = dict(
                zip(("value", "low", "high"), np.round(bounds, 4).tolist(), strict=True)
            )
        out[measure] = {**means, **shares, **tests}
    return out


def table(results: dict[str, object]) -> list[str]:
    lines = [f"processor seconds: {results['cpu_s']}; warm / full {results['time_ratio']}", ""]
    lines += ["| set | measure | full | warm | kept | warm of full | warm - full | kept - full |", "|---" * 8 + "|"]
    for name, found in results["sets"].items():  # type: ignore[attr-defined]
        for measure in MEASURES:
            row = found[measure]
            gaps = [
                f"{row[gap]['value']:+.4f} [{row[gap]['low']:+.4f}, {row[gap]['high']:+.4f}]"
                for gap in ("warm - full", "kept - full")
            ]
            cells = [name, measure, *(f"{row[way]:.4f}" for way in ("full", "warm", "kept"))]
            share = format(row["warm of full"], ".1%")
            lines.append(f"| {' | '.join([*cells, share, *gaps])} |")
    return lines


if __name__ == "__main__":
    main()
