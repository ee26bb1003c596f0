import numpy as np
import pytest
import torch

from aisle.features import Tokens
from aisle.pretraining.network import PretrainNetwork


def test_hidden_tokens_are_scored_against_what_stood_there(setting):
    tokens, data = setting.data.texts.take(np.arange(20)), setting.data
    guessed = setting.network.guess_hidden(tokens, data, share=0.5, rng=np.random.default_rng(0))
    words = ~np.isin(tokens.ids, data.special_ids)
    assert 0.3 < len(guessed.loss) / words.sum() < 0.7
    # Untrained: as bad as chance.
    assert guessed.loss.mean().item() == pytest.approx(np.log(data.vocabulary_size), rel=0.15)
    assert guessed.right.dtype == torch.bool


def test_a_batch_without_hidden_tokens_has_no_guesses(setting):
    empty = Tokens(np.array([[2, 3]], np.int32), np.array([2]))
    guessed = setting.network.guess_hidden(empty, setting.data, share=0.5, rng=np.random.default_rng(0))
    assert len(guessed.loss) == 0


@torch.no_grad()
def test_vectors_are_of_unit_length_and_know_nothing_of_the_rest_of_the_batch(setting):
    together = setting.network.embed(setting.data.products.take(np.arange(5)))
    alone = setting.network.embed(setting.data.products.take(np.arange(1)))
    torch.testing.assert_close(together.norm(dim=1), torch.ones(5))
    torch.testing.assert_close(together[:1], alone, atol=1e-5, rtol=0)


@torch.no_grad()
def test_contrastive_loss_is_that_of_the_products_that_do_not_answer_the_query(setting):
    """Against the softmax by hand: a query's three products are no negatives of each other."""
    network, data = setting.network, setting.data
    rows = np.array([0, 1, 3, 40])
    found = network.contrastive_loss(data.pairs, data.products, rows, temperature=0.5)
    queries = network.embed(data.pairs.queries.take(data.pairs.query_index[rows]))
    scores = queries @ network.embed(data.products.take(data.pairs.product_index[rows])).T / 0.5
    kept = [[0, 2, 3], [1, 2, 3], [0, 1, 2, 3], [0, 1, 2, 3]]
    expected = [torch.logsumexp(scores[row, columns], 0) - scores[row, row] for row, columns in enumerate(kept)]
    torch.testing.assert_close(found, torch.stack(expected), atol=1e-4, rtol=1e-4)


def test_every_objective_teaches_the_encoder(setting):
    network, data = setting.network, setting.data
    rows = np.arange(6)
    losses = {
        "masked": network.guess_hidden(data.texts.take(rows), data, share=0.5, rng=np.random.default_rng(0)).loss,
        "contrastive": network.contrastive_loss(data.pairs, data.products, np.arange(0, 60, 10), temperature=0.1),
        "sequence": network.write_queries(
            data.purchases.queries.take(data.purchases.query_index[rows]), data.products.take(rows)
        )[0].loss,
    }
    weight = network.transformer.model.encoder.layer[0].intermediate.dense.weight
    for name, loss in losses.items():
        (gradient,) = torch.autograd.grad(loss.mean(), weight)
        assert gradient.abs().max() > 1e-6, name


def test_table_and_transformer_are_those_of_the_encoder(make_network):
    network = make_network(writes=False)
    assert isinstance(network, PretrainNetwork)
    assert network.table is network.encoder.transformer.model.get_input_embeddings().weight
    assert network.writer is None
