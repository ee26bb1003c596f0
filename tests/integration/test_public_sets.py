"""The whole way from a folder in a public set's own form to figures on its test queries."""

import gzip
from datetime import datetime, timedelta

import pytest

NAMES = [f"word{number}" for number in range(30)]
SEARCHES = range(240)
"""One search an hour; the product of the search's number is what it is for, with two others beside it."""

FIRST = datetime(2016, 5, 1)


def at(number, seconds=0):
    return FIRST + timedelta(hours=number, seconds=seconds)


def write_diginetica(folder):
    queries = ["queryId;sessionId;userId;timeframe;duration;eventdate;searchstring.tokens;categoryId;items;is.test"]
    clicks = ["queryId;timeframe;itemId"]
    orders = ["sessionId;userId;timeframe;eventdate;ordernumber;itemId"]
    for number in SEARCHES:
        product, user, hour_ms = number % 30, f"{number % 11}", number % 24 * 3_600_000
        items = ",".join(str((product + step) % 30) for step in range(3))
        queries.append(f"{number};{number};{user};{hour_ms};9;{at(number).date()};{product};0;{items};FALSE")
        clicks.append(f"{number};{hour_ms + 5000};{product}")
        orders.append(f"{number};{user};{hour_ms + 9000};{at(number).date()};{number};{product}")
    files = {
        "train-queries.csv": queries, "train-clicks.csv": clicks, "train-purchases.csv": orders,
        "products.csv": ["itemId;pricelog2;product.name.tokens", *(f"{one};5;100,{one}" for one in range(30))],
        "product-categories.csv": ["itemId;categoryId", *(f"{one};{one % 3}" for one in range(30))],
    }  # fmt: skip
    for name, lines in files.items():
        (folder / name).write_text("\n".join(lines) + "\n")


def write_bestbuy(folder):
    products = "".join(
        f"<product><sku>{one}</sku><name>thing {name}</name></product>" for one, name in enumerate(NAMES)
    )
    (folder / "small_product_data.xml").write_text(f"<products>{products}</products>")
    rows = [
        f"u{number % 11},{number % 30},cat,{NAMES[number % 30]},{at(number, 5)},{at(number)}" for number in SEARCHES
    ]
    (folder / "train.csv").write_text("\n".join(["user,sku,category,query,click_time,query_time", *rows]) + "\n")


def write_multicpr(folder):
    (folder / "corpus.tsv").write_text("".join(f"{one}\tthing {name}\n" for one, name in enumerate(NAMES)))
    for part, numbers in (("train", range(24)), ("dev", range(24, 30))):
        (folder / f"{part}.query.txt").write_text("".join(f"{one}\t{NAMES[one]}\n" for one in numbers))
        (folder / f"qrels.{part}.tsv").write_text("".join(f"{one}\t0\t{one}\t1\n" for one in numbers))


def write_amazon(folder):
    metas = "".join(repr({"asin": f"B{one}", "title": f"thing {name}"}) + "\n" for one, name in enumerate(NAMES))
    files = {"query_text.txt.gz": "".join(f"{name}\n" for name in NAMES), "meta_Things.json.gz": metas}
    for part, numbers in (("train", range(24)), ("test", range(24, 30))):
        files[f"{part}.qrels.gz"] = "".join(f"A{one % 5}_{one} 0 B{one} 1\n" for one in numbers)
    for name, text in files.items():
        (folder / name).write_bytes(gzip.compress(text.encode()))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "write", "labelled"),
    [
        ("diginetica", write_diginetica, "orders"),
        ("bestbuy", write_bestbuy, "clicks and carts, as the window has no orders"),
        ("multicpr", write_multicpr, "a product of grade ≥ 1"),
        ("amazon", write_amazon, "a product of grade ≥ 1"),
    ],
)
def test_a_set_is_imported_trained_on_and_measured(aisle_json, tiny, set_options, tmp_path, source, write, labelled):
    folder, shop = tmp_path / "set", tmp_path / "shop"
    folder.mkdir()
    write(folder)
    imported = aisle_json("import", "-w", shop, "--from", source, "--path", folder)
    assert {values["quarantined"] + values["rejected_lines"] for values in imported["tables"].values()} == {0}
    if "searches" in imported["tables"]:
        assert imported["tables"]["searches"]["usable"] == len(SEARCHES)
        assert aisle_json("mine", "-w", shop)["splits"]["train"]["searches"] > 150
    settings = set_options(tiny(text__enabled="false", train__batch_size=8))
    aisle_json("train", "-w", shop, *settings)
    aisle_json("index", "-w", shop, *settings)
    measured = aisle_json("evaluate", "-w", shop, "--systems", "lexical,semantic")
    assert measured["labelled"] == labelled
    assert measured["queries"] >= 6
    # Every query is a word of its product's title alone.
    assert measured["systems"]["lexical"]["R@10"]["value"] == 1
    assert measured["systems"]["semantic"]["R@10"]["value"] > 10 / 30
