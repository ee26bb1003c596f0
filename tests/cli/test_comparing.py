import pytest

from aisle.pipelines.evaluating import evaluate_systems


@pytest.fixture(scope="module")
def run(built_shop, tmp_path_factory):
    path = tmp_path_factory.mktemp("run") / "out.trec"
    evaluate_systems(built_shop, systems=["semantic"], min_grade=3, run=path)
    return path


def test_the_table_and_the_words(aisle, built_shop, run):
    result = aisle("compare", "lexical", run, "-w", built_shop.path, "--min-grade", 3, "--measures", "R@10,P@5")
    assert result.code == 0, result.err
    text = " ".join(result.out.split())
    assert "corrected by Holm for 8 comparisons" in text
    assert "By R@10 B is better on" in text
    assert "Biggest losses of B" in text
    assert "B missed “" in text
    assert "B showed instead: “" in text
    assert "p=0.000" not in text


def test_json(aisle_json, built_shop):
    values = aisle_json("compare", "lexical", "hybrid", "-w", built_shop.path, "--examples", 1, "--slices", "words")
    assert values["measures"] == ["nDCG@10", "R@10", "R@100", "MRR"]
    assert set(values["slices"]) == {"all", "1 word", "2 words", "3 words", "4 words and more"}
    assert len(values["wins"]) <= 1
    assert values["slices"]["all"]["measures"]["MRR"].keys() >= {"first", "second", "difference", "corrected_p"}
    assert values["simulated"] is False


def test_a_mistake_is_one_line(aisle, built_shop):
    result = aisle("compare", "lexical", "bm25", "-w", built_shop.path)
    assert result.code == 2
    assert "A system must be one of lexical, semantic, hybrid, a file with a run" in result.err
