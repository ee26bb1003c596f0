import numpy as np
import pytest

from aisle.core.errors import UsageError
from aisle.pipelines.evaluating import evaluate_systems
from aisle.pipelines.questions import Asked, read_questions


def test_slices_of_judged_queries(built_shop):
    assert set(read_questions(built_shop, Asked()).slices) == {"exact", "paraphrase", "attribute"}
    asked = read_questions(built_shop, Asked(slices=["words", "column:kind"])).slices
    assert set(asked) >= {"1 word", "4 words and more", "kind = exact"}
    assert np.sum([mask for name, mask in asked.items() if "word" in name], axis=0).tolist() == [1] * 30
    assert read_questions(built_shop, Asked(slices=[])).slices == {}


def test_slices_of_searches(learnt_shop):
    asked = read_questions(learnt_shop, Asked(slices=["signed-in", "column:client_id", "column:location"]))
    # No user of this log has a place of his own but u1; nobody's is told in the searches.
    assert set(asked.slices) == {
        "signed in",
        "anonymous",
        "client_id = c0",
        "no client_id",
        "no location",
        "location = fr",
    }
    assert asked.slices["client_id = c0"].tolist() == [False] * (len(asked.texts) - 1) + [True]


def test_a_slice_without_queries_is_told_where_it_is_named(learnt_shop):
    def by(slices):
        return evaluate_systems(learnt_shop, systems=["lexical"], labels="log", slices=slices).as_dict()["by"]

    named = by(["cold", "repeats"])
    assert set(named) == {"cold products", "repeated orders"}
    assert named["cold products"]["queries"] == 0
    assert named["cold products"]["systems"]["lexical"]["MRR"] == {"value": None, "low": None, "high": None}
    assert "cold products" not in by(None)


@pytest.mark.parametrize(
    ("labels", "slices", "message"),
    [
        (
            "log",
            ["column:device"],
            r"must be one of searches or users\. Received: column='device', columns=\['search_id'",
        ),
        ("log", ["device"], r"must be among band, .*, words, column:NAME\. Received: slices=\['device'\]"),
        ("judgments", ["band", "words"], r"Only searches of a log have slices.*slices=\['band'\]"),
        ("judgments", ["column:device"], r"must be one of judgments\. Received: column='device', columns=\['query'"),
    ],
)
def test_unknown_slices_are_refused(built_shop, learnt_shop, labels, slices, message):
    with pytest.raises(UsageError, match=message):
        read_questions(learnt_shop if labels == "log" else built_shop, Asked(labels=labels, slices=slices))


def test_a_k_beyond_the_catalogue_is_measured_with_empty_places(built_shop):
    names = ["R@300", "R@1000000", "P@1000000", "nDCG@5000"]
    found = evaluate_systems(built_shop, systems=["lexical"], min_grade=3, measures=names).as_dict()
    means = {name: one["value"] for name, one in found["systems"]["lexical"].items()}
    assert means["R@1000000"] == means["R@300"]
    assert 0 < means["P@1000000"] < 1e-4
    assert 0 < means["nDCG@5000"] <= 1


def test_equal_data_have_equal_hashes(built_shop, shop):
    first, copy = (read_questions(one, Asked()).data for one in (built_shop, shop))
    assert first == copy
    assert read_questions(built_shop, Asked(split="validation")).data["queries"] != first["queries"]
