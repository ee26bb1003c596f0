import pickle

import pytest

from aisle.core import errors
from aisle.core.errors import AisleError, UsageError

ALL = [getattr(errors, name) for name in errors.__all__]


def test_a_message_says_what_must_hold_what_came_and_what_to_do():
    error = AisleError("k must be at least 1", received={"k": 0, "of": "R@0"}, remedy="Ask for more.")
    assert str(error) == "k must be at least 1. Received: k=0, of='R@0'. Ask for more."
    assert (error.must, error.received, error.remedy) == (
        "k must be at least 1",
        {"k": 0, "of": "R@0"},
        "Ask for more.",
    )


def test_parts_that_are_not_given_leave_no_trace():
    assert str(AisleError("k must be at least 1.")) == "k must be at least 1."
    assert str(AisleError("k must be 1", remedy="Go.")) == "k must be 1. Go."
    assert str(AisleError("k must be 1", received={})) == "k must be 1."


def test_the_received_values_are_a_copy():
    received: dict[str, object] = {"k": 0}
    error = AisleError("k must be 1", received=received)
    received["k"] = 7
    assert error.received == {"k": 0}


@pytest.mark.parametrize("kind", ALL)
def test_every_error_is_exported_documented_and_of_one_tree(kind):
    assert issubclass(kind, AisleError)
    assert kind.__doc__
    assert kind.__name__ in (errors.__doc__ or "")


def test_no_error_of_the_module_is_left_out_of_all():
    defined = {name for name, value in vars(errors).items() if isinstance(value, type)}
    assert defined == set(errors.__all__)


def test_an_error_crosses_a_process_boundary_whole():
    error = UsageError("k must be 1", received={"k": 0}, remedy="Ask again.")
    back = pickle.loads(pickle.dumps(error))
    assert (type(back), str(back), back.received) == (UsageError, str(error), {"k": 0})
