import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aisle.simulation.choices import NOTHING, Chances, OptionTable, PhrasePool, SentencePool, join_words, zipf_weights


def test_zipf_weights_fall_with_the_rank():
    assert zipf_weights(3) == pytest.approx(np.array([6, 3, 2]) / 11)
    assert zipf_weights(3, shift=1) == pytest.approx(np.array([6, 4, 3]) / 13)


def test_variants_share_their_models_chances_but_not_their_own():
    chances = Chances(1, np.array([0, 0, 1]))
    of_model, of_product = chances.of_model("a"), chances.of_product("a")
    assert of_model[0] == of_model[1] != of_model[2]
    assert len(set(of_product.tolist())) == 3
    assert not np.array_equal(of_model, chances.of_model("b"))


@given(
    sizes=st.lists(st.integers(0, 4), min_size=1, max_size=6),
    chance=st.floats(0, 1, exclude_max=True),
    skew=st.sampled_from([1.0, 2.0]),
)
def test_a_pick_is_one_of_the_owners_options(sizes, chance, skew):
    owner = np.arange(-1, len(sizes))
    picked = OptionTable(sizes).pick(owner, np.full(len(owner), chance), skew=skew)
    assert picked[0] == NOTHING
    start = 0
    for option, size in zip(picked[1:], sizes, strict=True):
        assert start <= option < start + size if size else option == NOTHING
        start += size


def test_skew_favours_the_first_options():
    chance = (np.arange(1000) + 0.5) / 1000
    owner = np.zeros(1000, dtype=np.int64)
    even = np.bincount(OptionTable([3]).pick(owner, chance))
    skewed = np.bincount(OptionTable([3]).pick(owner, chance, skew=2.0))
    assert even.tolist() == [333, 334, 333]
    assert skewed[0] == pytest.approx(577, abs=1)


def test_phrases_of_owners_and_null_where_there_are_none():
    pool = PhrasePool([["navy", "midnight"], []])
    picked = pool.pick(np.array([0, 0, 1, NOTHING]), np.array([0.0, 0.99, 0.5, 0.5]))
    assert picked.to_pylist() == ["navy", "midnight", None, None]


def test_sentences_surround_phrases_and_nulls_stay_null():
    filled = SentencePool(["Our {}.", "{}!"]).fill(pa.array(["sofa", "lamp", None]), np.array([0.0, 0.9, 0.0]))
    assert filled.to_pylist() == ["Our sofa.", "lamp!", None]


def test_joining_leaves_nulls_out_and_keeps_rows_of_nulls():
    first = pa.array(["red", None, None, "blue"], pa.string())
    second = pa.array(["sofa", "lamp", None, None], pa.string())
    assert join_words([first, second]).to_pylist() == ["red sofa", "lamp", None, "blue"]
    assert join_words([pa.nulls(2, pa.string())]).to_pylist() == [None, None]
    assert join_words([pa.array([], pa.string())]).to_pylist() == []
