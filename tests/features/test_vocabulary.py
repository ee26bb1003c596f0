import pyarrow as pa

from aisle.features.vocabulary import MISSING, Vocabulary


def fitted(values, *, min_count=1, max_values=10):
    return Vocabulary.fit(pa.array(values, pa.string()), min_count=min_count, max_values=max_values)


def test_the_most_frequent_value_is_1_and_ties_go_by_text():
    known = fitted(["b", "a", "c", "c", None])
    assert known.values.to_pylist() == ["c", "a", "b"]
    assert known.numbers(pa.array(["a", "c", "b"])).tolist() == [2, 1, 3]
    assert len(known) == 4


def test_null_and_unknown_values_are_missing():
    assert fitted(["a"]).numbers(pa.array([None, "x", "", "a"])).tolist() == [MISSING, MISSING, MISSING, 1]


def test_one_value_has_the_number_that_it_has_in_a_column():
    known, values = fitted(["b", "a", "c", "c"]), ["c", "a", "x", "", None]
    assert [known.number(value) for value in values] == known.numbers(pa.array(values)).tolist() == [1, 2, 0, 0, 0]


def test_rare_values_and_those_over_the_limit_are_left_out():
    assert fitted(["a", "a", "b"], min_count=2).values.to_pylist() == ["a"]
    assert fitted(["a", "a", "b", "b", "b"], max_values=1).values.to_pylist() == ["b"]


def test_nothing_can_be_learnt_from_nothing():
    known = fitted([])
    assert len(known) == 1
    assert known.numbers(pa.array(["a", None])).tolist() == [0, 0]
    assert known.numbers(pa.array([], pa.string())).tolist() == []
