import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from aisle.core.errors import SourceError, TableError, UsageError, WorkspaceError
from aisle.core.shopper import Shopper
from aisle.pipelines.retrieving import retrieve_file
from aisle.pipelines.searching import load_engine
from aisle.workspace import Workspace


@pytest.fixture
def ask(learnt_shop, tmp_path):
    """Retrieve for rows of a file; return the outcome and the written rows by query."""

    def run(*rows, system="semantic", k=5, workspace=learnt_shop):
        path = tmp_path / "queries.jsonl"
        path.write_text("".join(json.dumps({"query_id": f"n{n}", **row}) + "\n" for n, row in enumerate(rows)))
        outcome = retrieve_file(workspace, path, tmp_path / "run.parquet", system=system, k=k)
        written = pq.read_table(tmp_path / "run.parquet").to_pylist()
        return outcome, [[row for row in written if row["query_id"] == f"n{n}"] for n in range(len(rows))]

    return run


@pytest.mark.parametrize("system", ["lexical", "semantic", "hybrid"])
def test_every_query_gets_what_a_search_would_show(ask, learnt_shop, system):
    engine = load_engine(learnt_shop)
    askers = [Shopper(), Shopper("u1"), Shopper(client_id="c0"), Shopper(location="fr"), Shopper("nobody")]
    fields = [
        {name: value for name, value in vars(asker).items() if value} | {"query": "thing word3"} for asker in askers
    ]
    outcome, found = ask(*fields, system=system)
    for asker, rows in zip(askers, found, strict=True):
        # As deep as a search of k places; a hybrid's scores hang on the depth of its lists.
        hits = engine.search("thing word3", k=5, mode=system, shopper=asker)
        assert [(row["product_id"], row["rank"]) for row in rows] == [(hit.product_id, hit.rank) for hit in hits]
        np.testing.assert_allclose([row["score"] for row in rows], [hit.score for hit in hits], atol=1e-5)
    assert (outcome.queries, outcome.rows, outcome.unknown_actors) == (5, sum(map(len, found)), 1)
    assert outcome.personal == 3


def test_parts_add_up_to_the_semantic_score(ask):
    parts = ("score_term", "score_graph", "score_context")
    queries = [{"query": "word3 thing", "user_id": "u1"}, {"query": "unheard of", "location": "de"}]
    for rows in ask(*queries)[1]:
        assert len(rows) == 5
        for row in rows:
            assert sum(row[name] for name in parts) == pytest.approx(row["score"], abs=1e-5)
    for rows in ask(*queries, system="hybrid")[1]:
        for row in rows:
            weight = row["weight_semantic"]
            fused = weight * row["normalised_semantic"] + (1 - weight) * row["normalised_lexical"]
            assert fused == pytest.approx(row["score"], abs=1e-5)
            assert sum(row[name] for name in parts) == pytest.approx(row["score_semantic"], abs=1e-5)


def test_a_query_with_a_time_knows_only_what_was_before(ask):
    """u1's first order was in hour 1, and p30 came on sale in hour 200."""
    at = [None, "2025-01-01T01:00:00Z", "2025-01-01T01:00:01Z", "2025-06-01T00:00:00Z"]
    queries = [{"query": "new thing", "user_id": "u1", "location": "fr", "searched_at": time} for time in at]
    queries.append({"query": "new thing", "location": "fr"})
    outcome, (now, before, after, late, nobody) = ask(*queries, k=32)
    assert "p30" in [row["product_id"] for row in now]
    assert [len(rows) for rows in (now, before, after, late, nobody)] == [32, 31, 31, 32, 32]
    assert "p30" not in [row["product_id"] for row in before]
    scores = [{row["product_id"]: row["score"] for row in rows} for rows in (nobody, before, after, now)]
    assert all(scores[1][name] == pytest.approx(scores[0][name], abs=1e-6) for name in scores[1])
    assert any(abs(scores[2][name] - scores[0][name]) > 1e-6 for name in scores[2])
    assert outcome.personal == 5


def test_blocks_change_nothing(ask, monkeypatch):
    queries = [{"query": f"word{n}", "user_id": f"u{n}"} for n in range(7)]
    whole = ask(*queries, system="hybrid")
    monkeypatch.setattr("aisle.pipelines.retrieving._PLACES_AT_ONCE", 10)
    blocks = ask(*queries, system="hybrid")
    assert whole[0] == blocks[0]
    for one, other in zip(whole[1], blocks[1], strict=True):
        assert [row["product_id"] for row in one] == [row["product_id"] for row in other]
        np.testing.assert_allclose([row["score"] for row in one], [row["score"] for row in other], atol=1e-6)


def test_what_was_found_and_set_aside_is_counted(ask):
    outcome, found = ask({"query": "zzz"}, {"query": "word1"}, {"query": " "}, system="lexical", k=99)
    assert [len(rows) for rows in found] == [0, 1, 0]
    assert (outcome.queries, outcome.rows, outcome.without_results, outcome.set_aside) == (2, 1, 1, 1)
    assert "not blank" in outcome.problems[0]


def test_more_places_than_products_are_all_products(ask):
    assert [len(rows) for rows in ask({"query": "lamp"}, k=10**9)[1]] == [32]


def test_a_catalogue_without_a_log_knows_nobody(ask, built_shop):
    outcome, (rows,) = ask({"query": "lamp", "user_id": "u1"}, workspace=built_shop)
    assert (len(rows), outcome.personal, outcome.unknown_actors) == (5, 0, 0)


def test_requests_that_cannot_be_met_are_refused_before_the_work(learnt_shop, tmp_path):
    queries, out = tmp_path / "q.txt", tmp_path / "run.parquet"
    queries.write_text("lamp\n")

    def run(queries=queries, out=out, system="hybrid", k=5, workspace=learnt_shop):
        return retrieve_file(workspace, queries, out, system=system, k=k)

    with pytest.raises(UsageError, match="k must be at least 1"):
        run(k=0)
    with pytest.raises(UsageError, match="must end in"):
        run(out=tmp_path / "run.csv")
    with pytest.raises(UsageError, match="Systems must be among"):
        run(system="magic")
    with pytest.raises(SourceError, match="must exist"):
        run(queries=tmp_path / "none.csv")
    (tmp_path / "q.csv").write_text("text\nlamp\n")
    with pytest.raises(TableError, match="must have the columns"):
        run(queries=tmp_path / "q.csv")
    with pytest.raises(WorkspaceError, match="must hold 'index'"):
        run(workspace=Workspace.open(tmp_path / "empty", create=True))
    ask = tmp_path / "ask.parquet"
    pq.write_table(pq.read_table(learnt_shop.folder("searches") / "searches.parquet"), ask)
    with pytest.raises(UsageError, match="must not overwrite"):
        run(queries=ask, out=ask)
    assert not out.exists()
