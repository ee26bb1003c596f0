import threading

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aisle.core.errors import WorkspaceError
from aisle.core.ranking import QueryBatch
from aisle.core.text import words
from aisle.retrieval import LexicalRetriever, SpelledRetriever, Speller
from aisle.simulation.typos import misspell_texts

TITLES = [
    *["Wooden garden chair"] * 5,
    *["Garden table of oak"] * 4,
    *["Golden necklace for grandmothers"] * 3,
    "Guardian lamp",
]
PRODUCTS = pa.table(
    {
        "product_id": [f"p{number}" for number in range(len(TITLES))],
        "title": TITLES,
        "brand": ["Woodan"] * len(TITLES),
        "description": [None] * len(TITLES),
    }
)


@pytest.fixture(scope="module")
def speller():
    return Speller.build(PRODUCTS)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("gardn chair", "garden chair"),  # dropped
        ("gardeen chair", "garden chair"),  # doubled
        ("gadren chair", "garden chair"),  # exchanged
        ("gardem chair", "garden chair"),  # the next key
        ("gardenchair", "garden chair"),  # the space
        ("grandmtohrs", "grandmothers"),  # two errors in a long word
        ("Woodn   CHAIR", "wooden chair"),
    ],
)
def test_a_slip_is_mended(speller, typed, meant):
    assert speller.correct(typed) == meant


@pytest.mark.parametrize(
    "typed",
    [
        "garden chairs",  # its stem is known
        "woodan table",  # a brand is known though it is not searched
        "oka table",  # too short
        "gard3n",  # digits name models
        "xarden",  # the first letter is another
        "gaaaen",  # two errors are too many for a short word
        "",
        "椅子",
    ],
)
def test_what_is_known_or_too_far_away_stays(speller, typed):
    assert speller.correct(typed) is None


def test_of_equally_near_words_the_most_frequent_is_taken():
    titles = ["cane", "cane", "cape"]
    products = pa.table({"product_id": list("abc"), "title": titles})
    assert Speller.build(products).correct("cafe") == "cane"
    assert Speller.build(products.take([2, 2, 0])).correct("cafe") == "cape"


def test_a_word_that_shoppers_often_type_is_no_slip():
    def asked(times):
        log = pa.table({"text": ["goldan ring", "golden ring"], "searches": [times, 1000]})
        return Speller.build(PRODUCTS, asked=log).correct("goldan")

    assert asked(2) == asked(4) == "golden"
    assert asked(50) is None


def test_many_queries_are_mended_as_each_alone(speller):
    texts = ["gardn chair", "garden chair", "", "Golden  NECKLACE", "gardn chair"]
    alone = [speller.correct(text) or text for text in texts]
    assert speller.corrected(texts) == alone == ["garden chair", "garden chair", "", "Golden  NECKLACE", "garden chair"]
    assert speller.corrected([]) == []
    assert speller.corrected(["oak"]) == ["oak"]


def test_words_of_new_products_are_known_at_once():
    speller = Speller.build(PRODUCTS)
    assert speller.correct("gardan") == "garden"
    speller.learn(pa.table({"product_id": ["new"], "title": ["Gardan trowel"]}))
    assert speller.correct("gardan") is None
    assert speller.correct("trowle") == "trowel"


def test_learning_while_others_ask_breaks_nothing():
    speller, problems = Speller.build(PRODUCTS), []

    def ask():
        problems.extend(meant for meant in (speller.correct("gardn") for _ in range(200)) if meant != "garden")

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(50):
        speller.learn(pa.table({"product_id": ["new"], "title": [f"Gargoyle number{number}"]}))
    for thread in threads:
        thread.join()
    assert problems == []
    assert speller.correct("gargoylee") == "gargoyle"


@given(st.lists(st.sampled_from(sorted({word for title in TITLES for word in words(title)})), min_size=1, max_size=4))
def test_known_words_are_never_changed(typed):
    assert SPELLER.correct(" ".join(typed)) is None


@given(st.text(max_size=30))
def test_whatever_is_typed_stays_a_query_of_known_and_unknown_words(text):
    meant = SPELLER.correct(text)
    assert meant is None or meant == SPELLER.corrected([text, "oak"])[0]
    assert meant is None or SPELLER.correct(meant) is None


SPELLER = Speller.build(PRODUCTS)


def test_most_slips_in_a_generated_catalogue_are_mended(simulated):
    speller = Speller.build(simulated.products)
    titles = simulated.products.column("title").combine_chunks()
    rng = np.random.default_rng(0)
    everywhere = np.ones(len(titles), bool)
    typed = misspell_texts(titles, where=everywhere, place=rng.random(len(titles)), kind=rng.random(len(titles)))
    pairs = list(zip(titles.to_pylist(), typed.to_pylist(), strict=True))
    slips = [(meant, slip) for meant, slip in pairs if words(meant) != words(slip)]
    mended = np.mean([words(speller.corrected([slip])[0]) == words(meant) for meant, slip in slips])
    assert len(slips) > 250
    assert mended > 0.6


def test_saved_and_loaded_it_is_the_same(speller, tmp_path):
    speller.save(tmp_path / "spelling")
    loaded = Speller.load(tmp_path / "spelling")
    typed = ["gardn chair", "woodan", "grandmtohrs", "gardenchair"]
    assert loaded.corrected(typed) == speller.corrected(typed)


def test_a_damaged_folder_is_refused(speller, tmp_path):
    speller.save(tmp_path)
    (tmp_path / "words.parquet").write_bytes(b"PAR1")
    with pytest.raises(WorkspaceError, match="as its manifest records it"):
        Speller.load(tmp_path)


def test_a_catalogue_without_words_mends_nothing():
    speller = Speller.build(PRODUCTS.slice(0, 0))
    assert speller.correct("gardn") is None
    assert speller.corrected(["gardn"]) == ["gardn"]


def test_words_find_what_was_meant(speller):
    lexical = LexicalRetriever.build(PRODUCTS)
    spelled = SpelledRetriever(lexical, speller)
    assert spelled.name == "lexical"
    asked = QueryBatch(["gardn chiar", "garden chair"], locations=["de", None])
    found = spelled.retrieve(asked, k=3)
    assert (found.product_index[0] == found.product_index[1]).all()
    assert (lexical.retrieve(asked, k=3).product_index[0] == -1).all()
