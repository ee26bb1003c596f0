import numpy as np
import pytest
import torch
from sklearn.decomposition import TruncatedSVD
from torch.nn.functional import normalize

from aisle.core.errors import ConfigError, ModelError
from aisle.encoders import PretrainedTransformer, SmallTransformer, TextEncoder, TextEncoderConfig, TokenBatch
from aisle.encoders import text as text_module
from aisle.encoders.text import build_text_encoder, pool_mean


def encoder(dim=8, hidden_dim=16, **settings):
    torch.manual_seed(0)
    config = TextEncoderConfig(num_layers=1, hidden_dim=hidden_dim, num_heads=2, **settings)
    return build_text_encoder(config, dim=dim, vocabulary_size=20, max_tokens=6).eval()


def batch(lengths):
    torch.manual_seed(1)
    real = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    return TokenBatch(torch.randint(1, 20, real.shape).where(real, 0), real)


def test_pooling_averages_the_tokens_that_are_real():
    hidden = torch.tensor([[[1.0, 2], [3, 4], [99, 99]], [[5, 6], [99, 99], [99, 99]], [[9, 9]] * 3])
    real = torch.tensor([[True, True, False], [True, False, False], [False] * 3])
    assert pool_mean(hidden, real).tolist() == [[2, 3], [5, 6], [0, 0]]


@torch.no_grad()
def test_texts_become_unit_vectors_of_the_projected_mean():
    text, tokens = encoder(), batch([3, 6, 1])
    found = text(tokens)
    assert found.shape == (3, 8)
    torch.testing.assert_close(found.norm(dim=1), torch.ones(3))
    pooled = pool_mean(text.transformer(tokens.ids, tokens.real), tokens.real)
    torch.testing.assert_close(text.pooled(tokens), pooled)
    torch.testing.assert_close(found, normalize(pooled @ text.projection.weight.T))


@torch.no_grad()
def test_a_text_has_the_same_vector_alone_and_in_a_padded_batch():
    text, tokens = encoder(), batch([3, 6, 1])
    together = text(tokens)
    for row, length in enumerate([3, 6, 1]):
        alone = text(TokenBatch(tokens.ids[[row], :length], tokens.real[[row], :length]))
        torch.testing.assert_close(together[[row]], alone, atol=1e-5, rtol=0)


@torch.no_grad()
def test_a_projection_of_full_width_keeps_every_cosine():
    text = encoder(dim=16)
    pooled = torch.randn(50, 16) + 2
    text.start_projection_from(pooled)
    before, after = normalize(pooled), normalize(text.projection(pooled))
    torch.testing.assert_close(after @ after.T, before @ before.T, atol=1e-5, rtol=0)


@torch.no_grad()
def test_a_narrow_projection_keeps_the_order_of_similarities_of_vectors_that_lie_in_few_directions():
    text = encoder(dim=4)
    pooled = torch.randn(40, 4) @ torch.randn(4, 16) + 0.001 * torch.randn(40, 16)
    text.start_projection_from(pooled)
    before, after = normalize(pooled), normalize(text.projection(pooled))
    torch.testing.assert_close(after @ after.T, before @ before.T, atol=5e-3, rtol=0)
    nearest = [similarity.fill_diagonal_(-1).argmax(1) for similarity in (before @ before.T, after @ after.T)]
    assert (nearest[0] == nearest[1]).float().mean() > 0.9


