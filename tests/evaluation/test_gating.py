import numpy as np
import pyarrow as pa

from aisle.core.ranking import NO_PRODUCT, Ranking
from aisle.evaluation import tune_gate
from aisle.measures import Qrels
from aisle.retrieval import TitleTerms

NUM = 400
TEXTS = [f"{'easy' if number % 2 else 'hard'} query{number}" for number in range(NUM)]
WANTED = np.arange(NUM) + 1000


def titles(*, easy):
    """Count titles: the words of easy queries stand in `easy` of them each, those of hard ones in one."""
    texts = [text for number, text in enumerate(TEXTS) for _ in range(easy if number % 2 else 1)]
    return TitleTerms.build(pa.array(texts))


def ranking(finds):
    """Rank 100 products for each query, the wanted one first where it is found."""
    index = np.tile(np.arange(100), (NUM, 1))
    index[finds, 0] = WANTED[finds]
    score = np.tile(np.linspace(2.0, 1.0, 100, dtype=np.float32), (NUM, 1))
    return Ranking(index, score)


QRELS = Qrels.from_triples(query_index=np.arange(NUM), product_index=WANTED, grade=np.ones(NUM), num_queries=NUM)
EASY, EVERY = np.arange(NUM) % 2 == 1, np.ones(NUM, bool)


def chosen(lexical, *, qrels=QRELS, easy=5, texts=TEXTS):
    return tune_gate(titles(easy=easy), texts, lexical=lexical, hybrid=ranking(EVERY), qrels=qrels, seed=0)


def test_queries_that_words_answer_alone_pass():
    choice = chosen(ranking(EASY))
    assert choice.gate.opens(TEXTS, ranking(EASY), k=100).tolist() == EASY.tolist()
    assert 0.4 < choice.share < 0.6
    assert choice.as_dict() == {
        "on": True,
        "told": "400 validation queries",
        "share": choice.share,
        "least_titles": 2,
        "least_lead": 0.0,
    }


def test_where_words_lose_the_gate_stays_off():
    choice = chosen(ranking(~EVERY))
    assert choice.gate is None
    assert choice.as_dict() == {"on": False, "told": choice.told}
    assert "words alone lose" in choice.told


def test_where_words_alone_are_as_good_all_pass():
    assert chosen(ranking(EVERY)).share == 1.0


def test_what_one_half_suggests_the_other_must_confirm():
    # Of the easy queries words find those of the half that is looked at first, and few of the other.
    first = np.zeros(NUM, bool)
    from aisle.core.rng import generator

    first[generator(0, "gate").permutation(np.arange(NUM))[: NUM // 2]] = True
    choice = chosen(ranking(EASY & first))
    assert choice.gate is None
    assert "did not confirm" in choice.told


def test_with_few_judged_queries_it_stays_off():
    few = Qrels.from_triples(query_index=np.arange(99), product_index=WANTED[:99], grade=np.ones(99), num_queries=NUM)
    choice = chosen(ranking(EVERY), qrels=few)
    assert choice.gate is None
    assert choice.told == "off: 99 judged validation queries, 100 are needed"


def test_a_query_without_products_never_passes():
    nothing = Ranking(np.full((NUM, 100), NO_PRODUCT), np.full((NUM, 100), -np.inf, np.float32))
    assert chosen(nothing).gate is None
