import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from aisle.core.errors import ModelError, ShapeError
from aisle.towers import VectorTable, VectorTables

CPU = torch.device("cpu")
IDS = st.lists(st.text(max_size=3), max_size=6)


def table(ids=("a", "b"), dim=3, dtype=torch.float32):
    return VectorTable(pa.array(list(ids), pa.string()), torch.arange(len(ids) * dim).reshape(-1, dim).to(dtype))


def test_rows_are_found_by_id_and_by_index():
    known = table()
    assert known.rows_of(["b", "x", "a"]).tolist() == [1, -1, 0]
    vectors, found = known.lookup(torch.tensor([[1, -1], [2, 0]]), CPU)
    assert found.tolist() == [[True, False], [False, True]]
    assert vectors[0, 0].tolist() == [3, 4, 5]
    assert vectors[1, 1].tolist() == [0, 1, 2]
    assert vectors.shape == (2, 2, 3)


def test_half_precision_is_read_in_full():
    vectors, _ = table(dtype=torch.float16).lookup(torch.tensor([1]), CPU)
    assert vectors.dtype == torch.float32
    assert vectors.tolist() == [[3, 4, 5]]


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
def test_arrays_are_taken_as_tensors_are_looked_up(dtype):
    known, rows = table(dtype=dtype), np.array([1, -1, 0, 2])
    known.put(["c"], torch.ones(1, 3))
    for one in (known, table(ids=())):
        vectors, found = one.take(rows)
        expected, expected_found = one.lookup(torch.from_numpy(rows), CPU)
        assert vectors.dtype == np.float32
        np.testing.assert_array_equal(vectors, expected.numpy())
        np.testing.assert_array_equal(found, expected_found.numpy())


def test_no_gradient_flows_into_the_table():
    known = table()
    vectors, _ = known.lookup(torch.tensor([0]), CPU)
    assert not vectors.requires_grad
    known.put(["a"], torch.ones(1, 3, requires_grad=True))
    assert not known.vectors.requires_grad
    vectors += 1
    assert known.vectors[0].tolist() == [1, 1, 1]


def test_putting_replaces_known_ids_and_adds_new_ones():
    known = table()
    rows = known.put(["c", "a", "c"], torch.tensor([[1.0, 1, 1], [2, 2, 2], [3, 3, 3]]))
    assert rows.tolist() == [2, 0, 2]
    assert known.vectors.tolist() == [[2, 2, 2], [3, 4, 5], [3, 3, 3]]
    assert known.ids.to_pylist() == ["a", "b", "c"]
    assert len(known) == 3


@settings(deadline=None)
@given(st.lists(IDS, max_size=5))
def test_agrees_with_a_dictionary(puts):
    known, expected, number = table([], dim=1), {}, 0.0
    for ids in puts:
        values = [number + place for place in range(len(ids))]
        number += len(ids)
        known.put(ids, torch.tensor(values).reshape(-1, 1))
        expected |= dict(zip(ids, values, strict=True))
    assert len(known) == len(expected)
    assert known.ids.to_pylist() == list(expected)
    assert known.vectors.flatten().tolist() == list(expected.values())
    assert known.rows_of(list(expected)).tolist() == list(range(len(expected)))


def test_an_empty_table_knows_nothing():
    vectors, found = table([]).lookup(torch.tensor([0, -1]), CPU)
    assert vectors.shape == (2, 3)
    assert not found.any()


def test_every_id_needs_a_vector():
    with pytest.raises(ShapeError, match=r"Every id must have one vector\. Received: ids=1, vectors=2"):
        VectorTable(pa.array(["a"]), torch.zeros(2, 3))


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
def test_saved_tables_are_the_same_when_they_are_read_again(tmp_path, dtype):
    tables = VectorTables(table(["", "größe 红"], dtype=dtype), table([], dim=2))
    tables.queries.put(["later"], torch.ones(1, 3))
    tables.save(tmp_path / "tables.safetensors")
    loaded = VectorTables.load(tmp_path / "tables.safetensors")
    assert loaded.queries.ids.to_pylist() == ["", "größe 红", "later"]
    assert loaded.queries.vectors.dtype == dtype
    assert torch.equal(loaded.queries.vectors, tables.queries.vectors)
    assert (len(loaded.products), loaded.products.dim) == (0, 2)
    assert loaded.queries.put(["new"], torch.zeros(1, 3)).tolist() == [3]


@pytest.mark.parametrize("damage", ["missing", "empty", "truncated", "noise"])
def test_a_file_that_cannot_be_read_is_refused(tmp_path, damage):
    path = tmp_path / "tables.safetensors"
    VectorTables(table(), table()).save(path)
    content = path.read_bytes()
    path.unlink()
    if damage != "missing":
        noise = np.random.default_rng(0).bytes(500)
        path.write_bytes({"empty": b"", "truncated": content[:-5], "noise": noise}[damage])
    with pytest.raises(ModelError, match="must hold its vector tables"):
        VectorTables.load(path)


@pytest.mark.parametrize(
    "change",
    [
        {"queries.id_offsets": torch.tensor([0, 1, 99])},
        {"queries.id_offsets": torch.tensor([0, 1])},
        {"queries.id_offsets": torch.zeros(0, dtype=torch.int64)},
        {"queries.id_bytes": torch.full((2,), 255, dtype=torch.uint8)},
        {"queries.vectors": torch.zeros(3)},
    ],
)
def test_ids_that_do_not_hold_are_refused(tmp_path, change):
    from safetensors.torch import load_file, save_file

    path = tmp_path / "tables.safetensors"
    VectorTables(table(), table()).save(path)
    save_file(load_file(path) | change, path)
    with pytest.raises(ModelError, match="must hold its vector tables"):
        VectorTables.load(path)
