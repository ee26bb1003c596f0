import json
import shutil

import pytest

from aisle.core.errors import WorkspaceError
from aisle.pipelines.doctor.artefacts import artefact_findings, num_files
from aisle.pipelines.indexing import build_indexes
from aisle.workspace import Workspace


def looked_at(workspace):
    seen = []

    def advance(num_done, note="", *, total=None):
        seen.append(note)

    found = {one.name: one for one in artefact_findings(workspace, advance)}
    assert len(seen) == num_files(workspace)
    return found


def test_a_whole_shop_is_well(built_shop, learnt_shop):
    for shop in (built_shop, learnt_shop):
        found = looked_at(shop)
        assert {one.state for one in found.values()} == {"ok"}, found
        assert {"products", "features", "model", "index", "next"} <= set(found)
        assert "aisle serve" in found["next"].told


@pytest.mark.parametrize("name", ["products", "model", "index"])
def test_a_changed_file_is_found_and_what_mends_it_said(shop, name):
    path = shop.folder(name) / next(iter(shop.manifest(name).files))
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    finding = looked_at(shop)[name]
    assert finding.state == "problem"
    assert path.name in finding.told
    assert f"Delete {shop.folder(name)} and run `aisle" in finding.remedy
    assert looked_at(shop)["next"].state == "problem"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"step": 1}',
        b"[" * 100_000,
        json.dumps({"step": "model", "fingerprint": "", "inputs": 3, "config": {}, "seed": 0, "files": []}).encode(),
        json.dumps({"step": "model", "fingerprint": "", "inputs": 3, "config": {}, "seed": 0, "files": {}}).encode(),
        json.dumps(
            {"step": "model", "fingerprint": "", "inputs": {}, "config": {}, "seed": 0, "files": {"a\0b": "x"}}
        ).encode(),
    ],
)
def test_no_manifest_makes_it_fail(shop, content):
    (shop.folder("model") / "manifest.json").write_bytes(content)
    found = looked_at(shop)
    assert found["model"].state == "problem"
    assert found["model"].remedy
    assert found["products"].state == "ok"
    assert found["next"].state == "problem"


def test_an_index_of_another_catalogue_is_refused_and_features_only_told(shop, import_shop, simulated, tiny_recipe):
    import_shop(shop.path, products=simulated.products.slice(0, 50), judgments=None)
    found = looked_at(shop)
    assert (found["index"].state, found["index"].told) == ("problem", "made before the present products")
    assert found["index"].remedy == "Run `aisle index` again."
    assert found["features"].state == "warning"
    build_indexes(shop, tiny_recipe())
    assert looked_at(shop)["index"].state == "ok"


def test_what_is_missing_is_the_next_step(shop, import_shop, tmp_path):
    shutil.rmtree(shop.folder("index"))
    assert looked_at(shop)["next"].remedy == "Run `aisle index`."
    assert looked_at(import_shop(tmp_path / "new"))["next"].remedy == "Run `aisle train`."
    empty = looked_at(Workspace.open(tmp_path / "empty", create=True))
    assert list(empty) == ["next"]
    assert empty["next"].remedy == "Run `aisle import --products FILE`."


def test_left_overs_are_told(shop):
    (shop.path / ".partial" / "model-0123").mkdir(parents=True)
    (shop.path / "stray").mkdir()
    (shop.path / "versions").mkdir()
    found = looked_at(shop)
    assert "model-0123" in found["unfinished"].told
    assert found["others"].told == "folders without a manifest: stray"


def test_what_is_refused_by_search_is_a_problem_here(shop, import_shop, simulated):
    from aisle.pipelines.searching import check_current

    import_shop(shop.path, products=simulated.products.slice(0, 50), judgments=None)
    with pytest.raises(WorkspaceError):
        check_current(shop)
    assert looked_at(shop)["index"].state == "problem"
