import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aisle.core.text import words
from aisle.simulation.queries import BRAND, MAX_RELEVANT, QUERY_KINDS, draw_queries, num_mismatches
from aisle.simulation.truth import draw_truth


@pytest.fixture(scope="module")
def queries(truth):
    return draw_queries(truth, 60, seed=7)


def of_kind(queries, kind):
    return [query for query in queries if query.kind == kind]


def test_mismatches_by_eye(tiny_vocabulary):
    truth = draw_truth(tiny_vocabulary, 50, seed=0)
    rows = np.arange(50)
    wanted = {0: 1, BRAND: int(truth.brand_index[3])}
    expected = [
        int(truth.value_index[row, 0] != 1) + int(truth.brand_index[row] != truth.brand_index[3]) for row in rows
    ]
    assert num_mismatches(truth, rows, wanted).tolist() == expected
    assert num_mismatches(truth, rows, {}).tolist() == [0] * 50


def test_as_many_queries_of_each_kind_as_asked_and_all_distinct(queries):
    assert [len(of_kind(queries, kind)) for kind in QUERY_KINDS] == [60, 60, 60]
    assert len({query.text.lower() for query in queries}) == 180


def test_every_query_has_products_that_match_in_full_and_not_too_many(truth, queries):
    for query in queries:
        rows = np.flatnonzero(truth.type_index == query.intent.type_index)
        assert 1 <= (num_mismatches(truth, rows, query.intent.aspects) == 0).sum() <= MAX_RELEVANT


def test_exact_queries_have_the_usual_name_of_type_and_one_aspect(truth, queries):
    for query in of_kind(queries, "exact"):
        assert truth.vocabulary.types[query.intent.type_index].name in query.text
        ((aspect, value),) = query.intent.aspects.items()
        if aspect == BRAND:
            assert truth.brand_names[value] in query.text
        else:
            assert truth.vocabulary.attributes[aspect].values[value].name in query.text
    assert {BRAND in query.intent.aspects for query in of_kind(queries, "exact")} == {True, False}


def test_paraphrases_have_no_word_of_the_seller_for_what_is_wanted(truth, queries):
    for query in of_kind(queries, "paraphrase"):
        wanted = truth.vocabulary.types[query.intent.type_index]
        owners = [wanted] + [
            truth.vocabulary.attributes[aspect].values[value] for aspect, value in query.intent.aspects.items()
        ]
        for owner in owners:
            assert any(phrase in query.text for phrase in owner.shoppers)
        of_sellers = {word for phrase in wanted.sellers for word in words(phrase)}
        assert not of_sellers & set(words(query.text)) - {
            word for owner in owners[1:] for phrase in owner.shoppers for word in words(phrase)
        }


def test_attribute_queries_ask_for_one_or_two_values_in_the_words_of_either_side(truth, queries):
    asked = of_kind(queries, "attribute")
    assert {len(query.intent.aspects) for query in asked} == {1, 2}
    assert all(BRAND not in query.intent.aspects for query in asked)
    named_by_shopper = [
        any(phrase in query.text for phrase in truth.vocabulary.types[query.intent.type_index].shoppers)
        for query in asked
    ]
    assert 0.3 <= np.mean(named_by_shopper) <= 0.7


def test_queries_are_spread_over_types(queries):
    for kind in QUERY_KINDS:
        assert len({query.intent.type_index for query in of_kind(queries, kind)}) >= 45


def test_too_many_matches_are_narrowed_down_or_given_up(tiny_vocabulary):
    # 1,500 products of three types: most ways to ask match more than the allowed number.
    truth = draw_truth(tiny_vocabulary, 1_500, seed=0)
    for query in draw_queries(truth, 20, seed=0):
        rows = np.flatnonzero(truth.type_index == query.intent.type_index)
        assert (num_mismatches(truth, rows, query.intent.aspects) == 0).sum() <= MAX_RELEVANT


@settings(max_examples=20, deadline=None)
@given(num_products=st.integers(1, 60), num_per_kind=st.integers(0, 5), seed=st.integers(0, 99))
def test_small_catalogues_give_what_they_can(tiny_vocabulary, num_products, num_per_kind, seed):
    truth = draw_truth(tiny_vocabulary, num_products, seed=seed)
    queries = draw_queries(truth, num_per_kind, seed=seed)
    assert all(len(of_kind(queries, kind)) <= num_per_kind for kind in QUERY_KINDS)
    if num_per_kind:
        assert of_kind(queries, "exact")
