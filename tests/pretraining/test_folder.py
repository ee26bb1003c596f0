import json
import shutil

import numpy as np
import pyarrow as pa
import pytest
import torch

from aisle.core.errors import ConfigError, ModelError
from aisle.encoders import PretrainedTransformer, TextEncoderConfig
from aisle.features import TokenConfig, TokenFeaturiser
from aisle.pretraining.folder import fit_tokens, small_transformer, take_tokens, write_transformer

TEXTS = pa.array(["Red Lamp", "blue lamp of oak", "Äther rug"])
CONFIG = TokenConfig(max_query_tokens=6, max_product_tokens=10, vocabulary_size=400)


@pytest.fixture
def written(tmp_path):
    """A folder with a tokenizer of `TEXTS` and a small transformer."""
    tokens = fit_tokens(TEXTS, CONFIG, tmp_path / "written")
    torch.manual_seed(0)
    sizes = TextEncoderConfig(num_layers=1, hidden_dim=16, num_heads=2)
    small = small_transformer(sizes, vocabulary_size=tokens.featuriser.vocabulary_size, max_tokens=10).eval()
    write_transformer(small, tmp_path / "written", vocabulary_hash=tokens.featuriser.vocabulary_hash)
    return tmp_path / "written", tokens, small


def test_a_vocabulary_of_the_shop_is_what_training_will_read_from_the_folder(tmp_path):
    tokens = fit_tokens(TEXTS, CONFIG, tmp_path)
    own = TokenFeaturiser.fit(TEXTS, CONFIG)
    expected = own.products(TEXTS)
    for found in (tokens.featuriser, TokenFeaturiser.from_checkpoint(str(tmp_path), CONFIG)):
        np.testing.assert_array_equal(found.products(TEXTS).ids, expected.ids)
        assert found.vocabulary_hash == own.vocabulary_hash
    special = own.tokenizer.get_vocab()
    assert tokens.mask_id == special["[MASK]"]
    assert tokens.special_ids.tolist() == sorted(special[f"[{name}]"] for name in ("PAD", "UNK", "CLS", "SEP", "MASK"))


def test_the_folder_is_a_checkpoint_like_any_other(written):
    folder, _, small = written
    assert {path.name for path in folder.iterdir()} == {
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    }
    loaded = PretrainedTransformer.from_checkpoint(str(folder)).eval()
    ids, real = torch.tensor([[2, 7, 8, 3]]), torch.ones(1, 4, dtype=torch.bool)
    with torch.no_grad():
        torch.testing.assert_close(loaded(ids, real), small(ids, real))
    assert loaded.max_tokens == 10


def test_a_checkpoint_brings_tokens_that_a_second_pre_training_reads_alike(written, tmp_path):
    folder, tokens, _ = written
    taken = take_tokens(str(folder), CONFIG, tmp_path / "again")
    assert (taken.mask_id, taken.special_ids.tolist()) == (tokens.mask_id, tokens.special_ids.tolist())
    np.testing.assert_array_equal(taken.featuriser.queries(TEXTS).ids, tokens.featuriser.queries(TEXTS).ids)


def test_a_tokenizer_without_a_mask_is_refused(written, tmp_path):
    folder, *_ = written
    path = folder / "tokenizer_config.json"
    values = json.loads(path.read_text())
    del values["mask_token"]
    path.write_text(json.dumps(values))
    with pytest.raises(ModelError, match=r"must name a token that stands for hidden ones.*\[SEP\].*mask_token"):
        take_tokens(str(folder), CONFIG, tmp_path / "again")


def test_another_tokenizer_beside_the_weights_is_refused(written, tmp_path):
    folder, *_ = written
    fit_tokens(pa.array(["other words of another shop"]), CONFIG, tmp_path / "other")
    shutil.copy(tmp_path / "other" / "tokenizer.json", folder)
    with pytest.raises(ModelError, match=r"must have the tokenizer that it was pre-trained with.*written'"):
        take_tokens(str(folder), CONFIG, tmp_path / "again")


def test_a_missing_checkpoint_is_refused(tmp_path):
    with pytest.raises(ModelError, match="checkpoint with a fast tokenizer"):
        take_tokens(str(tmp_path / "none"), CONFIG, tmp_path / "again")


def test_heads_that_do_not_divide_the_width_are_refused():
    sizes = TextEncoderConfig(hidden_dim=16, num_heads=3)
    with pytest.raises(ConfigError, match=r"multiple of text\.num_heads\. Received: text\.hidden_dim=16"):
        small_transformer(sizes, vocabulary_size=20, max_tokens=4)
