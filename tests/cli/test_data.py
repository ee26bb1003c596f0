import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aisle.pipelines.catalogue import read_judgments, read_products
from aisle.workspace import Workspace

ROWS = [
    {"sku": "1", "name": "Red [bold] lamp", "cents": 1250, "path": "Home > Lamps"},
    {"sku": "2", "name": "Blue chair", "cents": 9900, "path": "Home > Chairs"},
]
MAP = "product_id=sku,title=name,price=cents/100,category=path"


def write_csv(path):
    lines = ["sku,name,cents,path", *(",".join(f'"{value}"' for value in row.values()) for row in ROWS)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_tsv(path):
    lines = ["sku\tname\tcents\tpath", *("\t".join(map(str, row.values())) for row in ROWS)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_jsonl(path):
    text = "".join(json.dumps(row) + "\n" for row in ROWS)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())


def write_parquet(path):
    pq.write_table(pa.Table.from_pylist(ROWS), path)


@pytest.mark.parametrize(
    ("name", "write"),
    [("a.csv", write_csv), ("a.tsv", write_tsv), ("a.jsonl", write_jsonl), ("a.jsonl.gz", write_jsonl),
     ("a.parquet", write_parquet)],
)  # fmt: skip
def test_every_format_imports_to_the_same_products(aisle_json, tmp_path, name, write):
    write(tmp_path / name)
    report = aisle_json("import", "--workspace", tmp_path / "shop", "--products", tmp_path / name, "--map", MAP)
    assert report["tables"]["products"]["usable"] == 2
    products = read_products(Workspace.open(tmp_path / "shop"))
    assert products.select(["product_id", "title", "price", "category"]).to_pylist() == [
        {"product_id": "1", "title": "Red [bold] lamp", "price": 12.5, "category": ["Home", "Lamps"]},
        {"product_id": "2", "title": "Blue chair", "price": 99.0, "category": ["Home", "Chairs"]},
    ]
    again = aisle_json("import", "--workspace", tmp_path / "shop", "--products", tmp_path / name, "--map", MAP)
    assert again["tables"]["products"]["skipped"] is True


@pytest.fixture
def judgments(tmp_path):
    write_jsonl(tmp_path / "stock.jsonl")
    path = tmp_path / "judgments.csv"
    path.write_text("q,docid,stars,split\nlamp,1,5,train\nchair,2,3,validation\nlamp,9,5,test\nlamp,2,0,test\n")
    return ["--products", tmp_path / "stock.jsonl", "--judgments", path, "--map", MAP,
            "--map", "query=q,judgments.product_id=docid,grade=stars"]  # fmt: skip


def test_two_files_in_one_command_with_stages(aisle_json, judgments, tmp_path):
    report = aisle_json("import", "--workspace", tmp_path / "shop", *judgments, "--grades", "clicked=3,ordered=5")
    assert report["tables"]["judgments"]["quarantined"] == 1
    assert report["tables"]["judgments"]["problems"][0]["column"] == "product_id"
    shop = Workspace.open(tmp_path / "shop")
    stages = {split: read_judgments(shop, split).column("stage_grade").to_pylist() for split in ("train", "validation")}
    assert stages == {"train": [4.0], "validation": [2.0]}
    assert read_judgments(shop, "test").select(["query", "product_id", "grade"]).to_pylist() == [
        {"query": "lamp", "product_id": "2", "grade": 0.0}
    ]


def test_the_table_for_people_counts_and_names_what_was_set_aside(aisle, judgments, tmp_path):
    result = aisle("import", "--workspace", tmp_path / "shop", *judgments)
    assert result.code == 0
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in result.out.splitlines() if "│" in line]
    assert rows == [["products", "2", "2", "0", "0", "done"], ["judgments", "4", "3", "1", "0", "done"]]
    assert "judgments: product_id must be a product of the catalogue: 1 quarantined (row 3: '9')" in result.err
    assert "Set aside, with reasons: " in result.err


def test_simulate_gives_the_same_shop_for_the_same_seed(aisle_json, aisle, tmp_path):
    first = aisle_json("simulate", "--workspace", tmp_path / "a", "--products", 100, "--seed", 4)
    assert first["tables"]["products"]["usable"] == 100
    aisle_json("simulate", "--workspace", tmp_path / "b", "--products", 100, "--seed", 4)
    shops = [Workspace.open(tmp_path / name) for name in "ab"]
    assert shops[0].manifest("products").content == shops[1].manifest("products").content
    again = aisle("simulate", "--workspace", tmp_path / "a", "--products", 100, "--seed", 4)
    assert again.out.count("unchanged: skipped") == 2


