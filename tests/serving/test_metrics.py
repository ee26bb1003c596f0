import pytest
from prometheus_client.parser import text_string_to_metric_families

PREFIX = "aisle_"


def samples(client):
    text = client.get("/metrics").text
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[sample.name, tuple(sorted(sample.labels.items()))] = sample.value
    return found


def value_of(found, name, /, **labels):
    return found[PREFIX + name, tuple(sorted(labels.items()))]


def test_it_is_text_that_prometheus_reads(client):
    response = client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain; version=")
    assert samples(client)


def test_requests_are_counted_by_route_and_never_by_what_they_hold(client):
    for _ in range(3):
        client.post("/v1/search", json={"query": "very private", "user_id": "u17"})
    client.put("/v1/products/secret", json={"title": "A"})
    client.delete("/v1/actors/user/u17")
    client.get("/nowhere/secret")
    client.get("/static/app.js")
    found = samples(client)
    assert value_of(found, "request_seconds_count", method="POST", route="/v1/search", status="200") == 3
    route = "/v1/products/{product_id:path}"
    assert value_of(found, "request_seconds_count", method="PUT", route=route, status="200") == 1
    assert value_of(found, "request_seconds_count", method="GET", route="none", status="404") == 1
    assert value_of(found, "request_seconds_count", method="GET", route="/static", status="200") == 1
    text = client.get("/metrics").text
    assert not any(word in text for word in ("private", "u17", "secret"))


def test_stages_of_searches_are_summed_by_mode(client):
    for _ in range(2):
        client.post("/v1/search", json={"query": "usb", "mode": "semantic"})
    found = samples(client)
    assert value_of(found, "search_stage_seconds_sum", mode="semantic", stage="search") == pytest.approx(0.0025)
    assert value_of(found, "search_stage_seconds_count", mode="semantic", stage="encode") == 2


def test_the_shop_tells_how_it_is(client):
    client.put("/v1/products/a", json={"title": "A"})
    found = samples(client)
    assert value_of(found, "products") == 7
    assert value_of(found, "journal_head") == 1
    assert value_of(found, "journal_lag") == 0
    assert value_of(found, "version_age_seconds") == 60
    assert value_of(found, "version_info", version="v2", store="memory") == 1
    assert value_of(found, "query_cache_total", found="hit") == 3
    assert value_of(found, "query_cache_total", found="miss") == 5
    assert value_of(found, "queue_length", queue="search") == 0
    assert value_of(found, "refused_total", queue="write", reason="late") == 0


def test_faults_of_our_own_are_errors_and_wrong_requests_are_not(client, backend, monkeypatch):
    client.post("/v1/search", json={"query": " "})

    def fail(asked):
        raise RuntimeError("broken")

    monkeypatch.setattr(backend, "search", fail)
    client.post("/v1/search", json={"query": "usb"})
    found = samples(client)
    assert value_of(found, "errors_total", route="/v1/search") == 1
    assert value_of(found, "request_seconds_count", method="POST", route="/v1/search", status="422") == 1


def test_an_unheard_method_makes_no_label_of_its_own(client):
    client.request("BREW", "/v1/search")
    assert value_of(samples(client), "request_seconds_count", method="other", route="/v1/search", status="405") == 1
