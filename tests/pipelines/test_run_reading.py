import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aisle.core.errors import SourceError
from aisle.core.ids import IdMap
from aisle.pipelines.run_reading import read_run_file

IDS = IdMap(["a", "b", "c"])
ROWS = {"query_id": ["s2", "s1", "s1"], "product_id": ["c", "a", "b"], "score": [1.0, 0.5, 0.5], "rank": [1, 2, 1]}


@pytest.fixture
def read(tmp_path):
    def run(**changes):
        columns = {name: values for name, values in {**ROWS, **changes}.items() if values is not None}
        pq.write_table(pa.table(columns), tmp_path / "run.parquet")
        return read_run_file(tmp_path / "run.parquet", ids=IDS, names=["s1", "s2", "s3"])

    return run


def test_rows_in_any_order(read):
    assert read().product_index.tolist() == [[1, 0], [2, -1], [-1, -1]]
    assert read().score[0].tolist() == [0.5, 0.5]


def test_without_ranks_ties_go_by_id(read):
    assert read(rank=None, score=[1.0, 0.5, 0.5]).product_index[0].tolist() == [1, 0]


def test_the_format_of_trec_by_any_other_name(tmp_path):
    (tmp_path / "run.trec").write_text("s3 Q0 b 1 0.5 x\n")
    found = read_run_file(tmp_path / "run.trec", ids=IDS, names=["s1", "s2", "s3"])
    assert found.product_index.tolist() == [[-1], [-1], [1]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"query_id": ["s9", "s1", "s1"]}, r"Every query_id of the file must be known.*query_id='s9', unknown=1"),
        ({"product_id": ["x", "a", "y"]}, r"Every product_id of the file.*product_id='x', unknown=2"),
        ({"product_id": ["c", "a", "a"]}, r"each product at most once per query"),
        ({"score": None}, r"must have the columns query_id, product_id, score.*missing=\['score'\]"),
        ({"score": [np.nan, 1.0, 2.0]}, r"must be finite numbers.*column='score'"),
        ({"score": ["high", "1", "2"]}, r"must be finite numbers.*column='score'"),
        ({"rank": [1, None, 2]}, r"must be finite numbers.*column='rank'"),
    ],
)
def test_bad_files_are_refused(read, changes, message):
    with pytest.raises(SourceError, match=message):
        read(**changes)


def test_what_is_no_parquet_is_refused(tmp_path):
    (tmp_path / "run.parquet").write_text("PAR1")
    with pytest.raises(SourceError, match="must be a whole Parquet file"):
        read_run_file(tmp_path / "run.parquet", ids=IDS, names=["s1"])
