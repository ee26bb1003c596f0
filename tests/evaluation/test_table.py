import io
import re

import numpy as np
from rich.console import Console

from aisle.core.ranking import Ranking
from aisle.evaluation import evaluate, evaluate_rankings, evaluation_table
from aisle.measures import Qrels


def shown(evaluation, *, width=160) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(evaluation_table(evaluation))
    return console.file.getvalue()


def test_means_intervals_and_p_values_are_shown(lexical, semantic, texts, qrels):
    text = shown(evaluate([lexical, semantic], texts, qrels, measures=["R@1", "MRR"]))
    assert "2 queries with a product of grade ≥ 1" in text
    assert "[low, high]: 95 %" in text
    value, interval = (line.split() for line in text.splitlines()[3:5])
    assert (value[:2], interval[:2]) == (["lexical", "0.250"], ["[0.000,", "0.500]"])
    assert "- lexical" in text
    assert "+0.500 p=1.000" in text
    assert "[0.000, 1.000]" in text


def test_slices_follow_and_what_is_not_defined_is_a_dash(lexical, texts, qrels):
    slices = {"tail": np.array([False, True, False]), "none": np.array([False, False, True])}
    lines = shown(evaluate([lexical], texts, qrels, measures=["MRR"], slices=slices)).splitlines()
    tail = next(number for number, line in enumerate(lines) if "(1 query)" in line)
    none = next(number for number, line in enumerate(lines) if "(0 queries)" in line)
    assert lines[tail + 1].split() == ["lexical", "0.500"]
    assert "[" not in lines[tail + 2]
    assert lines[none + 1].split() == ["lexical", "–"]


def test_four_measures_fit_into_80_columns_unbroken():
    rng = np.random.default_rng(0)
    products = [np.stack([rng.permutation(300)[:100] for _ in range(50)]) for _ in range(2)]
    rankings = {
        name: Ranking(rows, np.zeros(rows.shape, np.float32))
        for name, rows in zip(("lexical", "semantic"), products, strict=True)
    }
    query, product = np.nonzero(rng.random((50, 300)) < 0.05)
    qrels = Qrels.from_triples(query_index=query, product_index=product, grade=np.ones(len(query)), num_queries=50)
    text = shown(evaluate_rankings(rankings, qrels), width=80)
    # Four intervals of each system and of their difference.
    assert len(re.findall(r"\[-?0\.\d{3}, -?0\.\d{3}\]", text)) == 12


def test_a_name_in_brackets_is_not_read_as_markup(lexical, texts, qrels):
    lexical.name = "[red]"
    assert "[red]" in shown(evaluate([lexical], texts, qrels, measures=["MRR"]))
