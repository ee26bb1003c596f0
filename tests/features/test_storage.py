import numpy as np
import pyarrow as pa
import pytest

from aisle.features import (
    ContextConfig,
    ContextFeaturiser,
    FeatureConfig,
    Featuriser,
    TermConfig,
    TokenConfig,
    read_features,
    write_features,
)

PRODUCTS = pa.table({"title": ["red shoe", "", "blue dress with sleeves"]})
CONFIG = FeatureConfig(term=TermConfig(num_buckets=64), tokens=TokenConfig(max_product_tokens=8))


def arrays(features):
    parts = [part for part in (features.terms, features.tokens, features.context) if part is not None]
    return {name: array for part in parts for name, array in vars(part).items()}


@pytest.mark.parametrize(
    "parts", [{}, {"text": False}, {"term": False}, {"context": ContextFeaturiser.fit(PRODUCTS, ContextConfig())}]
)
def test_features_are_the_same_when_they_are_read_again(tmp_path, parts):
    features = Featuriser.fit(PRODUCTS, CONFIG, **parts).products(PRODUCTS)
    write_features(features, tmp_path / "a" / "features")
    found = read_features(tmp_path / "a" / "features")
    assert arrays(found).keys() == arrays(features).keys()
    for name, array in arrays(features).items():
        np.testing.assert_array_equal(arrays(found)[name], array, strict=True)
        assert isinstance(arrays(found)[name], np.memmap)
    rows = np.array([2, 0])
    for name, array in arrays(features.take(rows)).items():
        np.testing.assert_array_equal(arrays(found.take(rows))[name], array, strict=True)
    assert len(found) == 3


@pytest.mark.parametrize("texts", [[], [""]])
def test_features_without_ngrams_can_be_written_too(tmp_path, texts):
    features = Featuriser.fit(PRODUCTS, CONFIG).queries(pa.array(texts, pa.string()))
    write_features(features, tmp_path)
    assert len(read_features(tmp_path)) == len(texts)
    assert len(read_features(tmp_path).take(np.arange(len(texts)))) == len(texts)


def test_no_pickle_is_read(tmp_path):
    write_features(Featuriser.fit(PRODUCTS, CONFIG, text=False).products(PRODUCTS), tmp_path)
    np.save(tmp_path / "term_bucket.npy", np.array([object()]), allow_pickle=True)
    with pytest.raises(ValueError, match="dtype"):
        read_features(tmp_path)


def test_stored_vectors_stand_in_the_place_of_the_tokens(tmp_path):
    write_features(Featuriser.fit(PRODUCTS, CONFIG, term=False).products(PRODUCTS), tmp_path)
    pooled = np.arange(12, dtype=np.float16).reshape(3, 4)
    np.save(tmp_path / "pooled.npy", pooled)
    found = read_features(tmp_path, pooled=tmp_path / "pooled.npy")
    assert found.tokens is None
    assert isinstance(found.pooled, np.memmap)
    assert len(found) == 3
    taken = found.take(np.array([2, 0]))
    np.testing.assert_array_equal(taken.pooled, pooled[[2, 0]], strict=True)
    assert len(taken) == 2
    assert read_features(tmp_path).take(np.array([0])).pooled is None
