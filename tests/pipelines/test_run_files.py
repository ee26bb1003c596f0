import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aisle.core.errors import UsageError
from aisle.core.ids import IdMap
from aisle.core.ranking import NO_PRODUCT, Ranking
from aisle.pipelines.run_files import check_run_path, open_run, run_rows
from aisle.retrieval import Explained, Side

IDS = IdMap(["a", "b", "c"])
QUERIES = pa.table({"query_id": ["x", "y"], "query": ["lamp", "sofa"], "user_id": ["u", None]})
RANKING = Ranking(np.array([[2, 0], [1, NO_PRODUCT]]), np.array([[0.9, 0.5], [0.7, -np.inf]], np.float32))
PARTS = {"term": np.array([[0.7, 0.5], [0.1, np.nan]], np.float32), "text": np.array([[0.2, -0.1], [0.3, np.nan]])}
SIDE = Side(
    np.array([0.5, 0.5]),
    np.array([[1, 0], [1, 0]]),
    np.array([[3.0, np.nan], [1.0, np.nan]], np.float32),
    np.array([[1.0, 0.0], [1.0, 0.0]]),
)


def test_one_row_per_result_with_its_parts():
    rows = run_rows(QUERIES, Explained(RANKING, PARTS), ids=IDS)
    assert rows.column_names == ["query_id", "query", "product_id", "rank", "score", "score_term", "score_text"]
    assert rows.select(["query_id", "query", "product_id", "rank"]).to_pylist() == [
        {"query_id": "x", "query": "lamp", "product_id": "c", "rank": 1},
        {"query_id": "x", "query": "lamp", "product_id": "a", "rank": 2},
        {"query_id": "y", "query": "sofa", "product_id": "b", "rank": 1},
    ]
    np.testing.assert_allclose(rows.column("score_text"), [0.2, -0.1, 0.3])


def test_a_hybrid_tells_both_sides():
    rows = run_rows(QUERIES, Explained(RANKING, PARTS, {"lexical": SIDE, "semantic": SIDE}), ids=IDS).to_pylist()
    assert [row["score_semantic"] for row in rows] == pytest.approx([0.9, 0.4, 0.4])
    assert [row["score_lexical"] for row in rows] == [3.0, None, 1.0]
    assert [row["normalised_lexical"] for row in rows] == [1, 0, 1]
    assert {row["weight_semantic"] for row in rows} == {0.5}


def test_blocks_become_one_file(tmp_path):
    path = tmp_path / "deep" / "run.parquet"
    with open_run(path, ids=IDS, system="semantic") as write:
        write(QUERIES, Explained(RANKING, PARTS))
        write(QUERIES, Explained(RANKING, PARTS))
        assert not path.exists()
    assert pq.read_table(path).num_rows == 6
    assert [one.name for one in path.parent.iterdir()] == ["run.parquet"]


def test_a_trec_run_has_the_files_own_query_ids(tmp_path):
    with open_run(tmp_path / "run.trec", ids=IDS, system="hybrid") as write:
        write(QUERIES, Explained(RANKING))
    lines = (tmp_path / "run.trec").read_text().splitlines()
    assert lines == ["x Q0 c 1 0.9 hybrid", "x Q0 a 2 0.5 hybrid", "y Q0 b 1 0.7 hybrid"]


@pytest.mark.parametrize("name", ["run.parquet", "run.trec"])
def test_a_failure_leaves_what_was_there(tmp_path, name):
    (tmp_path / name).write_text("old")

    def fail():
        with open_run(tmp_path / name, ids=IDS, system="hybrid") as write:
            write(QUERIES, Explained(RANKING))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert [one.name for one in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "old"


def test_an_id_with_a_space_does_not_fit_into_a_trec_run(tmp_path):
    spaced = pa.table({"query_id": ["x y", "z"], "query": ["lamp", "sofa"]})
    with (
        pytest.raises(UsageError, match="without white space"),
        open_run(tmp_path / "run.trec", ids=IDS, system="hybrid") as write,
    ):
        write(spaced, Explained(RANKING))
    assert list(tmp_path.iterdir()) == []


def test_files_that_cannot_be_written_are_refused(tmp_path):
    (tmp_path / "folder.parquet").mkdir()
    for path in (tmp_path / "run.csv", tmp_path / "run", tmp_path / "folder.parquet"):
        with pytest.raises(UsageError, match=r"must end in \.parquet or \.trec"):
            check_run_path(path)
    check_run_path(tmp_path / "run.parquet")
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(UsageError, match="The file must be writable"),
        open_run(tmp_path / "file" / "run.parquet", ids=IDS, system="hybrid"),
    ):
        pass
