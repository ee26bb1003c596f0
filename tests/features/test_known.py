import numpy as np
import pyarrow as pa
import pytest

from aisle.features import ContextConfig, ContextFeaturiser, FeatureConfig, Featuriser, TermConfig, TokenConfig
from aisle.features.known import KnownFeatures, join_features

PRODUCTS = pa.table({"title": ["red shoe", "", "blue dress with sleeves"], "brand": ["Norvik", None, "Belmora"]})
LATER = pa.table(
    {"title": ["blue dress with sleeves", "red dress shoe", "red shoe"], "brand": ["Belmora", "Norvik", "Norvik"]}
)
QUERIES = pa.array(["red", "blue shoe"])
CONFIG = FeatureConfig(term=TermConfig(num_buckets=64), tokens=TokenConfig(max_product_tokens=8))


@pytest.fixture(params=["all", "term", "text"])
def featuriser(request):
    context = ContextFeaturiser.fit(PRODUCTS, ContextConfig()) if request.param == "all" else None
    kept = {"term": request.param != "text", "text": request.param != "term"}
    return Featuriser.fit(PRODUCTS, CONFIG, queries=QUERIES, context=context, **kept)


@pytest.fixture
def known(featuriser):
    return KnownFeatures(
        QUERIES, featuriser.queries(QUERIES), np.array([7, 8, 9], np.uint64), featuriser.products(PRODUCTS)
    )


def rows(features):
    """Everything of every row, padding apart."""
    taken = [features.take(np.array([row])) for row in range(len(features))]
    parts = [[part for part in (one.terms, one.tokens, one.context) if part is not None] for one in taken]
    return [[array.tolist() for part in row for array in vars(part).values()] for row in parts]


def test_products_are_those_that_the_featuriser_makes(known, featuriser):
    found = known.of_products(LATER, np.array([9, 1, 7], np.uint64), featuriser)
    assert rows(found) == rows(featuriser.products(LATER))


def test_only_what_is_new_is_made(known, featuriser, monkeypatch):
    made = []
    products, queries = featuriser.products, featuriser.queries
    monkeypatch.setattr(featuriser, "products", lambda table: made.append(table.num_rows) or products(table))
    monkeypatch.setattr(featuriser, "queries", lambda texts: made.append(texts.to_pylist()) or queries(texts))
    known.of_products(LATER, np.array([9, 1, 7], np.uint64), featuriser)
    known.of_products(PRODUCTS, np.array([7, 8, 9], np.uint64), featuriser)
    known.of_queries(pa.array(["blue shoe", "green", "red"]), featuriser)
    assert made == [1, ["green"]]


def test_queries_are_those_that_the_featuriser_makes(known, featuriser):
    texts = pa.array(["blue shoe", "red dress", "a much longer query than any before", "red"])
    assert rows(known.of_queries(texts, featuriser)) == rows(featuriser.queries(texts))


def test_rows_are_laid_behind_rows(featuriser):
    joined = join_features(featuriser.products(PRODUCTS), featuriser.products(LATER))
    assert rows(joined) == rows(featuriser.products(pa.concat_tables([PRODUCTS, LATER])))
