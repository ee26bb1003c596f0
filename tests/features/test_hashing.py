from itertools import pairwise
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.utils import murmurhash3_32

from aisle.features import hashing
from aisle.features.hashing import NgramHasher

WORDS = st.lists(st.text(st.characters(exclude_categories=["Cs", "Z"]), min_size=1, max_size=6), max_size=9)


def hasher(num_buckets=1000):
    return NgramHasher(num_buckets, min_char_ngram=2, max_char_ngram=3)


def rows(found):
    offsets, buckets = found
    assert (offsets.dtype, buckets.dtype) == (np.int64, np.int64)
    return [buckets[begin:end].tolist() for begin, end in pairwise(offsets)]


def test_a_string_has_one_bucket_and_a_word_those_of_its_distinct_characters():
    assert hasher().whole(["red", "red hat"]).tolist() == [
        abs(murmurhash3_32("\x02red")) % 1000,
        abs(murmurhash3_32("\x02red hat")) % 1000,
    ]
    # " a", "aa", "a " and " aa", "aaa", "aa ": each once, however often the word holds it.
    ngrams = [" a", "aa", "a ", " aa", "aaa", "aa "]
    assert rows(hasher().chars(["aaaa"])) == [sorted(abs(murmurhash3_32(ngram)) % 1000 for ngram in ngrams)]


@settings(deadline=None)
@given(words=WORDS, num_buckets=st.sampled_from([2, 1000]))
@pytest.mark.parametrize("few", [0, 64])
def test_few_and_many_strings_are_hashed_as_the_library_does(few, words, num_buckets):
    own = hasher(num_buckets)
    peer = HashingVectorizer(
        analyzer="char_wb", ngram_range=(2, 3), n_features=num_buckets, lowercase=False, alternate_sign=False
    )
    with patch.object(hashing, "_FEW", few):
        for _ in range(2):
            assert own.whole(words).tolist() == [abs(murmurhash3_32("\x02" + word)) % num_buckets for word in words]
            assert rows(own.chars(words)) == [peer.transform([word]).indices.tolist() for word in words]


def test_nothing_has_no_buckets():
    assert hasher().whole([]).tolist() == []
    assert rows(hasher().chars([])) == []


def test_pairs_keep_their_order_and_stay_inside_the_table():
    few, many = hasher(), 512
    left, right = np.array([1, 2, 1]), np.array([2, 1, 2])
    one, swapped, again = few.pairs(left, right)
    assert one == again
    assert one != swapped
    assert few.pairs(np.empty(0, np.int64), np.empty(0, np.int64)).tolist() == []
    every = np.arange(many)
    spread = NgramHasher(many, min_char_ngram=3, max_char_ngram=4).pairs(np.repeat(every, many), np.tile(every, many))
    counts = np.bincount(spread, minlength=many)
    assert len(counts) == many
    # As even as chance would be, to within six standard deviations of a Poisson count.
    assert np.abs(counts - many).max() < 6 * many**0.5
