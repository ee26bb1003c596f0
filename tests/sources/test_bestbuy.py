import pytest

from aisle.core.errors import SourceError
from aisle.sources.bestbuy import load_bestbuy

TRAIN = """\
user,sku,category,query,click_time,query_time
u1,100,abcat1,"Call of Duty, 3",2011-09-01 23:44:52.533,2011-09-01 23:43:59.752
u1,200,abcat1,"Call of Duty, 3",2011-09-01 23:44:10,2011-09-01 23:43:59.752
u1,200,abcat1,"Call of Duty, 3",2011-09-01 23:45:10,2011-09-01 23:43:59.752
u1,100,abcat1,"Call of Duty, 3",2011-09-05 10:00:00,2011-09-05 10:00:30
u2,100,abcat1,halo,2011-09-05 10:00:00,2011-09-05 09:59:00
u2,,abcat1,halo,2011-09-05 10:00:00,2011-09-05 09:59:00
u2,100,abcat1,,2011-09-05 10:00:00,2011-09-05 09:59:00
u2,100,abcat1,halo,yesterday,2011-09-05 09:59:00
u2,100
,100,abcat1,halo,2011-09-05 10:00:00,2011-09-05 09:59:00
u2,100,abcat1,halo,2011-09-05 10:00:00,
"""
PRODUCTS = """<?xml version="1.0" encoding="UTF-8"?>
<products>
<product><sku>100</sku><name>Call of Duty 3</name><manufacturer>Activision</manufacturer>
<regularPrice>19.99</regularPrice><categoryPath><category><id>cat0</id><name>Best Buy</name></category>
<category><id>abcat1</id><name>Video Games</name></category></categoryPath></product>
<product><sku>200</sku><name>Halo &amp; more</name></product>
</products>
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "train.csv").write_text(TRAIN)
    (tmp_path / "product_data" / "products").mkdir(parents=True)
    (tmp_path / "product_data" / "products" / "products_0001.xml").write_text(PRODUCTS)
    (tmp_path / "product_data" / "categories_0001.xml").write_text("<categories><broken>")
    return tmp_path


def test_rows_of_one_query_are_a_search(folder):
    tables = load_bestbuy(folder).tables
    searches = tables["searches"].to_pylist()
    assert [(row["search_id"], row["query"], row["user_id"]) for row in searches] == [
        ("s1", "Call of Duty, 3", "u1"), ("s4", "Call of Duty, 3", "u1"), ("s5", "halo", "u2"),
    ]  # fmt: skip
    assert searches[0]["searched_at"].isoformat() == "2011-09-01T23:43:59.752000+00:00"
    impressions = tables["impressions"].to_pylist()
    assert [(row["search_id"], row["product_id"], row["position"]) for row in impressions] == [
        ("s1", "100", 2), ("s1", "200", 1), ("s4", "100", 1), ("s5", "100", 1),
    ]  # fmt: skip
    assert [row["clicked_at"].strftime("%H:%M:%S") for row in impressions] == [
        "23:44:52", "23:44:10", "10:00:30", "10:00:00",
    ]  # fmt: skip


def test_the_catalogue_comes_from_xml_below_the_folder(folder):
    products = load_bestbuy(folder).tables["products"].to_pylist()
    assert [(row["product_id"], row["title"]) for row in products] == [
        ("100", "Call of Duty 3"),
        ("200", "Halo & more"),
    ]


def test_every_row_is_accounted_for(folder):
    source = load_bestbuy(folder)
    assert {account.name: dict(account.fates) for account in source.accounts} == {
        "train": {"impressions": 4, "repeated": 1, "set aside": 6},
        "products": {"products": 2, "set aside": 0},
    }
    reasons = {row["line"]: row["reason"] for row in source.rejected["searches"].to_pylist()}
    assert reasons == {
        7: "has no sku", 8: "has no query", 9: "has a click_time that is no time",
        10: "has 2 fields, the header has 6", 11: "has no user", 12: "has a query_time that is no time",
    }  # fmt: skip


def test_other_folders_and_columns_are_refused(folder):
    (folder / "train.csv").write_text("user,query\nu,q\n")
    with pytest.raises(SourceError, match=r"must have the columns of the release"):
        load_bestbuy(folder)
    (folder / "train.csv").unlink()
    with pytest.raises(SourceError, match=r"folder of Best Buy must hold train\.csv"):
        load_bestbuy(folder)


def test_a_catalogue_may_be_ones_own(aisle, aisle_json, folder, tmp_path):
    (folder / "product_data" / "products" / "products_0001.xml").unlink()
    shop = tmp_path / "shop"
    refused = aisle("import", "-w", shop, "--from", "bestbuy", "--path", folder)
    assert refused.code == 2
    assert "Products must be imported before impressions" in refused.err
    own = tmp_path / "own.csv"
    own.write_text("product_id,title\n100,Call of Duty 3\n")
    report = aisle_json("import", "-w", shop, "--from", "bestbuy", "--path", folder, "--products", own)
    assert report["tables"]["impressions"]["usable"] == 3


def test_the_command_imports_it(aisle_json, folder, tmp_path):
    report = aisle_json("import", "-w", tmp_path / "shop", "--from", "bestbuy", "--path", folder)
    assert {table: values["usable"] for table, values in report["tables"].items()} == {
        "products": 2, "searches": 3, "impressions": 4,
    }  # fmt: skip
    assert report["tables"]["searches"]["rejected_lines"] == 6
