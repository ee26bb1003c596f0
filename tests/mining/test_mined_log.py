"""What holds of a whole mined log, whatever stands in it."""

import dataclasses
import hashlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aisle.mining import MiningConfig, num_steps
from aisle.tables import MINED_SCHEMAS, SPLITS

DAY = 1440
CONFIG = MiningConfig(num_slices=2, threads=1, memory_gb=0.5)
PRODUCTS = ["a", "b", "c", "d", "e"]


def search(name, minutes, query="lamp", user="u", **more):
    return {"search_id": name, "query": query, "searched_at": minutes, "user_id": user, **more}


def past(done, name):
    row = next(row for split in SPLITS for row in done.rows("examples", split) if row["search_id"] == name)
    history = done.rows("histories")[row["history_start"] : row["history_end"]]
    return [(PRODUCTS[event["product_index"]], event["stage"]) for event in history]


@pytest.fixture
def crowded(mine_tables):
    """Mine one log of 60 searches, with any config; what test searches asked and showed can be changed."""

    def run(config, *, test_query=None, test_click=0):
        searches = [
            search(f"q{n}", n * 300, f"word {n * n % 7}", f"u{n % 5}", session_id=f"s{n // 3}") for n in range(60)
        ]
        if test_query is not None:
            searches = [
                row | {"query": test_query, "user_id": "u0"} if n >= 54 else row for n, row in enumerate(searches)
            ]
        page = [
            {
                "search_id": f"q{n}",
                "product_id": product,
                "position": place,
                "clicked_at": n * 300 + n % 3 if (n + place) % 3 == (test_click if n >= 54 else 0) else None,
            }
            for n in range(60)
            for place, product in enumerate(PRODUCTS, start=1)
        ]
        return mine_tables(config, products=PRODUCTS, searches=searches, impressions=page)

    return run


def test_test_rows_change_nothing_that_training_reads(crowded):
    one, other = crowded(CONFIG), crowded(CONFIG, test_query="rug", test_click=1)
    assert one.rows("outcomes", "test") != other.rows("outcomes", "test")
    kinds = ("neighbours_query", "neighbours_product", "statistics", "sampling")
    files = [f"{kind}/{path.name}" for kind in kinds for path in sorted((one.folder / kind).iterdir())]
    files += [f"outcomes/{split}.parquet" for split in ("train", "validation")]
    assert len(files) > 6
    assert [name for name in files if (one.folder / name).read_bytes() != (other.folder / name).read_bytes()] == []
    for split in ("train", "validation"):
        # Where an actor's rows of the history begin may differ, for other actors have other pasts later; they do not.
        names = [row["search_id"] for row in one.rows("examples", split)]
        assert [past(one, name) for name in names] == [past(other, name) for name in names]


def test_every_file_is_as_its_schema_says(crowded):
    config = dataclasses.replace(CONFIG, num_slices=3)
    done = crowded(config)
    assert len(done.steps) == num_steps(config)
    for name, schema in MINED_SCHEMAS.items():
        folder = done.folder / name
        files = sorted(folder.iterdir()) if folder.is_dir() else [done.folder / f"{name}.parquet"]
        parts = [None] if not folder.is_dir() else [file.stem for file in files]
        for part in parts:
            assert done.log.table(name, part).column_names == list(schema.names)
            assert done.log.table(name, part).num_rows > 0
    kinds = {path.relative_to(done.folder).parts[0].removesuffix(".parquet") for path in done.folder.rglob("*.parquet")}
    assert kinds == set(MINED_SCHEMAS)


def test_threads_and_memory_change_no_byte(crowded):
    def hashes(config):
        folder = crowded(config).folder
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    assert hashes(CONFIG) == hashes(dataclasses.replace(CONFIG, threads=2, memory_gb=1.0))


minutes = st.one_of(st.none(), st.integers(-10, 60), st.just(40 * DAY))
impressions = st.fixed_dictionaries(
    {
        "search_id": st.sampled_from(["q0", "q1", "q2", "q3", "nowhere"]),
        "product_id": st.sampled_from([*PRODUCTS, "gone"]),
        "position": st.integers(1, 30),
    },
    optional={"clicked_at": minutes, "ordered_at": minutes, "carted_at": minutes},
)


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(
    rows=st.lists(
        impressions, max_size=25, unique_by=lambda row: (row["search_id"], row["product_id"], row["position"])
    ),
    splits=st.sampled_from([["train"] * 4, ["train", "test", "validation", "train"]]),
)
def test_every_input_row_is_in_exactly_one_counted_class(mine_framed, rows, splits):
    searches = [
        search(f"q{number}", 10 * DAY + number * (10 if split == "train" else 15 * DAY), split=split)
        for number, split in enumerate(splits)
    ]
    start = {row["search_id"]: row["searched_at"] for row in searches}
    rows = [
        {name: value + start.get(row["search_id"], 0) if name.endswith("_at") and value is not None else value
         for name, value in row.items()}
        for row in rows
    ]  # fmt: skip
    done = mine_framed(searches, rows)
    for name in ("searches", "impressions", "action_times", "events"):
        section = done.summary[name]
        assert sum(section.values()) == 2 * section["rows"], name
    assert done.summary["impressions"]["rows"] == len(rows)
    written = [row for split in SPLITS for row in done.rows("outcomes", split)]
    named = sum(done.summary["impressions"][name] for name in ("skipped", "clicked", "favorited", "carted", "ordered"))
    assert named == sum(row["position"] is not None for row in written)
