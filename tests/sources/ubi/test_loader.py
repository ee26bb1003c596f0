import json
import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aisle.core.errors import SourceError
from aisle.core.ids import IdMap
from aisle.sources.ubi import UbiConfig, load_ubi
from aisle.tables import SCHEMAS, validate

START = 1_700_000_000_000
"""Milliseconds at which the tests' logs begin."""


def query(query_id, text="lamp", at=0, **fields):
    """A search, `at` seconds after the start."""
    return {"query_id": query_id, "user_query": text, "client_id": "c", "timestamp": START + at * 1000, **fields}


def event(action, product=None, at=1, **fields):
    """An event on a product, `at` seconds after the start; `ordinal` and `field` go where UBI keeps them."""
    attributes = {}
    if product is not None:
        attributes["object"] = {"object_id": product, "object_id_field": fields.pop("field", "sku")}
    if "ordinal" in fields:
        attributes["position"] = {"ordinal": fields.pop("ordinal")}
    row = {"action_name": action, "client_id": "c", "timestamp": START + at * 1000, "event_attributes": attributes}
    return {name: value for name, value in {**row, **fields}.items() if value is not None}


def seconds(time):
    """Seconds after the start of a time in a table; None stays."""
    return None if time is None else round(time.timestamp() - START / 1000, 3)


DAY = 86_400
STAGES = ("clicked_at", "favorited_at", "carted_at", "ordered_at")


def shown(source):
    """(search, product) → position and the times of the stages."""
    rows = source.tables["impressions"].to_pylist()
    return {
        (row["search_id"], row["product_id"]): (row["position"], *(seconds(row[stage]) for stage in STAGES))
        for row in rows
    }


def fates(source):
    return {account.name: dict(account.fates) for account in source.accounts}


def elsewhere(source):
    return [(row["action"], row["product_id"]) for row in source.tables["events"].to_pylist()]


def test_a_log_that_a_person_can_join_by_eye(load):
    source = load(
        query("q", query_response_object_ids=["a", "b", "c"]),
        event("click", "b", 5, query_id="q", session_id="s", user_id="u"),
        event("add_to_cart", "b", 6, query_id="q"),
        event("purchase", "b", 60, user_id="u"),
        event("product_hover", "c", 7, query_id="q"),
        event("view", "z", 90),
    )
    assert shown(source) == {
        ("q", "a"): (1, None, None, None, None),
        ("q", "b"): (2, 5, None, 6, 60),
        ("q", "c"): (3, None, None, None, None),
    }
    [search] = source.tables["searches"].to_pylist()
    assert (search["query"], search["user_id"], search["session_id"]) == ("lamp", "u", "s")
    hover, view = source.tables["events"].to_pylist()
    assert (hover["actor_id"], hover["product_id"], hover["query"], hover["search_id"]) == ("u", "c", "lamp", "q")
    assert (view["actor_id"], view["product_id"], view["query"], view["search_id"]) == ("c", "z", None, None)
    assert fates(source) == {"ubi_queries": {"searches": 1}, "ubi_events": {"impressions": 3, "events": 2}}


def test_impressions_join_the_logged_list_behind_it(load):
    source = load(
        query("q", query_response_object_ids=["a", "b", "a"]),
        event("impression", "b", 1, query_id="q", ordinal=2),
        event("impression", "d", 1, query_id="q", ordinal=7),
        event("impression", "e", 2, query_id="q"),
        event("impression", "e", 3, query_id="q"),
    )
    assert {key[1]: row[0] for key, row in shown(source).items()} == {"a": 1, "b": 2, "d": 7, "e": 8}
    assert fates(source)["ubi_events"] == {"impressions": 3, "repeated": 1}


@pytest.mark.parametrize(("lowest", "base"), [(0, 0), (1, 1), (3, 1)])
def test_positions_are_counted_from_where_the_log_counts(load, lowest, base):
    rows = [event("impression", f"p{place}", query_id="q", ordinal=lowest + place) for place in range(3)]
    source = load(query("q"), *rows)
    assert [row[0] for row in shown(source).values()] == [lowest + place + 1 - base for place in range(3)]
    assert f"positions of the log are counted from {base}" in source.notes


