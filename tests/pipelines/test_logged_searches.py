import datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aisle.core.errors import UsageError, WorkspaceError
from aisle.mining import MiningConfig
from aisle.pipelines.importing import import_tables
from aisle.pipelines.logged_searches import logged_searches
from aisle.pipelines.mining import mine
from aisle.sources import SourceTables
from aisle.tables import write_parquet
from aisle.workspace import Workspace

FIRST = datetime.datetime(2025, 1, 1, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)
NUM_TRAIN = 20
# Query, user, location, ordered products of every test search.
TEST = [
    ("lamp", "u1", "DE", ["a"]),
    ("lamp", "u1", "DE", ["a", "b"]),
    ("new words", None, None, ["c"]),
    ("lamp", "u2", "FR", []),
]


@pytest.fixture
def log_shop(tmp_path):
    """A log of 20 training searches for lamps in which nobody orders, 1 of validation and the 4 of `TEST`."""
    queries = ["lamp"] * (NUM_TRAIN + 1) + [query for query, *_ in TEST]
    users = ["u9"] * (NUM_TRAIN + 1) + [user for _, user, *_ in TEST]
    places = [None] * (NUM_TRAIN + 1) + [place for _, _, place, _ in TEST]
    orders = [[]] * (NUM_TRAIN + 1) + [products for *_, products in TEST]
    names = [f"q{number:02}" for number in range(len(queries))]
    times = [FIRST + number * DAY for number in range(len(queries))]
    rows = [
        (name, product, place + 1, time if product in ordered else None)
        for name, ordered, time in zip(names, orders, times, strict=True)
        for place, product in enumerate(dict.fromkeys(["a", "b", *ordered]))
    ]
    search, product, position, ordered_at = zip(*rows, strict=True)
    splits = ["train"] * NUM_TRAIN + ["validation"] + ["test"] * len(TEST)
    tables = {
        "products": pa.table(
            {"product_id": ["a", "b", "c"], "title": ["Lamp", "Sofa", "Rug"], "location": ["DE", "FR", None]}
        ),
        "searches": pa.table(
            {
                "search_id": names,
                "query": queries,
                "searched_at": times,
                "user_id": users,
                "location": pa.array(places, pa.string()),
                "split": splits,
            }
        ),
        "impressions": pa.table(
            {"search_id": search, "product_id": product, "position": position, "ordered_at": list(ordered_at)}
        ),
    }
    workspace = Workspace.open(tmp_path / "shop", create=True)
    import_tables(workspace, SourceTables(tables, {}, {}))
    mine(workspace, MiningConfig(num_slices=2, threads=1, memory_gb=0.5))
    return workspace


def read(workspace, **changes):
    settings = {"labels": "log", "split": "test", "max_searches": 100, "seed": 0}
    return logged_searches(workspace, **{**settings, **changes})


def products_of(qrels):
    return [part.tolist() for part in np.split(qrels.product_index, qrels.offsets[1:-1])]


def test_searches_with_an_order_and_what_was_ordered_anew(log_shop):
    found = read(log_shop)
    assert found.texts == ["lamp", "lamp", "new words"]
    assert products_of(found.wanted) == [[0], [1], [2]]
    assert products_of(found.repeated) == [[], [0], []]
    expected = [int((FIRST + (NUM_TRAIN + 1 + test) * DAY).timestamp() * 1e6) for test in range(3)]
    assert found.at.tolist() == expected


def test_slices(log_shop):
    slices = {name: mask.tolist() for name, mask in read(log_shop).slices.items()}
    assert slices.pop("head") == [True, True, False]
    assert slices == {
        "unseen": [False, False, True],
        "signed in": [True, True, False],
        "anonymous": [False, False, True],
        # The second of u1's searches; of the third nobody knows who made it.
        "new actor": [True, False, False],
        "returning actor": [False, True, False],
        "with history": [False, True, False],
        "without history": [True, False, True],
        # c was never shown before; nobody says where it is sold from, nor who asks.
        "cold products": [False, False, True],
        "domestic": [True, False, False],
    }


def test_more_searches_than_wanted_are_drawn(log_shop):
    drawn = [read(log_shop, max_searches=2, seed=seed).at.tolist() for seed in range(12)]
    every = read(log_shop).at.tolist()
    assert all(len(one) == 2 and set(one) < set(every) and one == sorted(one) for one in drawn)
    assert {time for one in drawn for time in one} == set(every)


def test_truth_is_read_from_its_own_tables(log_shop):
    def build(folder):
        ids = [f"q{NUM_TRAIN + 1}", f"q{NUM_TRAIN + 1}", f"q{NUM_TRAIN + 4}", "q00"]
        truth = {"search_id": ids, "product_id": ["b", "c", "a", "a"], "utility": [2.0, 1.0, 3.0, 1.0]}
        write_parquet(pa.table(truth), folder / "truth.parquet")
        intents = {"search_id": [f"q{NUM_TRAIN + 1}", f"q{NUM_TRAIN + 4}"], "ordered_before": [2, -1]}
        write_parquet(pa.table(intents), folder / "intents.parquet")

    log_shop.run_step("truth", build, config={})
    found = read(log_shop, labels="truth")
    assert found.texts == ["lamp", "lamp"]
    assert products_of(found.wanted) == [[1], [0]]
    assert products_of(found.repeated) == [[2], []]


def test_without_truth_the_remedy_is_told(log_shop):
    with pytest.raises(UsageError, match=r"Only a simulated marketplace has a truth.*aisle simulate --searches"):
        read(log_shop, labels="truth")


def test_without_orders_clicks_and_carts_are_to_be_found(log_shop):
    assert read(log_shop).labelled == "orders"
    impressions = log_shop.folder("impressions") / "impressions.parquet"
    table = pq.read_table(impressions)
    clicked = table.column_names.index("ordered_at")
    log = {
        "products": pq.read_table(log_shop.folder("products") / "products.parquet"),
        "searches": pq.read_table(log_shop.folder("searches") / "searches.parquet"),
        "impressions": table.rename_columns(
            ["clicked_at" if place == clicked else name for place, name in enumerate(table.column_names)]
        ),
    }
    import_tables(log_shop, SourceTables(log, {}, {}))
    with pytest.raises(WorkspaceError, match=r"must be of the workspace's present tables.*impressions.*aisle mine"):
        read(log_shop)
    mine(log_shop, MiningConfig(num_slices=2, threads=1, memory_gb=0.5))
    found = read(log_shop)
    assert found.labelled == "clicks and carts, as the window has no orders"
    assert products_of(found.wanted) == [[0], [0, 1], [2]]


def test_a_window_without_any_action_is_refused(log_shop):
    with pytest.raises(UsageError, match=r"At least one search must have a product to be found.*searches=1"):
        read(log_shop, split="validation")


@pytest.mark.parametrize("wrong", [{"labels": "clicks"}, {"split": "train"}])
def test_unknown_labels_and_splits_are_refused(log_shop, wrong):
    with pytest.raises(UsageError, match="Searches are measured with labels of log or truth, on validation or test"):
        read(log_shop, **wrong)


def test_each_search_knows_its_place_and_what_its_actor_did_strictly_before(log_shop):
    found = read(log_shop)
    assert found.locations == ["DE", "DE", None]
    # Of u1's two searches the second comes a day after the first, in which a was ordered.
    assert found.past.offsets.tolist() == [0, 0, 1, 1]
    assert (found.past.queries, found.past.product_index.tolist()) == (["lamp"], [0])
    assert found.past.age_s.tolist() == [86_400.0]
