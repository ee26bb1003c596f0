import pytest
from fastapi.testclient import TestClient

from aisle.api import PROBLEM_JSON
from aisle.serving import KeyRing, ServiceSettings, create_app

HERE = "http://127.0.0.1:8000"
KEY, READ_KEY = "k" * 16, "r" * 16
ROUTES = [
    ("GET", "/readyz", 200, None),
    ("GET", "/metrics", 200, None),
    ("GET", "/openapi.json", 200, None),
    ("POST", "/v1/search", 200, {"query": "usb"}),
    ("GET", "/v1/versions", 200, None),
    ("PUT", "/v1/products/a", 200, {"title": "A"}),
    ("DELETE", "/v1/products/a", 200, None),
    ("POST", "/v1/events", 200, {"action_name": "click", "user_id": "u"}),
    ("DELETE", "/v1/actors/user/u", 200, None),
    ("POST", "/v1/versions", 202, None),
    ("PUT", "/v1/versions/current", 200, {"id": "v1"}),
    ("GET", "/nowhere", 404, None),
]
READING = {"/readyz", "/metrics", "/openapi.json", "/v1/search", "/v1/versions", "/nowhere"}


@pytest.fixture
def guarded(backend):
    settings = ServiceSettings(hosts=None, keys=KeyRing.of(KEY, read_key=READ_KEY))
    return TestClient(create_app(backend, info={}, settings=settings), base_url="http://shop.example")


def bearer(key):
    return {"Authorization": f"Bearer {key}"}


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8000", "localhost", "LOCALHOST:1", "[::1]:8000", "[::1]"])
def test_names_of_this_machine_are_heard(client, host):
    assert client.get("/healthz", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "localhost.evil.example", "", "[::2]", "::1"],
)
def test_a_name_that_only_points_here_is_refused(client, host):
    response = client.get("/readyz", headers={"host": host})
    assert (response.status_code, response.headers["content-type"]) == (421, PROBLEM_JSON)
    assert "must be a name of this service" in response.json()["detail"]


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:8001", ""])
@pytest.mark.parametrize(("method", "path", "status", "body"), ROUTES)
def test_no_page_of_another_origin_gets_through(client, backend, origin, method, path, status, body):
    response = client.request(method, path, json=body, headers={"origin": origin})
    assert response.status_code == 403
    assert not any(name.startswith("access-control") for name in response.headers)
    assert (backend.written, backend.asked) == ([], [])


def test_the_services_own_page_gets_through(client):
    headers = {"origin": HERE, "host": HERE.removeprefix("http://")}
    assert client.post("/v1/search", json={"query": "usb"}, headers=headers).status_code == 200


def test_a_preflight_is_answered_without_leave(client):
    asked = {"origin": "https://evil.example", "access-control-request-method": "PUT"}
    response = client.options("/v1/products/a", headers=asked)
    assert response.status_code == 403
    assert not any(name.startswith("access-control") for name in response.headers)


@pytest.mark.parametrize(("method", "path", "status", "body"), ROUTES)
def test_with_a_key_every_route_asks_for_it(guarded, backend, method, path, status, body):
    wrong = [{}, bearer(""), bearer(KEY[:-1]), bearer(KEY + "k"), {"Authorization": f"Basic {KEY}"}, {"x-api-key": KEY}]
    for headers in wrong:
        response = guarded.request(method, path, json=body, headers=headers)
        assert (response.status_code, response.headers["content-type"]) == (401, PROBLEM_JSON)
        assert response.headers["www-authenticate"] == 'Bearer realm="aisle"'
    assert (backend.written, backend.asked) == ([], [])
    assert guarded.request(method, path, json=body, headers=bearer(KEY)).status_code == status


@pytest.mark.parametrize(("method", "path", "status", "body"), ROUTES)
def test_the_key_for_reading_only_reads(guarded, backend, method, path, status, body):
    response = guarded.request(method, path, json=body, headers=bearer(READ_KEY))
    assert response.status_code == (status if path in READING and method in {"GET", "POST"} and status != 202 else 403)
    assert backend.written == []


@pytest.mark.parametrize("path", ["/healthz", "/", "/static/app.js"])
def test_a_supervisor_and_the_page_itself_need_no_key(guarded, path):
    assert guarded.get(path).status_code == 200


def test_the_page_cannot_be_written_without_a_key(guarded):
    assert guarded.put("/static/app.js").status_code == 401


def test_the_description_says_that_a_key_is_needed(guarded, client):
    document = guarded.get("/openapi.json", headers=bearer(KEY)).json()
    assert document["security"] == [{"key": []}]
    assert document["components"]["securitySchemes"]["key"] == {"type": "http", "scheme": "bearer"}
    assert document["paths"]["/healthz"]["get"]["security"] == []
    assert "security" not in client.get("/openapi.json").json()
