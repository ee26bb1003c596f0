import pytest
import torch
from torch import nn
from transformers import BertConfig, BertModel

from aisle.encoders.attention import with_cheap_attention
from aisle.encoders.dropout import with_cheap_dropout

SIZES = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32, "vocab_size": 30}
IDS = torch.tensor([[1, 5, 9, 2], [1, 7, 2, 0]])
REAL = (IDS > 0).long()


def encoder(dropout=0.0):
    torch.manual_seed(0)
    config = BertConfig(**SIZES, hidden_dropout_prob=0.0, attention_probs_dropout_prob=dropout)
    return BertModel._from_config(config, attn_implementation="eager")


def output(model):
    return model(input_ids=IDS, attention_mask=REAL).last_hidden_state


def test_without_drop_out_vectors_and_gradients_are_those_of_the_library_to_the_bit():
    found = []
    for model in (encoder(), with_cheap_attention(encoder())):
        vectors = output(model.train())
        vectors[..., 0].sum().backward()
        found.append([vectors.detach(), *(one.grad for one in model.parameters() if one.grad is not None)])
    assert len(found[0]) > 30
    assert all(torch.equal(ours, theirs) for theirs, ours in zip(*found, strict=True))


def test_attention_is_dropped_in_training_alone_and_never_by_the_function_of_pytorch(monkeypatch):
    model = with_cheap_attention(with_cheap_dropout(encoder(dropout=0.5)))
    torch.testing.assert_close(output(model.eval()), output(encoder(dropout=0.5).eval()))
    monkeypatch.setattr(nn.functional, "dropout", lambda *_, **__: pytest.fail("PyTorch's drop-out was called"))
    seen = []
    model.encoder.layer[0].attention.self.register_forward_hook(lambda _, __, outputs: seen.append(outputs[1][0]))
    for training in (False, True):
        output(model.train(training))
    kept, dropped = seen
    assert (kept > 0).all()
    zeroed = dropped == 0
    assert 0.2 < zeroed.float().mean() < 0.8
    torch.testing.assert_close(dropped[~zeroed], 2 * kept[~zeroed])


def test_a_model_whose_attention_cannot_be_replaced_stays_as_it_is():
    model = nn.Linear(2, 2)
    assert with_cheap_attention(model) is model
