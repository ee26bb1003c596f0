from dataclasses import asdict

import pytest

from aisle.core.config import config_from_dict
from aisle.core.errors import ConfigError
from aisle.features import ContextConfig, FeatureConfig, TermConfig, TokenConfig


@pytest.mark.parametrize("cls", [ContextConfig, FeatureConfig, TermConfig, TokenConfig])
def test_the_defaults_hold(cls):
    assert config_from_dict(cls, asdict(cls())) == cls()


@pytest.mark.parametrize(
    ("cls", "name", "value"),
    [
        (TermConfig, "num_buckets", 1),
        (TermConfig, "min_char_ngram", 1),
        (TermConfig, "max_char_ngram", 9),
        (TermConfig, "max_query_ngrams", 0),
        (TermConfig, "max_product_ngrams", 0),
        (TermConfig, "char_weight", -0.1),
        (TermConfig, "bigram_weight", -0.1),
        (TermConfig, "attribute_weight", -0.1),
        (TermConfig, "description_weight", float("inf")),
        (TokenConfig, "max_query_tokens", 3),
        (TokenConfig, "max_product_tokens", 513),
        (TokenConfig, "vocabulary_size", 299),
        (ContextConfig, "max_depth", -1),
        (ContextConfig, "min_products", 0),
        (ContextConfig, "num_buckets", 1),
        (ContextConfig, "min_category_prices", 0),
        (FeatureConfig, "sample_size", 0),
    ],
)
def test_a_value_out_of_bounds_is_refused(cls, name, value):
    with pytest.raises(ConfigError, match=f"{name}: Input should be"):
        config_from_dict(cls, {name: value})


def test_character_ngrams_must_have_a_length_between_shortest_and_longest():
    assert TermConfig(min_char_ngram=4, max_char_ngram=4).max_char_ngram == 4
    with pytest.raises(ConfigError, match=r"must not be longer.*min_char_ngram=5, max_char_ngram=3\. Change one"):
        config_from_dict(FeatureConfig, {"term": {"min_char_ngram": 5, "max_char_ngram": 3}})
