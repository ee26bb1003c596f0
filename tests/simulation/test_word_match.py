import numpy as np
import pyarrow as pa
import pytest

from aisle.simulation.word_match import WordMatch


@pytest.fixture(scope="module")
def match():
    return WordMatch(pa.array(["Red sofas, large", "blue sofa", "lamp", ""]))


def test_the_share_of_the_words_is_weighed_by_rarity(match):
    share = match.share(pa.array(["red sofa"]), np.array([[0, 1, 2, 3]]))[0]
    red, sofa = np.log1p(4 / 1), np.log1p(4 / 2)
    assert share == pytest.approx([1, sofa / (red + sofa), 0, 0])


def test_plurals_are_one_word(match):
    assert match.share(pa.array(["lamps", "sofa"]), np.array([[2], [0]])).tolist() == [[1.0], [1.0]]


def test_unknown_words_and_empty_queries_match_nothing(match):
    share = match.share(pa.array(["red xyzzy", "xyzzy", ""]), np.array([[0], [0], [0]]))[:, 0]
    assert share == pytest.approx([0.5, 0, 0])
