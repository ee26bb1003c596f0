import json
import shutil

import pyarrow as pa
import pytest
import torch
from torch.nn.functional import cosine_similarity

from aisle.core.errors import ModelError
from aisle.encoders import PretrainedTransformer, token_batch
from aisle.encoders.text import pool_mean
from aisle.features import TokenConfig, TokenFeaturiser

TEXTS = ["red dress", "", "Laser printer, A4 " * 9, "连衣裙", "usb-c cable 1.5m"]


@pytest.fixture(scope="module")
def pretrained(minilm):
    return PretrainedTransformer.from_checkpoint(str(minilm)).eval()


@pytest.fixture(scope="module")
def tokens(minilm):
    featuriser = TokenFeaturiser.from_checkpoint(str(minilm), TokenConfig(max_query_tokens=32))
    return token_batch(featuriser.queries(pa.array(TEXTS)), torch.device("cpu"))


def test_a_checkpoint_tells_width_and_longest_text(pretrained):
    assert (pretrained.hidden_dim, pretrained.max_tokens) == (384, 512)
    assert all(parameter.dtype == torch.float32 for parameter in pretrained.parameters())


@pytest.mark.slow
@torch.no_grad()
def test_pooled_vectors_are_those_of_sentence_transformers(minilm, pretrained, tokens):
    library = pytest.importorskip("sentence_transformers")
    peer = library.SentenceTransformer(str(minilm), device="cpu")
    peer.max_seq_length = 32
    own = pool_mean(pretrained(tokens.ids, tokens.real), tokens.real)
    expected = torch.from_numpy(peer.encode(TEXTS, normalize_embeddings=True))
    assert cosine_similarity(own, expected).min() > 0.9999


@torch.no_grad()
def test_a_text_is_encoded_alone_as_in_a_padded_batch(pretrained, tokens):
    together = pool_mean(pretrained(tokens.ids, tokens.real), tokens.real)
    for row, length in enumerate(tokens.real.sum(1).tolist()):
        ids, real = tokens.ids[[row], :length], tokens.real[[row], :length]
        torch.testing.assert_close(together[[row]], pool_mean(pretrained(ids, real), real), atol=1e-5, rtol=0)


@torch.no_grad()
def test_the_architecture_is_built_again_from_its_config_alone(tmp_path, pretrained, tokens):
    pretrained.save_config(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["config.json"]
    rebuilt = PretrainedTransformer.from_config(tmp_path).eval()
    rebuilt.load_state_dict(pretrained.state_dict())
    torch.testing.assert_close(rebuilt(tokens.ids, tokens.real), pretrained(tokens.ids, tokens.real))


def damaged(minilm, folder, damage):
    """Make a checkpoint that cannot be loaded."""
    if damage == "missing":
        return folder
    folder.mkdir()
    if damage == "empty":
        return folder
    shutil.copy(minilm / "config.json", folder)
    if damage == "no weights":
        return folder
    if damage == "pickle":
        torch.save({}, folder / "pytorch_model.bin")
        return folder
    with (minilm / "model.safetensors").open("rb") as file:
        (folder / "model.safetensors").write_bytes(file.read(100_000 if damage == "truncated" else 0))
    if damage == "remote code":
        config = {"model_type": "unheard-of", "auto_map": {"AutoConfig": "code.Config", "AutoModel": "code.Model"}}
        (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.mark.parametrize(
    "damage", ["missing", "empty", "no weights", "pickle", "truncated", "nothing in it", "remote code"]
)
def test_a_checkpoint_that_cannot_be_loaded_is_refused(tmp_path, minilm, damage):
    checkpoint = damaged(minilm, tmp_path / "checkpoint", damage)
    with pytest.raises(
        ModelError, match=r"text\.init and pretrain\.init must name a Hugging Face encoder with safetensors weights"
    ) as caught:
        PretrainedTransformer.from_checkpoint(str(checkpoint))
    assert caught.value.received["checkpoint"] == str(checkpoint)
    assert caught.value.received["problem"]
    assert "local folder with config.json and model.safetensors" in caught.value.remedy


@pytest.mark.parametrize("content", [None, "", "{}", "[]", '{"model_type": "unheard-of"}'])
def test_an_architecture_that_cannot_be_read_is_refused(tmp_path, content):
    folder = tmp_path / "transformer"
    if content is not None:
        folder.mkdir()
        (folder / "config.json").write_text(content)
    with pytest.raises(ModelError, match=r"must hold its architecture\. Received: path='.*config\.json'"):
        PretrainedTransformer.from_config(folder)
