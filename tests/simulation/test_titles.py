import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from aisle.core.text import word_lists
from aisle.simulation.choices import Chances
from aisle.simulation.titles import MENTION_SHARE, write_titles


@pytest.fixture(scope="module")
def titles(truth):
    return write_titles(truth, Chances(7, truth.model_index))


@pytest.fixture(scope="module")
def padded(titles):
    """Titles as their words with a space around each, so that text search finds whole words."""
    joined = pc.binary_join(word_lists(titles.text), " ")
    return pc.binary_join_element_wise("", joined, "", " ")


def contains(texts, phrase):
    words = word_lists(pa.array([phrase]))[0].as_py()
    return pc.match_substring(texts, f" {' '.join(words)} ").to_numpy(zero_copy_only=False)


def test_most_titles_name_type_and_brand(truth, padded):
    names = np.zeros(len(truth), dtype=bool)
    for index in np.unique(truth.type_index).tolist():
        of_type = truth.type_index == index
        for phrase in truth.vocabulary.types[index].sellers:
            names[of_type] |= contains(padded.filter(pa.array(of_type)), phrase)
    assert names.mean() >= 0.9  # the others have a typo or an abbreviation


def test_no_title_has_the_shoppers_name_of_its_type(truth, padded):
    for index in np.unique(truth.type_index).tolist():
        of_type = padded.filter(pa.array(truth.type_index == index))
        for phrase in truth.vocabulary.types[index].shoppers:
            assert not contains(of_type, phrase).any(), phrase


def test_titles_leave_attributes_out_but_never_what_tells_variants_apart(truth, titles):
    has = truth.value_index >= 0
    assert not (titles.mentions & ~has).any()
    assert titles.mentions[truth.varies].all()
    assert titles.mentions[has & ~truth.varies].mean() == pytest.approx(MENTION_SHARE, abs=0.03)


def test_a_mentioned_value_stands_in_the_title(truth, titles, padded):
    names = [attribute.name for attribute in truth.vocabulary.attributes]
    column = names.index("colour")
    colours = truth.vocabulary.attributes[column].values
    navy = next(index for index, value in enumerate(colours) if value.name == "navy")
    rows = truth.value_index[:, column] == navy
    says = contains(padded, "navy") | contains(padded, "midnight")
    assert says[rows & titles.mentions[:, column]].mean() >= 0.95
    assert not says[rows & ~titles.mentions[:, column]].any()


def test_order_case_and_filler_vary(truth, titles):
    texts = titles.text.to_pylist()
    brands = [truth.brand_names[index].lower() for index in truth.brand_index.tolist()]
    leads = np.mean([text.lower().startswith(brand) for text, brand in zip(texts, brands, strict=True)])
    assert 0.3 <= leads <= 0.8
    assert 0.02 <= np.mean([text.isupper() for text in texts]) <= 0.1
    assert 0.03 <= np.mean([text.islower() for text in texts]) <= 0.4
    assert any("free delivery" in text.lower() for text in texts)
    assert any(" sz " in text.lower() for text in texts)
    assert not any("'S " in text for text in texts if not text.isupper())


def test_variants_are_written_alike(truth, titles):
    same_model = np.diff(truth.model_index) == 0
    lengths = np.array([len(words) for words in titles.text.to_pylist()])
    assert np.abs(np.diff(lengths)[same_model]).max() <= 25


def test_titles_are_never_null_or_blank(titles):
    assert titles.text.null_count == 0
    assert pc.min(pc.utf8_length(pc.utf8_trim_whitespace(titles.text))).as_py() > 3


def test_adjectives_stand_in_the_title_where_there_are_any(truth):
    adjectives = pa.array(["sunlit" if row % 2 else None for row in range(len(truth))], pa.string())
    texts = write_titles(truth, Chances(7, truth.model_index), adjectives=adjectives).text
    says = pc.match_substring(pc.utf8_lower(texts), "sunlit").to_numpy(zero_copy_only=False)
    assert says[1::2].mean() >= 0.98  # the others have a typo
    assert not says[::2].any()


def test_a_few_titles_have_a_typo(truth, titles):
    chances = Chances(7, truth.model_index)
    typed = chances.of_product("typo") < 0.04
    alike = np.flatnonzero((np.diff(truth.model_index) == 0) & (typed[1:] != typed[:-1]))
    assert len(alike) > 50
    texts = titles.text.to_pylist()
    assert all(texts[row] != texts[row + 1] for row in alike)
