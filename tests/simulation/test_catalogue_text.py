import numpy as np
import pyarrow as pa

from aisle.simulation.catalogue_text import (
    cut_phrases,
    latent_vectors,
    telling_phrases,
    title_vectors,
    with_bigrams,
)

TITLES = pa.array(["Red memory card", "memory card 8 GB", "memory card reader", "red sofa", "grey sofa", "sofa", None])
GROUP = np.array([0, 0, 0, 1, 1, 1, 1])


def test_words_that_are_not_rare_and_where_they_occur():
    table = cut_phrases(TITLES)
    assert sorted(table.phrases) == ["card", "memory", "sofa"]
    occurs = table.occurs[:, table.phrases.index("sofa")].toarray().ravel()
    assert occurs.tolist() == [0, 0, 0, 1, 1, 1, 0]


def test_a_word_twice_in_a_text_occurs_once():
    assert cut_phrases(pa.array(["sofa sofa sofa"])).occurs.toarray().tolist() == [[1.0]]


def test_pairs_stand_next_to_each_other_in_one_text():
    table = with_bigrams(TITLES)
    assert "memory card" in table.phrases
    assert not any("sofa" in phrase.split() for phrase in table.phrases if " " in phrase)


def test_the_telling_phrase_is_often_here_and_seldom_there():
    table = with_bigrams(TITLES)
    scores = telling_phrases(table, GROUP, banned=frozenset())
    assert [table.phrases[column] for column in scores.argmax(axis=1)] == ["memory card", "sofa"]
    banned = telling_phrases(table, GROUP, banned=frozenset({"memory"}))
    assert table.phrases[banned[0].argmax()] == "card"
    assert (scores >= 0).all()


def test_numbers_and_short_words_do_not_tell():
    table = with_bigrams(pa.array(["ab 12 cable"] * 3 + ["sofa"] * 3))
    scores = telling_phrases(table, np.repeat([0, 1], 3), banned=frozenset())
    assert table.phrases[scores[0].argmax()] == "cable"
    assert scores[0, table.phrases.index("12")] == scores[0, table.phrases.index("ab")] == 0


def test_titles_that_share_words_lie_close():
    vectors = title_vectors(pa.array(["memory card", "card memory", "sofa bed", "bed sofa"] * 3), seed=0)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert vectors[0] @ vectors[1] > 0.99
    assert abs(vectors[0] @ vectors[2]) < 0.01


def test_too_few_words_for_a_decomposition_give_one_direction():
    assert latent_vectors(cut_phrases(pa.array(["sofa"])), seed=0).tolist() == [[1.0]]
