import gzip
import json

import pytest

from aisle.core.errors import SourceError
from aisle.core.ids import IdMap
from aisle.sources.kuaisearch import load_kuaisearch
from aisle.tables import SCHEMAS, validate


def item(number, title, brand=0, seller=0, levels=("服饰", "女装", "UNKNOWN")):
    names = {f"category_level{place}_name": name for place, name in enumerate(levels, 1)}
    ids = {f"category_level{place}_id": 0 if name == "UNKNOWN" else place for place, name in enumerate(levels, 1)}
    return {
        "item_id": number, "item_title": title, "brand_id": brand, "brand_name": f"品牌{brand}" if brand else "UNKNOWN",
        "seller_id": seller, "seller_name": f"店{seller}" if seller else "UNKNOWN", **ids, **names,
    }  # fmt: skip


def search(user, session, order, shown, **fields):
    return {
        "user_id": user, "session_id": session, "time_index": order, "query": "连衣裙 👗", "split": "train",
        "impressed_item_ids": shown, "clicked_item_ids": [], "purchased_item_ids": [], **fields,
    }  # fmt: skip


BLUE = {"item_title": "蓝色连衣裙", "brand": "", "seller_name": "店9", "attr_value": "蓝"}
FILES = {
    "items": [item(1, "红色连衣裙", brand=7, seller=3), item(2, "帽子"), item(3, "鞋", levels=("UNKNOWN",) * 3)],
    "recall": [
        search(10, 100, 384565, [1, 2, 1], clicked_item_ids=[1, 2], purchased_item_ids=[2]),
        search(10, 100, 384565, [1, 2, 1], clicked_item_ids=[1, 2], purchased_item_ids=[2]),
        search(10, 100, 384565, [3], query="鞋"),
        search(11, 101, 17, [2], clicked_item_ids=[3], split="test"),
    ],
    "users": [{"user_id": 10, "gender": "F", "age_bucket": "18-23", "fre_country": "中国", "fre_province": "浙江",
               "fre_city": "杭州"}],
    "relevance": [
        {"query": "连衣裙", "item_title": "红色连衣裙", "brand": "品牌7", "seller_name": "店3",
         "attr_value": "", "score": 3},
        {"query": "连衣裙", **BLUE, "score": 1},
        {"query": "裙", **BLUE, "score": 0},
    ],
}  # fmt: skip


def write(folder, name, rows, tail=""):
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows) + tail
    (folder / f"{name}.jsonl.gz").write_bytes(gzip.compress(text.encode()))


@pytest.fixture
def folder(tmp_path):
    for name, rows in FILES.items():
        write(tmp_path, name, rows, tail="{broken\n" if name == "recall" else "")
    return tmp_path


def test_items_and_labelled_texts_are_products(folder):
    first, second, third, made = load_kuaisearch(folder).tables["products"].to_pylist()
    assert (first["product_id"], first["title"], first["brand"], first["shop_id"]) == ("1", "红色连衣裙", "品牌7", "3")
    assert (first["category"], first["seller_name"]) == (["服饰", "女装"], "店3")
    assert (second["brand"], second["shop_id"], third["category"]) == (None, None, None)
    assert (made["title"], made["attributes"]) == ("蓝色连衣裙", [("attributes", "蓝")])
    assert made["product_id"].startswith("relevance:")


def test_searches_have_an_order_and_impressions_a_stage(folder):
    source = load_kuaisearch(folder)
    searches = source.tables["searches"].to_pylist()
    assert [(row["search_id"], row["split"], row["order_number"]) for row in searches] == [
        ("10-100-384565", "train", 384565), ("10-100-384565-2", "train", 384565), ("11-101-17", "test", 17),
    ]  # fmt: skip
    assert [row["searched_at"].isoformat() for row in searches][::2] == [
        "2000-01-05T10:49:25+00:00", "2000-01-01T00:00:17+00:00",
    ]  # fmt: skip
    impressions = source.tables["impressions"].to_pylist()
    assert [(row["search_id"], row["product_id"], row["position"], row["stage"]) for row in impressions] == [
        ("10-100-384565", "1", 1, "clicked"), ("10-100-384565", "2", 2, "ordered"),
        ("10-100-384565-2", "3", 1, "shown"), ("11-101-17", "2", 1, "shown"),
    ]  # fmt: skip
    [event] = source.tables["events"].to_pylist()
    assert (event["actor_id"], event["action"], event["product_id"], event["search_id"]) == (
        "11",
        "click",
        "3",
        "11-101-17",
    )
    assert source.notes == (
        "searched_at counts time_index in seconds from 2000-01-01: it is an order, not a time",
        "impressions have a stage in place of times: ordered, clicked or shown",
        "1 clicked or bought items were not shown: they went to events",
        "1 labelled texts are no item's: they became products",
    )


