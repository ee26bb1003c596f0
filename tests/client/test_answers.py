import httpx
import pytest

from aisle.api import PROBLEM_JSON
from aisle.client import ProblemError, UnreachableError
from aisle.client.answers import check_answer, unreachable
from aisle.core.errors import ServiceError

PROBLEM = b'{"type": "about:blank", "title": "Not Found", "status": 404, "detail": "Nothing here."}'


def test_a_yes_is_its_body():
    assert check_answer(httpx.Response(202, content=b"x")) == b"x"


def test_a_problem_document_is_raised_whole():
    with pytest.raises(
        ProblemError, match=r"The service must take the request: Nothing here\. Received: status=404\."
    ) as e:
        check_answer(httpx.Response(404, content=PROBLEM, headers={"content-type": PROBLEM_JSON}))
    assert (e.value.problem.status, e.value.problem.title) == (404, "Not Found")
    assert isinstance(e.value, ServiceError)


@pytest.mark.parametrize("kind", ["text/html", PROBLEM_JSON])
@pytest.mark.parametrize("status", [302, 404, 502, 599])
def test_what_is_none_of_ours_is_told_in_part(kind, status):
    with pytest.raises(UnreachableError, match="must be that of an Aisle service") as caught:
        check_answer(httpx.Response(status, content=b"<html>" * 1000, headers={"content-type": kind}))
    assert caught.value.received["status"] == status
    assert len(str(caught.value)) < 500


def test_a_lost_connection_names_the_address():
    error = unreachable(httpx.ConnectError("refused"), "http://127.0.0.1:1")
    assert "ConnectError: refused" in str(error)
    assert error.received == {"url": "http://127.0.0.1:1"}