def test_the_list_tells_the_base_of_each_application(load):
    first = query("q", query_response_object_ids=["a", "b"], application="zero")
    second = query("r", query_response_object_ids=["a", "b"], application="one")
    source = load(
        first, second,
        event("click", "b", query_id="q", ordinal=1, application="zero"),
        event("click", "b", query_id="r", ordinal=2, application="one"),
    )  # fmt: skip
    assert {"positions of one are counted from 1", "positions of zero are counted from 0"} <= set(source.notes)


def test_of_several_clicks_the_first_counts_and_copies_are_counted(load):
    click = event("click", "a", 9, query_id="q")
    source = load(query("q", query_response_object_ids=["a"]), click, click, event("click", "a", 4, query_id="q"))
    assert shown(source)["q", "a"][1] == 4
    assert fates(source)["ubi_events"] == {"impressions": 1, "repeated": 1, "duplicate": 1}


def test_events_outside_the_window_of_their_search_go_to_events(load):
    source = load(
        query("q", query_response_object_ids=["a", "b", "c"]),
        event("click", "a", -299, query_id="q"),
        event("click", "b", -301, query_id="q"),
        event("click", "c", 30 * DAY + 1, query_id="q"),
        event("add_to_cart", "c", 30 * DAY, query_id="q"),
    )
    assert shown(source) == {
        ("q", "a"): (1, 0, None, None, None),
        ("q", "b"): (2, None, None, None, None),
        ("q", "c"): (3, None, None, 30 * DAY, None),
    }
    assert elsewhere(source) == [("click", "b"), ("click", "c")]
    assert "1 events up to 300 s before their search count as made at its time (skew)" in source.notes
    assert "1 events more than 300 s before their search went to events" in source.notes
    assert "1 events more than 30 days after their search went to events" in source.notes


def test_an_order_without_query_belongs_to_the_last_click(load):
    lists = {"query_response_object_ids": ["a"]}
    source = load(
        query("q", **lists), query("r", at=100, **lists), query("late", at=200, client_id="other", **lists),
        event("click", "a", 5, query_id="q"), event("click", "a", 105, query_id="r"),
        event("click", "a", 205, query_id="late", client_id="other"),
        event("purchase", "a", 300), event("purchase", "a", 105 + 7 * DAY + 1), event("purchase", "b", 300),
        event("purchase", "a", 4),
    )  # fmt: skip
    assert {key: row[4] for key, row in shown(source).items() if row[4]} == {("r", "a"): 300}
    assert elsewhere(source) == [("purchase", "a"), ("purchase", "b"), ("purchase", "a")]
    assert "3 orders had no shown list and went to events" in source.notes
    none = load(query("q", **lists), event("click", "a", 5, query_id="q"), event("purchase", "a"), attribution_days=0)
    assert elsewhere(none) == [("purchase", "a")]


@pytest.mark.parametrize(
    ("who", "found"),
    [({"client_id": "c"}, True), ({"client_id": None, "user_id": "u"}, True),
     ({"client_id": None, "session_id": "s"}, True), ({"client_id": "x", "user_id": "u"}, True),
     ({"client_id": "u"}, False)],
)  # fmt: skip
def test_the_click_is_that_of_the_same_user_client_or_session(load, who, found):
    click = event("click", "a", 5, query_id="q", user_id="u", session_id="s")
    source = load(query("q", query_response_object_ids=["a"]), click, event("purchase", "a", 9, **who))
    assert (shown(source)["q", "a"][4] == 9) is found
    assert source.tables["events"].num_rows == (0 if found else 1)


def test_what_its_search_did_not_show_or_know_goes_to_events(load):
    source = load(
        query("q", query_response_object_ids=["a"]),
        event("click", "z", query_id="q"),
        event("click", "a", query_id="nowhere", user_query="sofa"),
        event("brand_filter", "acme", query_id="q", field="filter_data"),
    )
    assert elsewhere(source) == [("click", "z"), ("click", "a"), ("brand_filter", None)]
    rows = source.tables["events"].to_pylist()
    assert (rows[1]["query"], rows[2]["object_id"]) == ("sofa", "acme")


