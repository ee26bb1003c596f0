import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aisle.core.errors import SourceError, TableError
from aisle.tables import PRODUCTS, read_parquet, validate, write_parquet


@pytest.fixture
def products():
    table = pa.table(
        {
            "product_id": [1],
            "title": ["a"],
            "category": [["x", "y"]],
            "attributes": pa.array([[("k", "v")]], pa.map_(pa.string(), pa.string())),
            "created_at": ["2020-01-01"],
        }
    )
    return validate(table, PRODUCTS).table


def test_write_then_read_is_the_identity(products, tmp_path):
    path = tmp_path / "products.parquet"
    write_parquet(products, path)
    assert read_parquet(path, PRODUCTS).equals(products)
    assert pq.ParquetFile(path).metadata.row_group(0).column(0).compression == "ZSTD"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_write_leaves_the_old_file(products, tmp_path):
    path = tmp_path / "products.parquet"
    write_parquet(products, path)
    with pytest.raises(AttributeError):
        write_parquet(None, path)
    assert read_parquet(path).equals(products)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("keep", [0, 3, 100])
def test_a_truncated_file_is_refused(products, tmp_path, keep):
    path = tmp_path / "products.parquet"
    write_parquet(products, path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(SourceError, match=rf"must be a whole Parquet file\. Received: .*bytes={keep}"):
        read_parquet(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(SourceError, match="must exist"):
        read_parquet(tmp_path / "none.parquet")


def test_a_file_that_breaks_the_contract_is_refused(tmp_path):
    path = tmp_path / "products.parquet"
    write_parquet(pa.table({"product_id": [1], "colour": ["red"]}), path)
    with pytest.raises(TableError, match=r"title is missing.*product_id is int64, not string"):
        read_parquet(path, PRODUCTS)
