import gzip
from datetime import UTC, datetime, timedelta

import pytest

from aisle.core.errors import SourceError
from aisle.sources.diginetica import load_diginetica

FILES = {
    "train-queries.csv": """\
queryId;sessionId;userId;timeframe;duration;eventdate;searchstring.tokens;categoryId;items;is.test
1;10;NA;1000;300;2016-05-09;16655,244087;0;7518,71,30311,71;FALSE
2;10;NA;60000;200;2016-05-09;;25;71,5;FALSE
3;11;7;5000;100;2016-05-10;99;0;5,71;FALSE
4;12;8;0;100;2016-05-11;98;0;5;TRUE
1;10;NA;1000;300;2016-05-09;16655;0;5;FALSE
5;;7;5000;100;2016-05-10;99;0;5;FALSE
6;11;7;soon;100;2016-05-10;99;0;5;FALSE
7;11;7;5000;100;someday;99;0;5;FALSE
8;11;7
9;11;7;9000;100;2016-05-10;99;0;71;FALSE
""",
    "train-clicks.csv": """\
queryId;timeframe;itemId
1;3000;71
1;2500;71
1;4000;5
2;61000;5
3;4000;5
77;4000;5
3;;5
""",
    "train-purchases.csv": """\
sessionId;userId;timeframe;eventdate;ordernumber;itemId
11;7;10000;2016-05-10;1;71
11;7;11000;2016-05-10;1;71
11;7;12000;2016-05-10;1;7518
10;NA;500;2016-05-09;2;71
11;7;1000000000000000000;2016-05-10;1;71
""",
    "products.csv": """\
itemId;pricelog2;product.name.tokens
7518;10;4875,776,56689
71;0;12
30311;x;13,13
5;3;14
6;3;
""",
    "product-categories.csv": "itemId;categoryId\n7518;25\n71;26\n5;27\n",
    "train-item-views.csv": """\
sessionId;userId;itemId;timeframe;eventdate
10;NA;5;70000;2016-05-09
11;7;;1;2016-05-10
""",
}


@pytest.fixture
def folder(tmp_path):
    for name, content in FILES.items():
        (tmp_path / name).write_text(content)
    return tmp_path


def at(day, ms):
    return datetime(2016, 5, day, tzinfo=UTC) + timedelta(milliseconds=ms)


def test_terms_become_words_and_prices_are_powers(folder):
    products = load_diginetica(folder).tables["products"].to_pylist()
    assert products[0] == {"product_id": "7518", "title": "t4875 t776 t56689", "price": 1024.0, "category": ["c25"]}
    assert [(row["price"], row["category"]) for row in products[1:]] == [
        (1.0, ["c26"]), (None, None), (8.0, ["c27"]), (8.0, None),
    ]  # fmt: skip
    assert products[4]["title"] is None


def test_queries_with_words_are_searches(folder):
    searches = load_diginetica(folder).tables["searches"].to_pylist()
    assert [(row["search_id"], row["query"], row["user_id"], row["session_id"]) for row in searches] == [
        ("1", "t16655 t244087", None, "s10"), ("3", "t99", "u7", "s11"), ("9", "t99", "u7", "s11"),
    ]  # fmt: skip
    assert [row["searched_at"] for row in searches] == [at(9, 1000), at(10, 5000), at(10, 9000)]


def test_a_session_keeps_its_order_over_midnight(folder):
    path = folder / "train-queries.csv"
    path.write_text(path.read_text() + "20;10;NA;90000000;1;2016-05-10;5;0;5;FALSE\n")
    searched = {row["search_id"]: row["searched_at"] for row in load_diginetica(folder).tables["searches"].to_pylist()}
    assert searched["20"] == at(9, 90_000_000)


