import duckdb
import pyarrow as pa
import pytest

from aisle.sources.engine import column_name, engine


def test_a_sealed_engine_reads_tables_but_no_files(tmp_path):
    path = tmp_path / "secret.txt"
    path.write_text("secret")
    with engine(sealed=True) as connection:
        connection.register("source", pa.table({"a": [1, 2]}))
        assert connection.sql("SELECT sum(a) FROM source").fetchall() == [(3,)]
        with pytest.raises(duckdb.PermissionException):
            connection.sql("SELECT * FROM read_text(?)", params=[str(path)]).fetchall()
        with pytest.raises(duckdb.Error):
            connection.execute("SET enable_external_access = true")


def test_python_variables_are_no_tables():
    secret = pa.table({"a": [1]})
    with engine() as connection, pytest.raises(duckdb.CatalogException):
        connection.sql("SELECT * FROM secret")
    assert secret.num_rows == 1


@pytest.mark.parametrize("name", ["category hierarchy", 'a"b', "select", "Ü;--"])
def test_any_name_can_be_quoted(name):
    with engine() as connection:
        connection.register("source", pa.table({name: [7]}))
        assert connection.sql(f"SELECT {column_name(name)} FROM source").fetchall() == [(7,)]
