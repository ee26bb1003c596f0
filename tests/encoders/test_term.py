import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import normalize

from aisle.encoders import TermBatch, TermEncoder

ROWS = st.lists(st.lists(st.tuples(st.integers(0, 19), st.floats(0.25, 4, width=32)), max_size=5), max_size=6)


def batch_of(rows):
    return TermBatch(
        bucket=torch.tensor([bucket for row in rows for bucket, _ in row], dtype=torch.int64),
        weight=torch.tensor([weight for row in rows for _, weight in row], dtype=torch.float32),
        offsets=torch.tensor(np.cumsum([0, *map(len, rows)]), dtype=torch.int64),
    )


def encoder(dim=8, **settings):
    torch.manual_seed(0)
    return TermEncoder(20, dim, **settings)


def test_a_text_is_the_direction_of_the_weighted_sum_of_its_ngrams():
    term = encoder(dim=2)
    with torch.no_grad():
        term.table.weight[3], term.table.weight[5] = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
    found = term(batch_of([[(3, 3.0), (5, 4.0)], [(5, 0.1)]]))
    torch.testing.assert_close(found, torch.tensor([[0.6, 0.8], [0.0, 1.0]]))


@settings(deadline=None)
@given(ROWS)
def test_rows_agree_with_a_sum_by_hand_and_have_unit_length(rows):
    term = encoder()
    found = term(batch_of(rows))
    assert found.shape == (len(rows), 8)
    for row, vector in zip(rows, found, strict=True):
        by_hand = sum((weight * term.table.weight[bucket] for bucket, weight in row), torch.zeros(8))
        torch.testing.assert_close(vector, normalize(by_hand if row else term.missing, dim=0))
        assert vector.norm().item() == pytest.approx(1, abs=1e-5)


def test_a_text_without_ngrams_is_the_missing_vector_which_learns_from_it_alone():
    term = encoder()
    found = term(batch_of([[], [(1, 1.0)], []]))
    assert torch.equal(found[0], found[2])
    found[1].sum().backward(retain_graph=True)
    assert term.missing.grad.abs().sum() == 0
    found[0, 0].backward()
    assert term.missing.grad.abs().sum() > 0


def test_only_rows_of_the_batch_get_a_gradient():
    term = encoder()
    term(batch_of([[(1, 1.0), (7, 2.0)], []]))[:, 0].sum().backward()
    assert term.table.weight.grad.is_sparse
    assert sorted(term.table.weight.grad.coalesce().indices()[0].tolist()) == [1, 7]


def test_dense_gradients_are_those_of_the_sparse_table():
    gradients = []
    for sparse in (True, False):
        term = encoder(sparse=sparse)
        term(batch_of([[(1, 1.0), (7, 2.0), (1, 0.5)], []]))[:, 0].sum().backward()
        gradient = term.table.weight.grad
        gradients.append(gradient.to_dense() if sparse else gradient)
    torch.testing.assert_close(*gradients)


def test_a_random_table_keeps_lexical_similarity():
    term = TermEncoder(5000, 256)
    with torch.no_grad():
        same, half, other = term(batch_of([[(1, 1.0), (2, 1.0)], [(2, 1.0), (3, 1.0)], [(4, 1.0)]]))
    assert same @ half == pytest.approx(0.5, abs=0.15)
    assert same @ other == pytest.approx(0, abs=0.25)


def test_drop_out_hides_ngrams_in_training_alone():
    term = encoder(dim=4, dropout=0.5)
    batch = batch_of([[(3, 1.0), (5, 2.0)]] * 200)
    both = term.eval()(batch)[0]
    alone = [term(batch_of([[(bucket, 1.0)]]))[0] for bucket in (3, 5)]
    expected = torch.stack([both, *alone, normalize(term.missing, dim=0)])
    found = term.train()(batch)
    apart = torch.cdist(found, expected, compute_mode="donot_use_mm_for_euclid_dist")
    assert apart.min(dim=1).values.max() < 1e-4
    counts = torch.bincount(apart.argmin(dim=1), minlength=4)
    assert ((counts > 25) & (counts < 80)).all()


def test_hidden_ngrams_get_no_gradient():
    term = encoder(dropout=0.999, sparse=False).train()
    term(batch_of([[(3, 1.0)]])).sum().backward()
    assert not term.table.weight.grad.any()
    assert term.missing.grad.any()