def bots():
    return [
        *(query(f"f{number}", client_id="fast") for number in range(4)),
        *(query(f"s{number}", client_id="shy", at=4000 * number) for number in range(3)),
        *(query(f"h{number}", client_id="human", at=4000 * number) for number in range(3)),
        event("click", "a", 1, query_id="h0", client_id="human"),
        event("click", "a", 1, query_id="f0", client_id="fast"),
    ]


def test_bots_are_counted_and_set_aside_only_when_asked(load):
    rates = {"bot_searches_per_hour": 3, "bot_searches_without_click": 3}
    kept, dropped = load(*bots(), **rates), load(*bots(), drop_bots=True, **rates)
    assert "2 actors look like bots and were kept (--set drop_bots=true sets them aside)" in kept.notes
    assert fates(kept) == {"ubi_queries": {"searches": 10}, "ubi_events": {"events": 2}}
    assert fates(dropped) == {
        "ubi_queries": {"set aside": 7, "searches": 3},
        "ubi_events": {"events": 1, "set aside": 1},
    }
    assert dropped.tables["searches"]["client_id"].unique().to_pylist() == ["human"]
    reasons = Counter(row["reason"] for row in dropped.rejected["searches"].to_pylist())
    assert reasons == {"comes from an actor that looks like a bot": 7}
    assert json.loads(dropped.rejected["events"].to_pylist()[0]["text"])["client_id"] == "fast"


@pytest.mark.parametrize(
    ("row", "reason", "table"),
    [
        ("{broken\n", "is not valid JSON", "events"),
        ("[1]\n", "is not a JSON object", "events"),
        ({"note": "x"}, "is neither a query nor an event", "events"),
        ({"user_query": "x", "timestamp": START}, "has no query_id", "searches"),
        ({"query_id": "x", "user_query": "  ", "timestamp": START}, "has no user_query", "searches"),
        ({"action_name": " ", "client_id": "c", "timestamp": START}, "has no action_name", "events"),
        ({"action_name": "click", "client_id": "c", "timestamp": "17"}, "has no timestamp that is", "events"),
        ({"action_name": "click", "timestamp": START}, "has no user, client, session or query", "events"),
    ],
)
def test_rows_of_no_use_are_set_aside_with_their_reason(load, row, reason, table):
    source = load(query("q"), row)
    [aside] = source.rejected[table].to_pylist()
    assert aside["line"] == 2
    assert aside["reason"].startswith(reason)
    assert aside["text"] == (row if isinstance(row, str) else json.dumps(row)).strip()


@pytest.mark.parametrize(
    "written",
    [START, START // 1000, str(START), START * 1000, "2023-11-14T22:13:20Z", "2023-11-14T22:13:20.000+0000",
     "2023-11-15T00:13:20+02:00", "2023-11-14 22:13:20"],
)  # fmt: skip
def test_times_are_epochs_or_iso(load, written):
    [search] = load({**query("q"), "timestamp": written}).tables["searches"].to_pylist()
    assert seconds(search["searched_at"]) == 0


def test_strange_texts_come_through_whole(load):
    texts = ["x" * 10_000, "مصباح أحمر", "🛋️ lamp", "a\x00b", 'quote " and \\', "tab\tin"]
    source = load(*(query(f"q{number}", text) for number, text in enumerate(texts)))
    assert source.tables["searches"]["query"].to_pylist() == texts


def test_an_empty_log_and_one_of_nothing_usable_are_refused(load, tmp_path):
    with pytest.raises(SourceError, match="must not be empty"):
        load()
    with pytest.raises(SourceError, match=r"at least one usable query or event.*set_aside=1"):
        load("{broken\n")
    with pytest.raises(SourceError, match="A UBI folder must hold files"):
        load_ubi(tmp_path / "none")


def test_a_log_without_orders_says_so(load):
    source = load(query("q", query_response_object_ids=["a"]))
    assert {name: table.num_rows for name, table in source.tables.items()} == {
        "searches": 1, "impressions": 1, "events": 0,
    }  # fmt: skip
    assert "the log has no orders: clicks and carts are all that it teaches" in source.notes


def test_the_busiest_actor_is_named_by_its_number(load):
    source = load(query("q"), *(event("scroll", at=number) for number in range(50)), event("scroll", client_id="d"))
    assert "the busiest actor made 50 events" in source.notes


