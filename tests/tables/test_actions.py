import pytest

from aisle.tables import ACTION_STAGES, Stage


@pytest.mark.parametrize(
    ("name", "stage"),
    [
        ("item_click", Stage.CLICKED),
        ("add_to_wishlist", Stage.FAVORITED),
        ("add_to_cart", Stage.CARTED),
        ("purchase", Stage.ORDERED),
    ],
)
def test_usual_names(name, stage):
    assert ACTION_STAGES[name] == stage


def test_every_stage_that_takes_an_action_has_a_name_and_names_are_as_they_are_looked_up():
    assert set(ACTION_STAGES.values()) == set(Stage) - {Stage.SHOWN}
    assert all(name == name.lower() and " " not in name and "-" not in name for name in ACTION_STAGES)
    assert "view" not in ACTION_STAGES
