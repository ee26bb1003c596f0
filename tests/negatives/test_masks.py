import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from aisle.core.errors import ShapeError, UsageError
from aisle.losses import sampled_softmax_loss
from aisle.negatives import (
    PositiveSets,
    mask_above,
    mask_copies,
    mask_known_positives,
    mask_listed,
    mask_matching_products,
    mask_repeats,
    purchase_log_weight,
    searcher_groups,
)


def indices(*values):
    return torch.tensor(values, dtype=torch.int64)


def positive_sets(*sets):
    """One list of products per query."""
    return PositiveSets(
        np.cumsum([0, *map(len, sets)]), np.array([product for products in sets for product in products], np.int64)
    )


def words_of(texts):
    """Indicators over the letters a to z."""
    dense = np.zeros((len(texts), 26))
    for row, text in enumerate(texts):
        dense[row, [ord(letter) - ord("a") for letter in text]] = 1
    return sparse.csr_matrix(dense)


def test_copies_by_eye():
    assert mask_copies(indices(5, 6, 5), indices(5, 6, 5)).tolist() == [
        [True, False, True],
        [False, True, False],
        [True, False, True],
    ]


def test_copies_of_columns_that_are_no_batch():
    assert mask_copies(indices(1, 2, 3), indices(3)).tolist() == [[False, False, True]]
    assert mask_copies(indices(), indices(3)).shape == (1, 0)


def test_the_mask_keeps_the_loss_from_pushing_a_copy():
    rng = torch.Generator().manual_seed(0)
    query = F.normalize(torch.randn(3, 8, generator=rng), dim=1)
    bought = indices(0, 1, 0)
    columns = F.normalize(torch.randn(2, 8, generator=rng), dim=1)[bought].requires_grad_()

    def gradient_on_columns(masked):
        scores = query @ columns.T
        loss = sampled_softmax_loss(scores.diagonal().detach(), scores, temperature=0.1, masked=masked)
        return torch.autograd.grad(loss[0], columns)[0]

    masked = gradient_on_columns(mask_copies(bought, bought))
    assert masked[[0, 2]].eq(0).all()
    assert masked[1].abs().sum() > 0
    assert gradient_on_columns(None)[2].abs().sum() > 0


def test_known_positives_by_eye():
    positives = positive_sets([10, 30], [], [20])
    mask = mask_known_positives(indices(30, 20, 30, 40), indices(0, 1, 2, 0), positives)
    assert mask.tolist() == [
        [True, False, True, False],
        [False, False, False, False],
        [False, True, False, False],
        [True, False, True, False],
    ]
    assert mask.dtype == torch.bool


@pytest.mark.parametrize(("columns", "rows"), [((), (0, 1)), ((1, 2), ()), ((), ())])
def test_known_positives_of_nothing(columns, rows):
    mask = mask_known_positives(indices(*columns), indices(*rows), positive_sets([1], [2]))
    assert mask.shape == (len(rows), len(columns))


def test_known_positives_where_no_query_has_any():
    assert not mask_known_positives(indices(0, 1), indices(0), positive_sets([], [])).any()


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_known_positives_agree_with_a_loop(data):
    products = st.integers(0, 12)
    sets = data.draw(st.lists(st.sets(products), min_size=1, max_size=6))
    columns = data.draw(st.lists(products, max_size=15))
    rows = data.draw(st.lists(st.integers(0, len(sets) - 1), max_size=8))
    mask = mask_known_positives(indices(*columns), indices(*rows), positive_sets(*map(sorted, sets)))
    expected = [[product in sets[query] for product in columns] for query in rows]
    assert mask.tolist() == expected


@pytest.mark.parametrize("query", [-1, 2])
def test_refuses_a_query_without_a_set(query):
    with pytest.raises(UsageError, match=r"Query indices must lie in 0\.\.1\. Received: least="):
        mask_known_positives(indices(1), indices(0, query), positive_sets([1], [2]))


def test_positives_of_the_search_and_of_the_searcher_are_masked_and_those_of_others_are_not():
    """Searches: actor 1 twice and actor 2 once for query 0, two by nobody known."""
    query, actor = np.array([0, 0, 0, 0, 0]), np.array([1, 1, 2, -1, -1])
    group = searcher_groups(query, actor)
    search = np.array([0, 0, 1, 2, 3, 4])
    bought = np.array([10, 11, 12, 13, 14, 15])
    positives = PositiveSets.from_pairs(group[search], bought, num_queries=int(group.max()) + 1)
    mask = mask_known_positives(torch.from_numpy(bought), torch.from_numpy(group), positives)
    assert [bought[row].tolist() for row in mask.numpy()] == [[10, 11, 12], [10, 11, 12], [13], [14], [15]]


def test_repeats_by_eye():
    assert mask_repeats(indices(7, 7, 5, 7, 5, 6)).tolist() == [False, True, False, True, True, False]
    assert mask_repeats(indices()).tolist() == []


def test_listed_by_eye():
    mask = mask_listed(indices(4, 9, 4, 2), np.array([[4, -1, 8], [2, 9, 2], [-1, -1, -1]]))
    assert mask.tolist() == [[True, False, True, False], [False, True, False, True], [False] * 4]
    assert mask_listed(indices(4, 9), np.empty((2, 0), np.int64)).tolist() == [[False, False]] * 2


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_listed_agrees_with_a_loop(data):
    products = st.integers(-1, 9)
    columns = data.draw(st.lists(st.integers(0, 9), max_size=12))
    listed = data.draw(st.lists(st.lists(products, min_size=3, max_size=3), min_size=1, max_size=6))
    mask = mask_listed(indices(*columns), np.array(listed))
    assert mask.tolist() == [[product in each for product in columns] for each in listed]


