import pytest

from aisle.pipelines.report_examples import example_labels, example_searches


@pytest.fixture(scope="module")
def found(learnt_shop):
    return example_searches(learnt_shop, "log", per_band=1)


def test_every_system_answers_searches_of_the_test(found):
    examples, labelled = found
    assert examples
    assert "order" in labelled
    for one in examples:
        assert set(one.answers) == {"lexical", "semantic", "hybrid"}
        assert all(0 < len(shown) <= 5 for shown in one.answers.values())
        assert one.wanted == (f"thing {one.query}",)


def test_what_was_ordered_is_marked_and_placed(found):
    examples, _ = found
    for one in examples:
        for name, shown in one.answers.items():
            marked = [place for place, product in enumerate(shown, 1) if product.is_wanted]
            assert marked[:1] == ([one.places[name]] if one.places[name] <= len(shown) else [])
            assert all((product.title in one.wanted) == product.is_wanted for product in shown)
    assert any(one.places["lexical"] == 1 for one in examples)


def test_they_are_the_same_again_and_no_more_than_asked_for(found, learnt_shop):
    again, _ = example_searches(learnt_shop, "log", per_band=1)
    assert again == found[0]
    bands = [one.band for one in again]
    assert len(set(bands)) == len(bands)


def test_judged_queries_have_no_bands(built_shop):
    examples, labelled = example_searches(built_shop, "judgments", per_band=2)
    assert len(examples) == 8
    assert len({one.query for one in examples}) == 8
    assert {one.band for one in examples} == {""}
    assert "grade" in labelled


def test_labels_are_what_is_there(learnt_shop, built_shop, import_shop, tmp_path):
    assert example_labels(learnt_shop) == "log"
    assert example_labels(built_shop) == "judgments"
    assert example_labels(import_shop(tmp_path / "bare", judgments=None)) is None
