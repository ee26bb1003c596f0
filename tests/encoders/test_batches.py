import numpy as np
import pytest
import torch

from aisle.encoders import context_batch, term_batch, token_batch
from aisle.features import Context, Terms, Tokens

CPU = torch.device("cpu")


def test_terms_become_tensors_as_they_are():
    terms = Terms(np.array([0, 1, 3]), np.array([4, 0, 9], np.int32), np.array([0.5, 1, 2], np.float32))
    batch = term_batch(terms, CPU)
    assert batch.bucket.tolist() == [4, 0, 9]
    assert batch.weight.tolist() == [0.5, 1, 2]
    assert batch.offsets.tolist() == [0, 1, 3]
    assert (batch.bucket.dtype, batch.weight.dtype, batch.offsets.dtype) == (torch.int64, torch.float32, torch.int64)


def test_tokens_are_cut_to_the_longest_row_and_padding_is_told():
    tokens = Tokens(np.array([[2, 3, 0, 0], [2, 7, 3, 0]], np.int32), np.array([2, 3]))
    batch = token_batch(tokens, CPU)
    assert batch.ids.tolist() == [[2, 3, 0], [2, 7, 3]]
    assert batch.real.tolist() == [[True, True, False], [True, True, True]]
    assert (batch.ids.dtype, batch.real.dtype, batch.place) == (torch.int64, torch.bool, None)


def test_a_text_of_several_rows_is_copied_once_and_each_row_tells_where_it_stands():
    ids = np.array([[2, 9, 3, 3], [2, 3, 0, 0], [2, 7, 3, 0], [2, 3, 0, 0]], np.int32)
    batch = token_batch(Tokens(ids, np.array([4, 2, 3, 2])), CPU)
    assert batch.ids.tolist() == [[2, 9, 3, 3], [2, 3, 0, 0], [2, 7, 3, 0]]
    assert batch.real.sum(1).tolist() == [4, 2, 3]
    assert batch.place.tolist() == [0, 1, 2, 1]


def test_context_is_copied_as_it_is():
    batch = context_batch(Context(np.array([[3, -1]], np.int32)), CPU)
    assert batch.tolist() == [[3, -1]]
    assert batch.dtype == torch.int64


def test_no_rows_make_an_empty_batch():
    terms = term_batch(Terms(np.zeros(1, np.int64), np.empty(0, np.int32), np.empty(0, np.float32)), CPU)
    assert (terms.bucket.shape, terms.offsets.tolist()) == ((0,), [0])
    tokens = token_batch(Tokens(np.empty((0, 4), np.int32), np.empty(0, np.int64)), CPU)
    assert (tokens.ids.shape, tokens.real.shape) == ((0, 1), (0, 1))


@pytest.mark.parametrize("dtypes", [(np.int32, np.float32), (np.int64, np.float64)])
def test_arrays_that_may_not_be_written_are_copied(dtypes):
    integers, floats = dtypes
    terms = Terms(np.array([0, 1]), np.array([4], integers), np.array([0.5], floats))
    tokens = Tokens(np.array([[2, 3]], integers), np.array([2]))
    for array in (*vars(terms).values(), *vars(tokens).values()):
        array.flags.writeable = False
    batch = term_batch(terms, CPU)
    copied = token_batch(tokens, CPU)
    for tensor in (*vars(batch).values(), copied.ids, copied.real):
        tensor.zero_()
    assert (terms.offsets.tolist(), terms.weight.tolist(), tokens.length.tolist()) == ([0, 1], [0.5], [2])
