import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aisle.mining import MinedLog
from aisle.pretraining import catalogue_texts, logged_texts
from aisle.pretraining.texts import known_before
from aisle.tables import TIME

PRODUCTS = pa.table(
    {
        "product_id": ["a", "b", "c", "d"],
        "title": ["Red Lamp", "Blue Rug", "Late Sofa", "Red Lamp"],
        "description": ["Shines.", "", "New.", "Shines."],
        "brand": ["Norvik", None, None, "Norvik"],
        "created_at": pa.array([None, 5, 10, 9], TIME),
    }
)


@pytest.fixture
def mined(tmp_path):
    """Lamp (3 outcomes) and rug (2) are searched in training, which ends at 10; `late` in the test window alone."""
    windows = {"snapshot_times": [3, 10], "validation_from": 2**62, "test_from": 20, "validation_until": 20}
    (tmp_path / "windows.json").write_text(json.dumps(windows))
    pq.write_table(pa.table({"text": ["lamp", "rug", "late"]}), tmp_path / "queries.parquet")
    examples = {"query_index": [0, 1, 0], "outcome_start": [0, 3, 5], "outcome_end": [3, 5, 5], "snapshot": [0, 1, 1]}
    outcomes = {
        "product_index": [0, 1, 3, 1, 2],
        "grade": [4.0, 1.0, 2.0, 4.0, 4.0],
        "weight": [1.0, 1.0, 1.0, 0.5, 1.0],
    }
    kinds = {"query_index": pa.int32(), "product_index": pa.int32(), "snapshot": pa.int8()}
    kinds |= {"grade": pa.float32(), "weight": pa.float32()}
    for name, columns in (("examples", examples), ("outcomes", outcomes)):
        (tmp_path / name).mkdir()
        typed = {key: pa.array(values, kinds.get(key, pa.int64())) for key, values in columns.items()}
        pq.write_table(pa.table(typed), tmp_path / name / "train.parquet")
    return MinedLog(tmp_path)


def test_a_log_gives_texts_of_its_training_window_alone(mined):
    found = logged_texts(PRODUCTS, mined)
    # Equal products stand once; the query of the test window and the product that came at the window's end do not.
    assert found.texts.to_pylist() == ["Red Lamp Norvik   Shines.", "Blue Rug", "lamp", "rug"]
    assert found.counts == {"products": 3, "products_later": 1, "queries": 2, "purchases": 2}


def test_pairs_are_what_was_clicked_or_more_and_purchases_what_was_ordered(mined):
    found = logged_texts(PRODUCTS, mined)
    pairs, purchases = found.pairs, found.purchases
    assert [pairs.queries[i].as_py() for i in pairs.query_index] == ["lamp", "lamp", "rug"]
    assert pairs.product_index.tolist() == [0, 3, 1]
    # By stage, and by the discount of what was assisted.
    assert pairs.weight.tolist() == [1.0, 0.5, 0.5]
    assert [purchases.queries[i].as_py() for i in purchases.query_index] == ["lamp", "rug"]
    assert (purchases.product_index.tolist(), purchases.weight.tolist()) == ([0, 1], [1.0, 0.5])
    assert found.products.to_pylist()[1] == "Blue Rug"


def test_a_catalogue_pairs_each_title_with_the_rest_of_its_text():
    found = catalogue_texts(PRODUCTS.drop_columns("created_at"))
    pairs = found.pairs
    # The rug has nothing but its title.
    assert pairs.product_index.tolist() == [0, 2, 3]
    assert [pairs.queries[i].as_py() for i in pairs.query_index] == ["red lamp", "late sofa", "red lamp"]
    assert [found.products[i].as_py() for i in pairs.product_index] == ["Shines. Norvik", "New.", "Shines. Norvik"]
    assert len(found.texts) == 3
    assert len(found.purchases) == 0


def test_empty_texts_are_no_texts():
    assert len(catalogue_texts(pa.table({"product_id": ["a"], "title": [" "]})).texts) == 0


@pytest.mark.parametrize("missing", [False, True])
def test_a_product_without_a_date_was_always_there(missing):
    table = PRODUCTS.drop_columns("created_at") if missing else PRODUCTS
    expected = [True, True, missing, True]
    np.testing.assert_array_equal(known_before(table, before_us=10), expected)
