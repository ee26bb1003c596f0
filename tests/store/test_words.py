import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aisle.core.errors import UsageError
from aisle.store import LexicalSettings
from aisle.store.words import NO_WORDS, SparseWords


def catalogue(*titles):
    return pa.table({"product_id": [f"p{i}" for i in range(len(titles))], "title": list(titles)})


def test_weights_are_those_of_bm25_at_the_average_length_of_the_catalogue():
    words, rows = SparseWords.of_catalogue(catalogue("oak chair chair", "lamp"), LexicalSettings(("title",)))
    assert words.average_length == 2.0
    (terms, weights), (lamp, lamp_weight) = rows.rows()
    assert len(terms) == 2
    assert terms == sorted(terms)
    saturation = 1.5 * (0.25 + 0.75 * 3 / 2)
    assert sorted(weights) == pytest.approx(sorted([1 / (1 + saturation), 2 / (2 + saturation)]))
    assert lamp_weight == pytest.approx([1 / (1 + 1.5 * (0.25 + 0.75 / 2))])
    assert lamp[0] not in terms


def test_a_product_weighs_the_same_alone_as_in_the_catalogue_and_after_writing_down():
    products = catalogue("oak chair", "", "red red rug", None)
    words, rows = SparseWords.of_catalogue(products, LexicalSettings(("title",), "english"))
    again = SparseWords.of_values(words.values)
    alone = [next(again.of_products(products.slice(row, 1)).rows()) for row in range(4)]
    assert alone == list(rows.rows())
    assert alone[1] == alone[3] == ([NO_WORDS], [1.0])


def test_a_query_counts_its_words_and_meets_products_in_their_stems():
    words, rows = SparseWords.of_catalogue(catalogue("running shoes"), LexicalSettings(("title",)))
    (shoe, count), blank = words.of_queries(["shoe shoe", " ?! "]).rows()
    assert count == [2.0]
    assert set(shoe) <= set(next(rows.rows())[0])
    assert blank == ([], [])


@given(st.text("oak s's,5.红â\n", max_size=20))
def test_one_query_has_the_row_that_it_has_among_many(text):
    words = SparseWords(LexicalSettings(("title",)), average_length=1.0)
    assert words.of_query(text) == next(words.of_queries([text, "chair"]).rows())


def test_parts_of_rows_are_the_rows():
    _, rows = SparseWords.of_catalogue(catalogue("a b", "", "c", "d e f"), LexicalSettings(("title",)))
    everything = list(rows.rows())
    assert [*rows.part(0, 3).rows(), *rows.part(3, 3).rows()] == everything
    assert len(rows) == 4
    assert len(rows.part(4, 2)) == 0


def test_many_chunks_give_what_one_gives(monkeypatch):
    products = catalogue(*(f"word{i} thing {'x ' * (i % 4)}" for i in range(50)))
    _, whole = SparseWords.of_catalogue(products, LexicalSettings(("title",)))
    monkeypatch.setattr("aisle.store.words._CHUNK", 7)
    _, chunked = SparseWords.of_catalogue(products, LexicalSettings(("title",)))
    for name in ("offsets", "terms", "weights"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(chunked, name))


@pytest.mark.parametrize("titles", [[], ["", None]])
def test_a_catalogue_without_words_has_an_average_that_divides(titles):
    words, _ = SparseWords.of_catalogue(catalogue(*titles), LexicalSettings(("title",)))
    (_, weights) = next(words.of_products(catalogue("one two")).rows())
    assert np.isfinite(weights).all()
    assert min(weights) > 0


def test_settings_that_do_not_hold_are_refused():
    with pytest.raises(UsageError, match="Choose among title, brand"):
        LexicalSettings(("colour",))
    with pytest.raises(UsageError, match="k1=-1"):
        LexicalSettings(k1=-1)
    with pytest.raises(UsageError, match=r"b=1\.5"):
        LexicalSettings(b=1.5)
