import numpy as np
import pyarrow as pa

from aisle.store import LexicalSettings
from aisle.store.postings import Postings
from aisle.store.words import SparseWords


def built(*titles):
    table = pa.table({"product_id": [f"p{i}" for i in range(len(titles))], "title": list(titles)})
    words, rows = SparseWords.of_catalogue(table, LexicalSettings(("title",), None))
    return words, Postings.of_rows(rows)


def best(words, postings, text, **values):
    return postings.best(*next(words.of_queries([text]).rows()), **{"k": 9, "passing": None, **values})


def test_scores_are_bm25_and_ties_stand_in_the_order_of_rows(tmp_path):
    words, postings = built("a b", "b a", "c", "")
    idf = np.log(1 + (4 - 2 + 0.5) / 2.5)
    weight = 1 / (1 + 1.5 * (0.25 + 0.75 * 2 / 1.25))
    rows, scores = best(words, postings, "a a")
    assert rows == [0, 1]
    np.testing.assert_allclose(scores, [2 * idf * weight] * 2, rtol=1e-6)
    assert best(words, postings, "a", k=1)[0] == [0]
    postings.save(tmp_path)
    assert best(words, Postings.load(tmp_path, num_rows=4), "a a") == (rows, scores)


def test_only_rows_that_pass_and_hold_a_word_are_found():
    words, postings = built("a", "a b", "c")
    assert best(words, postings, "a", passing=np.array([False, True, True]))[0] == [1]
    assert best(words, postings, "zzz") == ([], [])
    assert best(words, postings, "") == ([], [])


def test_a_catalogue_without_words_finds_nothing():
    words, postings = built("", "")
    assert best(words, postings, "a") == ([], [])