@torch.no_grad()
def test_the_projection_spans_what_a_truncated_svd_spans():
    text = encoder(dim=3)
    pooled = torch.randn(60, 16) * torch.linspace(3, 0.1, 16)
    text.start_projection_from(pooled)
    unit = normalize(pooled).numpy()
    peer = TruncatedSVD(3, algorithm="arpack", random_state=0).fit(unit).components_
    own = text.projection.weight.numpy()
    np.testing.assert_allclose(own.T @ own, peer.T @ peer, atol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("rows", [1, 3])
def test_directions_that_few_texts_do_not_give_are_zero(rows):
    text = encoder(dim=8)
    pooled = torch.randn(rows, 16)
    text.start_projection_from(pooled)
    weight = text.projection.weight
    torch.testing.assert_close(weight[:rows] @ weight[:rows].T, torch.eye(rows), atol=1e-5, rtol=0)
    assert weight[rows:].abs().sum() == 0
    wide = encoder(dim=20)
    wide.start_projection_from(torch.randn(50, 16))
    assert wide.projection.weight[16:].abs().sum() == 0


def test_settings_reach_the_small_transformer():
    text = encoder(dim=4, hidden_dim=24, dropout=0.25)
    assert isinstance(text.transformer, SmallTransformer)
    assert (text.dim, text.transformer.hidden_dim, len(text.transformer.layers)) == (4, 24, 1)
    assert text.transformer.tokens.weight.shape == (20, 24)
    assert text.transformer.positions.shape == (6, 24)
    assert text.transformer.layers[0].dropout.p == 0.25
    assert text.transformer.layers[0].num_heads == 2


def test_heads_that_do_not_divide_the_width_are_refused():
    with pytest.raises(ConfigError, match=r"multiple of text\.num_heads.*hidden_dim'?=16, text\.num_heads=3\. Change"):
        build_text_encoder(TextEncoderConfig(hidden_dim=16, num_heads=3), dim=4, vocabulary_size=9, max_tokens=4)


def build_from(checkpoint, max_tokens=512):
    config = TextEncoderConfig(init=str(checkpoint), num_heads=3, hidden_dim=16)
    return build_text_encoder(config, dim=5, vocabulary_size=9, max_tokens=max_tokens)


def test_a_checkpoint_gives_its_own_width(minilm):
    text = build_from(minilm)
    assert isinstance(text, TextEncoder)
    assert isinstance(text.transformer, PretrainedTransformer)
    assert text.projection.weight.shape == (5, 384)


def test_texts_longer_than_the_checkpoint_reads_are_refused(minilm):
    with pytest.raises(ConfigError, match=r"longest text.*513.*512.*Lower features\.tokens\.max_product_tokens"):
        build_from(minilm, max_tokens=513)


def test_a_checkpoint_that_is_missing_is_refused(tmp_path):
    with pytest.raises(ModelError, match=r"text\.init and pretrain\.init must name a Hugging Face encoder"):
        build_from(tmp_path / "none")


def many(num_texts, seed=3):
    rng = torch.Generator().manual_seed(seed)
    length = torch.randint(1, 7, (num_texts,), generator=rng)
    real = torch.arange(6) < length[:, None]
    return TokenBatch(torch.randint(1, 20, real.shape, generator=rng).where(real, 0), real)


def padded(text, tokens):
    return pool_mean(text.transformer(tokens.ids, tokens.real), tokens.real)


def test_blocks_of_like_length_give_the_vectors_and_gradients_of_one_padded_batch(monkeypatch):
    text, tokens = encoder(), many(200)
    monkeypatch.setattr(text_module, "_TOKENS_AT_ONCE", 100)
    weight = torch.linspace(-1, 1, 200 * 16).view(200, 16)
    found = {}
    for name, pooled in (("blocks", text.pooled), ("padded", lambda tokens: padded(text, tokens))):
        text.zero_grad()
        vectors = pooled(tokens)
        (vectors * weight).sum().backward()
        found[name] = [vectors.detach(), *(p.grad.clone() for p in text.transformer.parameters())]
    for in_blocks, at_once in zip(found["blocks"], found["padded"], strict=True):
        torch.testing.assert_close(in_blocks, at_once, atol=1e-4, rtol=1e-4)


def test_a_text_of_several_rows_is_encoded_once_and_learns_from_each_of_them():
    text, tokens = encoder(dropout=0.5), batch([3, 6])
    place = torch.tensor([1, 0, 1])
    repeated = TokenBatch(tokens.ids, tokens.real, place)
    torch.testing.assert_close(text(repeated), text(TokenBatch(tokens.ids[place], tokens.real[place])))
    text.train()
    found = text(repeated)
    assert torch.equal(found[0], found[2])
    found[0, 0].backward(retain_graph=True)
    once = text.projection.weight.grad.clone()
    found[2, 0].backward()
    torch.testing.assert_close(text.projection.weight.grad, 2 * once)


def test_no_block_is_wider_than_its_longest_text_or_holds_more_tokens_than_asked(monkeypatch):
    monkeypatch.setattr(text_module, "_TOKENS_AT_ONCE", 30)
    tokens = many(50)
    order, blocks = text_module._blocks_by_length(tokens)
    assert sorted(order.tolist()) == list(range(50))
    assert sum(len(block.ids) for block in blocks) == 50
    for block in blocks:
        assert block.ids.numel() <= 30
        assert int(block.real.sum(1).max()) == block.ids.shape[1]
    torch.testing.assert_close(torch.cat([block.real.sum(1) for block in blocks]), tokens.real.sum(1)[order])


@torch.no_grad()
def test_bfloat16_outside_training_is_near_float32_and_off_by_default(monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True, raising=False)
    text, tokens = encoder(), many(50)
    exact = text(tokens)
    text.bf16 = True
    rounded = text(tokens)
    assert not torch.equal(rounded, exact)
    assert (rounded * exact).sum(1).min() > 0.999


def test_a_frozen_transformer_has_neither_gradient_nor_drop_out_and_its_projection_learns():
    tokens = many(5)
    torch.manual_seed(0)
    text = TextEncoder(SmallTransformer(20, hidden_dim=16, num_layers=1, num_heads=2, max_tokens=6, dropout=0.5), 8)
    frozen = TextEncoder(text.transformer, 8, frozen=True).train()
    assert torch.equal(frozen.pooled(tokens), frozen.pooled(tokens))
    frozen(tokens)[:, 0].sum().backward()
    assert frozen.projection.weight.grad.abs().max() > 0
    assert all(parameter.grad is None for parameter in frozen.transformer.parameters())
    assert not torch.equal(text.train().pooled(tokens), text.pooled(tokens))


def test_the_length_of_a_pooled_vector_changes_neither_its_projection_nor_a_gradient():
    text, found = encoder(), []
    pooled = torch.randn(7, 16)
    for given in (pooled, normalize(pooled)):
        text.zero_grad()
        projected = text.project(given)
        (projected * torch.linspace(-1, 1, 56).view(7, 8)).sum().backward()
        found.append((projected.detach(), text.projection.weight.grad.clone()))
    torch.testing.assert_close(*found, atol=1e-5, rtol=0)


def test_a_tokenizer_with_more_tokens_than_the_checkpoint_has_rows_is_refused(minilm):
    config = TextEncoderConfig(init=str(minilm))
    build_text_encoder(config, dim=8, vocabulary_size=30_522, max_tokens=6)
    with pytest.raises(ModelError, match=r"a row for every token .*tokens=30523, rows=30522\."):
        build_text_encoder(config, dim=8, vocabulary_size=30_523, max_tokens=6)
