import csv
import gzip
import json
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aisle.core.errors import UsageError, WorkspaceError
from aisle.core.ranking import NO_PRODUCT, QueryBatch, Retriever
from aisle.retrieval import LexicalRetriever

PRODUCTS = pa.table(
    {
        "product_id": ["a", "b", "c", "d"],
        "title": ["Red running shoes", "Blue shoe", "Garden hose", "red Red RED"],
        "description": ["for men", None, "with red nozzle", ""],
        "brand": ["Nimbus", "Nimbus", None, "Acme"],
    }
)


def found(retriever, query, k=10):
    row = retriever.retrieve(QueryBatch([query]), k=k).product_index[0]
    return row[row != NO_PRODUCT].tolist()


def test_products_are_found_by_stem_and_only_where_a_word_occurs():
    retriever = LexicalRetriever.build(PRODUCTS)
    assert isinstance(retriever, Retriever)
    assert found(retriever, "shoe runs") == [0, 1]
    assert found(retriever, "HOSES") == [2]
    assert found(retriever, "nozzle") == [2]


def test_more_occurrences_in_a_shorter_text_rank_higher():
    ranking = LexicalRetriever.build(PRODUCTS).retrieve(QueryBatch(["red"]), k=10)
    assert ranking.product_index[0, :4].tolist() == [3, 0, 2, NO_PRODUCT]
    assert (np.diff(ranking.score[0, :3]) <= 0).all()
    assert (ranking.score[0, 3:] == -np.inf).all()


def test_only_the_named_fields_are_searched():
    assert found(LexicalRetriever.build(PRODUCTS), "nimbus") == []
    assert found(LexicalRetriever.build(PRODUCTS, fields=["title", "brand"]), "nimbus") == [1, 0]
    assert found(LexicalRetriever.build(PRODUCTS, fields=["title"]), "nozzle") == []


def test_without_a_stemmer_only_whole_words_match():
    assert found(LexicalRetriever.build(PRODUCTS, stemmer=None), "shoe") == [1]


@pytest.mark.parametrize("query", ["", "   ", "?!", "unheard of", "\n"])
def test_a_query_without_a_known_word_has_no_result(query):
    retriever = LexicalRetriever.build(PRODUCTS.slice(0, 3), fields=["title"])
    assert found(retriever, query) == []


@pytest.mark.parametrize("k", [1, 3, 7])
def test_a_shorter_ranking_is_the_beginning_of_the_longer_one(k):
    titles = ["hat" + " band" * (7 - number) for number in range(8)]
    retriever = LexicalRetriever.build(pa.table({"product_id": list("abcdefgh"), "title": titles}))
    assert found(retriever, "hat", k=8) == [7, 6, 5, 4, 3, 2, 1, 0]
    assert found(retriever, "hat", k=k) == [7, 6, 5, 4, 3, 2, 1, 0][:k]


def test_ties_stand_in_catalogue_order_also_at_the_last_place():
    products = pa.table({"product_id": list("vwxyz"), "title": ["hat"] * 5})
    assert found(LexicalRetriever.build(products), "hat", k=3) == [0, 1, 2]


@pytest.mark.parametrize("titles", [[], [""], ["", "?", " "]])
def test_a_catalogue_without_words_is_searched_in_vain(tmp_path, titles):
    ids = [str(number) for number in range(len(titles))]
    products = pa.table({"product_id": pa.array(ids, pa.string()), "title": pa.array(titles, pa.string())})
    retriever = LexicalRetriever.build(products)
    assert found(retriever, "hat") == []
    retriever.save(tmp_path)
    assert found(LexicalRetriever.load(tmp_path), "hat") == []


TITLES = st.lists(st.sampled_from(["red", "blue", "shoe", "hat", "für", "连"]), max_size=6).map(" ".join)


@given(st.lists(TITLES, min_size=1, max_size=8), st.lists(TITLES, min_size=1, max_size=5), st.randoms())
@settings(max_examples=50, deadline=None)
def test_permuting_queries_permutes_rankings_and_scores_are_sorted(titles, queries, random):
    products = pa.table({"product_id": [str(number) for number in range(len(titles))], "title": titles})
    retriever = LexicalRetriever.build(products)
    order = random.sample(range(len(queries)), len(queries))
    straight = retriever.retrieve(QueryBatch(queries), k=4)
    permuted = retriever.retrieve(QueryBatch([queries[place] for place in order]), k=4)
    np.testing.assert_array_equal(permuted.product_index, straight.product_index[order])
    np.testing.assert_array_equal(permuted.score, straight.score[order])
    for row, query in enumerate(queries):
        matching = {number for number, title in enumerate(titles) if set(title.split()) & set(query.split())}
        places = straight.product_index[row][straight.product_index[row] != NO_PRODUCT]
        assert set(places) <= matching
        assert len(places) == min(4, len(matching))
        assert (straight.score[row, : len(places)] > 0).all()
        assert (straight.score[row, 1:] <= straight.score[row, :-1]).all()


