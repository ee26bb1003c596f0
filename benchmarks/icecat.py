"""Quality on real products without a log: the Icecat catalogue, human judgments, catalogue-only training.

Run: python benchmarks/icecat.py --data FOLDER   (or without --data, which downloads the set)
Trains with several seeds on pseudo-queries alone, no pre-trained weights, and measures BM25, semantic and hybrid search
over the whole catalogue on the queries with a product of grade 3. The judged pool came from a keyword engine, so it
flatters keyword search; unjudged products count as not relevant.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from aisle.evaluation import bootstrap_intervals, p_text, paired_test
from aisle.pipelines.evaluating import EvaluationOutcome, evaluate_systems
from aisle.pipelines.importing import import_source
from aisle.pipelines.indexing import build_indexes
from aisle.pipelines.recipe import load_recipe
from aisle.pipelines.training import train_model
from aisle.workspace import Workspace
from results_file import arguments, publish

MEASURES = ("R@10", "R@100", "nDCG@10", "MRR")
SYSTEMS = ("lexical", "semantic", "hybrid")


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--data", type=Path, help="folder with products.jsonl.gz and judgments.csv")
    parser.add_argument("--seeds", type=int, default=3, help="number of trained models")
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="A.B=VALUE")
    options = parser.parse_args()
    seeds = [0] if options.quick else list(range(options.seeds))
    overrides = [*options.overrides, *(["train.max_minutes=1"] if options.quick else [])]
    runs = [run(options.data, seed, overrides) for seed in seeds]
    results = {"seeds": len(seeds), "overrides": overrides, **summary([outcome for outcome, _ in runs])}
    results["training"] = [training for _, training in runs]
    publish("icecat", results, table(results), options)


def run(data: Path | None, seed: int, overrides: list[str]) -> tuple[EvaluationOutcome, dict[str, float]]:
    """Train, index and evaluate one seed in a workspace of its own."""
    recipe = load_recipe(None, [*overrides, f"seed={seed}"])
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace.open(Path(folder) / "workspace", create=True)
        import_source(workspace, "icecat", path=data, cache=Path(folder) / "cache")
        trained = train_model(workspace, recipe).manifest.summary
        index = build_indexes(workspace, recipe).manifest.summary
        keys = ("minutes", "pairs_s", "steps", "validation_recall")
        training = {**{key: trained[key] for key in keys}, "ann_recall": index["index"]["ann_recall"]}
        return evaluate_systems(workspace, min_grade=3.0), training


def summary(outcomes: list[EvaluationOutcome]) -> dict[str, object]:
    """Average each query over seeds; intervals are over queries, the range is over seeds."""
    counted = outcomes[0].evaluation.is_counted
    values = {
        system: np.stack(
            [np.mean([o.evaluation.values[system][name][counted] for o in outcomes], axis=0) for name in MEASURES],
            axis=1,
        )
        for system in SYSTEMS
    }
    systems = {}
    for system in SYSTEMS:
        low, high = bootstrap_intervals(values[system], seed=0)
        by_seed = [[np.mean(o.evaluation.values[system][name][counted]) for o in outcomes] for name in MEASURES]
        systems[system] = {
            name: {
                "value": float(values[system][:, m].mean()),
                "low": float(low[m]),
                "high": float(high[m]),
                "seeds": [float(min(by_seed[m])), float(max(by_seed[m]))],
            }
            for m, name in enumerate(MEASURES)
        }
    paired = {}
    for system in ("semantic", "hybrid"):
        test = paired_test(values[system], values["lexical"], seed=0)
        for m, name in enumerate(MEASURES):
            columns = {"difference": test.difference, "low": test.low, "high": test.high, "p": test.p}
            paired[f"{system} - lexical {name}"] = {key: float(column[m]) for key, column in columns.items()}
    overlap = [o.as_dict()["overlap@10"]["hybrid"]["lexical"] for o in outcomes]
    return {"queries": int(counted.sum()), "systems": systems, "paired": paired, "overlap@10": float(np.mean(overlap))}


def table(results: dict[str, object]) -> list[str]:
    """Lay the results out for people."""
    lines = [
        f"{results['queries']} queries with a grade-3 product, {results['seeds']} seed(s); [95 % interval]",
        "",
        "| system | " + " | ".join(MEASURES) + " |",
        "|---|" + "---|" * len(MEASURES),
    ]
    for system, measures in results["systems"].items():
        cells = [f"{m['value']:.3f} [{m['low']:.3f}, {m['high']:.3f}]" for m in measures.values()]
        lines.append(f"| {system} | " + " | ".join(cells) + " |")
    lines += ["", "| paired difference | value | p |", "|---|---|---|"]
    for name, test in results["paired"].items():
        lines.append(
            f"| {name} | {test['difference']:+.3f} [{test['low']:+.3f}, {test['high']:+.3f}] | {p_text(test['p'])} |"
        )
    minutes = [run["minutes"] for run in results["training"]]
    lines += ["", f"Hybrid's top 10 shares {results['overlap@10']:.2f} of its products with BM25's."]
    lines.append(f"Training took {min(minutes):.1f} to {max(minutes):.1f} minutes.")
    lines.append("The judged pool came from a keyword engine: it flatters keyword search.")
    return lines


if __name__ == "__main__":
    main()
