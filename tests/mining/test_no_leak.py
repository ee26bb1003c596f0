"""What happens at or after a search changes none of its features, in any split."""

import copy
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from aisle.core.errors import TableError
from aisle.mining import MiningConfig, database

CONFIG = MiningConfig(
    num_slices=3, validation_share=0.2, test_share=0.2, history_size=5, max_skew_minutes=5, threads=1, memory_gb=0.5
)
PRODUCTS = ["p0", "p1", "p2"]
TIMES = ("clicked_at", "favorited_at", "carted_at", "ordered_at")
SNAPSHOT_TABLES = ("neighbours_query", "neighbours_product", "statistics")

delays = st.sampled_from([None, None, -3, 0, 1, 20, 200, 5000])


@st.composite
def logs(draw):
    """Eight to twelve searches on a coarse grid of minutes, so that times collide."""
    count = draw(st.integers(8, 12))
    steps = draw(st.lists(st.sampled_from([0, 1, 10, 100, 1000]), min_size=count, max_size=count))
    searches, impressions, now = [], [], 0
    for number, step in enumerate([0, 1000, 1000, *steps]):
        now += step
        search = {"search_id": f"q{number}", "searched_at": now, "query": draw(st.sampled_from(["lamp", "sofa"]))}
        search["user_id"] = draw(st.sampled_from(["u0", "u1", None]))
        search["session_id"] = draw(st.sampled_from(["s0", "s1", None]))
        searches.append(search)
        for place in range(draw(st.integers(1, 3))):
            moments = {name: None if (delay := draw(delays)) is None else now + delay for name in TIMES}
            row = {"search_id": search["search_id"], "product_id": PRODUCTS[place], "position": place + 1}
            impressions.append(row | moments)
    return SimpleNamespace(searches=searches, impressions=impressions, events=draw(outside_events(now)))


def outside_events(end):
    return st.lists(
        st.fixed_dictionaries(
            {
                "actor_id": st.sampled_from(["u0", "u1"]),
                "at": st.one_of(st.integers(0, 1000), st.integers(0, end)),
                "action": st.sampled_from(["view", "order"]),
                "product_id": st.sampled_from(PRODUCTS),
                "search_id": st.sampled_from(["q2", "q5", "q8", None]),
            }
        ),
        max_size=6,
    )


def changed_from(log, chosen, draw):
    """Change everything at or after the time of the chosen search, but for what was asked in it."""
    now = chosen["searched_at"]
    after = copy.deepcopy(log)
    later = {row["search_id"] for row in log.searches if row["searched_at"] >= now}
    after.searches = [
        row
        if row["search_id"] == chosen["search_id"] or row["searched_at"] < now
        else row | {"query": "rug", "user_id": "u0", "session_id": "s0", "searched_at": row["searched_at"] + draw(600)}
        for row in after.searches
        if row["searched_at"] < now or row["search_id"] == chosen["search_id"] or draw(3)
    ]
    kept = {row["search_id"] for row in after.searches}
    for row in after.impressions:
        for name in TIMES:
            if row[name] is not None and (row["search_id"] in later or row[name] >= now):
                row[name] = None if draw(2) else now + draw(50)
        if row["search_id"] in later:
            row["product_id"] = PRODUCTS[draw(3)]
    keys = set()
    after.impressions = [
        row
        for row in after.impressions
        if row["search_id"] in kept and (key := (row["search_id"], row["product_id"])) not in keys and not keys.add(key)
    ]
    after.events = [row for row in after.events if row["at"] < now]
    after.events += [row | {"at": now + 1, "product_id": "p0"} for row in log.events if row["at"] >= now and draw(2)]
    return after


def mined(mine_tables, log, windows=None):
    tables = {"searches": log.searches, "impressions": log.impressions, "events": log.events}
    return mine_tables(CONFIG, windows, products=PRODUCTS, **tables)


