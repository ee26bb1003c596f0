"""The same model measured by `aisle evaluate` and by mteb, on one retrieval task from local files.

Run: python benchmarks/mteb_agreement.py [--icecat FOLDER]   (needs `pip install 'aisle[mteb]'`, else nothing is run)
A catalogue with judgments (generated, or icecat's) is written in BEIR's form, imported, trained on and indexed
exactly; both then measure the test queries over the whole catalogue. Every measure must agree to 1e-4. Figures are
those of a short training: they show that the two agree, not how good a model can be.
"""

from __future__ import annotations

import json
import sys
import tempfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import pyarrow as pa

from aisle.adapters import mteb_model, mteb_task
from aisle.pipelines.evaluating import evaluate_systems
from aisle.pipelines.importing import import_source
from aisle.pipelines.indexing import build_indexes
from aisle.pipelines.recipe import load_recipe
from aisle.pipelines.training import train_model
from aisle.simulation import generate_catalogue
from aisle.sources import load_icecat
from aisle.workspace import Workspace
from results_file import arguments, publish

MEASURES = {"R@10": "recall_at_10", "R@100": "recall_at_100", "nDCG@10": "ndcg_at_10", "MRR": "mrr_at_1000"}
TOLERANCE = 1e-4


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--icecat", type=Path, help="folder with products.jsonl.gz and judgments.csv")
    parser.add_argument("--minutes", type=float, default=2.0, help="most minutes of training")
    options = parser.parse_args()
    if find_spec("mteb") is None:
        sys.stderr.write("mteb is not installed: nothing was measured. Install it with pip install 'aisle[mteb]'.\n")
        return
    with tempfile.TemporaryDirectory() as folder:
        beir = Path(folder) / "beir"
        if options.icecat is not None:
            tables = load_icecat(options.icecat).tables
            write_beir(beir, tables["products"], tables["judgments"])
        else:
            made = generate_catalogue(300 if options.quick else 5_000, seed=0)
            write_beir(beir, made.products, made.judgments)
        results = measure(beir, Path(folder) / "shop", minutes=0.1 if options.quick else options.minutes)
    results["set"] = "icecat" if options.icecat is not None else "generated"
    publish(f"mteb_{results['set']}", results, table(results), options)
    worst = max(row["difference"] for row in results["rows"])
    if worst > TOLERANCE:
        raise SystemExit(f"aisle and mteb differ by {worst}")


def write_beir(folder: Path, products: pa.Table, judgments: pa.Table) -> None:
    """Write titles, descriptions and test judgments as a BEIR folder."""
    (folder / "qrels").mkdir(parents=True)
    rows = [row for row in judgments.to_pylist() if row.get("split", "test") == "test"]
    ids = {query: f"q{number}" for number, query in enumerate(dict.fromkeys(row["query"] for row in rows))}
    documents = [
        {"_id": row["product_id"], "title": row["title"], "text": row["description"] or ""}
        for row in products.to_pylist()
    ]
    queries = [{"_id": name, "text": query} for query, name in ids.items()]
    qrels = [f"{ids[row['query']]}\t{row['product_id']}\t{row['grade']}" for row in rows]
    for name, lines in (("corpus", documents), ("queries", queries)):
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    (folder / "qrels" / "test.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *qrels]), encoding="utf-8")


def measure(beir: Path, shop: Path, *, minutes: float) -> dict[str, object]:
    """Train on a BEIR folder's catalogue and let both measure the model."""
    import mteb

    settings = ("index.kind=exact", "encode.precision=fp32", f"train.max_minutes={minutes}")
    recipe, workspace = load_recipe(None, settings), Workspace.open(shop, create=True)
    import_source(workspace, "beir", path=beir, cache=beir)
    train_model(workspace, recipe)
    build_indexes(workspace, recipe)
    outcome = evaluate_systems(workspace, systems=["semantic"]).as_dict()
    model = mteb_model(str(workspace.folder("model")), name="aisle/benchmark")
    result = mteb.evaluate(model, mteb_task(beir), cache=None, co2_tracker=False, show_progress_bar=False)
    [theirs] = result.task_results[0].scores["test"]
    rows = []
    for name, key in MEASURES.items():
        ours = outcome["systems"]["semantic"][name]["value"]
        rows.append({"measure": name, "aisle": ours, "mteb": theirs[key], "difference": abs(ours - theirs[key])})
    products = workspace.manifest("products").summary["usable"]
    return {"products": products, "queries": outcome["queries"], "mteb": version("mteb"), "rows": rows}


def table(results: dict[str, object]) -> list[str]:
    """Lay the results out for people."""
    head = f"{results['set']}: {results['products']:,} products, {results['queries']} queries, mteb {results['mteb']}"
    lines = [head, "", "| measure | aisle evaluate | mteb | difference |", "|---|---|---|---|"]
    return lines + [
        f"| {row['measure']} | {row['aisle']:.5f} | {row['mteb']:.5f} | {row['difference']:.1e} |"
        for row in results["rows"]
    ]


if __name__ == "__main__":
    main()
