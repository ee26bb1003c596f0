import pytest

from aisle.api import SearchRequest
from aisle.serving.bodies import NDJSON, body_described


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "APPLICATION/vnd.x+json"])
def test_json_by_any_of_its_names_is_read(client, kind):
    response = client.post("/v1/search", content=b'{"query": "usb"}', headers={"content-type": kind})
    assert response.status_code == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", NDJSON])
def test_what_a_form_could_send_is_415(client, backend, kind):
    response = client.post("/v1/search", content=b'{"query": "usb"}', headers={"content-type": kind})
    assert response.status_code == 415
    assert response.headers["accept"] == "application/json"
    assert "Content-Type: application/json" in response.json()["detail"]
    assert backend.asked == []


def test_a_body_is_described_by_reference():
    content = body_described(SearchRequest, lines="One per line.")["requestBody"]["content"]
    assert content["application/json"] == {"schema": {"$ref": "#/components/schemas/SearchRequest"}}
    assert content[NDJSON]["schema"]["description"] == "One per line."
    assert list(body_described(lines="x")["requestBody"]["content"]) == [NDJSON]


@pytest.mark.parametrize("body", [b'{"query": NaN}', b'{"query": "usb", "min_score": NaN}', b'{"query": "a"} {}'])
def test_only_json_is_json(client, body):
    response = client.post("/v1/search", content=body, headers={"content-type": "application/json"})
    assert response.status_code in {400, 422}
