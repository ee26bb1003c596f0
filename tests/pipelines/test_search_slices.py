import pytest

from aisle.core.errors import UsageError
from aisle.evaluation import REPEATS
from aisle.pipelines.evaluating import evaluate_systems
from aisle.pipelines.logged_searches import logged_searches
from aisle.pipelines.search_slices import SLICE_GROUPS, chosen_slices


def test_groups_are_chosen_by_name():
    assert chosen_slices(["cold", "domestic"]) == {"cold products", "domestic", "abroad"}
    assert chosen_slices([]) == frozenset()
    assert chosen_slices(None) >= {"head", "unseen", "new actor", REPEATS}


def test_unknown_groups_are_refused_with_the_known_ones():
    with pytest.raises(UsageError, match=r"among band, signed-in, .*slices=\['colour'\]"):
        chosen_slices(["band", "colour"])


def test_every_slice_of_a_log_belongs_to_one_group(learnt_shop):
    found = logged_searches(learnt_shop, labels="log", split="test", max_searches=100, seed=0)
    names = [name for group in SLICE_GROUPS.values() for name in group]
    assert len(names) == len(set(names))
    assert set(found.slices) <= set(names)
    # Of the last searches only the very last is by a client, who was never seen before.
    assert found.slices["new actor"].tolist() == [False] * (len(found) - 1) + [True]
    assert found.slices["returning actor"].tolist() == [True] * (len(found) - 1) + [False]
    assert found.shown_by == {"ranked": 1.0}


def test_only_what_was_chosen_is_measured(learnt_shop):
    def names(slices):
        return set(evaluate_systems(learnt_shop, systems=["lexical"], slices=slices).as_dict()["by"])

    assert names(["returning"]) == {"new actor", "returning actor"}
    assert names([]) == set()
    assert names(None) > {"signed in", "new actor", "with history"}


def test_judged_queries_have_no_slices_to_choose(built_shop):
    with pytest.raises(UsageError, match=r"Only searches of a log have slices to choose.*slices=\['band'\]"):
        evaluate_systems(built_shop, slices=["band"])
