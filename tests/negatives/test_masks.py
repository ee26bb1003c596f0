import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from aisle.core.errors import ShapeError, UsageError
from aisle.losses import sampled_softmax_loss
from aisle.negatives import PositiveSets, mask_copies, mask_known_positives, mask_matching_products


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


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6)), max_size=30))
def test_sets_from_pairs_agree_with_python_sets(pairs):
    columns = np.array(pairs, np.int64).reshape(-1, 2)
    sets = PositiveSets.from_pairs(columns[:, 0], columns[:, 1], num_queries=5)
    assert len(sets) == 5
    for query in range(5):
        run = sets.product_index[sets.offsets[query] : sets.offsets[query + 1]].tolist()
        assert run == sorted({product for each, product in pairs if each == query})


def test_sets_from_pairs_refuse_an_unknown_query():
    with pytest.raises(UsageError, match=r"Query indices must lie in 0\.\.2\. Received: least=0, greatest=3"):
        PositiveSets.from_pairs(np.array([0, 3]), np.array([1, 1]), num_queries=3)


@pytest.mark.parametrize("offsets", [[], [1, 2], [0, 3], [0, 2, 1, 2]])
def test_sets_refuse_offsets(offsets):
    with pytest.raises(ShapeError, match="offsets must begin with 0, never fall and end with the number"):
        PositiveSets(np.array(offsets, np.int64), np.array([4, 5]))


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
