import json

import pytest


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    """A table whose texts are not broken over lines."""
    monkeypatch.setenv("COLUMNS", "300")


def test_a_whole_shop_ends_well(aisle, aisle_json, built_shop):
    found = aisle_json("doctor", "--workspace", built_shop.path)
    assert found["problems"] == 0
    assert {"model", "index", "next"} <= {one["name"] for one in found["findings"]}
    result = aisle("doctor", "--workspace", built_shop.path)
    assert result.code == 0
    assert "files as written on" in result.out
    assert "0 problems" in result.err


def test_a_problem_ends_with_1_and_the_remedy(aisle, shop):
    (shop.folder("model") / "model.safetensors").write_bytes(b"[damaged]")
    result = aisle("doctor", "--workspace", shop.path)
    assert result.code == 1
    assert "aisle train" in result.out
    assert "Traceback" not in result.err
    found = aisle("doctor", "--workspace", shop.path, "--json")
    assert found.code == 1
    assert json.loads(found.out)["problems"] == 2
