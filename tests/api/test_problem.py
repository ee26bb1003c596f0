import pytest
from pydantic import ValidationError

from aisle.api import PROBLEM_JSON, Problem


def test_a_problem_says_what_is_wrong():
    problem = Problem(title="Not Found", status=404, detail="Nothing here.")
    assert (problem.type, problem.errors) == ("about:blank", None)
    assert PROBLEM_JSON == "application/problem+json"
    with pytest.raises(ValidationError):
        Problem.model_validate({"title": "Not Found"})
