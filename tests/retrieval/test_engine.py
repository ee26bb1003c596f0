import json
from dataclasses import asdict

import numpy as np
import pyarrow as pa
import pytest

from aisle.core.errors import ShapeError, UsageError
from aisle.core.ranking import NO_PRODUCT, Ranking
from aisle.core.shopper import Shopper
from aisle.retrieval import DISPLAY_FIELDS, Explained, Hit, LexicalRetriever, SearchEngine, Shoppers, Speller

PRODUCTS = pa.table(
    {
        "product_id": ["a", "b", "c"],
        "title": ["Red shoe", "Blue shoe", "Hat"],
        "category": [["Fashion", "Shoes"], None, ["Fashion"]],
        "price": [49.9, None, 5.0],
        "quality_sales": [1.0, 2.0, 3.0],
    }
)


@pytest.fixture
def engine(fixed_retriever):
    retrievers = {
        "hybrid": fixed_retriever({"shoe": [(1, 0.9), (0, 0.5)]}),
        "lexical": fixed_retriever({"shoe": [(0, 3.0)]}),
    }
    return SearchEngine(PRODUCTS, retrievers, default_mode="hybrid")


def test_hits_are_products_in_the_order_of_the_ranking(engine):
    first, second = engine.search("shoe", k=5)
    assert (first.rank, first.product_id, second.rank, second.product_id) == (1, "b", 2, "a")
    assert first.score == pytest.approx(0.9)
    assert second.product == {
        "title": "Red shoe",
        "brand": None,
        "description": None,
        "category": ["Fashion", "Shoes"],
        "price": 49.9,
        "currency": None,
        "image": None,
    }
    assert tuple(first.product) == DISPLAY_FIELDS


def test_a_mode_can_be_asked_for(engine):
    assert (engine.modes, engine.default_mode, engine.num_products) == (("hybrid", "lexical"), "hybrid", 3)
    assert [hit.product_id for hit in engine.search("shoe", mode="lexical")] == ["a"]


def test_at_most_k_hits_come_back(engine):
    assert [hit.product_id for hit in engine.search("shoe", k=1)] == ["b"]
    assert engine.search("unheard of") == []


def test_a_hit_is_json(engine):
    (hit,) = engine.search("shoe", mode="lexical")
    assert Hit(**json.loads(json.dumps(asdict(hit)))) == hit


def test_a_catalogue_in_many_chunks_is_searched():
    products = pa.concat_tables([PRODUCTS.slice(row, 1) for row in (2, 0, 1)])
    engine = SearchEngine(products, {"lexical": LexicalRetriever.build(products)}, default_mode="lexical")
    assert [hit.product["title"] for hit in engine.search("blue")] == ["Blue shoe"]


def test_an_empty_catalogue_has_no_hits():
    products = PRODUCTS.slice(0, 0)
    engine = SearchEngine(products, {"lexical": LexicalRetriever.build(products)}, default_mode="lexical")
    assert engine.search("shoe") == []


class Noting:
    """A semantic retriever that keeps what it is asked."""

    name = "semantic"

    def __init__(self):
        self.asked = []

    def retrieve(self, queries, *, k):
        self.asked.append(queries)
        return Ranking(np.array([[2, NO_PRODUCT]]), np.array([[0.5, -np.inf]], np.float32))

    def retrieve_explained(self, queries, *, k):
        return Explained(
            self.retrieve(queries, k=k), {"term": np.array([[0.7, np.nan]]), "text": np.array([[-0.2, 0]])}
        )


def test_a_result_is_explained_where_that_is_asked_for():
    engine = SearchEngine(PRODUCTS, {"semantic": Noting()}, default_mode="semantic")
    (plain,), (told,) = engine.search("hat"), engine.search("hat", explain=True)
    assert (plain.product_id, plain.explanation) == ("c", None)
    assert told.explanation["parts"] == {"term": 0.7, "text": -0.2}
    assert told.explanation["semantic_score"] == pytest.approx(told.score)


def test_mode_and_shopper_reach_the_retriever():
    retriever = Noting()
    engine = SearchEngine(
        PRODUCTS, {"semantic": retriever}, default_mode="semantic", shoppers=Shoppers(reads_places=True)
    )
    engine.search("hat")
    engine.search("hat", shopper=Shopper(user_id="u1", location="de"))
    nobody, known = retriever.asked
    assert not nobody.is_personal
    assert (known.locations, known.past) == (["de"], None)
    with pytest.raises(UsageError, match=r"A location must be valid Unicode\. Received: location='\\udc80'"):
        engine.search("hat", shopper=Shopper(location="\udc80"))


@pytest.mark.parametrize("query", ["", "  ", "\u00a0\n"])
def test_a_blank_query_is_refused(engine, query):
    with pytest.raises(UsageError, match="A query must not be blank"):
        engine.search(query)


def test_half_a_character_is_refused(engine):
    with pytest.raises(UsageError, match=r"valid Unicode\. Received: query='shoe \\udc80'"):
        engine.search("shoe \udc80")


@pytest.mark.parametrize("k", [0, -1, 1001])
def test_a_k_out_of_bounds_is_refused(engine, k):
    with pytest.raises(UsageError, match=f"k must be between 1 and 1000. Received: k={k}"):
        engine.search("shoe", k=k)


def test_an_unknown_mode_is_refused_with_the_known_ones(engine, fixed_retriever):
    with pytest.raises(UsageError, match=r"one of hybrid, lexical\. Received: mode='magic'"):
        engine.search("shoe", mode="magic")
    with pytest.raises(UsageError, match=r"one of lexical\. Received: mode='hybrid'"):
        SearchEngine(PRODUCTS, {"lexical": fixed_retriever({})}, default_mode="hybrid")
    with pytest.raises(UsageError, match="there is no retriever"):
        SearchEngine(PRODUCTS, {}, default_mode="hybrid")


def test_a_retriever_of_another_catalogue_is_refused(fixed_retriever):
    engine = SearchEngine(PRODUCTS, {"m": fixed_retriever({"shoe": [(3, 1.0)]})}, default_mode="m")
    with pytest.raises(ShapeError, match=r"built from these products\. Received: product_index=3, products=3"):
        engine.search("shoe")


def test_what_words_were_searched_as_is_told(engine):
    assert engine.corrected("wooden chiar") is None
    products = pa.table({"product_id": ["a"], "title": ["Wooden chair"]})
    retrievers = {"lexical": LexicalRetriever.build(products)}
    engine = SearchEngine(products, retrievers, default_mode="lexical", speller=Speller.build(products))
    assert engine.corrected("Wooden chiar") == "wooden chair"
    assert engine.corrected("Wooden chair") is None
