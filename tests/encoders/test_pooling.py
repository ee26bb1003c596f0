import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

from aisle.encoders import TextEncoderConfig, build_text_encoder, token_batch
from aisle.encoders import pooling as pooling_module
from aisle.encoders.pooling import write_pooled
from aisle.features import Tokens

CPU = torch.device("cpu")


def tokens_of(rows):
    width = max(map(len, rows), default=1)
    ids = np.array([[*row, *[0] * (width - len(row))] for row in rows], np.int32).reshape(len(rows), width)
    return Tokens(ids, np.array([len(row) for row in rows], np.int64))


TOKENS = tokens_of([(3, 4, 5), (3,), (3, 4, 5), (6, 2), (3,), (3, 4)])


def encoder(scale=1.0):
    torch.manual_seed(0)
    config = TextEncoderConfig(num_layers=1, hidden_dim=16, num_heads=2, dropout=0.5)
    text = build_text_encoder(config, dim=4, vocabulary_size=9, max_tokens=4)
    with torch.no_grad():
        text.transformer.norm.weight.mul_(scale)
    return text


@pytest.mark.parametrize("at_once", [2, 512])
def test_every_text_gets_its_pooled_vector_at_unit_length_and_each_text_is_encoded_once(tmp_path, monkeypatch, at_once):
    monkeypatch.setattr(pooling_module, "_TEXTS_AT_ONCE", at_once)
    # A checkpoint whose numbers would not fit into float16.
    text, told = encoder(scale=1e6), []
    write_pooled(text.train(), TOKENS, tmp_path / "a.npy", places=TOKENS.first_places(), advance=told.append)
    found = np.load(tmp_path / "a.npy", mmap_mode="r")
    assert (found.dtype, found.shape, sum(told)) == (np.float16, (6, 16), 4)
    with torch.no_grad():
        expected = normalize(text.eval().pooled(token_batch(TOKENS, CPU)), dim=1)
    np.testing.assert_allclose(found, expected.numpy(), atol=5e-4)
    assert found[0].tobytes() == found[2].tobytes() != found[5].tobytes()


def test_no_texts_give_no_vectors(tmp_path):
    none = tokens_of([])
    write_pooled(encoder(), none, tmp_path / "a.npy", places=none.first_places(), advance=print)
    assert np.load(tmp_path / "a.npy", mmap_mode="r").shape == (0, 16)
