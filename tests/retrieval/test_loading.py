import json

import pyarrow as pa
import pytest

from aisle.core.ranking import QueryBatch
from aisle.retrieval import HybridGate, LexicalRetriever, Speller, TitleTerms
from aisle.retrieval.loading import load_gate, load_hybrid, load_lexical, load_speller

PRODUCTS = pa.table({"product_id": ["a", "b", "c"], "title": ["garden chair", "garden table", "lamp"]})


@pytest.fixture
def folder(tmp_path):
    LexicalRetriever.build(PRODUCTS).save(tmp_path / "lexical")
    settings = {"fusion": "normalised", "depth": 7, "semantic_weight": 0.25}
    (tmp_path / "hybrid.json").write_text(json.dumps(settings), encoding="utf-8")
    return tmp_path


def test_without_speller_and_gate_queries_are_searched_as_typed(folder, fixed_retriever):
    assert load_speller(folder) is load_gate(folder) is None
    lexical = load_lexical(folder, None)
    assert lexical.retrieve(QueryBatch(["gardn"]), k=1).product_index[0, 0] == -1
    semantic = fixed_retriever({"lamp": [(0, 1.0), (1, 0.5)]})
    hybrid = load_hybrid(folder, lexical, semantic)
    found = hybrid.retrieve(QueryBatch(["lamp"]), k=2)
    assert semantic.asked == [(["lamp"], 7)]
    assert found.product_index[0].tolist() == [2, 0]
    assert found.score[0].tolist() == pytest.approx([0.75, 0.25])
    assert (hybrid.depth, load_hybrid(folder, lexical, semantic, least_depth=9).depth) == (7, 9)


def test_with_both_queries_are_mended_and_easy_ones_are_not_encoded(folder, fixed_retriever):
    Speller.build(PRODUCTS).save(folder / "spelling")
    titles = TitleTerms.build(PRODUCTS.column("title").combine_chunks())
    HybridGate(titles, least_titles=2, least_lead=0.0).save(folder / "gate")
    lexical = load_lexical(folder, load_speller(folder))
    assert lexical.retrieve(QueryBatch(["gardn"]), k=1).product_index[0, 0] == 0
    semantic = fixed_retriever({})
    hybrid = load_hybrid(folder, lexical, semantic)
    assert hybrid.retrieve(QueryBatch(["garden"]), k=2).product_index[0].tolist() == [0, 1]
    assert semantic.asked == []
    hybrid.retrieve(QueryBatch(["gardn"]), k=2)
    assert semantic.asked == [(["gardn"], 7)]
