import pytest

from aisle.serving.middleware import MAX_BODY_BYTES, SECURITY_HEADERS

JSON = {"content-type": "application/json"}


def body_of(num_bytes):
    frame = b'{"query": "usb"}'
    return frame + b" " * (num_bytes - len(frame))


def test_a_body_of_exactly_the_limit_passes(client):
    assert client.post("/v1/search", content=body_of(MAX_BODY_BYTES), headers=JSON).status_code == 200


def test_one_byte_more_is_413(client, backend):
    response = client.post("/v1/search", content=body_of(MAX_BODY_BYTES + 1), headers=JSON)
    assert response.status_code == 413
    assert response.headers["content-type"] == "application/problem+json"
    assert str(MAX_BODY_BYTES) in response.json()["detail"]
    assert backend.asked == []


def test_a_body_without_length_is_counted_as_it_arrives(client):
    def chunks():
        for _ in range(100):
            yield b" " * 1024

    assert client.post("/v1/search", content=chunks(), headers=JSON).status_code == 413


@pytest.mark.parametrize("path", ["/", "/healthz", "/nowhere", "/static/app.js", "/openapi.json"])
def test_every_answer_carries_the_guarding_headers(client, path):
    headers = client.get(path).headers
    assert {name: headers.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS


def test_scripts_may_only_come_from_files_of_the_service():
    policy = dict(rule.strip().split(" ", 1) for rule in SECURITY_HEADERS["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert "unsafe" not in str(policy)