def resolved(done, name, part=None):
    """Rows of a table with the texts of its queries: their numbers may differ where several appear at one instant."""
    texts = [row["text"] for row in done.rows("queries")]
    rows = done.rows(name, part)
    return [
        {**row, "query_index": texts[row["query_index"]] if row["query_index"] >= 0 else None}
        if "query_index" in row
        else row
        for row in rows
    ]


def features(done, *, until, chosen):
    """Return what a model may read of every search before a time, and of the chosen one: snapshot, band and history."""
    history = resolved(done, "histories")
    found = {}
    for split in ("train", "validation", "test"):
        for row in done.rows("examples", split):
            if row["searched_at"] < until or row["search_id"] == chosen:
                past = [
                    (event["query_index"], event["product_index"], event["stage"], event["at"])
                    for event in history[row["history_start"] : row["history_end"]]
                ]
                found[row["search_id"]] = (split, row["snapshot"], row["band"], past)
    snapshots = {snapshot for _, snapshot, _, _ in found.values()} - {0}
    tables = {(name, snapshot): resolved(done, name, snapshot) for name in SNAPSHOT_TABLES for snapshot in snapshots}
    return found, tables


def known_to_training(done):
    slices = range(1, done.log.windows.num_slices)
    bands = [(row["text"], row["searches"], row["band"]) for row in done.rows("queries") if row["searches"]]
    return bands, [done.rows("sampling", number) for number in slices]


def check_no_leak(mine_tables, log, place, draw):
    chosen = log.searches[place]
    try:
        before = mined(mine_tables, log)
    except TableError:  # too few distinct times to cut between
        assume(False)
    windows = before.log.windows
    after = mined(mine_tables, changed_from(log, chosen, draw), windows)
    until = next(
        row["searched_at"]
        for split in ("train", "validation", "test")
        for row in before.rows("examples", split)
        if row["search_id"] == chosen["search_id"]
    )
    given_features = {"until": until, "chosen": chosen["search_id"]}
    assert features(before, **given_features) == features(after, **given_features)
    if until.timestamp() * 1e6 >= windows.train_end:
        assert known_to_training(before) == known_to_training(after)


def property_of(mine_tables, *, max_examples, phases=tuple(Phase), checked=None):
    """Return the property; the places at which it held are put into `checked`."""

    @settings(
        max_examples=max_examples,
        phases=phases,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(log=logs(), data=st.data())
    def holds(log, data):
        place = data.draw(st.integers(2, len(log.searches) - 1))
        random = data.draw(st.randoms(use_true_random=False))
        check_no_leak(mine_tables, log, place, random.randrange)
        if checked is not None:
            checked.append(place)

    return holds


@pytest.mark.slow
def test_no_feature_of_a_search_changes_when_events_at_or_after_it_change(mine_tables):
    checked = []
    property_of(mine_tables, max_examples=30, checked=checked)()
    assert len(checked) >= 30


LEAKS = {
    "history": (
        "histories",
        "instants.happened_us < searches.searched_us",
        "instants.happened_us <= searches.searched_us",
    ),
    "query of an event": (
        "histories",
        "CASE WHEN searches.searched_us <= raw_events.happened_us THEN searches.query_index END",
        "searches.query_index",
    ),
    "graph": ("snapshot_graph", "happened_us < $snapshot_us", "happened_us < $snapshot_us + 6000000000"),
    "statistics": ("snapshot_statistics", "snapshot = $snapshot - 1", "snapshot = $snapshot"),
    "clock": ("actions", "greatest(dated_actions.raw_us, dated_actions.searched_us)", "dated_actions.raw_us"),
}
"""SQL file, what stands there, and what would leak."""


@pytest.mark.slow
@pytest.mark.parametrize("leak", LEAKS)
def test_a_planted_leak_is_found(mine_tables, monkeypatch, leak):
    name, right, wrong = LEAKS[leak]
    read_sql = database.read_sql
    assert right in read_sql(name)
    monkeypatch.setattr(
        database, "read_sql", lambda file: read_sql(file).replace(right, wrong) if file == name else read_sql(file)
    )
    with pytest.raises(AssertionError):
        property_of(mine_tables, max_examples=100, phases=(Phase.generate,))()
