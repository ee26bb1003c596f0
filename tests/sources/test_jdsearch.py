import pytest

from aisle.core.errors import SourceError
from aisle.core.ids import IdMap
from aisle.sources.jdsearch import load_jdsearch
from aisle.tables import SCHEMAS, validate

CUT = "\x18"
BEHAVIOUR = [
    "query\tcandidate_wid_list\tcandidate_label_list\thistory_qry_list\thistory_wid_list\thistory_type_list\thistory_time_list",
    f"12{CUT}32\t456_457_789_1\t3.0_2.0_0.0_1.0\t323{CUT}328{CUT}196_-1_12\t889_456_457\tORD_CLICK_FLW\t0_12_4_5",
    f"7{CUT}8\t457\t0.0\t-1\t456\tCART\t0_60",
    "9\t456_457\t1.0\t-1\t456\tCART\t0_60",
    "9\t456\t1.0\t-1_-1\t456\tCART\t0_60",
    "9\t456\t1.0\t-1\t456\tCART\t0",
    "9\t456\t1.0\t-1\t456\tCART\t0_soon",
    "9\t456\t1.0",
]
PRODUCTS = [
    "wid\tname\tbrand_id\tbrand_name\tcate_id_1\tcate_name_1\tcate_id_2\tcate_name_2\tcate_id_3\tcate_name_3\tcate_id_4\t"
    "cate_name_4\tshop_id",
    f"456\t64{CUT}17\t8\t64\t6\t22{CUT}31\t9\t29\t8\t69\t\t\t76",
    "457\t65\t\t\t\t\t\t\t\t\t\t\t",
    f"889\t66{CUT}\t8\t64\t6\t22\t9\t29\t8\t69\t1\t2\t77",
]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "user_behavior_data.txt").write_text("\n".join(BEHAVIOUR) + "\n")
    (tmp_path / "product_meta_data.txt").write_text("\n".join(PRODUCTS) + "\n")
    return tmp_path


def test_terms_become_words(folder):
    first, second, third = load_jdsearch(folder).tables["products"].to_pylist()
    assert first == {"product_id": "456", "title": "t64 t17", "brand": "t64", "shop_id": "76",
                     "category": ["t22 t31", "t29", "t69"]}  # fmt: skip
    assert second == {"product_id": "457", "title": "t65", "brand": None, "shop_id": None, "category": None}
    assert third["title"] == "t66"


def test_a_line_is_a_search_and_a_history(folder):
    source = load_jdsearch(folder)
    searches = source.tables["searches"].to_pylist()
    assert [(row["search_id"], row["query"], row["user_id"]) for row in searches] == [
        ("s1", "t12 t32", "u1"), ("s2", "t7 t8", "u2"),
    ]  # fmt: skip
    impressions = source.tables["impressions"].to_pylist()
    assert [(row["search_id"], row["product_id"], row["position"], row["stage"]) for row in impressions] == [
        ("s1", "456", 1, "ordered"), ("s1", "457", 2, "carted"), ("s1", "789", 3, "shown"), ("s1", "1", 4, "clicked"),
        ("s2", "457", 1, "shown"),
    ]  # fmt: skip
    events = source.tables["events"].to_pylist()
    seconds = [row["at"].second for row in events]
    assert [(row["actor_id"], row["action"], row["product_id"], row["query"]) for row in events] == [
        ("u1", "order", "889", "t323 t328 t196"), ("u1", "click", "456", None), ("u1", "follow", "457", "t12"),
        ("u2", "cart", "456", None),
    ]  # fmt: skip
    assert (seconds, searches[0]["searched_at"].second, searches[1]["searched_at"].minute) == ([0, 12, 16, 0], 21, 1)
    assert source.tables["users"]["user_id"].to_pylist() == ["u1", "u2"]


def test_every_line_is_accounted_for(folder):
    source = load_jdsearch(folder)
    assert {account.name: dict(account.fates) for account in source.accounts} == {
        "products": {"products": 3, "set aside": 0},
        "behaviour": {"searches": 2, "set aside": 5},
    }
    reasons = {row["line"]: row["reason"] for row in source.rejected["searches"].to_pylist()}
    assert reasons == {
        8: "has 3 fields, the header has 7",
        4: "has not one label per candidate",
        5: "has not one query and one type per product of the history",
        6: "has not one interval more than products in the history",
        7: "has an interval that is no whole number",
    }


def test_candidates_without_a_product_are_set_aside_by_the_contract(folder):
    source = load_jdsearch(folder)
    ids = {"known_products": IdMap(source.tables["products"]["product_id"]),
           "known_searches": IdMap(source.tables["searches"]["search_id"])}  # fmt: skip
    problems = {name: validate(table, SCHEMAS[name], **ids).report.problems for name, table in source.tables.items()}
    [problem] = problems.pop("impressions")
    assert (problem.rule, problem.count) == ("must be a product of the catalogue", 2)
    assert set(problems.values()) == {()}


def test_other_files_are_refused(folder):
    (folder / "product_data.txt").write_text("wid\n1\n")
    with pytest.raises(SourceError, match="must hold one file whose name begins with product"):
        load_jdsearch(folder)
    (folder / "product_meta_data.txt").unlink()
    with pytest.raises(SourceError, match="must have the columns of the release"):
        load_jdsearch(folder)


def test_the_command_imports_it(aisle_json, folder, tmp_path):
    report = aisle_json("import", "-w", tmp_path / "shop", "--from", "jdsearch", "--path", folder)
    assert {table: values["usable"] for table, values in report["tables"].items()} == {
        "products": 3,
        "searches": 2,
        "impressions": 3,
        "events": 4,
        "users": 2,
    }
    for account in report["accounts"].values():
        assert sum(account["fates"].values()) == account["rows"]
    for table, values in report["tables"].items():
        sent = sum(account["fates"].get(table, 0) for account in report["accounts"].values())
        assert sent in (0, values["usable"] + values["quarantined"])
