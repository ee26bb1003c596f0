"""A log that went on, mined by going on from the shorter one, has the files of mining all of it."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from aisle.core.errors import TableError, WorkspaceError
from aisle.mining import Carried, MiningConfig, continue_windows, mined_until
from aisle.mining.windows import NO_SPLIT

CONFIG = MiningConfig(
    num_slices=3, validation_share=0.2, test_share=0.2, history_size=5, max_skew_minutes=5, threads=1, memory_gb=0.5
)
PRODUCTS = ["p0", "p1", "p2"]
TIMES = ("clicked_at", "favorited_at", "carted_at", "ordered_at")
DAY = 1440

delays = st.sampled_from([None, None, -3, 0, 1, 20, 200, 2000])


@st.composite
def logs(draw):
    """Fourteen to twenty searches on a coarse grid of minutes, and the time from which on they are new."""
    count = draw(st.integers(14, 20))
    searches, impressions, events, now = [], [], [], 0
    for number in range(count):
        now += draw(st.sampled_from([0, 1, 10, 100, 1000]))
        name = f"q{draw(st.integers(0, 9))}{number}"
        texts = st.sampled_from(["lamp", "sofa", f"word {number}"])
        search = {"search_id": name, "searched_at": now, "query": draw(texts)}
        search |= {
            "user_id": draw(st.sampled_from(["u0", "u1", None])),
            "session_id": draw(st.sampled_from(["s", None])),
        }
        searches.append(search)
        for place in range(draw(st.integers(1, 3))):
            moments = {kind: None if (delay := draw(delays)) is None else now + delay for kind in TIMES}
            impressions.append({"search_id": name, "product_id": PRODUCTS[place], "position": place + 1} | moments)
        event = {"actor_id": draw(st.sampled_from(["u0", "u2"])), "action": "view", "product_id": "p0"}
        events += [event | {"at": now + 3, "query": "sofa"}] if draw(st.booleans()) else []
    return SimpleNamespace(searches=searches, impressions=impressions, events=events), draw(st.integers(9, count - 2))


def known_at(log, time):
    """The log as it was known at a time."""
    searches = [row for row in log.searches if row["searched_at"] < time]
    names = {row["search_id"] for row in searches}
    impressions = [
        row | {kind: row[kind] if row[kind] is not None and row[kind] < time else None for kind in TIMES}
        for row in log.impressions
        if row["search_id"] in names
    ]
    return SimpleNamespace(
        searches=searches, impressions=impressions, events=[row for row in log.events if row["at"] < time]
    )


def tables(log, products=PRODUCTS):
    return {"products": products, "searches": log.searches, "impressions": log.impressions, "events": log.events}


def windows_after(shorter, log):
    # As the fixtures write them: minutes since a beginning, in microseconds.
    times = np.array([1_735_689_600_000_000 + row["searched_at"] * 60_000_000 for row in log.searches])
    split = np.full(len(times), NO_SPLIT, np.int8)
    return continue_windows(shorter.log.windows, times, split, validation_share=0.2, test_share=0.2)


def contents(done):
    """Every table of a mined log, the figures of what it was mined from, and its summary but for impressions."""
    found = {}
    for path in sorted(done.folder.rglob("*")):
        name = path.relative_to(done.folder)
        if path.suffix == ".parquet":
            found[str(name)] = done.rows(
                name.parts[0].removesuffix(".parquet"), *([path.stem] if len(name.parts) > 1 else [])
            )
        elif path.suffix == ".json":
            found[str(name)] = json.loads(path.read_text())
    return found, {name: part for name, part in done.summary.items() if name != "impressions"}


def mined_both_ways(mine_tables, log, time):
    shorter = mine_tables(CONFIG, **tables(known_at(log, time)))
    windows = windows_after(shorter, log)
    whole = mine_tables(CONFIG, windows, **tables(log))
    carried = Carried(shorter.folder, shorter.log.windows, windows)
    return shorter, whole, mine_tables(CONFIG, carried=carried, **tables(log))


@given(logs())
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_going_on_gives_the_files_of_mining_it_all(mine_tables, drawn):
    log, place = drawn
    time = log.searches[place]["searched_at"]
    assume(log.searches[place - 1]["searched_at"] < time)
    try:
        _, whole, went_on = mined_both_ways(mine_tables, log, time)
    except TableError:  # too few distinct times to cut between
        assume(False)
    assert contents(went_on) == contents(whole)


def steady(count, *, late_order=None):
    """A search a day, each clicked; the first day's product may be ordered on a later day."""
    searches = [
        {"search_id": f"q{n:02}", "searched_at": n * DAY, "query": f"word {n % 4}", "user_id": "u"}
        for n in range(count)
    ]
    impressions = [
        {"search_id": f"q{n:02}", "product_id": "p0", "position": 1, "clicked_at": n * DAY + 1, "ordered_at": None}
        | dict.fromkeys(("favorited_at", "carted_at"))
        for n in range(count)
    ]
    if late_order is not None:
        impressions[8]["ordered_at"] = late_order * DAY
    return SimpleNamespace(searches=searches, impressions=impressions, events=[])


