"""How the default of hybrid search was chosen: fusion, depth and weight on generated shops, none of them a real one.

Run: python benchmarks/fusion.py
A shop without validation judgments gets a fixed fusion. It has to be chosen somewhere: here, on the graded queries of
several simulated shops whose seeds nothing else uses, each with a model trained on its catalogue alone. Both measures
are averaged over queries of the three kinds (exact, paraphrase, attribute) in equal parts.
"""

from __future__ import annotations

import tempfile
from itertools import product
from pathlib import Path

import numpy as np

from aisle.core.ids import IdMap
from aisle.core.ranking import Ranking
from aisle.evaluation import JudgedQueries, retrieve_all
from aisle.measures import grades_of, ndcg, recall
from aisle.pipelines.catalogue import read_judgments, read_products
from aisle.pipelines.importing import import_tables
from aisle.pipelines.indexing import build_indexes
from aisle.pipelines.recipe import load_recipe
from aisle.pipelines.searching import load_retrievers
from aisle.pipelines.training import train_model
from aisle.retrieval import fuse_normalised, fuse_reciprocal_rank
from aisle.simulation import generate_catalogue
from aisle.sources import SourceTables
from aisle.workspace import Workspace
from results_file import arguments, publish

FIRST_SEED = 9_000
"""Seeds of the shops; tests, the demo and the other benchmarks use small ones."""
WEIGHTS = (0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 1.0)
DEPTHS = (100, 200, 500, 1000)
RELEVANT = 3.0
NO_SUCH_PRODUCT = 2**40

Key = tuple[str, int, float]


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--shops", type=int, default=4, help="number of generated shops")
    parser.add_argument("--products", type=int, default=5_000, help="products of each shop")
    options = parser.parse_args()
    shops = 1 if options.quick else options.shops
    found = [measure_shop(FIRST_SEED + shop, options.products, quick=options.quick) for shop in range(shops)]
    rows = summary(found)
    publish("fusion", {"shops": shops, "products": options.products, "rows": rows}, table(rows), options)


def measure_shop(seed: int, num_products: int, *, quick: bool) -> dict[Key, tuple[float, float]]:
    """Train on one generated shop and measure nDCG@10 and recall@100 of every fusion and weight."""
    recipe = load_recipe(None, ["train.max_minutes=1.5", f"seed={seed}", *(["train.max_minutes=0.2"] if quick else [])])
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace.open(Path(folder) / "workspace", create=True)
        simulated = generate_catalogue(num_products, seed=seed)
        tables = {"products": simulated.products, "judgments": simulated.judgments}
        import_tables(workspace, SourceTables(tables, {}, {"source": "simulated", "seed": seed}))
        train_model(workspace, recipe)
        build_indexes(workspace, recipe)
        judgments = read_judgments(workspace, "test")
        catalogue = IdMap(read_products(workspace).column("product_id"))
        judged = JudgedQueries.from_judgments(judgments, catalogue, split=None)
        retrievers = load_retrievers(workspace, ("lexical", "semantic"))
        lexical, semantic = (retrieve_all(one, judged.texts, k=max(DEPTHS)) for one in retrievers.values())
    return measure(lexical, semantic, judged)


def measure(lexical: Ranking, semantic: Ranking, judged: JudgedQueries) -> dict[Key, tuple[float, float]]:
    """Return mean nDCG@10 and recall@100 by fusion, depth and weight; each kind has the same number of queries."""
    found = {}
    for depth, weight in product(DEPTHS, WEIGHTS):
        sides = top(lexical, depth), top(semantic, depth)
        fused = {
            "normalised": fuse_normalised(*sides, weight=weight, k=100),
            "normalised, BM25 from zero": fuse_normalised(from_zero(sides[0]), sides[1], weight=weight, k=100),
            "reciprocal_rank": fuse_reciprocal_rank(*sides, weight=weight, k=100),
        }
        for name, ranking in fused.items():
            grades = grades_of(ranking, judged.qrels)
            ndcg_10 = np.nanmean(ndcg(grades, judged.qrels, k=10))
            recall_100 = np.nanmean(recall(grades, judged.qrels, k=100, min_grade=RELEVANT))
            found[name, depth, weight] = float(ndcg_10), float(recall_100)
    return found


def top(ranking: Ranking, depth: int) -> Ranking:
    """Cut a ranking to its first places."""
    return Ranking(ranking.product_index[:, :depth], ranking.score[:, :depth])


def from_zero(ranking: Ranking) -> Ranking:
    """Add a last place of score 0, so that scores are placed between 0 and the best: divided by the best."""
    rows = len(ranking.score)
    index = np.concatenate([ranking.product_index, np.full((rows, 1), NO_SUCH_PRODUCT)], axis=1)
    score = np.concatenate([ranking.score, np.zeros((rows, 1), np.float32)], axis=1)
    order = np.argsort(-score, axis=1, kind="stable")
    return Ranking(np.take_along_axis(index, order, axis=1), np.take_along_axis(score, order, axis=1))


def summary(shops: list[dict[Key, tuple[float, float]]]) -> list[dict[str, object]]:
    """Average over shops; the range is over shops."""
    rows: list[dict[str, object]] = []
    for key in shops[0]:
        fusion, depth, weight = key
        values = np.array([shop[key] for shop in shops])
        both = values.mean(axis=1)
        rows.append(
            {
                "fusion": fusion,
                "depth": depth,
                "semantic_weight": weight,
                "nDCG@10": float(values[:, 0].mean()),
                "R@100": float(values[:, 1].mean()),
                "mean": float(both.mean()),
                "mean_of_shops": [float(both.min()), float(both.max())],
            }
        )
    return rows


def table(rows: list[dict[str, object]]) -> list[str]:
    """Lay the results out for people."""
    lines = ["Simulated shops; the mean of both measures decides.", ""]
    lines.append("| fusion | depth | semantic weight | nDCG@10 | R@100 | mean of both (range of shops) |")
    lines.append("|---|---|---|---|---|---|")
    for row in sorted(rows, key=lambda row: -row["mean"]):
        low, high = row["mean_of_shops"]
        lines.append(
            f"| {row['fusion']} | {row['depth']} | {row['semantic_weight']:.1f} "
            f"| {row['nDCG@10']:.3f} | {row['R@100']:.3f} | {row['mean']:.3f} ({low:.3f} – {high:.3f}) |"
        )
    return lines


if __name__ == "__main__":
    main()
