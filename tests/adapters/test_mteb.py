import json
import sys

import numpy as np
import pytest

from aisle.adapters import MtebEncoder, SentenceEncoder, mteb_model, mteb_task
from aisle.core.errors import SourceError, UsageError

MEASURES = {"R@10": "recall_at_10", "R@100": "recall_at_100", "nDCG@10": "ndcg_at_10", "MRR": "mrr_at_1000"}


@pytest.fixture
def beir(tmp_path, simulated):
    """The generated shop in BEIR's form: titles, descriptions and its test judgments."""
    folder = tmp_path / "beir"
    (folder / "qrels").mkdir(parents=True)
    products, judgments = simulated.products.to_pylist(), simulated.judgments.to_pylist()
    rows = [row for row in judgments if row["split"] == "test"]
    ids = {query: f"q{number}" for number, query in enumerate(dict.fromkeys(row["query"] for row in rows))}
    documents = [
        {"_id": row["product_id"], "title": row["title"], "text": row["description"] or ""} for row in products
    ]
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, documents)))
    (folder / "queries.jsonl").write_text(
        "\n".join(json.dumps({"_id": name, "text": query}) for query, name in ids.items())
    )
    lines = [f"{ids[row['query']]}\t{row['product_id']}\t{row['grade']}" for row in rows]
    (folder / "qrels" / "test.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *lines]))
    return folder


def test_batches_of_either_side_are_encoded(learnt_shop):
    folder = learnt_shop.folder("model")
    model, plain = MtebEncoder(str(folder), device="cpu"), SentenceEncoder.from_pretrained(folder)
    batches = [{"id": ["a"], "text": ["word1"]}, {"id": ["b", "c"], "text": ["word2", "word3"]}]
    np.testing.assert_array_equal(
        model.encode(batches, prompt_type="query", task_metadata=None, batch_size=2),
        plain.encode_query(["word1", "word2", "word3"]),
    )
    documents = [{"text": ["thing soft", "chair"], "title": ["thing", ""], "body": ["soft", "chair"]}]
    np.testing.assert_array_equal(
        model.encode(documents, prompt_type="document"),
        plain.encode_document([{"title": "thing", "description": "soft"}, "chair"]),
    )
    vectors = plain.encode_query(["word1", "word2"])
    np.testing.assert_array_equal(model.similarity(vectors, vectors), plain.similarity(vectors, vectors))
    np.testing.assert_array_equal(
        model.similarity_pairwise(vectors, vectors), plain.similarity_pairwise(vectors, vectors)
    )


def test_without_mteb_the_error_tells_what_to_install(monkeypatch, learnt_shop, tmp_path):
    monkeypatch.setitem(sys.modules, "mteb", None)
    with pytest.raises(UsageError, match=r"mteb must be installed.*aisle\[mteb\]"):
        mteb_model(str(learnt_shop.folder("model")))
    with pytest.raises(UsageError, match=r"aisle\[mteb\]"):
        mteb_task(tmp_path)


def test_a_folder_that_is_none_is_refused(tmp_path, beir):
    pytest.importorskip("mteb")
    with pytest.raises(SourceError, match="A BEIR folder must hold"):
        mteb_task(tmp_path)
    with pytest.raises(UsageError, match=r"must hold judgments of the split.*'train'"):
        mteb_task(beir, split="train")


def test_a_task_holds_the_queries_with_something_to_find(tmp_path):
    pytest.importorskip("mteb")
    (tmp_path / "corpus.jsonl").write_text('{"_id": "a", "title": "x"}\n{"_id": "b", "title": "", "text": "y"}\n')
    (tmp_path / "queries.jsonl").write_text('{"_id": "1", "text": "one"}\n{"_id": "2", "text": "two"}\n')
    (tmp_path / "qrels.tsv").write_text("1\ta\t0.5\n1\tb\t0\n2\ta\t0\n")
    data = mteb_task(tmp_path, name="Two").dataset["default"]["test"]
    assert data["queries"].to_list() == [{"id": "1", "text": "one"}]
    assert data["relevant_docs"] == {"1": {"a": 50, "b": 0}}
    assert data["corpus"]["title"][:] == ["x", "y"]


def test_mteb_measures_what_aisle_does(aisle_json, beir, tmp_path, tiny):
    mteb = pytest.importorskip("mteb")
    shop = tmp_path / "shop"
    settings = [part for value in tiny(index__kind="exact", encode__precision="fp32") for part in ("--set", value)]
    aisle_json("import", "-w", shop, "--from", "beir", "--path", beir)
    aisle_json("train", "-w", shop, *settings)
    aisle_json("index", "-w", shop, *settings)
    ours = aisle_json("evaluate", "-w", shop, "--systems", "semantic")["systems"]["semantic"]
    model, task = mteb_model(str(shop / "model"), name="shop/model"), mteb_task(beir)
    result = mteb.evaluate(model, task, cache=None, co2_tracker=False, show_progress_bar=False)
    [theirs] = result.task_results[0].scores["test"]
    assert {name: theirs[key] for name, key in MEASURES.items()} == pytest.approx(
        {name: ours[name]["value"] for name in MEASURES}, abs=1e-4
    )
    assert 0 < ours["R@100"]["value"] <= 1
    assert model.mteb_model_meta.name == "shop/model"
