import json

import pytest

from aisle.live import LiveShop
from aisle.pipelines.doctor import examine
from aisle.pipelines.doctor.served import served_findings
from aisle.pipelines.versions import WorkspaceSource
from aisle.store import Journal, ProductChange
from aisle.workspace import Manifest


def version(folder, *, applied=0):
    (folder / "store").mkdir(parents=True)
    (folder / "products.parquet").write_bytes(b"rows")
    Manifest.of_folder(folder, step="version", fingerprint="", inputs={}, config={}, seed=0).write(folder)
    (folder / "store" / "state.json").write_text(json.dumps({"applied_offset": applied}))


@pytest.fixture
def workspace(tmp_path):
    with_two = Journal.open(tmp_path / "journal")
    with_two.append_products([ProductChange("a", {"product_id": "a"}, None), ProductChange("b", None, None)])
    with_two.close()
    version(tmp_path / "versions" / "v1", applied=1)
    version(tmp_path / "versions" / "v2", applied=2)
    (tmp_path / "versions" / "current").write_text("v2\n")
    return tmp_path


def looked_at(workspace):
    return {one.name: one for one in served_findings(workspace)}


def test_whole_versions_tell_how_far_they_are(workspace):
    found = looked_at(workspace)
    assert list(found) == ["journal", "v1", "v2 (current)"]
    assert {one.state for one in found.values()} == {"ok"}
    assert "2 product changes and 0 events, up to offset 2" in found["journal"].told
    assert found["v1"].told.endswith("changes applied up to 1 of 2")


def test_a_workspace_that_was_never_served_has_neither(tmp_path):
    assert looked_at(tmp_path) == {}


def test_a_store_ahead_of_its_journal_must_be_built_again(workspace):
    version(workspace / "versions" / "v3", applied=7)
    finding = looked_at(workspace)["v3"]
    assert finding.state == "problem"
    assert "up to 7, the journal holds them up to 2 only" in finding.told
    assert "aisle serve" in finding.remedy


def test_a_store_far_behind_is_told(workspace, monkeypatch):
    monkeypatch.setattr("aisle.pipelines.doctor.served._MUCH_LAG", 0)
    found = looked_at(workspace)
    assert (found["v1"].state, found["v2 (current)"].state) == ("warning", "ok")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("products.parquet", b"other"),
        ("manifest.json", b"[]"),
        ("manifest.json", b"{"),
        ("store/state.json", b"null"),
        ("store/state.json", b'{"applied_offset": "x"}'),
        ("store/state.json", b"\xff"),
    ],
)
def test_a_damaged_version_is_told_and_no_crash(workspace, name, content):
    (workspace / "versions" / "v1" / name).write_bytes(content)
    found = looked_at(workspace)
    assert found["v1"].state == "problem"
    assert found["v1"].remedy.startswith("Delete ")
    assert found["v2 (current)"].state == "ok"


def test_a_damaged_journal_is_told(workspace):
    database = max((workspace / "journal").iterdir(), key=lambda path: path.stat().st_size)
    database.write_bytes(b"no database" * 1000)
    found = looked_at(workspace)
    assert found["journal"].state == "problem"
    assert found["journal"].remedy


def test_a_version_that_nobody_made_current_is_a_problem(workspace):
    (workspace / "versions" / "current").write_text("v9")
    (workspace / "versions" / ".partial-v4").mkdir()
    found = looked_at(workspace)
    assert found["current"].state == "problem"
    assert "v9" in found["current"].told
    assert found["unfinished"].state == "warning"


def test_what_a_live_shop_leaves_is_whole(shop):
    live = LiveShop(shop.path, WorkspaceSource(shop))
    assert [one.status for one in live.put([{"product_id": "new", "title": "lamp"}])] == ["written"]
    while_served = looked_at(shop.path)
    live.close()
    found = looked_at(shop.path)
    assert {one.state for one in (*while_served.values(), *found.values())} == {"ok"}, found
    assert len(found) == 2
    assert next(one.told for name, one in found.items() if name.endswith("(current)")).endswith("up to 1 of 1")
    assert not any(one.area == "workspace" and one.name == "others" for one in examine(shop.path).findings)
