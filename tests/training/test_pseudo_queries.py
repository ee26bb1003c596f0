import itertools
import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aisle.core.text import word_lists, words
from aisle.features import ProductText
from aisle.training import pseudo_queries, pseudo_query_pairs

FIELDS = ("title", "brand", "category", "attributes", "description")


def texts_of(**columns):
    """Make product texts; a field that is not given is empty."""
    num_products = len(next(iter(columns.values())))
    filled = {name: columns.get(name, [""] * num_products) for name in FIELDS}
    return ProductText(**{name: pa.array(column, pa.string()) for name, column in filled.items()})


def cut(texts, *, per_product=1, max_pairs=10**6, max_words=4, seed=0):
    return pseudo_query_pairs(
        texts, per_product=per_product, max_pairs=max_pairs, max_words=max_words, rng=np.random.default_rng(seed)
    )


def as_tuples(pairs):
    queries = pairs.queries.to_pylist()
    return [(queries[q], int(p)) for q, p in zip(pairs.query_index, pairs.product_index, strict=True)]


def share_of(pairs, *, is_counted):
    queries = pairs.queries.to_pylist()
    return np.mean([is_counted(queries[index]) for index in pairs.query_index])


def bound(share, num_drawn):
    """Five standard errors of an observed share."""
    return 5 * math.sqrt(share * (1 - share) / num_drawn)


def test_a_product_of_one_word_gives_that_word():
    pairs = cut(texts_of(title=["Sofa!"]), per_product=3)
    assert as_tuples(pairs) == [("sofa", 0)] * 3
    assert pairs.weight.tolist() == [1.0, 1.0, 1.0]


def test_products_that_give_the_same_text_share_a_query():
    pairs = cut(texts_of(title=["Sofa", "SOFA"]))
    assert pairs.queries.to_pylist() == ["sofa"]
    assert sorted(as_tuples(pairs)) == [("sofa", 0), ("sofa", 1)]


def test_runs_are_neighbouring_words_of_the_title(monkeypatch):
    monkeypatch.setattr(pseudo_queries, "_RUN_SHARE", 1.0)
    title = "a red sofa and a red rug of red wool"
    pairs = cut(texts_of(title=[title], brand=["acme"]), per_product=400, max_words=3)
    split = title.split()
    runs = {" ".join(split[start : start + length]) for length in (1, 2, 3) for start in range(len(split) - length + 1)}
    assert set(pairs.queries.to_pylist()) == runs


def test_a_title_shorter_than_the_wanted_run_gives_all_its_words(monkeypatch):
    monkeypatch.setattr(pseudo_queries, "_RUN_SHARE", 1.0)
    monkeypatch.setattr(pseudo_queries, "_LENGTH_SHARES", (0.0, 0.0, 0.0, 1.0))
    assert as_tuples(cut(texts_of(title=["red sofa", ""], brand=["", "acme"]))) == [("red sofa", 0), ("acme", 1)]


def test_drawn_words_are_distinct_and_stand_in_the_order_of_the_fields(monkeypatch):
    monkeypatch.setattr(pseudo_queries, "_RUN_SHARE", 0.0)
    texts = texts_of(title=["t1 t2"], brand=["b"], category=["c"], attributes=["a b"], description=["d t1 c"])
    pairs = cut(texts, per_product=300, max_words=8)
    order = ["t1", "t2", "b", "c", "a", "d"]
    for query in pairs.queries.to_pylist():
        places = [order.index(word) for word in query.split()]
        assert places == sorted(set(places))


def test_longest_wanted_draws_every_word_once(monkeypatch):
    monkeypatch.setattr(pseudo_queries, "_RUN_SHARE", 0.0)
    monkeypatch.setattr(pseudo_queries, "_LENGTH_SHARES", (0.0,) * 7 + (1.0,))
    assert as_tuples(cut(texts_of(title=["red sofa"], brand=["sofa acme"]), max_words=8)) == [("red sofa acme", 0)]


@pytest.mark.parametrize("titles", [[], ["", "  "], ["!?", "…"]])
def test_a_catalogue_without_a_word_gives_no_pairs(titles):
    pairs = cut(texts_of(title=titles), per_product=3)
    assert len(pairs) == 0
    assert pairs.queries.to_pylist() == []


def test_a_product_without_a_word_gives_no_pair():
    pairs = cut(texts_of(title=["sofa", "", "lamp"]), per_product=5)
    assert np.bincount(pairs.product_index, minlength=3).tolist() == [5, 0, 5]