def test_lists_clicks_and_orders_are_impressions(folder):
    rows = load_diginetica(folder).tables["impressions"].to_pylist()
    assert [tuple(row.values()) for row in rows] == [
        ("1", "7518", 1, None, None),
        ("1", "71", 2, at(9, 2500), None),
        ("1", "30311", 3, None, None),
        ("3", "5", 1, at(10, 5000), None),  # a click before its search counts as made with it
        ("3", "71", 2, None, None),
        ("9", "71", 1, None, at(10, 10_000)),  # the last search that showed it
    ]


def test_the_rest_goes_to_events(folder):
    rows = load_diginetica(folder).tables["events"].to_pylist()
    assert [(row["actor_id"], row["action"], row["product_id"], row["query"]) for row in rows] == [
        ("s10", "click", "5", "t16655 t244087"),  # was not shown
        ("s10", "click", "5", None),  # of a category page
        ("u7", "order", "7518", None),
        ("s10", "order", "71", None),  # before the search
        ("s10", "view", "5", None),
    ]
    assert rows[4]["at"] == at(9, 70_000)


def test_every_row_is_accounted_for(folder):
    source = load_diginetica(folder)
    assert {account.name: dict(account.fates) for account in source.accounts} == {
        "queries": {"category pages": 1, "duplicate": 1, "searches": 3, "without published clicks": 1, "set aside": 4},
        "clicks": {"events": 2, "joined to their impressions": 2, "repeated": 1, "set aside": 2},
        "purchases": {"events": 2, "joined to their impressions": 1, "repeated": 1, "set aside": 1},
        "views": {"events": 1, "set aside": 1},
        "products": {"products": 5, "set aside": 0},
        "categories": {"joined to their products": 3, "set aside": 0},
    }
    reasons = {row["line"]: row["reason"] for row in source.rejected["searches"].to_pylist()}
    assert reasons == {
        10: "has 3 fields, the header has 10",
        7: "has no sessionId",
        8: "has a timeframe that is no number of milliseconds",
        9: "has an eventdate that is no date",
    }
    assert [row["reason"] for row in source.rejected["events"].to_pylist()] == [
        "names no query",
        "has a timeframe that is no number of milliseconds",
        "has a timeframe that is no number of milliseconds",
        "has no itemId",
    ]
    assert source.rejected["searches"]["text"].to_pylist()[1] == "5;;7;5000;100;2016-05-10;99;0;5;FALSE"


def test_packed_files_and_no_views_do(folder):
    (folder / "train-item-views.csv").unlink()
    path = folder / "train-queries.csv"
    (folder / "train-queries.csv.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    source = load_diginetica(folder)
    assert source.tables["searches"].num_rows == 3
    assert "view" not in source.tables["events"]["action"].to_pylist()


def test_other_folders_and_cut_files_are_refused(folder):
    whole = gzip.compress((folder / "train-clicks.csv").read_bytes())
    (folder / "train-clicks.csv").unlink()
    with pytest.raises(SourceError, match=r"folder of Diginetica must hold .*missing=\['train-clicks.csv'\]"):
        load_diginetica(folder)
    (folder / "train-clicks.csv.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SourceError, match="must be readable and whole"):
        load_diginetica(folder)
    (folder / "train-clicks.csv").write_text("query;item\n1;2\n")
    with pytest.raises(SourceError, match="must have the columns of the release"):
        load_diginetica(folder)


def test_the_command_imports_it(aisle_json, folder, tmp_path):
    report = aisle_json("import", "-w", tmp_path / "shop", "--from", "diginetica", "--path", folder)
    assert {table: values["usable"] for table, values in report["tables"].items()} == {
        "products": 4, "searches": 3, "impressions": 6, "events": 5,
    }  # fmt: skip
    for account in report["accounts"].values():
        assert sum(account["fates"].values()) == account["rows"]
    for table, values in report["tables"].items():
        sent = sum(account["fates"].get(table, 0) for account in report["accounts"].values())
        assert sent in (0, values["usable"] + values["quarantined"])
