"""Bad logs: each kind has a stated rule, nothing is lost without a word, and the summary of the import shows it."""

import json

import pyarrow.parquet as pq
import pytest

START = 1_700_000_000
SHOP = "".join(json.dumps({"product_id": f"p{number}", "title": f"Lamp {number}"}) + "\n" for number in range(5))


def query(query_id, text="lamp", at=0, **fields):
    return {"query_id": query_id, "user_query": text, "client_id": "c", "timestamp": START + at,
            "query_response_object_ids": ["p0", "p1", "p2"], **fields}  # fmt: skip


def event(action, product, at=1, **fields):
    attributes = {"object": {"object_id": product}}
    return {"action_name": action, "client_id": "c", "timestamp": START + at, "event_attributes": attributes, **fields}


@pytest.fixture
def imported(aisle, tmp_path):
    """Import a log over five products; return the summary as JSON, with what people are told."""
    (tmp_path / "products.jsonl").write_text(SHOP)
    command = ["import", "-w", tmp_path / "shop", "--products", tmp_path / "products.jsonl", "--from", "ubi"]

    def run(*rows, settings=()):
        path = tmp_path / "ubi.ndjson"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        result = aisle(*command, "--path", path, *settings, "--json")
        told = aisle(*command, "--path", path, *settings)
        assert (result.code, told.code) == (0, 0), result.err
        return {**json.loads(result.out), "told": told.err}

    return run


def rows_of(tmp_path, name):
    return pq.read_table(tmp_path / "shop" / name / f"{name}.parquet").to_pylist()


def check_conserved(report):
    """What the accounts say went to a table is what the table was validated from."""
    for account in report["accounts"].values():
        assert sum(account["fates"].values()) == account["rows"]
    for name in ("searches", "events"):
        sent = sum(account["fates"].get(name, 0) for account in report["accounts"].values())
        table = report["tables"].get(name, {"rows": 0, "usable": 0, "quarantined": 0})
        assert table["rows"] == sent == table["usable"] + table["quarantined"]


def test_clock_skew(imported, tmp_path):
    report = imported(query("q"), event("click", "p0", -60, query_id="q"), event("click", "p1", -900, query_id="q"))
    check_conserved(report)
    clicked = {row["product_id"]: row["clicked_at"] for row in rows_of(tmp_path, "impressions")}
    assert (clicked["p0"].timestamp(), clicked["p1"]) == (START, None)
    assert "1 events up to 300 s before their search count as made at its time (skew)" in report["told"]
    assert "1 events more than 300 s before their search went to events" in report["told"]


def test_orders_without_impressions(imported, tmp_path):
    report = imported(query("q"), event("purchase", "p4"), event("purchase", "p4", 2, query_id="q"))
    check_conserved(report)
    assert [row["action"] for row in rows_of(tmp_path, "events")] == ["purchase", "purchase"]
    assert "2 orders had no shown list and went to events" in report["told"]


def test_products_that_left_the_catalogue(imported):
    gone = query("r", query_response_object_ids=["p0", "gone"])
    report = imported(query("q"), gone, event("click", "gone", query_id="r"), event("purchase", "gone", 90 * 86_400))
    check_conserved(report)
    for name, num_rows in (("impressions", 5), ("events", 1)):
        table = report["tables"].get(name)
        assert table["rows"] == num_rows
        assert table["problems"][0]["rule"] == "must be a product of the catalogue"
        assert table["quarantined"] == 1


def test_a_tenth_of_the_events_twice(imported):
    events = [event("click", f"p{number % 3}", number, query_id="q") for number in range(200)]
    once = imported(query("q"), *events)
    again = imported(query("q"), *events, *events[::10])
    check_conserved(again)
    assert again["accounts"]["ubi_events"]["fates"]["duplicate"] == 20
    assert again["tables"]["impressions"]["skipped"], "copies change nothing"
    assert once["accounts"]["ubi_events"]["fates"] == {"repeated": 197, "impressions": 3}


def test_one_actor_with_most_of_the_events(imported):
    views = [event("scroll", "p0", number) for number in range(2_000)]
    report = imported(query("q"), *views, event("scroll", "p0", client_id="other"))
    check_conserved(report)
    assert "the busiest actor made 2,000 events" in report["told"]
    assert report["tables"]["events"]["usable"] == 2_001


def test_strange_texts(imported, tmp_path):
    texts = ["x" * 10_000, "مصباح أحمر", "🛋️ lamp", "la\0mp"]
    report = imported(*(query(f"q{number}", text) for number, text in enumerate(texts)))
    check_conserved(report)
    assert [row["query"] for row in rows_of(tmp_path, "searches")] == [*texts[:3], "lamp"]
    assert "null bytes were taken out of 1 texts" in report["told"]
    assert "1 texts of more than 1,000 characters are kept" in report["told"]


def test_a_smaller_log_replaces_all_of_the_larger_one(imported, tmp_path):
    imported(query("q"), event("click", "p0", query_id="q"), event("view", "p3"))
    report = imported(query("r", query_response_object_ids=None))
    check_conserved(report)
    assert [rows_of(tmp_path, name) for name in ("impressions", "events")] == [[], []]


def test_a_log_with_no_orders(imported):
    report = imported(query("q"), event("click", "p0", query_id="q"))
    check_conserved(report)
    assert "the log has no orders: clicks and carts are all that it teaches" in report["told"]


def test_bots(imported):
    rows = [query(f"q{number}") for number in range(9)]
    settings = ["--set", "drop_bots=true", "--set", "bot_searches_per_hour=8"]
    report = imported(*rows, query("r", client_id="d"), settings=settings)
    check_conserved(report)
    assert report["accounts"]["ubi_queries"]["fates"] == {"searches": 1, "set aside": 9}
    assert "1 actors look like bots and were set aside" in report["told"]
    assert report["tables"]["searches"]["rejected_lines"] == 9


@pytest.mark.parametrize(("content", "text"), [("", "must not be empty"), ("{}\n", "at least one usable query")])
def test_an_empty_log_is_refused_and_leaves_nothing(aisle, tmp_path, content, text):
    (tmp_path / "ubi.ndjson").write_text(content)
    result = aisle("import", "-w", tmp_path / "shop", "--from", "ubi", "--path", tmp_path / "ubi.ndjson")
    assert (result.code, result.out) == (1, "")
    assert text in result.err
    assert not (tmp_path / "shop").exists()


@pytest.mark.slow
def test_one_actor_with_a_million_events(tmp_path):
    from aisle.sources.ubi import load_ubi

    with (tmp_path / "ubi_events.jsonl").open("w") as file:
        for start in range(0, 1_000_000, 10_000):
            file.write(
                "".join(json.dumps(event("scroll", "p0", number)) + "\n" for number in range(start, start + 10_000))
            )
    (tmp_path / "ubi_queries.jsonl").write_text(json.dumps(query("q")) + "\n")
    source = load_ubi(tmp_path)
    assert source.tables["events"].num_rows == 1_000_000
    assert "the busiest actor made 1,000,000 events" in source.notes
