import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from unittest.mock import patch

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aisle.core.errors import ModelError
from aisle.features import TokenConfig, TokenFeaturiser, Tokens, tokens
from aisle.features.tokens import VOCABULARY_HASH

CONFIG = TokenConfig(max_query_tokens=6, max_product_tokens=10, vocabulary_size=300)
TEXTS = pa.array(["red shoe", "red dress", "blue dress", "红色 连衣裙", None])
FITTED = TokenFeaturiser.fit(TEXTS, CONFIG)
PAD, UNKNOWN, BEGIN, END = 0, 1, 2, 3
TEXT = st.text(st.sampled_from("redblu 红色#Z[]"), max_size=30)


def pieces(text):
    ids, length = (lambda found: (found.ids[0], found.length[0]))(FITTED.products(pa.array([text])))
    return [FITTED.tokenizer.id_to_token(int(number)) for number in ids[:length]]


def test_texts_become_pieces_between_begin_and_end():
    assert pieces("Red  DRESS") == ["[CLS]", "red", "dress", "[SEP]"]
    assert pieces("red红Z") == ["[CLS]", "red", "红", "[UNK]", "[SEP]"]
    assert [FITTED.tokenizer.token_to_id(name) for name in ("[PAD]", "[UNK]", "[CLS]", "[SEP]")] == [0, 1, 2, 3]


def test_rows_are_padded_and_cut_to_the_limit_of_their_side():
    texts = pa.array(["red", "red " * 20, "", None])
    for found, most in ((FITTED.queries(texts), 6), (FITTED.products(texts), 10)):
        assert found.ids.shape == (4, most)
        assert found.length.tolist() == [3, most, 2, 2]
        assert (found.ids.dtype, found.length.dtype) == (np.int32, np.int64)
        assert found.ids[1, -1] == END
        assert set(found.ids[0, 3:].tolist()) == {PAD}
        assert found.ids[2].tolist() == [BEGIN, END] + [PAD] * (most - 2)


def test_a_name_of_a_special_token_in_a_text_is_only_text():
    found = FITTED.queries(pa.array(["[PAD] [CLS]"]))
    assert PAD not in found.ids[0, : found.length[0]]
    assert BEGIN not in found.ids[0, 1 : found.length[0]]


def test_no_texts_have_no_tokens():
    found = FITTED.queries(pa.array([], pa.string()))
    assert found.ids.shape == (0, 6)
    assert len(found) == 0
    assert found.take(np.empty(0, np.int64)).ids.shape == (0, 1)


def test_a_vocabulary_without_texts_knows_the_special_tokens_alone():
    empty = TokenFeaturiser.fit(pa.array([], pa.string()), CONFIG)
    assert empty.vocabulary_size == 5
    assert empty.queries(pa.array(["a"])).ids[0, :3].tolist() == [BEGIN, UNKNOWN, END]


def test_the_vocabulary_keeps_to_its_size_but_drops_no_character():
    rng = np.random.default_rng(0)
    letters = np.array(list("abcdefghij"))
    texts = pa.array(["".join(row) for row in letters[rng.integers(0, 10, (4000, 5))]])
    assert TokenFeaturiser.fit(texts, CONFIG).vocabulary_size == 300
    chinese = pa.array([chr(0x4E00 + number) for number in range(400)])
    fitted = TokenFeaturiser.fit(chinese, CONFIG)
    assert fitted.vocabulary_size == 405
    assert UNKNOWN not in fitted.products(chinese).ids


FIT_ANEW = """
import hashlib, pyarrow as pa
from aisle.features import TokenConfig, TokenFeaturiser
texts = pa.array([f"{i * 7919 % 4096:012b}{i * 31 % 97:x}" for i in range(600)])
fitted = TokenFeaturiser.fit(texts, TokenConfig(vocabulary_size=300))
print(hashlib.sha256(fitted.tokenizer.to_str().encode()).hexdigest())
"""


@pytest.mark.slow
def test_the_same_texts_give_the_same_vocabulary_in_every_process():
    found = {
        subprocess.run([sys.executable, "-c", FIT_ANEW], check=True, capture_output=True, text=True).stdout
        for _ in range(2)
    }
    assert len(found) == 1


@settings(max_examples=50, deadline=None)
@given(texts=st.lists(st.none() | TEXT, min_size=1, max_size=6), block=st.integers(1, 3))
def test_a_row_has_the_same_tokens_alone_in_a_batch_and_in_any_block(texts, block):
    column = pa.array(texts, pa.string())
    whole = FITTED.products(column)
    with patch.object(tokens, "_ROWS_AT_ONCE", block):
        again = FITTED.products(column)
    np.testing.assert_array_equal(again.ids, whole.ids)
    np.testing.assert_array_equal(again.length, whole.length)
    for number in range(len(texts)):
        alone = FITTED.products(column.slice(number, 1))
        np.testing.assert_array_equal(alone.ids[0], whole.ids[number])
        assert alone.length[0] == whole.length[number]


