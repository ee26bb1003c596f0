"""Searches that a model was never shown: each has an answer, from training to the served search."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient

from aisle.core.shopper import Shopper
from aisle.pipelines.retrieving import retrieve_file
from aisle.pipelines.searching import load_engine
from aisle.pipelines.serving import open_live_shop
from aisle.serving import create_app

NUM_PRODUCTS = 32


@pytest.fixture(scope="module")
def engine(learnt_shop):
    return load_engine(learnt_shop)


@pytest.fixture
def live_shop(own_learnt_shop):
    shop = open_live_shop(own_learnt_shop)
    yield shop
    shop.close()


@pytest.fixture
def scores(engine):
    """Score of every product, by meaning."""

    def run(query, **shopper):
        hits = engine.search(query, k=100, mode="semantic", shopper=Shopper(**shopper), explain=True)
        for hit in hits:
            assert sum(hit.explanation["parts"].values()) == pytest.approx(hit.score, abs=1e-5)
        return {hit.product_id: hit.score for hit in hits}

    return run


@pytest.mark.parametrize("query", ["🛋️", "word3 🛋️", "never asked before", "。", "x" * 500])
def test_a_query_of_nothing_but_an_emoji_and_a_new_one_find_all_products(engine, scores, query):
    found = scores(query)
    assert len(found) == NUM_PRODUCTS
    assert np.isfinite(list(found.values())).all()
    assert len(engine.search(query, k=5, mode="hybrid", explain=True)) == 5


def test_words_find_nothing_in_an_emoji(engine):
    assert engine.search("🛋️", mode="lexical") == []
    hybrid, semantic = (engine.search("🛋️", k=100, mode=mode) for mode in ("hybrid", "semantic"))
    assert [hit.product_id for hit in hybrid] == [hit.product_id for hit in semantic]


def test_a_product_that_nobody_ever_saw_is_found_by_its_words(engine):
    hits = engine.search("thing that is new", k=100, mode="semantic", explain=True)
    assert max(hits, key=lambda hit: hit.explanation["parts"]["term"]).product_id == "p30"
    assert engine.search("thing that is new", k=1)[0].product_id == "p30"


def test_a_product_without_a_word_has_a_place(engine, scores):
    assert "p31" in scores("word3")
    assert "p31" not in [hit.product_id for hit in engine.search("word3", k=100, mode="lexical")]


def test_an_actor_with_one_event_counts_and_one_without_is_nobody(scores):
    nobody, once = scores("new thing"), scores("new thing", client_id="c0")
    assert nobody != once
    assert scores("new thing", user_id="stranger", client_id="c0") == nobody
    assert scores("new thing", user_id="", client_id=" ", session_id="c0") == once


def test_a_place_that_the_shop_does_not_know_is_no_place(scores):
    nobody = scores("new thing")
    assert scores("new thing", location="atlantis") == pytest.approx(nobody, abs=1e-6)
    assert scores("new thing", location=" FR ") == scores("new thing", location="fr") != nobody


def test_a_file_of_them_and_the_service_give_the_same(learnt_shop, live_shop, tmp_path):
    asked = [{"query": "🛋️"}, {"query": "new", "client_id": "c0"}, {"query": "word3", "user_id": "stranger"}]
    (tmp_path / "q.jsonl").write_text("".join(json.dumps(row) + "\n" for row in asked), encoding="utf-8")
    retrieve_file(learnt_shop, tmp_path / "q.jsonl", tmp_path / "run.parquet", system="semantic", k=4)
    written = pq.read_table(tmp_path / "run.parquet").to_pylist()
    client = TestClient(create_app(live_shop, info={}), base_url="http://127.0.0.1:8000")
    for number, row in enumerate(asked, start=1):
        body = {**row, "k": 4, "mode": "semantic", "explain": True}
        hits = client.post("/v1/search", json=body).json()["hits"]
        of_file = [one for one in written if one["query_id"] == f"q{number}"]
        assert [one["product_id"] for one in of_file] == [hit["product_id"] for hit in hits]
        # To a file "now" is the end of the log; to the service it is now, and the past is older by so much.
        near = 1e-2 if "client_id" in row else 1e-5
        for one, hit in zip(of_file, hits, strict=True):
            assert {name: one[f"score_{name}"] for name in hit["explanation"]["parts"]} == pytest.approx(
                hit["explanation"]["parts"], abs=near
            )
