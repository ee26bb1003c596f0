"""What the simulated marketplace leaves to be learned: recall on truth of BM25 and of oracles, by frequency band.

Run: python benchmarks/marketplace.py [--config small|default]
Truth = the products that the shopper would buy if everything on sale were examined. Head: the most frequent queries
that make the first third of the training searches; torso: the second; tail: the rest; unseen: not in training.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from aisle.core.ranking import QueryBatch
from aisle.core.text import normalise_texts
from aisle.pipelines.simulating import build_marketplace, simulate_marketplace
from aisle.retrieval import LexicalRetriever
from aisle.simulation import Marketplace, MarketplaceConfig, frozen_config
from aisle.simulation.oracles import Knowledge, oracle_recall
from aisle.simulation.truth_tables import HiddenSearches, read_hidden
from aisle.workspace import Workspace
from results_file import arguments, publish

BANDS = ("head", "torso", "tail", "unseen")
CUTS = (10, 100)
QUICK = MarketplaceConfig(products=5_000, searches=10_000, users=2_000, seed=1)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--config", choices=("small", "default"), default="small")
    parser.add_argument("--sample", type=int, default=3_000, help="test searches per band")
    parser.add_argument("--workspace", type=Path, help="keep the simulated log there, or take it from there")
    options = parser.parse_args()
    config = QUICK if options.quick else frozen_config(options.config)
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace.open(options.workspace or Path(folder) / "shop", create=True)
        simulate_marketplace(workspace, config)
        market = build_marketplace(config)
        queries, band, hidden = sample(workspace, options.sample)
    recall = {(name, k): values for k in CUTS for name, values in systems(market, queries, hidden, k=k).items()}
    rows = [row(name, k, values, band=band) for (name, k), values in recall.items()]
    counts = {name: int((band == number).sum()) for number, name in enumerate(BANDS)}
    table = [
        f"| R@k on truth, {'quick' if options.quick else options.config} | " + " | ".join([*BANDS, "all"]) + " |",
        "|---" * (len(BANDS) + 2) + "|",
        *(line(one) for one in rows),
        "| searches | " + " | ".join(f"{count:,}" for count in [*counts.values(), len(band)]) + " |",
    ]
    publish(f"marketplace_{options.config}", {"rows": rows, "searches": counts}, table, options)


def sample(workspace: Workspace, per_band: int) -> tuple[pa.Array, np.ndarray, HiddenSearches]:
    """Draw test searches with true products: their texts, bands and hidden intents."""
    columns = ["search_id", "query", "split"]
    searches = pq.read_table(workspace.folder("searches") / "searches.parquet", columns=columns)
    truth = pq.read_table(workspace.folder("truth") / "truth.parquet")
    intents = pq.read_table(workspace.folder("truth") / "intents.parquet")
    product_id = pq.read_table(workspace.folder("products") / "products.parquet", columns=["product_id"])
    text = normalise_texts(searches.column("query").combine_chunks())
    training = text.filter(pc.equal(searches.column("split"), "train").combine_chunks())
    row = pc.index_in(intents.column("search_id"), value_set=searches.column("search_id")).to_numpy()
    band = bands(training, text.take(pa.array(row)))
    has_truth = pc.is_in(intents.column("search_id"), value_set=truth.column("search_id")).to_numpy()
    rng = np.random.default_rng(0)
    chosen = [rng.permutation(np.flatnonzero(has_truth & (band == number)))[:per_band] for number in range(len(BANDS))]
    rows = np.sort(np.concatenate(chosen))
    hidden = read_hidden(intents.take(pa.array(rows)), truth, product_id.column(0).combine_chunks())
    return searches.column("query").combine_chunks().take(pa.array(row[rows])), band[rows], hidden


def bands(training: pa.Array, asked: pa.Array) -> np.ndarray:
    """Return the number of each asked query's band."""
    counted = training.value_counts()
    count = counted.field("counts").to_numpy()
    order = np.argsort(-count, kind="stable")
    before = np.cumsum(count[order]) - count[order]
    band = np.empty(len(count), np.int64)
    band[order] = np.minimum(before * 3 // len(training), 2)
    place = pc.fill_null(pc.index_in(asked, value_set=counted.field("values")), -1).to_numpy()
    return np.where(place < 0, 3, band[np.maximum(place, 0)])


def systems(market: Marketplace, queries: pa.Array, hidden: HiddenSearches, *, k: int) -> dict[str, np.ndarray]:
    """Return every search's recall at k of BM25 and of the oracles."""
    found = {"BM25": bm25_recall(market, queries, hidden, k=k)}
    for knowledge in Knowledge:
        name = f"oracle: {knowledge.value}"
        found[name] = oracle_recall(
            market, hidden.needs, hidden.revealed, truth=hidden.truth, at=hidden.at, knowledge=knowledge, k=k
        )
    return found


def bm25_recall(market: Marketplace, queries: pa.Array, hidden: HiddenSearches, *, k: int) -> np.ndarray:
    """Return BM25's recall among what was on sale."""
    lexical = LexicalRetriever.build(market.products)
    num = len(queries)
    products = lexical.retrieve(QueryBatch(queries.to_pylist()), k=2 * k + 50).product_index
    on_sale = market.stock.on_sale(products, hidden.at)
    products = np.where(on_sale & (np.cumsum(on_sale, axis=1) <= k), products, -1)
    hit = (products[hidden.truth.row] == hidden.truth.product_index[:, None]).any(axis=1)
    return np.bincount(hidden.truth.row, hit, minlength=num) / np.bincount(hidden.truth.row, minlength=num)


def row(name: str, k: int, values: np.ndarray, *, band: np.ndarray) -> dict[str, object]:
    """Return mean and 95 % half-width per band and over all sampled searches."""
    parts = {label: values[band == number] for number, label in enumerate(BANDS)} | {"all": values}
    return {
        "name": name,
        "k": k,
        **{
            label: {"mean": round(float(of.mean()), 4), "half_width": round(1.96 * float(of.std() / len(of) ** 0.5), 4)}
            for label, of in parts.items()
        },
    }


def line(one: dict[str, object]) -> str:
    cells = [f"{of['mean']:.3f} ± {of['half_width']:.3f}" for of in (one[label] for label in [*BANDS, "all"])]
    return f"| {one['name']}, R@{one['k']} | " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
