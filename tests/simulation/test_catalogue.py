import bm25s
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from aisle.core.errors import UsageError
from aisle.core.ids import IdMap
from aisle.core.text import normalise_texts, word_lists
from aisle.simulation import generate_catalogue
from aisle.tables import JUDGMENTS, PRODUCTS, validate


def relevant_products(catalogue, kind):
    """Catalogue positions of the grade-3 products of every query of a kind."""
    judged = catalogue.judgments
    chosen = judged.filter(pc.and_(pc.equal(judged["grade"], 3.0), pc.equal(judged["kind"], kind)))
    position = pc.index_in(chosen["product_id"], value_set=catalogue.products["product_id"].combine_chunks())
    relevant = {}
    for query, row in zip(chosen["query"].to_pylist(), position.to_pylist(), strict=True):
        relevant.setdefault(query, set()).add(row)
    return relevant


def word_recall(catalogue, texts, kind):
    """Mean recall@100 of BM25 over these texts."""
    lexical = bm25s.BM25()
    lexical.index(word_lists(texts).to_pylist(), show_progress=False)
    recalls = []
    for query, rows in relevant_products(catalogue, kind).items():
        scores = lexical.get_scores(word_lists(pa.array([query]))[0].as_py())
        found = np.argsort(-scores, kind="stable")[:100]
        recalls.append(len(rows & set(found[scores[found] > 0].tolist())) / len(rows))
    return float(np.mean(recalls))


@pytest.fixture(scope="module")
def titles(catalogue):
    return catalogue.products["title"].combine_chunks()


def test_products_follow_the_contract(catalogue):
    contract = {column.name: column.type for column in PRODUCTS.columns}
    schema = catalogue.products.schema
    assert {name: schema.field(name).type for name in schema.names} == {name: contract[name] for name in schema.names}
    validated = validate(catalogue.products, PRODUCTS)
    assert validated.report.problems == ()
    assert validated.table.equals(catalogue.products)


def test_judgments_follow_the_contract_and_name_products_of_the_catalogue(catalogue):
    known = IdMap(catalogue.products["product_id"])
    validated = validate(catalogue.judgments, JUDGMENTS, known_products=known)
    assert validated.report.problems == ()
    assert len(validated.table) == len(catalogue.judgments)
    assert catalogue.judgments.schema.names == ["query", "product_id", "grade", "split", "kind"]


def test_sixty_queries_of_each_kind_half_for_validation_half_for_test(catalogue):
    queries = catalogue.judgments.group_by(["query", "split", "kind"]).aggregate([])
    assert len(queries) == 180
    counts = queries.group_by(["kind", "split"]).aggregate([("query", "count")])
    assert sorted(zip(*(counts[name].to_pylist() for name in ("kind", "split", "query_count")), strict=True)) == [
        (kind, split, 30) for kind in ("attribute", "exact", "paraphrase") for split in ("test", "validation")
    ]


def test_no_query_is_in_two_splits_after_normalisation(catalogue):
    queries = catalogue.judgments.group_by(["query", "split"]).aggregate([])
    assert len(set(normalise_texts(queries["query"].combine_chunks()).to_pylist())) == len(queries)


def test_every_query_has_between_one_and_a_hundred_exact_products(catalogue):
    for kind in ("exact", "paraphrase", "attribute"):
        sizes = [len(rows) for rows in relevant_products(catalogue, kind).values()]
        assert len(sizes) == 60
        assert max(sizes) <= 100


def test_titles_of_paraphrased_products_share_no_word_with_the_query(catalogue, titles):
    words_of_title = [set(words) for words in word_lists(titles).to_pylist()]
    shares = []
    for query, rows in relevant_products(catalogue, "paraphrase").items():
        asked = set(word_lists(pa.array([query]))[0].as_py())
        shares += [not asked & words_of_title[row] for row in rows]
    assert np.mean(shares) >= 0.9


def test_word_matching_finds_exact_wording_and_misses_paraphrases(catalogue, titles):
    assert word_recall(catalogue, titles, "exact") >= 0.85
    assert word_recall(catalogue, titles, "paraphrase") <= 0.1


def test_descriptions_bridge_a_part_of_the_gap_only(catalogue, titles):
    descriptions = pc.fill_null(catalogue.products["description"].combine_chunks(), "")
    texts = pc.binary_join_element_wise(titles, descriptions, " ")
    assert 0.25 <= word_recall(catalogue, texts, "paraphrase") <= 0.6


def test_the_same_seed_gives_the_same_tables_and_another_seed_others():
    first, again, other = (generate_catalogue(400, seed=seed) for seed in (3, 3, 4))
    assert first.products.equals(again.products)
    assert first.judgments.equals(again.judgments)
    assert not first.products["title"].equals(other.products["title"])
    assert set(first.judgments["query"].to_pylist()) != set(other.judgments["query"].to_pylist())


@pytest.mark.parametrize("num_products", [1, 2, 17])
def test_the_smallest_catalogues_are_whole(num_products):
    catalogue = generate_catalogue(num_products, seed=0)
    assert len(catalogue.products) == num_products
    assert pc.max(catalogue.judgments["grade"]).as_py() == 3.0
    assert validate(catalogue.products, PRODUCTS).report.problems == ()


def test_own_vocabulary_replaces_the_packaged_one(tiny_vocabulary):
    catalogue = generate_catalogue(200, seed=0, vocabulary=tiny_vocabulary)
    assert set(catalogue.products["brand"].to_pylist()) <= {"Norvik", "Normora", "Belvik", "Belmora"}


@pytest.mark.parametrize("num_products", [0, -5, 1_000_001])
def test_impossible_sizes_are_refused(num_products):
    with pytest.raises(UsageError, match=rf"between 1 and 1000000.*num_products={num_products}"):
        generate_catalogue(num_products, seed=0)
