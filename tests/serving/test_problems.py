import json

import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st

from aisle.api import PROBLEM_JSON, Problem
from aisle.serving.problems import describe_problems, problem_response, tell_faults

JSON = {"content-type": "application/json"}


def problem_of(response):
    """Check the form that every error shares, and return the document."""
    assert response.headers["content-type"] == PROBLEM_JSON
    problem = response.json()
    Problem.model_validate(problem, strict=True)
    assert problem["status"] == response.status_code
    assert problem["type"] == "about:blank"
    return problem


def post(client: TestClient, body, **headers):
    return client.post("/v1/search", content=body, headers=JSON | headers)


def test_a_problem_document_in_full():
    response = problem_response(404, "Nothing here.", headers={"x-why": "test"})
    assert json.loads(response.body) == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "Nothing here.",
    }
    assert response.headers["x-why"] == "test"


def test_an_unknown_path_is_404_and_leads_to_the_description(client):
    problem = problem_of(client.get("/nowhere"))
    assert (problem["status"], problem["title"]) == (404, "Not Found")
    assert "/openapi.json" in problem["detail"]


def test_a_wrong_method_is_405_and_names_the_right_one(client):
    response = client.get("/v1/search")
    assert problem_of(response)["status"] == 405
    assert response.headers["allow"] == "POST"


@pytest.mark.parametrize("body", [b"{", b"", b"{'query': 1}", b'{"query": "a",}', b"\xff\xfe", b"[" * 50_000])
def test_a_body_that_is_no_json_is_refused(client, body):
    assert problem_of(post(client, body))["status"] in {400, 422}


def test_broken_json_is_400_and_says_where_it_broke(client):
    problem = problem_of(post(client, b'{"query": "a",}'))
    assert problem["status"] == 400
    assert problem["detail"].startswith("The body must be JSON. Received: ")


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "image/png", "nonsense"])
def test_another_media_type_is_415(client, media_type):
    response = post(client, b'{"query": "usb"}', **{"content-type": media_type})
    assert problem_of(response)["status"] == 415
    assert response.headers["accept"] == "application/json"


def test_json_by_any_of_its_names_is_taken(client):
    for media_type in ("application/json; charset=utf-8", "Application/JSON", "application/vnd.shop+json"):
        assert post(client, b'{"query": "usb"}', **{"content-type": media_type}).status_code == 200


def test_every_wrong_field_is_listed_with_its_pointer(client):
    problem = problem_of(post(client, b'{"k": 0, "filter": "u1", "a/b~c": 1}'))
    assert {error["pointer"]: error["detail"] for error in problem["errors"]} == {
        "#/query": "This field is required.",
        "#/k": "Input should be greater than or equal to 1. Received: 0.",
        "#/filter": "This field is not known. Leave it out.",
        "#/a~1b~0c": "This field is not known. Leave it out.",
    }
    assert "filter: This field is not known. Leave it out." in problem["detail"]


def test_a_long_query_is_not_sent_back(client):
    problem = problem_of(post(client, json.dumps({"query": "x" * 5000}).encode()))
    assert problem["status"] == 422
    assert "512 characters" in problem["detail"]
    assert len(problem["detail"]) < 300


def test_half_a_surrogate_pair_is_refused_and_not_a_failure(client):
    assert problem_of(post(client, b'{"query": "\\ud800"}'))["status"] == 400
    assert problem_of(post(client, b'{"query": "usb", "\\ud800": 1}'))["status"] == 400


def test_descriptions_give_the_media_type_of_problems():
    described = describe_problems(404)[404]
    assert described["description"] == "Not Found"
    assert described["content"][PROBLEM_JSON]["schema"]["required"] == ["title", "status", "detail"]


@given(
    body=st.binary(max_size=200)
    | st.text(max_size=100).map(lambda text: json.dumps({"query": text, text: text}).encode())
)
@settings(max_examples=60, deadline=None)
def test_no_body_is_a_failure_of_the_service(shared_client, body):
    response = post(shared_client, body)
    assert response.status_code in {200, 400, 422}
    if response.status_code != 200:
        problem_of(response)


def test_many_faults_are_told_in_part(client):
    body = json.dumps({"query": "usb"} | {f"field{number}": 1 for number in range(50)}).encode()
    problem = problem_of(post(client, body))
    assert len(problem["errors"]) == 20
    assert "field19: This field is not known. Leave it out. And 30 more." in problem["detail"]


def test_a_long_name_is_not_sent_back_whole(client):
    problem = problem_of(post(client, json.dumps({"query": "usb", "x" * 5000: 1}).encode()))
    assert len(problem["detail"]) < 400


def test_faults_name_their_place():
    faults = [{"loc": ("body", "a", 0), "type": "missing", "msg": "", "input": None}]
    assert tell_faults(faults, skip=1) == "a.0: This field is required."
    assert tell_faults([{**faults[0], "loc": ("body",)}], skip=1) == "body: This field is required."
