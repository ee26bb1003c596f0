from aisle.sources.ubi.actions import ACTIONS, action_table
from aisle.tables import Stage


def test_the_names_of_both_real_logs_have_their_stages():
    names = ("impression", "item_click", "click", "add_to_cart", "purchase")
    assert [ACTIONS[name] for name in names] == [
        Stage.SHOWN, Stage.CLICKED, Stage.CLICKED, Stage.CARTED, Stage.ORDERED,
    ]  # fmt: skip
    assert "product_hover" not in ACTIONS


def test_the_table_holds_every_name_once():
    assert dict(zip(*action_table().to_pydict().values(), strict=True)) == dict(ACTIONS)