def test_labels_find_their_item_by_its_text(folder):
    source = load_kuaisearch(folder)
    made = source.tables["products"]["product_id"].to_pylist()[-1]
    rows = source.tables["judgments"].to_pylist()
    assert [(row["query"], row["product_id"], row["grade"]) for row in rows] == [
        ("连衣裙", "1", "3"), ("连衣裙", made, "1"), ("裙", made, "0"),
    ]  # fmt: skip


def test_every_line_is_accounted_for_and_keeps_the_contract(folder):
    source = load_kuaisearch(folder)
    assert {account.name: dict(account.fates) for account in source.accounts} == {
        "recall": {"searches": 3, "duplicate": 1, "set aside": 1},
        "items": {"products": 3, "set aside": 0},
        "users": {"users": 1, "set aside": 0},
        "relevance": {"judgments": 3, "set aside": 0},
    }
    assert source.rejected["searches"]["text"].to_pylist() == ["{broken"]
    ids = {"known_products": IdMap(source.tables["products"]["product_id"]),
           "known_searches": IdMap(source.tables["searches"]["search_id"])}  # fmt: skip
    for name, table in source.tables.items():
        assert validate(table, SCHEMAS[name], **ids).report.problems == (), name
    assert source.tables["users"].to_pylist()[0]["location"] == "浙江"


def test_users_and_labels_may_be_absent(folder):
    (folder / "users.jsonl.gz").unlink()
    (folder / "relevance.jsonl.gz").unlink()
    (folder / "items.jsonl.gz").rename(folder / "item.jsonl.gz")
    source = load_kuaisearch(folder)
    assert list(source.tables) == ["products", "searches", "impressions", "events"]
    assert [account.name for account in source.accounts] == ["recall", "items"]


def test_a_folder_without_the_log_is_refused(folder):
    (folder / "recall.jsonl.gz").unlink()
    with pytest.raises(SourceError, match=r"must hold items\.jsonl and recall\.jsonl.*missing=\['recall'\]"):
        load_kuaisearch(folder)


def test_searches_of_no_use_are_set_aside_one_by_one(folder):
    good = search(1, 1, 1, [1])
    broken = [
        {**good, "impressed_item_ids": {"a": 1}}, {**good, "clicked_item_ids": 5}, {**good, "time_index": "soon"},
        {**good, "query": " "}, {name: value for name, value in good.items() if name != "user_id"},
    ]  # fmt: skip
    write(folder, "recall", [good, *broken])
    source = load_kuaisearch(folder)
    assert source.tables["searches"].num_rows == 1
    assert [(row["line"], row["reason"]) for row in source.rejected["searches"].to_pylist()] == [
        (2, "has item ids that are no list"), (3, "has item ids that are no list"),
        (4, "has no time_index that is a whole number"), (5, "has no query"), (6, "has no user_id"),
    ]  # fmt: skip


def test_the_command_imports_it(aisle_json, folder, tmp_path):
    report = aisle_json("import", "-w", tmp_path / "shop", "--from", "kuaisearch", "--path", folder)
    assert {table: values["usable"] for table, values in report["tables"].items()} == {
        "products": 4,
        "searches": 3,
        "impressions": 4,
        "events": 1,
        "users": 1,
        "judgments": 3,
    }
    for account in report["accounts"].values():
        assert sum(account["fates"].values()) == account["rows"]
    assert report["tables"].pop("products")["rows"] == 3 + 1, "items, and a labelled text that is no item's"
    for table, values in report["tables"].items():
        sent = sum(account["fates"].get(table, 0) for account in report["accounts"].values())
        assert sent in (0, values["usable"] + values["quarantined"])
