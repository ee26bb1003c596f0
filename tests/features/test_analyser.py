import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aisle.core.errors import UsageError
from aisle.core.text import words
from aisle.features import Analyser


def terms(texts, stemmer="english"):
    return Analyser(stemmer).terms(pa.array(texts, pa.string())).to_pylist()


def test_inflections_of_a_word_are_one_term():
    assert terms(["Running shoes", "run, SHOE!"]) == [["run", "shoe"], ["run", "shoe"]]


def test_without_a_stemmer_words_stay_whole():
    assert terms(["Running shoes"], stemmer=None) == [["running", "shoes"]]


def test_stop_words_and_numbers_are_kept():
    assert terms(["case for the 1.5m 2 in 1"]) == [["case", "for", "the", "1.5m", "2", "in", "1"]]


def test_empty_and_missing_texts_have_no_terms():
    assert terms(["", None, " - ", "a a"]) == [[], [], [], ["a", "a"]]
    assert terms([]) == []


@given(st.lists(st.text(max_size=30), max_size=8))
@settings(deadline=None)
def test_a_text_gives_the_same_terms_in_any_company(texts):
    assert terms(texts, stemmer=None) == [words(text) for text in texts]
    assert terms(texts) == [terms([text])[0] for text in texts]


def test_an_unknown_stemmer_is_refused():
    with pytest.raises(UsageError, match=r"Received: stemmer='klingon'\. Choose among .*english"):
        Analyser("klingon")
