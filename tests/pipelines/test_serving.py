import socket
import sys

import pyarrow as pa
import pytest
from fastapi.testclient import TestClient

from aisle.core.errors import UsageError, WorkspaceError
from aisle.pipelines import serving
from aisle.pipelines.serving import ServiceOptions
from aisle.serving import LOOPBACK_NAMES, KeyRing
from aisle.store import Journal, ProductChange

HERE = ServiceOptions(port=0)


@pytest.fixture
def served(monkeypatch):
    """Start nothing; keep the app that would have been served."""
    kept = {}

    def run(app, **options):
        client = TestClient(app, base_url="http://127.0.0.1:8000")
        ready = client.get("/readyz").json()
        query = ready["info"]["examples"][0]
        hits = client.post("/v1/search", json={"query": query, "k": 2}).json()["hits"]
        kept.update(app=app, ready=ready, hits=hits, **options)

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


def test_a_log_gives_queries_that_many_shoppers_asked_and_no_others(learnt_shop, monkeypatch):
    examples = serving.example_queries(learnt_shop)
    assert len(set(examples)) == 6
    assert {query.rstrip("0123456789") for query in examples} == {"word"}
    monkeypatch.setattr(serving, "_ASKED_BY", 12)  # there are eleven shoppers, and one session
    assert serving.example_queries(learnt_shop) == []


def test_the_service_knows_its_shop_by_name(shop, served, monkeypatch):
    monkeypatch.chdir(shop.path)
    from aisle.workspace import Workspace

    serving.serve(Workspace.open(shop.path.relative_to(shop.path)), HERE, on_ready=print)
    ready = served["ready"]
    info = ready["info"]
    assert (info["name"], ready["state"]["num_products"], len(info["examples"])) == ("shop", 300, 6)
    assert served["on_ready"] is print
    assert len(served["hits"]) == 2


def test_a_shop_that_lost_what_it_acknowledged_is_served_only_where_that_is_accepted(shop, served):
    journal = Journal.open(shop.path / "journal")
    journal.append_products([ProductChange("gone", None)])
    journal.close()
    for path in (shop.path / "journal").glob("journal.db*"):
        path.unlink()
    with pytest.raises(WorkspaceError, match="--accept-loss"):
        serving.serve(shop, HERE, on_ready=print)
    serving.serve(shop, ServiceOptions(port=0, accept_loss=True), on_ready=print)
    assert len(served["hits"]) == 2
    serving.serve(shop, HERE, on_ready=print)  # said once, it need not be said again


def test_a_taken_port_is_told(built_shop):
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(UsageError, match="port must be free"):
        serving.serve(built_shop, ServiceOptions(port=taken.getsockname()[1]), on_ready=print)


def test_what_is_said_of_keys_and_names_becomes_settings(tmp_path, monkeypatch):
    monkeypatch.delenv("AISLE_API_KEY", raising=False)
    (tmp_path / "key").write_text("k" * 16)
    open_ = serving._settings(ServiceOptions(host="127.0.0.2"))
    assert (open_.hosts, open_.keys, open_.log_queries) == (LOOPBACK_NAMES | {"127.0.0.2"}, None, False)
    guarded = serving._settings(ServiceOptions(host="0.0.0.0", key_file=tmp_path / "key", log_queries=True))
    assert (guarded.hosts, guarded.keys, guarded.log_queries) == (None, KeyRing.of("k" * 16), True)
    monkeypatch.setenv("AISLE_API_KEY", "e" * 16)
    named = serving._settings(ServiceOptions(host="::1", allowed_hosts=("Shop.example",)))
    assert (named.hosts, named.keys) == (LOOPBACK_NAMES | {"[::1]", "shop.example"}, KeyRing.of("e" * 16))


def test_others_are_only_heard_with_a_key(monkeypatch):
    monkeypatch.delenv("AISLE_API_KEY", raising=False)
    with pytest.raises(UsageError, match="must be a loopback address"):
        serving.check_serving(ServiceOptions(host="0.0.0.0", port=0))
    monkeypatch.setenv("AISLE_API_KEY", "e" * 16)
    serving.check_serving(ServiceOptions(host="0.0.0.0", port=0))


def test_nothing_indexed_nothing_served(import_shop, served, tmp_path):
    with pytest.raises(WorkspaceError, match="must hold 'index'"):
        serving.serve(import_shop(tmp_path / "shop"), HERE, on_ready=print)
    assert served == {}


def test_missing_packages_are_named(built_shop, monkeypatch):
    monkeypatch.setitem(sys.modules, "aisle.serving", None)
    with pytest.raises(UsageError, match=r"aisle\[serve\].*pip install"):
        serving.serve(built_shop, HERE, on_ready=print)
