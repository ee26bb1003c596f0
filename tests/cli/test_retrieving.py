import pyarrow.parquet as pq


def test_results_are_written_and_counted(aisle, aisle_json, learnt_shop, tmp_path):
    queries, out = tmp_path / "queries.csv", tmp_path / "run.parquet"
    queries.write_text("query,user_id\nword3,u1\nword4,stranger\n,u1\nzzz,\n")
    command = ("retrieve", "-w", learnt_shop.path, "--queries", queries, "--out", out, "--k", 3, "--system", "lexical")
    values = aisle_json(*command)
    assert (values["queries"], values["rows"], values["set_aside"], values["unknown_actors"]) == (3, 2, 1, 1)
    assert pq.read_table(out).column("product_id").to_pylist() == ["p3", "p4"]
    told = aisle(*command)
    assert (told.code, told.out) == (0, "")
    assert "Set aside: query must be present and not blank" in told.err
    assert "1 queries name an actor whom the log does not know: they count as nobody's." in told.err
    assert "1 queries found nothing." in told.err
    assert f"Wrote 2 results of 3 queries to {out}" in told.err


def test_what_cannot_be_done_is_said_in_a_line(aisle, learnt_shop, tmp_path):
    command = ["retrieve", "-w", learnt_shop.path, "--queries", tmp_path / "none.csv", "--out", tmp_path / "o.parquet"]
    missing, no_places = aisle(*command), aisle(*command, "--k", 0)
    assert (missing.code, no_places.code) == (1, 2)
    assert "The file must exist" in missing.err
    assert "k must be at least 1. Received: k=0." in no_places.err
    assert aisle("retrieve", "-w", learnt_shop.path).code == 2