def test_a_product_without_a_title_gives_words_of_its_other_fields():
    pairs = cut(texts_of(title=["", ""], brand=["acme", ""], description=["", "soft"]), per_product=4)
    assert sorted(set(as_tuples(pairs))) == [("acme", 0), ("soft", 1)]


def test_the_same_seed_gives_the_same_pairs_and_another_gives_others(products_text):
    first, again, other = (as_tuples(cut(products_text, per_product=3, seed=seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


@pytest.mark.parametrize(
    ("per_product", "max_pairs", "num_pairs"),
    [(3, 10**6, 360), (3, 360, 360), (3, 359, 240), (3, 120, 120), (3, 119, 119), (3, 1, 1)],
)
def test_pairs_stay_within_their_bound(products_text, per_product, max_pairs, num_pairs):
    pairs = cut(products_text, per_product=per_product, max_pairs=max_pairs)
    assert len(pairs) == num_pairs
    counts = np.bincount(pairs.product_index, minlength=120)
    assert counts.max() - counts.min() <= 1


def test_each_field_has_its_share_of_drawn_words():
    """One-word queries: runs come from the title, drawn words from every field by share, however many it holds."""
    num_products, rounds = 300, 60
    names = [str(i) for i in range(num_products)]
    texts = texts_of(
        title=[f"ta{n}" for n in names],
        brand=[f"ba{n} bb{n}" for n in names],
        category=[f"ca{n}" for n in names],
        attributes=[" ".join(f"a{letter}{n}" for letter in "abcdefghij") for n in names],
        description=[" ".join(f"d{letter}{n}" for letter in "abcde") for n in names],
    )
    pairs = cut(texts, per_product=rounds, max_words=1)
    run_share = pseudo_queries._RUN_SHARE
    for name, field_share in pseudo_queries._FIELD_SHARES.items():
        expected = (1 - run_share) * field_share + (run_share if name == "title" else 0.0)
        found = share_of(pairs, is_counted=lambda query, name=name: query.startswith(name[0]))
        assert found == pytest.approx(expected, abs=bound(expected, num_products * rounds)), name


def test_lengths_have_their_shares():
    pairs = cut(texts_of(title=["a b c d e f g h"] * 2000), per_product=10, max_words=3)
    shares = np.array(pseudo_queries._LENGTH_SHARES[:3]) / sum(pseudo_queries._LENGTH_SHARES[:3])
    for length, expected in enumerate(shares, start=1):
        found = share_of(pairs, is_counted=lambda query, length=length: len(query.split()) == length)
        assert found == pytest.approx(expected, abs=bound(expected, 20_000))


def test_shared_words_are_drawn_more_than_part_numbers_and_bare_numbers_less(monkeypatch):
    monkeypatch.setattr(pseudo_queries, "_RUN_SHARE", 0.0)
    titles = [f"kind{i % 20}x part{i}y {1000 + i}" for i in range(400)]
    pairs = cut(texts_of(title=titles), per_product=20, max_words=1)
    kinds, parts, numbers = (
        share_of(pairs, is_counted=lambda query, start=start: query.startswith(start)) for start in ("k", "p", "1")
    )
    assert kinds > 2 * parts
    assert parts > 3 * numbers
    assert kinds + parts + numbers == pytest.approx(1.0)


LETTERS = "aAbñßéﬁ1²,.'’-™ \t\n红\u0301\u00b4カﾞ"


@settings(max_examples=120, deadline=None)
@given(st.lists(st.tuples(*[st.text(LETTERS, max_size=12)] * 5), max_size=6), st.integers(1, 8), st.integers(0, 99))
def test_every_word_of_a_pseudo_query_stands_in_its_product(rows, max_words, seed):
    columns = list(zip(*rows, strict=True)) if rows else [()] * 5
    texts = ProductText(*(pa.array(column, pa.string()) for column in columns))
    held = [set(product_words) for product_words in word_lists(texts.joined()).to_pylist()]
    pairs = cut(texts, per_product=3, max_words=max_words, seed=seed)
    for query, product in as_tuples(pairs):
        query_words = words(query)
        assert 1 <= len(query_words) <= max_words
        assert set(query_words) <= held[product]
    assert np.bincount(pairs.product_index, minlength=len(rows)).tolist() == [3 * bool(one) for one in held]


def test_words_of_a_real_looking_catalogue_stand_in_their_products(products_text):
    held = [set(itertools.chain(one)) for one in word_lists(products_text.joined()).to_pylist()]
    for query, product in as_tuples(cut(products_text, per_product=5)):
        assert set(query.split()) <= held[product]


@pytest.fixture
def products_text(products):
    from aisle.features import product_text

    return product_text(products)
