import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aisle.mining import MinedLog
from aisle.training import logged
from aisle.training.logged import logged_pairs, logged_validation


def write_mined(folder, split, rows, *, texts=("lamp", "couch", "rug")):
    """Write the two tables of a split: rows of (snapshot, query, [(product, grade, weight)])."""
    ends = np.cumsum([len(outcomes) for _, _, outcomes in rows])
    flat = [outcome for _, _, outcomes in rows for outcome in outcomes]
    examples = {
        "snapshot": pa.array([snapshot for snapshot, _, _ in rows], pa.int8()),
        "query_index": pa.array([query for _, query, _ in rows], pa.int32()),
        "outcome_start": pa.array([0, *ends[:-1]], pa.int64()),
        "outcome_end": pa.array(ends, pa.int64()),
    }
    outcomes = {
        "product_index": pa.array([product for product, _, _ in flat], pa.int32()),
        "grade": pa.array([grade for _, grade, _ in flat], pa.float32()),
        "weight": pa.array([weight for _, _, weight in flat], pa.float32()),
    }
    for name, columns in (("examples", examples), ("outcomes", outcomes)):
        (folder / name).mkdir(exist_ok=True)
        pq.write_table(pa.table(columns), folder / name / f"{split}.parquet")
    pq.write_table(pa.table({"text": texts}), folder / "queries.parquet")
    return MinedLog(folder)


def test_positives_of_all_slices_but_the_first_by_stage_and_discount(tmp_path):
    rows = [
        (0, 0, [(5, 4, 1)]),
        (1, 0, [(5, 4, 1), (6, 1, 1), (7, 2, 1)]),
        (2, 1, []),
        (2, 1, [(7, 3, 0.5)]),
    ]
    pairs = logged_pairs(write_mined(tmp_path, "train", rows))
    texts = pairs.queries.take(pa.array(pairs.query_index)).to_pylist()
    assert list(zip(texts, pairs.product_index.tolist(), pairs.weight.tolist(), strict=True)) == [
        ("lamp", 5, 1.0),
        ("lamp", 7, 0.5),
        ("couch", 7, 0.375),
    ]


def test_validation_looks_at_clicks_where_orders_are_few(tmp_path, monkeypatch):
    rows = [(3, 0, [(5, 4, 1), (6, 2, 1)]), (3, 2, [(7, 2, 1), (8, 1, 1)]), (3, 0, [(9, 4, 1)])]
    mined = write_mined(tmp_path, "validation", rows)
    texts, qrels, told = logged_validation(mined, most=10)
    assert (texts.to_pylist(), told) == (["lamp", "rug"], "clicks of the validation window")
    assert (qrels.offsets.tolist(), qrels.product_index.tolist()) == ([0, 3, 4], [5, 6, 9, 7])
    assert qrels.grade.tolist() == [4, 2, 4, 2]
    monkeypatch.setattr(logged, "LEAST_ORDERED", 2)
    texts, qrels, told = logged_validation(mined, most=10)
    assert (texts.to_pylist(), told) == (["lamp"], "orders of the validation window")
    assert qrels.product_index.tolist() == [5, 9]


@pytest.mark.parametrize("most", [1, 2])
def test_no_more_queries_than_asked_for(tmp_path, most):
    rows = [(3, query, [(query + 4, 2, 1)]) for query in range(3)]
    texts, qrels, _ = logged_validation(write_mined(tmp_path, "validation", rows), most=most)
    assert texts.to_pylist() == ["lamp", "rug"][:most]
    assert qrels.product_index.tolist() == [4, 6][:most]


def test_a_window_without_actions_gives_nothing(tmp_path):
    texts, qrels, _ = logged_validation(write_mined(tmp_path, "validation", [(3, 0, [(5, 1, 1)])]), most=5)
    assert (len(texts), qrels.num_queries) == (0, 0)