def test_a_simulated_log_is_shown_beside_published_figures(aisle_json, aisle, tmp_path):
    size = ["--products", 200, "--searches", 400, "--users", 100, "--days", 20, "--report", tmp_path / "report.html"]
    summary = aisle_json("simulate", "--workspace", tmp_path / "shop", *size)
    measures = {line["measure"] for line in summary["comparison"]}
    assert {"click_share_first", "words_per_query", "orders_per_cart"} <= measures
    assert "<svg" in (tmp_path / "report.html").read_text(encoding="utf-8")
    again = aisle("simulate", "--workspace", tmp_path / "shop", *size)
    assert "beside published figures" in again.out
    assert "report.html" in again.err


def test_a_report_needs_a_log(aisle, tmp_path):
    result = aisle("simulate", "--workspace", tmp_path / "shop", "--report", tmp_path / "report.html")
    assert result.code == 2
    assert "--report must come with a log" in result.err


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "takes own files, a known data set, or both"),
        (["--from", "icecat", "--map", "title=name"], "--map must come with own files"),
        (["--products", "x.csv", "--path", "folder"], "--path and --set must come with --from"),
        (["--products", "x.csv", "--set", "late_days=3"], "--path and --set must come with --from"),
        (["--from", "icecta"], "Did you mean icecat"),
    ],
)
def test_options_that_do_not_go_together(aisle, tmp_path, arguments, text):
    result = aisle("import", "--workspace", tmp_path / "shop", *arguments)
    assert (result.code, result.out) == (2, "")
    assert text in result.err
    assert not (tmp_path / "shop").exists()


LOG = [
    {"query_id": "q1", "client_id": "c", "user_query": "lamp", "timestamp": "2024-01-01T00:00:00Z",
     "query_response_object_ids": ["40001", "49999"]},
    {"action_name": "click", "query_id": "q1", "client_id": "c", "timestamp": "2024-01-01T00:00:05Z",
     "event_attributes": {"object": {"object_id": "40001"}}},
    {"action_name": "purchase", "client_id": "c", "timestamp": "2024-01-02T00:00:00Z",
     "event_attributes": {"object": {"object_id": "40001"}}},
    {"action_name": "click", "client_id": "c"},
]  # fmt: skip


def test_a_log_with_products_in_one_command(aisle, aisle_json, tmp_path):
    (tmp_path / "products.jsonl").write_text(json.dumps({"product_id": "1", "title": "Lamp", "ean": ["40001"]}) + "\n")
    (tmp_path / "ubi.ndjson").write_text("".join(json.dumps(row) + "\n" for row in LOG))
    command = ["import", "-w", tmp_path / "shop", "--from", "ubi", "--path", tmp_path / "ubi.ndjson"]
    files = ["--products", tmp_path / "products.jsonl", "--product-key", "ean"]
    report = aisle_json(*command, *files)
    assert report["accounts"]["ubi_events"] == {"rows": 3, "fates": {"impressions": 2, "set aside": 1}}
    usable = {name: table["usable"] for name, table in report["tables"].items()}
    assert usable == {"products": 1, "searches": 1, "impressions": 1, "events": 0}
    assert "impressions: 1 of 2 products found by ean" in report["notes"]
    [row] = pq.read_table(tmp_path / "shop" / "impressions" / "impressions.parquet").to_pylist()
    assert (row["product_id"], row["clicked_at"].isoformat()) == ("1", "2024-01-01T00:00:05+00:00")
    assert row["ordered_at"].isoformat() == "2024-01-02T00:00:00+00:00"
    again = aisle(*command, "--product-key", "ean", "--set", "attribution_days=0")
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in again.out.splitlines() if "│" in line]
    assert ["ubi_queries", "1", "searches", "1"] in rows
    assert "1 events without a query id went to events" in again.err


