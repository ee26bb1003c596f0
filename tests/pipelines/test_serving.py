import socket
import sys

import pyarrow as pa
import pytest

from aisle.core.errors import UsageError, WorkspaceError
from aisle.pipelines import serving


@pytest.fixture
def served(monkeypatch):
    """Start nothing; keep the app that would have been served."""
    kept = {}

    def run(app, **options):
        kept.update(app=app, **options)

    monkeypatch.setattr("aisle.serving.run", run)
    return kept


def test_examples_are_spread_over_the_judged_queries(built_shop, simulated):
    examples = serving.example_queries(built_shop)
    validation = [
        row["query"]
        for row in simulated.judgments.select(["query", "split"]).to_pylist()
        if row["split"] == "validation"
    ]
    assert len(examples) == len(set(examples)) == 6
    assert set(examples) <= set(validation)
    assert (examples[0], examples[-1]) == (validation[0], validation[-1])


def test_few_queries_are_all_examples(import_shop, tmp_path):
    products = pa.table({"product_id": ["a"], "title": ["shoe"]})
    judgments = pa.table({"query": ["shoe", "boot"], "product_id": ["a", "a"], "grade": [1, 1], "split": ["train"] * 2})
    workspace = import_shop(tmp_path / "shop", products=products, judgments=judgments)
    assert serving.example_queries(workspace) == ["shoe", "boot"]


def test_a_shop_without_judgments_has_no_examples(import_shop, tmp_path):
    assert serving.example_queries(import_shop(tmp_path / "shop", judgments=None)) == []


def test_the_service_knows_its_shop_by_name(shop, served, monkeypatch):
    from fastapi.testclient import TestClient

    monkeypatch.chdir(shop.path)
    from aisle.workspace import Workspace

    serving.serve(Workspace.open(shop.path.relative_to(shop.path)), host="127.0.0.1", port=0, on_ready=print)
    client = TestClient(served["app"])
    ready = client.get("/readyz").json()
    info = ready["info"]
    assert (info["name"], info["products"], len(info["examples"])) == ("shop", 300, 6)
    assert served["on_ready"] is print
    hits = client.post("/v1/search", json={"query": info["examples"][0], "k": 2}).json()["hits"]
    assert len(hits) == 2


def test_a_taken_port_is_told(built_shop):
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(UsageError, match="port must be free"):
        serving.serve(built_shop, host="127.0.0.1", port=taken.getsockname()[1], on_ready=print)


def test_nothing_indexed_nothing_served(import_shop, served, tmp_path):
    with pytest.raises(WorkspaceError, match="must hold 'index'"):
        serving.serve(import_shop(tmp_path / "shop"), host="127.0.0.1", port=0, on_ready=print)
    assert served == {}


def test_missing_packages_are_named(built_shop, monkeypatch):
    monkeypatch.setitem(sys.modules, "aisle.serving", None)
    with pytest.raises(UsageError, match=r"aisle\[serve\].*pip install"):
        serving.serve(built_shop, host="127.0.0.1", port=0, on_ready=print)
