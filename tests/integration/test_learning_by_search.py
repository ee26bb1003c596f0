"""From a mined log to measured searches, learnt search by search."""

import datetime

import numpy as np
import pyarrow as pa
import pytest

from aisle.core.errors import UsageError
from aisle.mining import MiningConfig
from aisle.pipelines.evaluating import evaluate_systems
from aisle.pipelines.featurising import featurise
from aisle.pipelines.importing import import_tables
from aisle.pipelines.indexing import build_indexes
from aisle.pipelines.mining import mine
from aisle.pipelines.recipe import load_recipe
from aisle.pipelines.training import load_model, train_model
from aisle.sources import SourceTables
from aisle.tables import parse_grades
from aisle.training import TrainingData
from aisle.workspace import Workspace

FIRST = datetime.datetime(2025, 1, 1, tzinfo=datetime.UTC)
SETTINGS = [
    "pairs.by_search=true",
    "embedding_dim=24",
    "features.term.num_buckets=1024",
    "train.batch_size=16",
    "train.epochs=1",
    "train.num_uniform=8",
    "history.dim=8",
    "train.checkpoint_minutes=100",
]


@pytest.fixture
def shop(tmp_path):
    """240 searches for 30 products; each actor orders the product of its search's number."""
    names = [f"word{number}" for number in range(30)]
    rng = np.random.default_rng(1)
    rows, searches = [], []
    for number in range(240):
        at = FIRST + number * datetime.timedelta(hours=1)
        wanted = number % 30
        searches.append((f"q{number}", names[wanted], at, f"u{number % 11}", "DE"))
        shown = dict.fromkeys([wanted, *rng.choice(30, 3).tolist()])
        for place, product in enumerate(shown, start=1):
            rows.append((f"q{number}", f"p{product}", place, at if product == wanted else None))
    search, query, at, user, location = zip(*searches, strict=True)
    of, product, position, ordered_at = zip(*rows, strict=True)
    tables = {
        "products": pa.table(
            {
                "product_id": [f"p{number}" for number in range(30)],
                "title": [f"thing {name}" for name in names],
                "brand": ["Norvik", "Belmora"] * 15,
                "location": ["DE", "FR", "DE"] * 10,
            }
        ),
        "searches": pa.table(
            {"search_id": search, "query": query, "searched_at": at, "user_id": user, "location": location}
        ),
        "impressions": pa.table(
            {"search_id": of, "product_id": product, "position": position, "ordered_at": list(ordered_at)}
        ),
    }
    workspace = Workspace.open(tmp_path / "shop", create=True)
    import_tables(workspace, SourceTables(tables, {}, {}))
    mine(workspace, MiningConfig(num_slices=3, threads=1, memory_gb=0.5))
    return workspace


@pytest.mark.parametrize("more", [[], ["graph.vectors=trained"]])
def test_a_log_is_learnt_served_and_measured_with_all_channels(shop, more):
    recipe = load_recipe(None, SETTINGS + more)
    train_model(shop, recipe)
    network = load_model(shop).network
    assert None not in (network.graph, network.context, network.history)
    assert any(bool(parameter.any()) for parameter in network.graph.learnt.parameters()) == bool(more)
    build_indexes(shop, recipe)
    outcome = evaluate_systems(shop, systems=["lexical", "semantic"], labels="log")
    assert outcome.evaluation.as_dict()["systems"]["semantic"]["R@10"]["value"] > 0.5
    assert train_model(shop, recipe).skipped


def test_judged_pairs_and_pseudo_queries_are_learnt_beside_the_log(shop):
    judgments = {
        "query": ["a thing that nobody searched", "word3"],
        "product_id": ["p4", "p3"],
        "grade": [4.0, 4.0],
        "split": ["train", "train"],
    }
    grades = parse_grades("ordered=4")
    import_tables(shop, SourceTables({"judgments": pa.table(judgments)}, {}, {}), grades=grades)
    recipe = load_recipe(None, [*SETTINGS, "pairs.pseudo_beside_log=2", "pairs.judged_beside_log=true"])
    train_model(shop, recipe)
    beside = TrainingData.read(shop.folder("features")).log.beside
    assert beside.is_judged.tolist() == [True] * 2 + [False] * 60
    assert len(load_model(shop).tables.queries) == 30
    build_indexes(shop, recipe)
    outcome = evaluate_systems(shop, systems=["semantic"], labels="log")
    as_pairs = featurise(shop, load_recipe(None, ["pairs.judged_beside_log=true"])).manifest.summary
    assert as_pairs["pairs"] == as_pairs["logged_pairs"] + as_pairs["judged_pairs"]
    assert as_pairs["judged_pairs"] == 2
    assert outcome.evaluation.as_dict()["systems"]["semantic"]["R@10"]["value"] > 0.5


def test_judged_pairs_that_are_not_there_are_refused(shop):
    with pytest.raises(UsageError, match=r"judged_beside_log needs judged training pairs.*Import judgments"):
        featurise(shop, load_recipe(None, [*SETTINGS, "pairs.judged_beside_log=true"]))