def test_every_table_of_the_contract_can_be_an_own_file(aisle_json, tmp_path):
    contents = {
        "products": "product_id,title\n1,Lamp\n",
        "searches": "search_id,query,searched_at\ns1,lamp,2024-01-01\n",
        "impressions": "search_id,product_id,position\ns1,1,1\ns2,1,1\n",
        "events": "actor_id,at,action\nu,2024-01-01,view\nu,2024-01-01,view\nu\n",
        "users": "user_id,location\nu,de\n",
        "judgments": "query,product_id,grade\nlamp,1,3\n",
    }
    options = []
    for name, content in contents.items():
        (tmp_path / f"{name}.csv").write_text(content)
        options += [f"--{name}", tmp_path / f"{name}.csv"]
    report = aisle_json("import", "-w", tmp_path / "shop", *options)
    assert {name: table["usable"] for name, table in report["tables"].items()} == dict.fromkeys(contents, 1)
    assert report["accounts"] == {"events.csv": {"rows": 3, "fates": {"events": 1, "duplicate": 1, "set aside": 1}}}
    assert report["tables"]["impressions"]["problems"][0]["rule"] == "must be a search of the searches table"


def test_a_table_from_two_places_is_refused(aisle, tmp_path):
    (tmp_path / "ubi.ndjson").write_text(json.dumps(LOG[0]) + "\n")
    (tmp_path / "s.csv").write_text("search_id,query,searched_at\ns1,lamp,2024-01-01\n")
    result = aisle("import", "-w", tmp_path / "shop", "--from", "ubi", "--path", tmp_path / "ubi.ndjson",
                   "--searches", tmp_path / "s.csv")  # fmt: skip
    assert (result.code, result.out) == (2, "")
    assert "either from the data set or from an own file" in result.err


def test_a_failed_import_leaves_no_workspace(aisle, tmp_path):
    (tmp_path / "p.csv").write_text("product_id,title\n1,\n")
    assert aisle("import", "-w", tmp_path / "shop", "--products", tmp_path / "p.csv").code == 1
    assert not (tmp_path / "shop").exists()


def test_a_log_without_products_is_refused_before_anything_is_written(aisle, tmp_path):
    (tmp_path / "ubi.ndjson").write_text("".join(json.dumps(row) + "\n" for row in LOG))
    result = aisle("import", "-w", tmp_path / "shop", "--from", "ubi", "--path", tmp_path / "ubi.ndjson")
    assert (result.code, result.out) == (2, "")
    assert "Products must be imported before impressions" in result.err
    assert not (tmp_path / "shop").exists()


def test_the_help_names_every_source(aisle):
    from aisle.sources import SOURCES

    text = aisle("import", "--help").out
    assert [name for name in SOURCES if name not in text] == []


def test_a_simulated_log_lands_in_the_workspace(aisle_json, tmp_path):
    size = ["--products", 200, "--searches", 300, "--users", 100, "--days", 20, "--seed", 2]
    first = aisle_json("simulate", "--workspace", tmp_path / "shop", *size)
    assert (first["searches"], first["skipped"]) == (300, False)
    assert 300 * 15 < first["impressions"] <= 300 * 24
    shop = Workspace.open(tmp_path / "shop")
    tables = ["events", "impressions", "products", "searches", "simulation", "truth", "users"]
    assert shop.names() == tables
    assert aisle_json("simulate", "--workspace", tmp_path / "shop", *size)["skipped"] is True


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--users", 50], "must come with a log"),
        (["--catalogue", "x.csv"], "must come with a log"),
        (["--config", "small", "--seed", 3], "must be taken as it is"),
        (["--config", "small", "--catalogue", "x.csv"], "must be taken as it is"),
        (["--config", "large"], "Choose among small, default"),
        (["--searches", 500, "--catalogue", "x.csv", "--products", 200], "sold whole"),
        (["--searches", 5], "100"),
    ],
)
def test_marketplaces_that_cannot_be(aisle, tmp_path, arguments, text):
    result = aisle("simulate", "--workspace", tmp_path / "shop", *arguments)
    assert (result.code, result.out) == (2, "")
    assert text in result.err
    assert not (tmp_path / "shop").exists()


def test_a_frozen_marketplace_is_held_against_what_it_came_to(aisle_json, tmp_path, monkeypatch):
    import aisle.simulation as simulation

    tiny = simulation.MarketplaceConfig(products=200, searches=200, users=50, days=20, seed=1)
    monkeypatch.setattr(simulation, "frozen_config", {"small": tiny}.__getitem__)
    monkeypatch.setattr(simulation, "frozen_figures", lambda name: {"searches": 200, "sha256": "another"})
    first = aisle_json("simulate", "--workspace", tmp_path / "shop", "--config", "small")
    assert first["frozen"] == "differs from what was frozen: sha256"
    monkeypatch.setattr(simulation, "frozen_figures", lambda name: {"searches": 200, "sha256": first["sha256"]})
    assert aisle_json("simulate", "--workspace", tmp_path / "shop", "--config", "small")["frozen"] == "as frozen"
