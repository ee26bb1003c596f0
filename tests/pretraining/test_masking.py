import numpy as np

from aisle.features import Tokens
from aisle.pretraining.masking import hide_tokens

MASK, PADDING, BEGIN = 4, 0, 2
SPECIAL = np.array([0, 1, 2, 3, 4])


def texts(rows=2000, tokens=10):
    ids = np.random.default_rng(0).integers(5, 1000, (rows, tokens)).astype(np.int32)
    ids[:, 0] = BEGIN
    length = np.random.default_rng(1).integers(1, tokens + 1, rows)
    ids[np.arange(tokens) >= length[:, None]] = PADDING
    return Tokens(ids, length)


def hidden(tokens, share=0.3, seed=0):
    rng = np.random.default_rng(seed)
    return hide_tokens(tokens, share=share, mask_id=MASK, special_ids=SPECIAL, vocabulary_size=1000, rng=rng)


def test_a_share_of_the_real_tokens_is_chosen_and_the_rest_stays():
    tokens = texts()
    found, chosen = hidden(tokens)
    words = tokens.ids >= 5
    assert not chosen[~words].any()
    assert abs(chosen[words].mean() - 0.3) < 0.02
    np.testing.assert_array_equal(found.ids[~chosen], tokens.ids[~chosen])
    np.testing.assert_array_equal(found.length, tokens.length)


def test_of_the_chosen_most_are_masked_some_replaced_some_left():
    tokens = texts()
    found, chosen = hidden(tokens)
    masked, same = found.ids[chosen] == MASK, found.ids[chosen] == tokens.ids[chosen]
    assert abs(masked.mean() - 0.8) < 0.03
    assert abs(same.mean() - 0.1) < 0.03


def test_the_same_stream_hides_the_same_tokens():
    tokens = texts(50)
    one, same, other = hidden(tokens), hidden(tokens), hidden(tokens, seed=1)
    np.testing.assert_array_equal(one[0].ids, same[0].ids)
    assert (one[1] != other[1]).any()