def test_a_catalogue_larger_than_a_chunk_is_one_index(monkeypatch):
    whole = LexicalRetriever.build(PRODUCTS).retrieve(QueryBatch(["red shoe", "hose"]), k=4)
    monkeypatch.setattr("aisle.retrieval.lexical._CHUNK", 3)
    split = LexicalRetriever.build(PRODUCTS).retrieve(QueryBatch(["red shoe", "hose"]), k=4)
    np.testing.assert_array_equal(split.product_index, whole.product_index)
    np.testing.assert_array_equal(split.score, whole.score)


def test_save_then_load_gives_the_same_rankings(tmp_path):
    retriever = LexicalRetriever.build(PRODUCTS, stemmer="porter", k1=0.9, b=0.4)
    retriever.save(tmp_path / "new" / "lexical")
    loaded = LexicalRetriever.load(tmp_path / "new" / "lexical")
    queries = QueryBatch(["red shoes", "running", "", "nothing like it", "garden red"])
    expected, again = retriever.retrieve(queries, k=3), loaded.retrieve(queries, k=3)
    np.testing.assert_array_equal(again.product_index, expected.product_index)
    np.testing.assert_array_equal(again.score, expected.score)


@pytest.mark.parametrize("name", ["data.csc.index.npy", "vocab.index.json", "params.index.json", "index.json"])
@pytest.mark.parametrize("data", [b"", b"\x93NUMPY\x01\x00 garbage", b'{"k1": "x"}'])
def test_a_damaged_folder_is_refused(tmp_path, name, data):
    LexicalRetriever.build(PRODUCTS).save(tmp_path)
    (tmp_path / name).write_bytes(data)
    with pytest.raises(WorkspaceError, match="must"):
        LexicalRetriever.load(tmp_path)


def test_a_folder_without_an_index_is_told_so(tmp_path):
    with pytest.raises(WorkspaceError, match=r"must hold index\.json"):
        LexicalRetriever.load(tmp_path)


def test_settings_out_of_bounds_are_refused():
    with pytest.raises(UsageError, match=r"fields=\('titel',\)\. Choose among title, brand, category"):
        LexicalRetriever.build(PRODUCTS, fields=["titel"])
    with pytest.raises(UsageError, match="must be texts of a product"):
        LexicalRetriever.build(PRODUCTS, fields=[])
    with pytest.raises(UsageError, match=r"b between 0 and 1\. Received: k1=1\.5, b=2"):
        LexicalRetriever.build(PRODUCTS, b=2)
    with pytest.raises(UsageError, match="k1=nan"):
        LexicalRetriever.build(PRODUCTS, k1=float("nan"))
    with pytest.raises(UsageError, match="k must be at least 1"):
        LexicalRetriever.build(PRODUCTS).retrieve(QueryBatch(["red"]), k=0)


@pytest.mark.data
def test_recall_on_real_judged_queries_is_that_of_plain_bm25s():
    folder = Path(os.environ.get("AISLE_TEST_DATA", "/nonexistent")) / "icecat"
    if not folder.exists():
        pytest.skip("AISLE_TEST_DATA does not name a folder with icecat/")
    with gzip.open(folder / "products.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    products = pa.table(
        {
            "product_id": [row["id"] for row in rows],
            "title": [row["title"] for row in rows],
            "description": pa.array([row.get("short_description") for row in rows], pa.string()),
        }
    )
    relevant = {}
    with (folder / "judgments.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            if float(row["rating"]) >= 3:
                relevant.setdefault(row["query"], set()).add(row["docid"])
    ranking = LexicalRetriever.build(products).retrieve(QueryBatch(list(relevant)), k=100)
    ids = np.array([*products["product_id"].to_pylist(), ""])  # NO_PRODUCT, -1, picks the last
    recall = [
        len(wanted & set(ids[places])) / len(wanted)
        for wanted, places in zip(relevant.values(), ranking.product_index, strict=True)
    ]
    # bm25s with its own analyser, which drops stop words and single characters, reaches 0.890.
    assert len(recall) == 104
    assert np.mean(recall) == pytest.approx(0.90, abs=0.015)
