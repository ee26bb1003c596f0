import numpy as np
import pytest
import torch

from aisle.adapters import SentenceEncoder
from aisle.core.errors import UsageError
from aisle.core.ranking import QueryBatch
from aisle.pipelines.catalogue import read_products
from aisle.pipelines.training import load_encoder, load_model
from aisle.towers import TwoTower

TEXTS = ["thing word3", "a longer text of a thing", "word5"]


@pytest.fixture(scope="module")
def encoder(learnt_shop):
    return SentenceEncoder.from_pretrained(learnt_shop.folder("model"))


def test_a_query_is_encoded_as_a_search_is(encoder, learnt_shop):
    """The log has led `word3` to a product: the graph's neighbours must be there."""
    model = load_model(learnt_shop)
    searched = load_encoder(learnt_shop, model, read_products(learnt_shop)).encode(QueryBatch(["word3", "unseen"]))
    np.testing.assert_allclose(encoder.encode_query(["word3", "unseen"]), searched, atol=1e-6)
    assert not np.allclose(searched[0], model.encode_queries(["word3"])[0], atol=1e-3)


def test_a_document_is_encoded_as_a_new_product_is(encoder, learnt_shop):
    products = read_products(learnt_shop).select(["title", "brand"]).slice(0, 4)
    expected = TwoTower.load(learnt_shop.folder("model")).encode_products(products)
    np.testing.assert_allclose(encoder.encode_document(products.to_pylist()), expected, atol=1e-6)
    np.testing.assert_array_equal(encoder.encode(TEXTS), encoder.encode_document([{"title": text} for text in TEXTS]))


def test_the_prompt_name_is_the_side(encoder):
    query, document = encoder.encode_query(TEXTS), encoder.encode_document(TEXTS)
    assert not np.allclose(query, document)
    np.testing.assert_array_equal(encoder.encode(TEXTS, prompt_name="query"), query)
    np.testing.assert_array_equal(encoder.encode(TEXTS, prompt_name="passage"), document)
    with pytest.raises(UsageError, match=r"prompt_name must be one of query, document.*'clustering'"):
        encoder.encode(TEXTS, prompt_name="clustering")


def test_the_form_of_vectors_follows_the_options(encoder):
    array = encoder.encode_document(TEXTS)
    assert (array.shape, array.dtype) == ((3, encoder.get_sentence_embedding_dimension()), np.float32)
    assert encoder.encode_document("word5").shape == (encoder.get_embedding_dimension(),)
    assert encoder.encode_document({"title": "word5"}).shape == (24,)
    assert encoder.encode_document([]).shape == (0, 24)
    tensor = encoder.encode_document(TEXTS, convert_to_tensor=True)
    torch.testing.assert_close(tensor, torch.from_numpy(array))
    listed = encoder.encode_document(TEXTS, convert_to_numpy=False)
    assert [type(one) for one in listed] == [torch.Tensor] * 3
    unit = encoder.encode_query(TEXTS, normalize_embeddings=True, show_progress_bar=True, batch_size=1)
    np.testing.assert_allclose(np.linalg.norm(unit, axis=1), 1, atol=1e-6)


def test_many_texts_are_those_of_blocks(encoder, monkeypatch):
    whole = encoder.encode_document(TEXTS)
    monkeypatch.setattr("aisle.adapters.sentences._TEXTS_AT_ONCE", 2)
    np.testing.assert_allclose(encoder.encode_document(TEXTS), whole, atol=1e-6)


def test_similarity_is_the_inner_product(encoder):
    query, document = encoder.encode_query(TEXTS), encoder.encode_document(TEXTS)
    expected = query @ document.T
    np.testing.assert_allclose(encoder.similarity(query, document), expected, atol=1e-6)
    np.testing.assert_allclose(encoder.similarity_pairwise(query, document), expected.diagonal(), atol=1e-6)
    assert encoder.similarity(query[0], list(torch.from_numpy(document))).shape == (1, 3)
    assert encoder.similarity_fn_name == "dot"


def test_options_that_cannot_be_kept_are_refused(encoder):
    with pytest.raises(UsageError, match=r"truncate_dim=8"):
        encoder.encode_query(TEXTS, truncate_dim=8)
    with pytest.raises(UsageError, match=r"device='cuda'"):
        encoder.encode(TEXTS, device="cuda")
    assert len(encoder.encode(TEXTS, device="cpu")) == 3
    assert encoder.to("cpu").device == torch.device("cpu")


def test_the_evaluator_of_sentence_transformers_agrees_with_a_slow_count(encoder, learnt_shop):
    evaluation = pytest.importorskip("sentence_transformers.evaluation")
    products = read_products(learnt_shop)
    corpus = dict(zip(products["product_id"].to_pylist(), products["title"].to_pylist(), strict=True))
    queries = {f"q{number}": f"word{number}" for number in range(30)}
    relevant = {f"q{number}": {f"p{number}"} for number in range(30)}
    evaluator = evaluation.InformationRetrievalEvaluator(
        queries, corpus, relevant, accuracy_at_k=[3], precision_recall_at_k=[3], ndcg_at_k=[3], mrr_at_k=[3],
        map_at_k=[3], write_csv=False, name="shop",
    )  # fmt: skip
    measures = evaluator(encoder)
    scores = encoder.encode_query(list(queries.values())) @ encoder.encode_document(list(corpus.values())).T
    place = (scores > scores[np.arange(30), np.arange(30), None]).sum(1)
    recall = next(value for name, value in measures.items() if name.endswith("recall@3"))
    assert recall == pytest.approx((place < 3).mean())
    assert encoder.model_card_data.metrics == pytest.approx(measures)
