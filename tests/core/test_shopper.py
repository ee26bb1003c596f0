import pytest

from aisle.core.shopper import NOBODY, Shopper


@pytest.mark.parametrize(
    ("shopper", "actor"),
    [
        (Shopper("u", "c", "s"), "u"),
        (Shopper(None, "c", "s"), "c"),
        (Shopper(None, None, "s", "de"), "s"),
        (Shopper("", "  ", "s"), "s"),
        (Shopper(location="de"), None),
        (NOBODY, None),
    ],
)
def test_the_actor_is_the_user_else_the_client_else_the_session(shopper, actor):
    assert shopper.actor_id == actor
