import numpy as np
import pytest

from aisle.core.errors import WorkspaceError
from aisle.features import Neighbours
from aisle.live.known import KnownProducts

NEIGHBOURS = Neighbours(np.array([[3, 5], [4, -1]]), np.array([[2, 1], [9, 0]], np.float32))


def test_new_products_have_the_boost_of_the_unknown_and_no_neighbours():
    known = KnownProducts(np.array([0.5, -0.5], np.float32), 0.1, 2.0, NEIGHBOURS)
    assert known.boost_of(np.array([1, 2, 0])).tolist() == pytest.approx([-0.5, 0.1, 0.5])
    found = known.neighbours_of(np.array([1, 7]))
    assert found.index.tolist() == [[4, -1], [-1, -1]]
    assert found.weight.tolist() == [[9, 0], [0, 0]]


def test_without_boost_and_graph_nothing_is_known():
    known = KnownProducts()
    assert known.boost_of(np.array([0, 4])).tolist() == [0, 0]
    assert known.neighbours_of(np.array([0])) is None


@pytest.mark.parametrize("neighbours", [NEIGHBOURS, None])
@pytest.mark.parametrize("boost", [np.array([0.5, -0.5], np.float32), None])
def test_what_is_saved_is_loaded(tmp_path, boost, neighbours):
    KnownProducts(boost, 0.25, 1.5, neighbours).save(tmp_path)
    loaded = KnownProducts.load(tmp_path)
    assert (loaded.new_boost, loaded.squared_norm) == (0.25, 1.5)
    wanted = np.array([0, 1, 2])
    assert loaded.boost_of(wanted).tolist() == KnownProducts(boost, 0.25).boost_of(wanted).tolist()
    assert (loaded.neighbours is None) == (neighbours is None)
    if neighbours is not None:
        assert np.array_equal(loaded.neighbours.index, neighbours.index)
        assert np.array_equal(loaded.neighbours.weight, neighbours.weight)


@pytest.mark.parametrize("content", [None, b"", b"\xff" * 100])
def test_a_damaged_file_is_told(tmp_path, content):
    if content is not None:
        (tmp_path / "known.safetensors").write_bytes(content)
    with pytest.raises(WorkspaceError, match="known of its products"):
        KnownProducts.load(tmp_path)