@settings(max_examples=50, deadline=None)
@given(TEXT)
def test_rows_are_what_the_tokenizer_says_of_one_text(text):
    FITTED.tokenizer.no_truncation()
    expected = FITTED.tokenizer.encode(text).ids
    if len(expected) > CONFIG.max_query_tokens:
        expected = [*expected[: CONFIG.max_query_tokens - 1], END]
    found = FITTED.queries(pa.array([text]))
    assert found.ids[0, : found.length[0]].tolist() == expected


def test_queries_and_products_may_be_encoded_at_the_same_time():
    texts = pa.array(["red dress blue shoe " * 3] * 300)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda side: side(texts), [FITTED.queries, FITTED.products] * 8))
    assert {(one.ids.shape[1], int(one.length.min()), int(one.length.max())) for one in found} == {
        (6, 6, 6),
        (10, 10, 10),
    }


def test_taken_rows_are_cut_to_the_longest_of_them():
    found = Tokens(np.array([[2, 3, 0], [2, 9, 3], [2, 3, 0]], np.int32), np.array([2, 3, 2]))
    taken = found.take(np.array([2, 0]))
    assert taken.ids.tolist() == [[2, 3], [2, 3]]
    assert taken.length.tolist() == [2, 2]
    assert found.take(np.array([1, 0])).ids.tolist() == [[2, 9, 3], [2, 3, 0]]


def tokens_of(rows):
    width = max(map(len, rows), default=1)
    ids = np.array([[*row, *[0] * (width - len(row))] for row in rows], np.int32).reshape(len(rows), width)
    return Tokens(ids, np.array([len(row) for row in rows], np.int64))


def test_rows_of_the_same_tokens_lead_to_the_first_of_them():
    assert tokens_of([(3, 4, 5), (3,), (3, 4, 5), (6, 2), (3,), (3, 4)]).first_places().tolist() == [0, 1, 0, 3, 1, 5]


@given(st.lists(st.lists(st.integers(1, 3), min_size=1, max_size=3), max_size=30))
def test_first_places_are_those_of_a_search_through_the_list(rows):
    assert tokens_of(rows).first_places().tolist() == [rows.index(row) for row in rows]


def test_a_saved_tokenizer_gives_the_same_tokens_whatever_was_encoded_before(tmp_path):
    fresh = TokenFeaturiser.fit(TEXTS, CONFIG)
    fresh.save(tmp_path / "before.json")
    expected = fresh.queries(TEXTS)
    fresh.save(tmp_path / "after.json")
    assert (tmp_path / "before.json").read_bytes() == (tmp_path / "after.json").read_bytes()
    loaded = TokenFeaturiser.load(tmp_path / "after.json", CONFIG)
    np.testing.assert_array_equal(loaded.queries(TEXTS).ids, expected.ids)
    assert loaded.vocabulary_size == fresh.vocabulary_size


@pytest.mark.parametrize("content", [None, b"", b"{}", b"[]", b"\xff", b'{"model": {"type": "WordPiece"}}'])
def test_a_tokenizer_that_cannot_be_read_is_refused(tmp_path, content):
    path = tmp_path / "tokenizer.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=r"must hold its tokenizer\. Received: path='.*tokenizer\.json', problem="):
        TokenFeaturiser.load(path, CONFIG)


def test_a_checkpoint_brings_its_own_tokenizer(minilm):
    from transformers import AutoTokenizer

    own = TokenFeaturiser.from_checkpoint(str(minilm), TokenConfig(max_query_tokens=8))
    texts = ["Red dress, 1.5m", "", "unaffable " * 9, "红色"]
    found = own.queries(pa.array(texts))
    expected = AutoTokenizer.from_pretrained(str(minilm))(texts, truncation=True, max_length=8, padding="max_length")
    assert found.ids.tolist() == expected["input_ids"]
    assert found.length.tolist() == [sum(row) for row in expected["attention_mask"]]
    assert own.vocabulary_size == 30_522


def test_a_checkpoint_that_names_another_vocabulary_is_refused(tmp_path, minilm):
    folder = tmp_path / "checkpoint"
    shutil.copytree(minilm, folder)
    own = TokenFeaturiser.from_checkpoint(str(folder), CONFIG).vocabulary_hash
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, VOCABULARY_HASH: own}))
    assert TokenFeaturiser.from_checkpoint(str(folder), CONFIG).vocabulary_hash == own
    (folder / "config.json").write_text(json.dumps({**config, VOCABULARY_HASH: "0" * 64}))
    with pytest.raises(ModelError, match=r"tokenizer that it was pre-trained with\. .*pretrained='000000000000'"):
        TokenFeaturiser.from_checkpoint(str(folder), CONFIG)


@pytest.mark.parametrize("damage", ["missing", "empty", "tokenizer"])
def test_a_checkpoint_without_a_tokenizer_is_refused(tmp_path, minilm, damage):
    folder = tmp_path / "checkpoint"
    if damage != "missing":
        folder.mkdir()
    if damage == "tokenizer":
        shutil.copy(minilm / "config.json", folder)
        (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(
        ModelError, match=r"text\.init and pretrain\.init must name a Hugging Face checkpoint with a fast tokenizer"
    ):
        TokenFeaturiser.from_checkpoint(str(folder), CONFIG)
