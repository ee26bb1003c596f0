"""What a hybrid should leave to words: its weight, the gate before it, typing errors; on truth, and by a log's clicks.

Run: python benchmarks/words.py [--seed 7] [--workspace FOLDER]
A shop with a log and without judgments gets a fixed weight and no gate. Why, is shown here, on a simulated marketplace
whose seed nothing else uses: the clicks of its validation window, with which both could be chosen, beside what shoppers
of the test window would order if they looked at everything. Typing errors: as they are in the test window, and with one
slip put into every query.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from aisle.core.ranking import Ranking
from aisle.evaluation import EvaluatedSearches, OnSale, bootstrap_intervals, rank_searches
from aisle.index import load_index
from aisle.measures import Qrels, grades_of, ndcg, recall
from aisle.pipelines.catalogue import read_products
from aisle.pipelines.indexing import build_indexes
from aisle.pipelines.logged_searches import logged_searches
from aisle.pipelines.mining import mine
from aisle.pipelines.recipe import load_recipe
from aisle.pipelines.searching import load_retrievers
from aisle.pipelines.simulating import simulate_marketplace
from aisle.pipelines.training import load_encoder, load_served_model, train_model
from aisle.retrieval import (
    DEFAULT_DEPTH,
    LOG_SEMANTIC_WEIGHT,
    HybridGate,
    LexicalRetriever,
    SemanticRetriever,
    TitleTerms,
    fuse_normalised,
)
from aisle.simulation import MarketplaceConfig
from aisle.simulation.typos import misspell_texts
from aisle.tables import Stage
from aisle.workspace import Workspace
from results_file import arguments, publish

WEIGHTS = (0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
GATES = ((1, 0.0), (10, 0.1), (50, 0.2), (100, 0.1))
"""Least titles and least lead of some gates."""

SIDES = ("lexical", "semantic", "hybrid")
SEARCHES = 3_000
SMALLEST = float(np.finfo(np.float64).tiny)

Sides = dict[str, Ranking]


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--seed", type=int, default=7, help="seed of the marketplace and of the model")
    parser.add_argument("--workspace", type=Path, help="keeps marketplace and model")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        workspace = shop(options.workspace or Path(scratch) / "shop", seed=options.seed, quick=options.quick)
        found = measure(workspace)
    publish("words", {"seed": options.seed, **found}, table(found), options)


def shop(path: Path, *, seed: int, quick: bool) -> Workspace:
    """Simulate, mine, train and index, where that was not done."""
    products, searches, minutes = (600, 4_000, 0.2) if quick else (5_000, 50_000, 4)
    workspace = Workspace.open(path, create=True)
    simulate_marketplace(
        workspace, MarketplaceConfig(products=products, searches=searches, users=searches // 6, seed=seed)
    )
    recipe = load_recipe(None, [f"train.max_minutes={minutes}"])
    mine(workspace, recipe.mining)
    train_model(workspace, recipe)
    build_indexes(workspace, recipe)
    return workspace


def measure(workspace: Workspace) -> dict[str, object]:
    retrievers = load_retrievers(workspace, ["lexical", "semantic"])
    products, model = read_products(workspace), load_served_model(workspace)
    index = workspace.folder("index")
    typed = load_encoder(workspace, model, products)
    systems = {
        **retrievers,
        "lexical as typed": LexicalRetriever.load(index / "lexical"),
        "semantic as typed": SemanticRetriever(
            typed.encode_queries, load_index(index / "semantic"), encode_searches=typed.encode
        ),
    }
    on_sale = OnSale.of_products(products)
    asked = {"max_searches": SEARCHES, "seed": 0}
    clicks = logged_searches(workspace, labels="log", split="validation", stage=Stage.CLICKED, **asked)
    truth = logged_searches(workspace, labels="truth", split="test", **asked)

    def rank(searches: EvaluatedSearches) -> Sides:
        return rank_searches(systems, searches, on_sale, k=DEFAULT_DEPTH)

    of_clicks, of_truth = rank(clicks), rank(truth)
    titles = TitleTerms.build(products.column("title").combine_chunks())
    return {
        "searches": {"clicks": len(clicks), "truth": len(truth)},
        "weights": [
            {"weight": weight, "clicks": quality(of_clicks, clicks, weight), "truth": quality(of_truth, truth, weight)}
            for weight in WEIGHTS
        ],
        "gates": gates(titles, {"clicks": (clicks, of_clicks), "truth": (truth, of_truth)}),
        "typing_errors": typing_errors(truth, of_truth, rank),
    }


def fused(sides: Sides, weight: float, *, typed: str = "") -> Ranking:
    return fuse_normalised(sides[f"lexical{typed}"], sides[f"semantic{typed}"], weight=weight, k=100)


def quality(sides: Sides, searches: EvaluatedSearches, weight: float) -> dict[str, float]:
    grades, wanted = grades_of(fused(sides, weight), searches.wanted), searches.wanted
    found = {f"R@{k}": recall(grades, wanted, k=k, min_grade=SMALLEST) for k in (10, 100)}
    found["nDCG@10"] = ndcg(grades, wanted, k=10)
    return {name: float(np.nanmean(values)) for name, values in found.items()}


def gates(titles: TitleTerms, sets: dict[str, tuple[EvaluatedSearches, Sides]]) -> list[dict[str, object]]:
    """Tell, for some gates, what they do to the recall of the searches that they pass: by clicks, and by truth."""
    rows = []
    for least_titles, least_lead in GATES:
        one = HybridGate(titles, least_titles=least_titles, least_lead=least_lead)
        row: dict[str, object] = {"least_titles": least_titles, "least_lead": least_lead}
        for name, (searches, found) in sets.items():
            passed = one.opens(searches.texts, found["lexical"], k=100)
            by_words, by_both = (recall_of(fused(found, share), searches.wanted) for share in (0, LOG_SEMANTIC_WEIGHT))
            counted = passed & np.isfinite(by_both)
            row[name] = {"share": float(passed.mean()), "change": interval((by_words - by_both)[counted])}
        rows.append(row)
    return rows


def typing_errors(
    truth: EvaluatedSearches, as_asked: Sides, rank: Callable[[EvaluatedSearches], Sides]
) -> dict[str, object]:
    rng = np.random.default_rng(1)
    place, kind = rng.random((2, len(truth)))
    everywhere = np.ones(len(truth), np.bool_)
    slips = misspell_texts(pa.array(truth.texts), where=everywhere, place=place, kind=kind).to_pylist()
    told: dict[str, object] = {}
    for name, sides in {"as asked": as_asked, "one slip in each": rank(replace(truth, texts=slips))}.items():
        values = {
            "lexical as typed": sides["lexical as typed"],
            "lexical mended": sides["lexical"],
            "semantic as typed": sides["semantic as typed"],
            "semantic mended": sides["semantic"],
            "hybrid as typed": fused(sides, LOG_SEMANTIC_WEIGHT, typed=" as typed"),
            "hybrid mended": fused(sides, LOG_SEMANTIC_WEIGHT),
        }
        found = {system: recall_of(ranking, truth.wanted) for system, ranking in values.items()}
        gains = {
            f"gain of {side}": interval(
                (found[f"{side} mended"] - found[f"{side} as typed"])[np.isfinite(found[f"{side} mended"])]
            )
            for side in SIDES
        }
        told[name] = {**{system: float(np.nanmean(one)) for system, one in found.items()}, **gains}
    return told


def recall_of(ranking: Ranking, wanted: Qrels) -> np.ndarray:
    return recall(grades_of(ranking, wanted), wanted, k=100, min_grade=SMALLEST)


def interval(change: np.ndarray) -> dict[str, float]:
    low, high = bootstrap_intervals(change[:, None], seed=0)
    return {"value": float(change.mean()), "low": float(low[0]), "high": float(high[0])}


def table(found: dict[str, object]) -> list[str]:
    lines = ["Simulated. Recall of purchases that shoppers would make (truth), and of clicks of the log.", ""]
    lines += [
        "| semantic weight | clicks: R@10 | R@100 | nDCG@10 | truth: R@10 | R@100 | nDCG@10 |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in found["weights"]:
        cells = [row[side][name] for side in ("clicks", "truth") for name in ("R@10", "R@100", "nDCG@10")]
        lines.append(f"| {row['weight']:.1f} | " + " | ".join(f"{value:.3f}" for value in cells) + " |")
    lines += ["", "| gate: titles | lead | searches passed | R@100 of these, clicks | truth |", "|---|---|---|---|---|"]
    for row in found["gates"]:
        changes = " | ".join(shown(row[side]["change"]) for side in ("clicks", "truth"))
        lines.append(f"| {row['least_titles']} | {row['least_lead']} | {row['truth']['share']:.1%} | {changes} |")
    lines += [
        "",
        "| R@100 on truth | system | as typed | mended | gain |",
        "|---|---|---|---|---|",
    ]
    for name, row in found["typing_errors"].items():
        for side in SIDES:
            cells = " | ".join(f"{row[f'{side} {how}']:.3f}" for how in ("as typed", "mended"))
            lines.append(f"| {name} | {side} | {cells} | {shown(row[f'gain of {side}'])} |")
    return lines


def shown(change: dict[str, float]) -> str:
    return f"{change['value']:+.3f} ({change['low']:+.3f} – {change['high']:+.3f})"


if __name__ == "__main__":
    main()
