import numpy as np
import pytest

from aisle.core.errors import ShapeError, UsageError
from aisle.core.ranking import NO_PRODUCT, QueryBatch, Retriever
from aisle.index import ExactIndex
from aisle.retrieval import SemanticRetriever

INDEX = ExactIndex.build(np.array([[1, 0], [0, 1], [0.6, 0.8]], np.float32))
VECTORS = {"red": [1, 0], "blue": [0, 1], "Blue": [0, 1]}


def encode(texts):
    return np.array([VECTORS[text] for text in texts], np.float32)


def test_products_rank_by_inner_product_with_the_encoded_query():
    retriever = SemanticRetriever(encode, INDEX)
    assert isinstance(retriever, Retriever)
    ranking = retriever.retrieve(QueryBatch(["blue", "red"]), k=4)
    assert ranking.product_index.tolist() == [[1, 2, 0, NO_PRODUCT], [0, 2, 1, NO_PRODUCT]]
    np.testing.assert_allclose(ranking.score[0, :3], [1, 0.8, 0], atol=1e-6)


def test_a_blank_query_has_no_result_and_is_not_encoded():
    ranking = SemanticRetriever(encode, INDEX).retrieve(QueryBatch(["", "red", " \u00a0"]), k=1)
    assert ranking.product_index.tolist() == [[NO_PRODUCT], [0], [NO_PRODUCT]]
    assert ranking.score[0, 0] == -np.inf


def test_the_encoder_gets_each_text_once_as_typed():
    batches = []

    def noting(texts):
        batches.append(list(texts))
        return encode(texts)

    SemanticRetriever(noting, INDEX).retrieve(QueryBatch(["red", "Blue", "red", "blue"]), k=1)
    assert batches == [["red", "Blue", "blue"]]


def test_the_name_can_tell_models_apart():
    assert SemanticRetriever(encode, INDEX).name == "semantic"
    assert SemanticRetriever(encode, INDEX, name="minilm").name == "minilm"


def test_an_encoder_that_does_not_fit_is_refused():
    def retrieve(vectors):
        return SemanticRetriever(lambda _: vectors, INDEX).retrieve(QueryBatch(["red"]), k=1)

    with pytest.raises(ShapeError, match=r"one vector per query\. Received: queries=1, vectors=2"):
        retrieve(np.ones((2, 2), np.float32))
    with pytest.raises(ShapeError, match=r"shape \[rows, 2\]"):
        retrieve(np.ones((1, 3), np.float32))
    with pytest.raises(ShapeError, match="finite"):
        retrieve(np.full((1, 2), np.nan, np.float32))


def test_k_below_one_is_refused():
    with pytest.raises(UsageError, match="k must be at least 1"):
        SemanticRetriever(encode, INDEX).retrieve(QueryBatch(["red"]), k=0)


def test_known_searches_are_answered_each_by_itself():
    def by_place(batch):
        return np.array([[1, 0] if place == "DE" else [0, 1] for place in batch.locations], np.float32)

    retriever = SemanticRetriever(encode, INDEX, encode_searches=by_place)
    found = retriever.retrieve(QueryBatch(["red", "red", " "], locations=["DE", "FR", "DE"]), k=1)
    assert found.product_index.tolist() == [[0], [1], [NO_PRODUCT]]
    assert retriever.retrieve(QueryBatch(["red"]), k=1).product_index.tolist() == [[0]]


def test_parts_add_up_to_the_score_of_each_result():
    def split(queries, products):
        return {"first": queries[:, 0] * products[:, 0], "second": queries[:, 1] * products[:, 1]}

    def by_place(batch):
        return np.array([[0.6, -0.8] if place == "DE" else [0, 1] for place in batch.locations], np.float32)

    retriever = SemanticRetriever(encode, INDEX, encode_searches=by_place, split_scores=split)
    for batch in (
        QueryBatch(["blue", " ", "red", "blue"]),
        QueryBatch(["red", " ", "red"], locations=["DE", "DE", None]),
    ):
        told = retriever.retrieve_explained(batch, k=4)
        plain = retriever.retrieve(batch, k=4)
        np.testing.assert_array_equal(told.ranking.product_index, plain.product_index)
        found = plain.product_index != NO_PRODUCT
        np.testing.assert_allclose((told.parts["first"] + told.parts["second"])[found], plain.score[found], atol=1e-6)
        assert np.isnan(told.parts["first"][~found]).all()
    assert told.parts["second"][0, 2] < 0


def test_the_encoder_is_asked_once_for_results_and_their_parts():
    batches = []

    def noting(texts):
        batches.append(list(texts))
        return encode(texts)

    ranking, parts_of = SemanticRetriever(noting, INDEX).retrieve_with_parts(QueryBatch(["red", "blue", "red"]), k=1)
    assert ranking.product_index.tolist() == [[0], [1], [0]]
    # Without a way to split it, a score is one part; products that were not returned can be asked for too.
    np.testing.assert_allclose(parts_of(np.array([[2], [2], [NO_PRODUCT]]))["all"], [[0.6], [0.8], [np.nan]])
    assert batches == [["red", "blue"]]


def test_blank_queries_alone_have_neither_results_nor_parts():
    told = SemanticRetriever(encode, INDEX).retrieve_explained(QueryBatch([" "]), k=2)
    assert (told.ranking.product_index == NO_PRODUCT).all()
    assert np.isnan(told.parts["all"]).all()
