import duckdb
import pytest

from aisle.mining import database
from aisle.mining.database import open_database, read_sql, run_sql


def test_the_folder_is_new_and_goes_afterwards(tmp_path):
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "left").touch()
    with open_database(folder, memory_gb=0.5, threads=1) as connection:
        assert not (folder / "left").exists()
        assert connection.execute("SELECT current_setting('threads')").fetchall() == [(1,)]
        assert connection.execute("SELECT current_setting('TimeZone')").fetchall() == [("UTC",)]
    assert not folder.exists()


def test_what_does_not_fit_spills_and_the_limit_holds(tmp_path):
    with open_database(tmp_path / "work", memory_gb=0.15, threads=1) as connection:
        connection.execute("CREATE TABLE long AS SELECT range AS n, hash(range)::VARCHAR AS text FROM range(5_000_000)")
        spilled = list((tmp_path / "work" / "spilled").iterdir())
        assert connection.execute("SELECT count(*) FROM long WHERE text IS NOT NULL").fetchall() == [(5_000_000,)]
    assert spilled


def test_statements_take_the_parameters_that_they_name_and_the_last_result_is_returned(tmp_path, monkeypatch):
    monkeypatch.setattr(database, "read_sql", lambda name: "CREATE TABLE t AS SELECT $a AS a; SELECT a, $b FROM t;")
    with open_database(tmp_path / "work", memory_gb=0.5) as connection:
        assert run_sql(connection, "toy", {"a": 1, "b": "x'; DROP TABLE t; --", "c": 3}).fetchall() == [
            (1, "x'; DROP TABLE t; --")
        ]


def test_a_missing_parameter_is_our_mistake(tmp_path):
    with open_database(tmp_path / "work", memory_gb=0.5) as connection, pytest.raises(KeyError, match="products"):
        run_sql(connection, "stage_inputs", {})


def test_every_sql_file_parses():
    folder = database.resources.files("aisle.mining")
    names = [file.name.removesuffix(".sql") for file in folder.iterdir() if file.name.endswith(".sql")]
    assert len(names) > 10
    with duckdb.connect() as connection:
        assert all(connection.extract_statements(read_sql(name)) for name in names)