# --- the same rules, row by row -------------------------------------------------------------------------------------

PRODUCTS = st.sampled_from(["a", "b", "c"])
TIMES = st.integers(-400, 400) | st.integers(29 * DAY, 31 * DAY)
QUERIES = st.builds(
    query,
    st.sampled_from(["q", "r", "s"]),
    at=st.integers(0, 300),
    client_id=st.sampled_from(["c", "d"]),
    query_response_object_ids=st.none() | st.lists(PRODUCTS, max_size=3),
)
EVENTS = st.builds(
    event,
    st.sampled_from(["impression", "click", "wishlist", "Add-To-Cart", "purchase", "scroll"]),
    st.none() | PRODUCTS,
    TIMES,
    query_id=st.sampled_from([None, "q", "r", "s", "unknown"]),
    client_id=st.sampled_from(["c", "d"]),
)
STAGE_OF = {"impression": 0, "click": 1, "wishlist": 2, "Add-To-Cart": 3, "purchase": 4}


class Naive:
    """The join, row by row, as docs/import.md tells it."""

    def __init__(self, rows):
        self.searches, self.lists, self.times = {}, {}, {}
        self.fate, self.acted, self.loose = Counter(), [], []
        for row in rows:
            if "action_name" not in row and row["query_id"] not in self.searches:
                self.searches[row["query_id"]] = row
                products = row.get("query_response_object_ids") or []
                self.lists[row["query_id"]] = dict.fromkeys(products)
        events = [(number, row) for number, row in enumerate(rows) if "action_name" in row]
        seen = set()
        for number, row in events:
            product = row["event_attributes"].get("object", {}).get("object_id")
            key = (row["action_name"], row.get("query_id"), row["client_id"], product, row["timestamp"])
            if key in seen:
                self.fate["duplicate"] += 1
            else:
                self.judge(number, row, product)
            seen.add(key)
        self.place()

    def judge(self, number, row, product):
        stage, search = STAGE_OF.get(row["action_name"]), self.searches.get(row.get("query_id"))
        if stage is None or product is None or (search is None and "query_id" in row):
            self.fate["events"] += 1
        elif search is None:
            self.loose.append((number, stage, row, product))
        elif not -300_000 <= row["timestamp"] - search["timestamp"] <= 30 * DAY * 1000:
            self.fate["events"] += 1
        else:
            self.acted.append((number, stage, row, product))
            if stage == 0:
                self.lists[row["query_id"]].setdefault(product)

    def place(self):
        placed, clicks = [], []
        for number, stage, row, product in self.acted:
            if product not in self.lists[row["query_id"]]:
                self.fate["events"] += 1
                continue
            placed.append((row["timestamp"], number, row["query_id"], product, stage))
            if stage == 1:
                clicks.append((row["timestamp"], number, row["client_id"], product, row["query_id"]))
        for number, stage, row, product in self.loose:
            week = range(row["timestamp"] - 7 * DAY * 1000, row["timestamp"] + 1)
            before = [one for one in clicks if one[2:4] == (row["client_id"], product) and one[0] in week]
            if stage > 1 and before:
                placed.append((row["timestamp"], number, max(before)[4], product, stage))
            else:
                self.fate["events"] += 1
        self.count(
            [(max(at, self.searches[key]["timestamp"]), number, key, *rest) for at, number, key, *rest in placed]
        )

    def count(self, placed):
        for at, _, search, product, stage in sorted(placed):
            first = (search, product, stage) not in self.times
            self.fate["impressions" if first else "repeated"] += 1
            self.times.setdefault((search, product, stage), at)

    def impressions(self):
        pairs = [(key, product) for key, products in self.lists.items() for product in products]
        return {pair: tuple(self.times.get((*pair, stage)) for stage in (1, 2, 3, 4)) for pair in pairs}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(QUERIES | EVENTS, min_size=1, max_size=25))
