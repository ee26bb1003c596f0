import pytest
import torch
from torch import nn

from aisle.encoders import SmallTransformer


def transformer(**settings):
    torch.manual_seed(0)
    defaults = {"hidden_dim": 16, "num_layers": 2, "num_heads": 4, "max_tokens": 12, "dropout": 0.1}
    return SmallTransformer(30, **(defaults | settings)).eval()


def batch(lengths, *, padding=0):
    torch.manual_seed(1)
    ids = torch.randint(1, 30, (len(lengths), max(lengths)))
    real = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    return ids.where(real, padding), real


def test_every_token_gets_a_vector():
    ids, real = batch([3, 5])
    assert transformer()(ids, real).shape == (2, 5, 16)


@torch.no_grad()
def test_a_text_is_encoded_alone_as_in_a_padded_batch():
    small = transformer()
    lengths = [1, 4, 12, 7]
    ids, real = batch(lengths)
    together = small(ids, real)
    for row, length in enumerate(lengths):
        alone = small(ids[row : row + 1, :length], real[row : row + 1, :length])
        torch.testing.assert_close(together[row, :length], alone[0], atol=1e-5, rtol=0)


@torch.no_grad()
def test_what_stands_at_padding_does_not_matter():
    small = transformer()
    (ids, real), (other, _) = batch([2, 6]), batch([2, 6], padding=29)
    assert not torch.equal(ids, other)
    torch.testing.assert_close(small(ids, real)[real], small(other, real)[real])


@torch.no_grad()
def test_the_place_of_a_token_matters():
    small = transformer()
    real = torch.ones(1, 3, dtype=torch.bool)
    forth, back = (small(torch.tensor([ids]), real).mean(1) for ids in ([1, 2, 3], [3, 2, 1]))
    assert not torch.allclose(forth, back, atol=1e-4)


@torch.no_grad()
def test_a_row_of_padding_alone_stays_finite():
    found = transformer()(torch.zeros(2, 3, dtype=torch.int64), torch.tensor([[True] * 3, [False] * 3]))
    assert found.isfinite().all()


@torch.no_grad()
@pytest.mark.parametrize("heads", [1, 4])
def test_attention_agrees_with_torch_s_scaled_dot_product(heads):
    layer = transformer(num_heads=heads).layers[0]
    hidden = torch.randn(3, 5, 16)
    _, real = batch([5, 2, 3])
    parts = layer.query_key_value(hidden).chunk(3, dim=2)
    query, key, value = (part.unflatten(2, (heads, 16 // heads)).transpose(1, 2) for part in parts)
    expected = nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=real[:, None, None, :])
    torch.testing.assert_close(layer._attend(hidden, real), expected.transpose(1, 2).flatten(2))


@torch.no_grad()
def test_a_layer_agrees_with_torch_s_own():
    layer = transformer().layers[0]
    norm, first, _, second = layer.feed_forward
    peer = nn.TransformerEncoderLayer(16, 4, 64, activation="gelu", batch_first=True, norm_first=True).eval()
    for target, source in (
        (peer.self_attn.in_proj_weight, layer.query_key_value.weight),
        (peer.self_attn.in_proj_bias, layer.query_key_value.bias),
        (peer.norm1.weight, layer.attention_norm.weight),
        (peer.norm2.weight, norm.weight),
        (peer.self_attn.out_proj.weight, layer.out.weight),
        (peer.self_attn.out_proj.bias, layer.out.bias),
        (peer.linear1.weight, first.weight),
        (peer.linear1.bias, first.bias),
        (peer.linear2.weight, second.weight),
        (peer.linear2.bias, second.bias),
    ):
        target.copy_(source)
    hidden = torch.randn(3, 5, 16)
    _, real = batch([5, 2, 3])
    expected = peer(hidden, src_key_padding_mask=~real)
    torch.testing.assert_close(layer(hidden, real)[real], expected[real], atol=1e-5, rtol=1e-5)


def test_drop_out_acts_in_training_alone():
    small = transformer(dropout=0.5)
    ids, real = batch([4, 4])
    assert torch.equal(small(ids, real), small(ids, real))
    small.train()
    assert not torch.allclose(small(ids, real), small(ids, real))


def test_every_parameter_learns():
    small = transformer()
    ids, real = batch([12, 3])
    small(ids, real)[real].square().sum(1).mul(torch.arange(15.0)).sum().backward()
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in small.parameters())
    assert small.tokens.weight.grad[0].abs().sum() == 0


@torch.no_grad()
def test_half_precision_stays_near():
    small = transformer()
    ids, real = batch([12, 3])
    with torch.autocast("cpu", torch.bfloat16):
        half = small(ids, real)
    torch.testing.assert_close(half[real].float(), small(ids, real)[real], atol=0.1, rtol=0.1)
