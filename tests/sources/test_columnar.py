import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aisle.core.errors import SourceError
from aisle.sources.columnar import parquet_batches
from aisle.sources.engine import engine


def test_a_file_streams_in_its_order(tmp_path):
    table = pa.table({"a": range(50_000)})
    pq.write_table(table, tmp_path / "a*.parquet", row_group_size=7_000)
    with parquet_batches(tmp_path / "a*.parquet") as batches, engine() as connection:
        connection.register("batches", batches)
        assert connection.sql("SELECT * FROM batches").to_arrow_table()["a"].to_pylist() == list(range(50_000))


@pytest.mark.parametrize("content", [None, b"PAR1 no"])
def test_what_is_no_parquet_file_is_refused(tmp_path, content):
    if content is not None:
        (tmp_path / "a.parquet").write_bytes(content)
    with pytest.raises(SourceError, match="whole Parquet file"), parquet_batches(tmp_path / "a.parquet"):
        pass