def test_the_join_agrees_with_the_rules_and_loses_no_row(load, rows):
    naive = Naive(rows)
    fate, num_searches = naive.fate, len(naive.searches)
    source = load(*rows)
    joined = {
        key: tuple(None if time is None else START + time * 1000 for time in row[1:])
        for key, row in shown(source).items()
    }
    assert joined == naive.impressions()
    accounts = {account.name: account for account in source.accounts}
    num_queries = sum("action_name" not in row for row in rows)
    if num_queries:
        found = Counter(accounts["ubi_queries"].fates)
        assert found == Counter({"searches": num_searches, "duplicate": num_queries - num_searches})
    if num_queries < len(rows):
        assert Counter(accounts["ubi_events"].fates) == fate
        assert accounts["ubi_events"].num_rows == len(rows) - num_queries
    sizes = {name: source.tables[name].num_rows for name in ("searches", "events")}
    assert sizes == {"searches": num_searches, "events": fate["events"]}


JUNK = st.sampled_from(
    ['{"action_name"', "[1]", "{}", '{"index": {"_index": "ubi_events"}}', '{"action_name": "click"}', "", " \t",
     '{"query_id": "q", "user_query": "x"}', '{"action_name": "click", "client_id": "c", "timestamp": "290000-01-01"}',
     '{"query_id": "q", "user_query": "x", "timestamp": 1700000000, "query_response_object_ids": {"a": [1]}}',
     '{"action_name": "view", "query_id": "q", "timestamp": 1700000000, "event_attributes": '
     '{"object": {"object_id": 3}, "position": {"ordinal": 2147483647}}}']
)  # fmt: skip


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(QUERIES | EVENTS | JUNK.map(lambda line: line + "\n"), max_size=20))
def test_every_line_of_any_log_has_one_fate(load, rows):
    source = load(query("first"), *rows)
    num_bulk = sum(isinstance(row, str) and row.startswith('{"index"') for row in rows)
    num_blank = sum(isinstance(row, str) and not row.strip() for row in rows)
    assert sum(account.num_rows for account in source.accounts) == 1 + len(rows) - num_bulk - num_blank
    fate = Counter()
    for account in source.accounts:
        fate.update(account.fates)
    assert fate["searches"] == source.tables["searches"].num_rows
    assert fate["events"] == source.tables["events"].num_rows
    assert fate["set aside"] == sum(rejected.num_rows for rejected in source.rejected.values())
    for name, table in source.tables.items():
        if table.num_rows:
            # An event of an unknown search may have no actor; validation sets it aside.
            report = validate(table, SCHEMAS[name], may_be_empty=True).report
            assert {problem.column for problem in report.problems} <= {"actor_id"}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(QUERIES | EVENTS, min_size=2, max_size=25), st.data())
def test_a_tenth_of_copies_changes_no_table(load, rows, data):
    copies = data.draw(st.lists(st.sampled_from(rows), min_size=1, max_size=3))
    once, again = load(*rows), load(*rows, *copies)
    assert again.tables == once.tables


# --- real logs ------------------------------------------------------------------------------------------------------


def real(name):
    folder = os.environ.get("AISLE_TEST_DATA")
    if not folder or not (Path(folder) / name).exists():
        pytest.skip("AISLE_TEST_DATA names no folder with this log")
    return load_ubi(Path(folder) / name, UbiConfig())


@pytest.mark.data
def test_the_real_tsv_log():
    source = real("icecat/ubi_log.tsv.gz")
    assert fates(source) == {
        "ubi_queries": {"searches": 4130},
        "ubi_events": {"events": 33_509, "impressions": 1_100, "repeated": 548, "duplicate": 247},
    }
    assert source.tables["impressions"].num_rows == 15_166
    searches = validate(source.tables["searches"], SCHEMAS["searches"])
    ids = IdMap(searches.table["search_id"])
    impressions = validate(source.tables["impressions"], SCHEMAS["impressions"], known_searches=ids)
    assert (searches.report.problems, impressions.report.problems) == ((), ())


@pytest.mark.data
def test_the_real_bulk_log():
    source = real("esci/ubi_queries_events.ndjson.gz")
    assert fates(source) == {
        "ubi_queries": {"searches": 284, "duplicate": 183, "set aside": 6},
        "ubi_events": {"impressions": 2_178, "events": 1_153, "repeated": 116, "duplicate": 1},
    }
    assert "positions of esci_ubi_sample are counted from 0" in source.notes
    assert "positions of ubi-demo are counted from 1" in source.notes