def test_the_days_that_joined_the_training_window_are_a_slice_and_the_old_snapshots_are_the_same_bytes(mine_tables):
    shorter, whole, went_on = mined_both_ways(mine_tables, steady(30), 20 * DAY)
    before, after = shorter.log.windows, went_on.log.windows
    assert after.snapshot_times[: before.num_slices] == before.snapshot_times
    assert after.num_slices > before.num_slices
    for name in ("neighbours_query", "neighbours_product", "statistics"):
        for path in (shorter.folder / name).iterdir():
            assert (went_on.folder / name / path.name).read_bytes() == path.read_bytes()
    assert contents(went_on) == contents(whole)
    # Only what lies after the old training window was labelled again.
    assert went_on.summary["impressions"]["rows"] < whole.summary["impressions"]["rows"]


def test_a_late_order_labels_an_old_search_again(mine_tables):
    log = steady(30, late_order=15)
    shorter, whole, went_on = mined_both_ways(mine_tables, log, 14 * DAY)
    stage = {place: row["stage"] for place, row in enumerate(went_on.rows("outcomes", "train"))}
    assert {row["stage"] for row in shorter.rows("outcomes", "train")} == {1}
    assert stage[8] == 4
    assert contents(went_on) == contents(whole)


def test_a_day_that_moves_no_boundary_leaves_the_slices(mine_tables):
    shorter = mine_tables(CONFIG, **tables(steady(20)))
    carried = Carried(shorter.folder, shorter.log.windows, shorter.log.windows)
    assert carried.num_snapshots == shorter.log.windows.num_slices - 1
    again = mine_tables(CONFIG, carried=carried, **tables(steady(20)))
    assert contents(again) == contents(shorter)


@pytest.mark.parametrize("change", ["query", "click", "row", "products"])
def test_changed_rows_of_before_are_refused(mine_tables, change):
    log, products = steady(30), PRODUCTS
    shorter = mine_tables(CONFIG, **tables(known_at(log, 20 * DAY)))
    windows = windows_after(shorter, log)
    if change == "query":
        log.searches[1]["query"] = "rug"
    elif change == "click":
        log.impressions[1]["clicked_at"] = None
    elif change == "row":
        log.impressions.append(log.impressions[1] | {"position": 2, "product_id": "p1", "clicked_at": None})
    else:
        products = ["p1", "p0", "p2"]
    carried = Carried(shorter.folder, shorter.log.windows, windows)
    with pytest.raises(TableError, match=r"must be as they were.*_then_and_now.*without --since"):
        mine_tables(CONFIG, carried=carried, **tables(log, products))


@pytest.mark.parametrize("text", [None, "{}", '{"log": {"amount": "many"}}'])
def test_a_log_that_does_not_tell_what_it_was_mined_from_is_refused(mine_tables, text):
    done = mine_tables(CONFIG, **tables(steady(20)))
    assert mined_until(done.folder) == 1_735_689_600_000_000 + 19 * DAY * 60_000_000
    path = done.folder / "before.json"
    path.unlink() if text is None else path.write_text(text)
    with pytest.raises(WorkspaceError, match="must tell what it was mined from"):
        mined_until(done.folder)
