import pyarrow as pa

from aisle.tables.row_hashes import row_hashes


def table(**changes):
    columns = {
        "product_id": ["a", "b"],
        "category": [["home", "lamps"], None],
        "attributes": pa.array([[("finish", "matt")], []], pa.map_(pa.string(), pa.string())),
        "price": [1.5, None],
        "in_stock": [True, False],
    }
    return pa.table({**columns, **changes})


def test_a_hash_changes_with_its_row_alone():
    before = row_hashes(table())
    for changes in ({"price": [2.5, None]}, {"category": [["home"], None]}, {"product_id": ["c", "b"]}):
        after = row_hashes(table(**changes))
        assert after[0] != before[0]
        assert after[1] == before[1]


def test_columns_that_do_not_count_change_nothing():
    changed = table(in_stock=[False, True])
    assert (row_hashes(table()) != row_hashes(changed)).all()
    assert (row_hashes(table(), without=["in_stock"]) == row_hashes(changed, without=["in_stock"])).all()


def test_rows_keep_their_hashes_in_another_order():
    assert row_hashes(table().take([1, 0])).tolist() == row_hashes(table()).tolist()[::-1]
