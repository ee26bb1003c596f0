from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import given
from hypothesis import strategies as st

from aisle.simulation.typos import misspell_texts

ALL_KINDS = np.array([0.1, 0.5, 0.7, 0.9, 0.97])


def misspell_all(texts, *, place, kind):
    num = len(texts)
    column = pa.array(texts, pa.string())
    return misspell_texts(column, where=np.ones(num, bool), place=np.full(num, place), kind=np.full(num, kind))


def test_each_kind_by_eye():
    typed = misspell_texts(pa.array(["lamp"] * 4), where=np.ones(4, bool), place=np.full(4, 0.4), kind=ALL_KINDS[:4])
    assert typed.to_pylist() == ["lapm", "lap", "lammp", "lanp"]
    assert misspell_all(["big red lamp"], place=0.6, kind=0.97).to_pylist() == ["big redlamp"]


def test_letters_beyond_latin_and_edges():
    assert misspell_all(["café", "диван", "沙发", "a", "", "4k", "x 1"], place=0.9, kind=0.5).to_pylist() == [
        "caf",
        "дива",
        "沙",
        "a",
        "",
        "4k",
        "x 1",
    ]


def test_what_would_change_nothing_becomes_another_error():
    assert misspell_all(["zoo"], place=0.0, kind=0.1).to_pylist() == ["zooo"]  # no swap of equal letters
    assert misspell_all(["zñ"], place=0.0, kind=0.9).to_pylist() == ["z"]  # no neighbour on the keyboard
    assert misspell_all(["ab"], place=0.0, kind=0.1).to_pylist() == ["abb"]  # nothing behind to swap with


def test_only_the_chosen_are_touched_and_nulls_stay():
    texts = pa.array(["sofa", None, "sofa"])
    typed = misspell_texts(texts, where=np.array([True, True, False]), place=np.zeros(3), kind=np.full(3, 0.5))
    assert typed.to_pylist() == ["sfa", None, "sofa"]
    assert (
        misspell_texts(texts.slice(0, 0), where=np.ones(0, bool), place=np.zeros(0), kind=np.zeros(0)).to_pylist() == []
    )


def test_a_sliced_column_keeps_its_rows():
    texts = pa.array(["x", "lamp", "sofa"]).slice(1)
    typed = misspell_texts(texts, where=np.ones(2, bool), place=np.zeros(2), kind=np.full(2, 0.5))
    assert typed.to_pylist() == ["lmp", "sfa"]


chance = st.floats(0, 1, exclude_max=True)


@given(st.lists(st.tuples(st.text("ab éЖ1沙", max_size=20), chance, chance), max_size=12))
def test_one_error_at_most_digits_stay_and_rows_keep_their_order(rows):
    texts = [text for text, _, _ in rows]
    place, kind = (np.array([row[part] for row in rows], dtype=np.float64) for part in (1, 2))
    typed = misspell_texts(pa.array(texts, pa.string()), where=np.ones(len(rows), bool), place=place, kind=kind)
    for text, after, draw in zip(texts, typed.to_pylist(), kind, strict=True):
        assert abs(len(text) - len(after)) <= 1
        assert after.count("1") == text.count("1")
        assert after[:1] == text[:1]
        has_pair = any(left.isalpha() and right.isalpha() for left, right in pairwise(text))
        if draw < 0.95 and has_pair:
            assert after != text


def test_places_are_even_over_the_letters():
    num = 30_000
    rng = np.random.default_rng(0)
    typed = misspell_texts(
        pa.array(["abcdefgh"] * num), where=np.ones(num, bool), place=rng.random(num), kind=np.full(num, 0.5)
    )
    dropped = [pc.mean(pc.invert(pc.match_substring(typed, letter)).cast(pa.float64())).as_py() for letter in "bcdefgh"]
    assert np.allclose(dropped, 1 / 7, atol=0.01)
