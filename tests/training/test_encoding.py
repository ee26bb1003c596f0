import dataclasses

import numpy as np
import pytest
import torch

from aisle.training.accelerating import make_accelerator
from aisle.training.encoding import BatchEncoder
from aisle.training.processes import ONE_PROCESS, Processes


def encoder_of(model, *, chunk_size=0, processes=ONE_PROCESS):
    return BatchEncoder(model, make_accelerator(bf16=False), processes, chunk_size=chunk_size)


def gradients_of(model, vectors, weight):
    """Return the gradients of a weighted sum of squares, which every entry of every vector moves."""
    model.network.zero_grad()
    (weight * vectors**2).sum().backward()
    found = {name: one.grad for name, one in model.network.named_parameters() if one.grad is not None}
    return {name: gradient.to_dense().clone() for name, gradient in found.items()}


@pytest.fixture
def features(data):
    """Twelve products, of which some stand twice, and a query tower's own."""
    return data.product_features.take(np.array([5, 3, 5, 80, 7, 3, 90, 11, 12, 13, 14, 5]))


@pytest.mark.parametrize("chunk_size", [1, 5, 11])
def test_chunks_come_to_vectors_and_gradients_of_the_whole_batch(make_model, features, chunk_size):
    model = make_model()
    model.network.train()
    weight = torch.rand(12, 16, generator=torch.Generator().manual_seed(1))
    whole = encoder_of(model).products(features)
    expected = gradients_of(model, whole, weight)
    chunked = encoder_of(model, chunk_size=chunk_size).products(features)
    assert torch.allclose(chunked, whole, atol=1e-6)
    found = gradients_of(model, chunked, weight)
    assert found.keys() == expected.keys()
    for name, gradient in expected.items():
        assert torch.allclose(found[name], gradient, atol=1e-5), name


def test_chunks_of_queries_too(make_model, data):
    model, rows = make_model(), np.arange(9)
    features = data.query_features.take(rows)
    assert torch.allclose(
        encoder_of(model, chunk_size=2).queries(features), encoder_of(model).queries(features), atol=1e-6
    )


def test_a_chunk_is_encoded_again_with_the_same_drop_out(make_model, features):
    """The gradient belongs to the vectors that the loss saw: a step against it changes them as it says."""
    model = make_model(dropout=0.5)
    model.network.train()
    weight = torch.ones(12, 16)
    torch.manual_seed(7)
    encoder = encoder_of(model, chunk_size=5)
    # What the same draws give where nothing is encoded again: each chunk by itself, kept for its gradient.
    order = np.argsort(features.tokens.first_places(), kind="stable")
    parts = [encoder_of(model).products(features.take(order[start : start + 5])) for start in (0, 5, 10)]
    expected = gradients_of(model, torch.cat(parts), weight)
    torch.manual_seed(7)
    vectors = encoder.products(features)
    after = torch.get_rng_state()
    found = gradients_of(model, vectors, weight)
    assert torch.equal(vectors[order], torch.cat(parts))
    assert all(torch.allclose(found[name], gradient, atol=1e-5) for name, gradient in expected.items())
    assert torch.equal(torch.get_rng_state(), after), "what is drawn next does not depend on the chunks"


def test_in_chunks_nothing_but_vectors_is_kept(make_model, features):
    """What autograd keeps for the way back, counted by its own hooks."""

    def kept(encoder):
        sizes = []
        with torch.autograd.graph.saved_tensors_hooks(lambda one: sizes.append(one.numel()) or one, lambda one: one):
            encoder.products(features)
        return sum(sizes)

    model = make_model()
    model.network.train()
    assert kept(encoder_of(model, chunk_size=4)) < 0.1 * kept(encoder_of(model))


@dataclasses.dataclass(frozen=True)
class FirstOfTwo(Processes):
    """The first of two processes; the other's vectors are given."""

    number: int = 2
    others: object = None

    def gather(self, own, *, most):
        padded = own.detach().new_zeros((most, own.shape[1]))
        padded[: len(own)] = own.detach()
        return torch.cat([padded, self.others]) if self.rank == 0 else torch.cat([self.others, padded])


@pytest.mark.parametrize("rank", [0, 1])
def test_a_process_encodes_its_share_and_takes_the_gradient_of_it(make_model, features, rank):
    model = make_model()
    rows = []
    product = model.network.product
    model.network.product = lambda batch: rows.append(len(batch.terms.offsets) - 1) or product(batch)
    whole = encoder_of(model).products(features)
    order = np.argsort(features.tokens.first_places(), kind="stable")
    other = order[6:] if rank == 0 else order[:6]
    own = order[:6] if rank == 0 else order[6:]
    shared = encoder_of(model, processes=FirstOfTwo(rank=rank, others=whole.detach()[other])).products(features)
    assert rows == [12, 6]
    assert torch.allclose(shared, whole, atol=1e-6)
    weight = torch.rand(12, 16, generator=torch.Generator().manual_seed(1))
    found = gradients_of(model, shared, weight)
    expected = gradients_of(model, encoder_of(model).products(features)[own], weight[own])
    assert all(torch.allclose(found[name], gradient, atol=1e-5) for name, gradient in expected.items())


def test_fewer_rows_than_processes_leave_the_last_without(make_model, data):
    model, one = make_model(), data.product_features.take(np.array([4]))
    whole = encoder_of(model).products(one)
    last = FirstOfTwo(rank=1, others=whole.detach())
    shared = encoder_of(model, processes=last).products(one)
    assert torch.equal(shared, whole)
    assert not any(gradient.any() for gradient in gradients_of(model, shared, torch.ones(1, 16)).values())
