import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aisle.features import TermConfig, TermFeaturiser
from aisle.features.query_ngrams import MOST_CHARACTERS
from aisle.features.terms import num_slots

TEXT = st.lists(st.sampled_from([*"aab红色 .'1é-Ω\n\r", "ies", "ing", "🎉", "\u2028", "ｆ"]), max_size=30).map("".join)
CONFIGS = [
    TermConfig(),
    TermConfig(num_buckets=17),
    TermConfig(num_buckets=50, max_query_ngrams=5),
    TermConfig(bigram_weight=0, num_buckets=30),
    TermConfig(char_weight=0, num_buckets=30),
    TermConfig(bigram_weight=0, char_weight=0, max_query_ngrams=2, stemmer=None),
]


def featuriser(config):
    rng = np.random.default_rng(0)
    # Every third n-gram is not known.
    idf = (rng.uniform(1, 5, num_slots(config)) * (rng.random(num_slots(config)) > 1 / 3)).astype(np.float32)
    return TermFeaturiser(config, idf)


@pytest.mark.parametrize("config", CONFIGS)
def test_one_query_has_the_same_features_as_in_a_column(config):
    made = featuriser(config)

    @settings(max_examples=100, deadline=None)
    @given(text=st.one_of(TEXT, st.text(st.characters(codec="utf-8"), max_size=40)))
    def agrees(text):
        alone, column = made.queries(pa.array([text])), made.queries(pa.array([text, "another"])).take(np.array([0]))
        for name in ("offsets", "bucket", "weight"):
            found, expected = getattr(alone, name), getattr(column, name)
            assert found.dtype == expected.dtype
            np.testing.assert_array_equal(found, expected)

    agrees()


@pytest.mark.parametrize("text", [None, "", "🎉", "a " * MOST_CHARACTERS, "word " * (MOST_CHARACTERS // 5)])
def test_edges_are_as_in_a_column(text):
    made = featuriser(TermConfig(max_query_ngrams=20))
    alone = made.queries(pa.array([text], pa.string()))
    column = made.queries(pa.array([text, None], pa.string())).take(np.array([0]))
    np.testing.assert_array_equal(alone.bucket, column.bucket)
    np.testing.assert_array_equal(alone.weight, column.weight)
    assert len(alone) == 1
