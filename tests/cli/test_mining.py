import pyarrow as pa
import pytest

from aisle.pipelines.importing import import_tables
from aisle.sources import SourceTables
from aisle.workspace import Workspace


@pytest.fixture
def log_shop(tmp_path):
    days = [f"2025-01-{day:02}" for day in range(1, 21)]
    names = [f"q{number}" for number in range(20)]
    clicked = [f"{day} 00:01" for day in days]
    shown = {"search_id": names, "product_id": ["a"] * 20, "position": [1] * 20, "clicked_at": clicked}
    log = {
        "products": pa.table({"product_id": ["a"], "title": ["Lamp"]}),
        "searches": pa.table({"search_id": names, "query": ["lamp"] * 20, "searched_at": days}),
        "impressions": pa.table({**shown, "slot": ["ranked", "random"] * 10}),
    }
    import_tables(Workspace.open(tmp_path / "shop", create=True), SourceTables(log, {}, {}))
    return tmp_path / "shop"


def test_mine_tells_what_it_found_and_is_skipped_the_second_time(aisle, aisle_json, log_shop, set_options):
    command = ["mine", "--workspace", log_shop, *set_options(["mining.num_slices=2", "mining.threads=1"])]
    first, second = aisle_json(*command), aisle_json(*command)
    assert (first["step"], first["skipped"], second["skipped"]) == ("mine", False, True)
    assert first["impressions"]["clicked"] == 20
    assert first["exposures"]["random"]["click_share"] == 0.5
    assert {**first, "skipped": True} == second
    shown = aisle(*command).out
    for text in ("mine (unchanged: skipped)", "where every row went", "exposed by ranked", "new queries"):
        assert text in shown
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in shown.splitlines() if "│" in line]
    assert ["searches", "17", "1", "2"] in rows
    assert max(map(len, shown.splitlines())) <= 80
    assert "…" not in shown


def test_without_a_log_it_says_what_to_do(aisle, built_shop):
    result = aisle("mine", "--workspace", built_shop.path)
    assert result.code == 1
    assert "aisle import --searches" in result.err


def test_a_setting_that_does_not_exist(aisle, log_shop):
    result = aisle("mine", "--workspace", log_shop, "--set", "mining.slices=3")
    assert result.code == 1
    assert "num_slices" in result.err


def test_a_new_day_is_added_and_mined(aisle, aisle_json, log_shop, set_options, tmp_path):
    settings = set_options(["mining.num_slices=2", "mining.threads=1"])
    aisle_json("mine", "--workspace", log_shop, *settings)
    (tmp_path / "day.csv").write_text("search_id,query,searched_at\nq20,lamp,2025-01-21\nq21,lamp,2025-01-22\n")
    (tmp_path / "shown.csv").write_text("search_id,product_id,position,clicked_at\nq20,a,1,2025-01-21 00:01\n")
    files = ["--searches", tmp_path / "day.csv", "--impressions", tmp_path / "shown.csv"]
    report = aisle_json("import", "--workspace", log_shop, "--add", *files)
    assert (report["tables"]["searches"]["rows"], report["tables"]["searches"]["skipped"]) == (2, False)
    found = aisle_json("mine", "--workspace", log_shop, "--since", "2025-01-21", *settings)
    assert (found["searches"]["rows"], found["skipped"]) == (22, False)
    assert aisle_json("mine", "--workspace", log_shop, "--since", "last", *settings)["skipped"] is True
    refused = aisle("mine", "--workspace", log_shop, "--since", "2025-01-21", *settings)
    assert refused.code == 2
    assert "mined already" in refused.err
