import bm25s
import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from aisle.features.analyser import Analyser
from aisle.retrieval.bm25 import ColumnarBM25, TermColumns


def columns_of(*chunks):
    return TermColumns.of_chunks(Analyser(None).terms(pa.array(chunk, pa.string())) for chunk in chunks)


def index_of(texts, **parameters):
    bm25 = ColumnarBM25(method="lucene", **parameters)
    bm25.index(columns_of(texts), create_empty_token=False)
    return bm25


def test_the_formula_by_hand():
    bm25 = index_of(["red shoe", "red red hat", "blue"], k1=1.5, b=0.75)
    idf = np.log(1 + (3 - 2 + 0.5) / (2 + 0.5))
    saturation = [1.5 * (0.25 + 0.75 * length / 2) for length in (2, 3)]
    expected = [idf * 1 / (1 + saturation[0]), idf * 2 / (2 + saturation[1]), 0]
    np.testing.assert_allclose(bm25.get_scores(["red"]), expected, rtol=1e-6)


def test_terms_of_several_chunks_are_numbered_as_of_one():
    split, whole = columns_of(["a b"], [], ["c a", ""]), columns_of(["a b", "c a", ""])
    assert split.vocab == whole.vocab == {"a": 0, "b": 1, "c": 2}
    assert split.ids[0].tolist() == whole.ids[0].tolist() == [0, 1, 2, 0]
    assert split.ids[1].tolist() == whole.ids[1].tolist() == [2, 2, 0]


def test_no_chunk_gives_no_term():
    columns = columns_of()
    assert (columns.vocab, len(columns.ids[0]), len(columns.ids[1])) == ({}, 0, 0)


WORDS = st.lists(st.sampled_from("abcdefg"), max_size=8)


@given(st.lists(WORDS, min_size=1, max_size=12).filter(any), st.floats(0, 3), st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_agrees_with_bm25s_own_index(products, k1, b):
    foreign = bm25s.BM25(k1=k1, b=b, method="lucene")
    foreign.index(products, show_progress=False)
    own = index_of([" ".join(words) for words in products], k1=k1, b=b)
    for term in own.vocab_dict:
        np.testing.assert_allclose(own.get_scores([term]), foreign.get_scores([term]), rtol=1e-5)