def test_above_the_margin_by_eye():
    scores = torch.tensor([[0.7, 0.71, 0.2, math.nan], [0.7, 0.71, 0.2, math.inf]])
    mask = mask_above(scores, torch.tensor([0.8, 0.3]), margin=0.1)
    assert mask.tolist() == [[False, True, False, False], [True, True, False, True]]
    assert mask_above(scores, torch.tensor([math.nan, 0.3]), margin=0.1)[0].tolist() == [False] * 4


def test_masks_take_no_part_in_the_gradient():
    scores, positive = torch.rand(2, 3, requires_grad=True), torch.rand(2, requires_grad=True)
    assert not mask_above(scores, positive, margin=0.1).requires_grad


@pytest.mark.parametrize("margin", [math.nan, math.inf])
def test_refuses_margins(margin):
    with pytest.raises(UsageError, match=r"margin must be finite\. Received: margin="):
        mask_above(torch.zeros(1, 1), torch.zeros(1), margin=margin)


def test_what_others_bought_counts_less_and_still_teaches():
    # Row 0's actor bought 10, others 11; 12 is any product. Probabilities: 1 for the positive, 1/4 for 11, 1 for 12.
    columns, row_query = indices(10, 11, 12), indices(0)
    log_weight = purchase_log_weight(columns, row_query, positive_sets([10, 11]), factor=0.25)
    scores = torch.zeros(1, 3, requires_grad=True)
    masked = mask_copies(columns, indices(10))
    loss = sampled_softmax_loss(torch.zeros(1), scores, temperature=1.0, masked=masked, log_weight=log_weight)
    loss.sum().backward()
    assert loss.item() == pytest.approx(math.log(2.25))
    assert scores.grad.tolist()[0] == pytest.approx([0.0, 0.25 / 2.25, 1 / 2.25])


def test_factors_of_purchases():
    columns, row_query, purchases = indices(1, 2), indices(0, 1), positive_sets([1], [])
    assert purchase_log_weight(columns, row_query, purchases, factor=1.0).eq(0).all()
    removed = purchase_log_weight(columns, row_query, purchases, factor=0.0)
    assert removed.tolist() == [[-math.inf, 0.0], [0.0, 0.0]]
    assert removed.dtype == torch.float32


@pytest.mark.parametrize("factor", [-0.1, 1.1, math.nan])
def test_refuses_factors(factor):
    with pytest.raises(UsageError, match=r"factor must lie in 0\.\.1\. Received: factor="):
        purchase_log_weight(indices(1), indices(0), positive_sets([1]), factor=factor)


def test_matching_products_by_eye():
    mask = mask_matching_products(words_of(["ab", "c", "", "abz"]), words_of(["abc", "a", "", "bzaq"]))
    assert mask.tolist() == [
        [True, False, False, True],
        [True, False, False, False],
        [False, False, False, False],
        [False, False, False, True],
    ]
    assert mask.dtype == torch.bool


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.text("abcde", max_size=3), min_size=1, max_size=6),
    st.lists(st.text("abcde", max_size=6), min_size=1, max_size=6),
)
def test_matching_products_agree_with_python_sets(queries, products):
    mask = mask_matching_products(words_of(queries), words_of(products))
    expected = [[bool(query) and set(query) <= set(product) for product in products] for query in queries]
    assert mask.tolist() == expected


@pytest.mark.parametrize("dtype", [bool, np.int8, np.float32])
def test_matching_counts_words_and_not_their_values(dtype):
    # Three hundred words overflow eight bits, and "any word" would do for booleans.
    query = sparse.csr_matrix(np.ones((1, 300), dtype))
    almost = np.ones((2, 300), dtype)
    almost[1, 7] = 0
    assert mask_matching_products(query, sparse.csr_matrix(almost)).tolist() == [[True, False]]


def test_matching_ignores_stored_zeros_repeats_and_signs():
    query = sparse.csr_matrix(([1.0, 0.0], [0, 1], [0, 2]), shape=(1, 3))
    product = sparse.csr_matrix(([-2.0, 0.5, 0.5], [0, 2, 2], [0, 3]), shape=(1, 3))
    assert mask_matching_products(query, product).tolist() == [[True]]
    assert product.nnz == 3


def test_matching_does_not_take_a_repeat_for_the_missing_word():
    query = sparse.csr_matrix(([1.0, 1.0], [0, 2], [0, 2]), shape=(1, 3))
    product = sparse.csr_matrix(([1.0, 1.0], [0, 0], [0, 2]), shape=(1, 3))
    assert mask_matching_products(query, product).tolist() == [[False]]


def test_matching_takes_sparse_arrays_and_empty_batches():
    products = sparse.csr_array(words_of(["ab", "b"]))
    assert mask_matching_products(sparse.csr_array(words_of(["a"])), products).tolist() == [[True, False]]
    assert mask_matching_products(sparse.csr_matrix((0, 26)), products).shape == (0, 2)
    assert mask_matching_products(words_of(["a"]), sparse.csr_matrix((0, 26))).shape == (1, 0)


def test_matching_refuses_two_vocabularies():
    with pytest.raises(ShapeError, match=r"must share one vocabulary\. Received: query_words=\(1, 26\)"):
        mask_matching_products(words_of(["a"]), sparse.csr_matrix((1, 30)))
