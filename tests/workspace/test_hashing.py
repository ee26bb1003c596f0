import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aisle.workspace import file_sha256, fingerprint

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)


def test_a_file_has_the_hash_of_its_bytes(tmp_path):
    (tmp_path / "a").write_bytes(b"abc" * 100_000)
    assert file_sha256(tmp_path / "a") == hashlib.sha256(b"abc" * 100_000).hexdigest()
    (tmp_path / "a").write_bytes(b"")
    assert file_sha256(tmp_path / "a") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_a_fingerprint_is_the_same_for_ever():
    assert (
        fingerprint({"b": [1, None], "a": {"ü": 0.5}})
        == hashlib.sha256('{"a":{"ü":0.5},"b":[1,null]}'.encode()).hexdigest()
    )


@given(st.dictionaries(NAMES, st.integers(), max_size=5), st.randoms())
def test_the_order_of_names_does_not_matter(values, rng):
    names = list(values)
    rng.shuffle(names)
    assert fingerprint({name: values[name] for name in names}) == fingerprint(values)


@given(
    st.lists(
        st.dictionaries(st.sampled_from("ab"), st.integers(0, 2) | st.lists(st.integers(0, 1))), min_size=2, max_size=2
    )
)
def test_other_values_have_another_fingerprint(values):
    first, second = values
    assert (fingerprint(first) == fingerprint(second)) == (first == second)


def test_tuples_count_as_lists_and_kinds_keep_apart():
    assert fingerprint({"a": (1, 2)}) == fingerprint({"a": [1, 2]})
    assert len({fingerprint({"a": value}) for value in (1, 1.5, "1", True, None, [1], {"1": 1})}) == 7


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_json_has_not_are_refused(value):
    with pytest.raises(ValueError, match="not JSON compliant"):
        fingerprint({"a": value})
