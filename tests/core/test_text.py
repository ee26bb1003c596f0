import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aisle.core.text import normalise_text, normalise_texts, word_lists, words

# Text that Arrow can hold: no lone surrogates.
TEXT = st.text(st.characters(codec="utf-8"))
PROSE = st.text(st.sampled_from("aZ9 .,'’-\n\t\u00a0ǅİßΣ红ไทย™हि\u0301T\u0308"))


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("  Red\u00a0\u2003 DRESS ", "red dress"),
        ("ＦＵＬＬ　ｗｉｄｔｈ", "full width"),
        ("a\tb\r\nc\u2028d", "a b c d"),
        ("", ""),
        (" \n ", ""),
        ("ﬁne ½", "fine 1⁄2"),
        ("Cafe\u0301", "café"),
        ("core™2", "core 2"),
        # No composed capital exists, so the marks join only after lower-casing.
        ("T\u0308", "ẗ"),
        ("J\u030c", "ǰ"),
    ],
)
def test_normal_form(text, normal):
    assert normalise_text(text) == normal


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("USB-C cable, 1.5m (men's)", ["usb", "c", "cable", "1.5m", "men's"]),
        ("1,83 m; 10.5.", ["1,83", "m", "10.5"]),
        ("l’été 'quoted'", ["l’été", "quoted"]),
        ("wait... what", ["wait", "what"]),
        ("a,b a.,b", ["a,b", "a", "b"]),
        (".5 5. ,'", ["5", "5"]),
        ("snake_case 50%", ["snake", "case", "50"]),
        ("红色连衣裙 dress", ["红", "色", "连", "衣", "裙", "dress"]),
        ("iPhone手机15", ["iphone", "手", "机", "15"]),
        ("한국어 옷", ["한국어", "옷"]),
        ("हिन्दी", ["हिन्दी"]),
        ("שָׁלוֹם", ["שָׁלוֹם"]),
        ("", []),
        (" -- ", []),
    ],
)
def test_words(text, cut):
    assert words(text) == cut


@given(TEXT | PROSE)
def test_normalising_twice_is_normalising_once(text):
    once = normalise_text(text)
    assert normalise_text(once) == once


@given(TEXT | PROSE)
def test_a_normal_text_has_single_spaces_inside_and_none_outside(text):
    normal = normalise_text(text)
    assert normal == " ".join(normal.split(" "))
    assert "  " not in normal
    assert normal == normal.strip(" ")


@given(TEXT | PROSE)
def test_words_depend_on_the_normal_form_alone(text):
    assert words(text) == words(normalise_text(text))


@given(TEXT | PROSE)
def test_a_word_has_a_letter_a_mark_or_a_digit_at_both_ends_and_no_space(text):
    for word in words(text):
        assert word
        assert not any(character.isspace() for character in word)
        assert word[0] not in ".,'’"
        assert word[-1] not in ".,'’"


@given(st.lists(TEXT | PROSE | st.none(), max_size=6))
def test_a_column_gives_what_its_texts_give_one_by_one(texts):
    column = pa.array(texts, pa.string())
    alone = [None if text is None else normalise_text(text) for text in texts]
    assert normalise_texts(column).to_pylist() == alone
    assert word_lists(column).to_pylist() == [[] if text is None else words(text) for text in texts]


@given(st.lists(PROSE, min_size=3, max_size=6))
def test_a_slice_of_a_column_gives_the_slice_of_its_result(texts):
    column = pa.array(texts, pa.string())
    assert word_lists(column[1:]).to_pylist() == word_lists(column).to_pylist()[1:]
    assert normalise_texts(column[1:]).to_pylist() == normalise_texts(column).to_pylist()[1:]


def test_half_a_character_is_refused_as_in_a_column():
    for read in (normalise_text, words, lambda text: normalise_texts(pa.array([text]))):
        with pytest.raises(UnicodeEncodeError):
            read("caf\udce9")


def test_empty_columns_stay_empty():
    empty = pa.array([], pa.string())
    assert normalise_texts(empty).to_pylist() == []
    assert word_lists(empty).to_pylist() == []
    assert word_lists(empty).type == word_lists(pa.array(["a"])).type
