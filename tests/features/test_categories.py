import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from aisle.features.categories import CategoryPaths, path_prefixes

PATHS = st.lists(
    st.none() | st.lists(st.none() | st.sampled_from(["A", "a ", "b", "", "c\x1fd"]), max_size=3), max_size=6
)


def column(paths):
    return pa.array(paths, pa.list_(pa.string()))


def fitted(paths, *, max_depth=3, min_count=1, max_values=100):
    return CategoryPaths.fit(column(paths), max_depth=max_depth, min_count=min_count, max_values=max_values)


def test_prefixes_by_eye():
    found = path_prefixes(column([["Home", "Sofas"], ["home"], None, [], ["x", None, "y"]]), 3)
    assert [one.to_pylist() for one in found] == [
        ["home", "home", None, None, "x"],
        ["home\x1fsofas", None, None, None, None],
        [None] * 5,
    ]


def test_a_new_leaf_still_counts_as_its_parent():
    known = fitted([["home", "sofas"], ["home", "sofas"], ["toys"]])
    numbers = known.numbers(column([["home", "sofas"], ["home", "lamps"], ["home", "lamps", "red"], ["books"], None]))
    assert numbers[:2, 0].tolist() == [1, 1]
    assert numbers.tolist() == [[1, 1, 0], [1, 0, 0], [1, 0, 0], [0, 0, 0], [0, 0, 0]]


def test_the_same_name_under_another_parent_is_another_category():
    numbers = fitted([["a", "x"], ["b", "x"]]).numbers(column([["a", "x"], ["b", "x"]]))
    assert numbers[0, 1] != numbers[1, 1]


@given(PATHS)
def test_every_prefix_of_a_fitted_path_is_known_and_names_do_not_run_together(paths):
    numbers = fitted(paths).numbers(column(paths))
    assert numbers.shape == (len(paths), 3)
    normal = []
    for path in paths:
        names = [" ".join((name or "").replace("\x1f", " ").lower().split()) for name in path or []]
        normal.append(tuple(names[: names.index("")] if "" in names else names))
    for path, row in zip(normal, numbers, strict=True):
        assert (row > 0).sum() == len(path)
    for depth in range(3):
        deep = [(path[: depth + 1], row[depth]) for path, row in zip(normal, numbers, strict=True) if len(path) > depth]
        assert len(set(deep)) == len({path for path, _ in deep}) == len({number for _, number in deep})


def test_slices_read_only_their_own_rows():
    paths = column([["a"], ["b", "c"], None, ["d"]])
    known = CategoryPaths.fit(paths, max_depth=2, min_count=1, max_values=9)
    np.testing.assert_array_equal(known.numbers(paths.slice(1, 2)), known.numbers(paths)[1:3])


def test_no_depth_gives_no_columns():
    assert fitted([["a"]], max_depth=0).numbers(column([["a"], None])).shape == (2, 0)
