import httpx
import pytest

from aisle.client import (
    Client,
    Deletion,
    ProblemError,
    Retries,
    SearchFilters,
    SearchRequest,
    UnreachableError,
)

CLICK = {"action_name": "click", "user_id": "u1", "event_id": "e1"}


@pytest.fixture
def client(service, key):
    with Client(service, key=key, retries=Retries(most=0)) as client:
        yield client


def test_a_product_is_put_found_and_taken_out(client):
    assert client.put_product("a/../b", {"title": "Lamp", "price": 5}).id == "a/../b"
    assert client.search("lamp").hits[-1].product_id == "a/../b"
    assert client.delete_product("a/../b").status == "written"
    assert "a/../b" not in [hit.product_id for hit in client.search("lamp").hits]


def test_a_search_is_typed_both_ways(client, shop):
    request = SearchRequest(query="usb", k=2, mode="semantic", filters=SearchFilters(price_max=100), facets=["brand"])
    answer = client.search(request)
    assert [hit.product_id for hit in answer.hits] == ["hub"]
    assert [(one.value, one.count) for one in answer.facets["brand"]] == [("Northwind", 1)]
    assert shop.asked[-1].where.price_max == 100


def test_long_lists_are_sent_in_parts_and_counted_on(client, shop):
    products = ({"product_id": f"p{number}", "title": "x"} for number in range(1_001))
    results = list(client.put_products(products))
    assert [one.line for one in results] == list(range(1, 1_002))
    assert len(shop.put_products) == 1_001
    mixed = list(client.put_products([Deletion("p0"), {"title": "no id"}]))
    assert [one.status for one in mixed] == ["written", "refused"]


def test_events_and_their_erasure(client, shop):
    assert client.add_event(CLICK).id == "e1"
    assert [one.line for one in client.add_events([CLICK, CLICK])] == [1, 2]
    assert client.erase_actor("user", "u1").events == 3
    assert [kind for kind, *_ in shop.written] == ["event", "event", "event", "erase"]


def test_versions_are_listed_built_and_switched(client, shop):
    assert [one.id for one in client.versions()] == ["v2", "v1"]
    assert client.build_version().state == "building"
    assert client.switch_version("v1").id == shop.current == "v1"


def test_how_the_service_is(client):
    assert client.health().status == "alive"
    assert client.readiness().state.num_products == 6
    assert "aisle_products 6.0" in client.metrics()


def test_a_refusal_carries_its_document(client):
    with pytest.raises(ProblemError, match="A version must be there") as caught:
        client.switch_version("v9")
    assert caught.value.problem.status == 422


def test_a_wrong_key_is_a_problem(service):
    with Client(service, key="another-key-of-many") as stranger, pytest.raises(ProblemError) as caught:
        stranger.search("usb")
    assert caught.value.problem.status == 401


def test_a_service_that_is_not_there_is_told():
    with (
        Client("http://127.0.0.1:9", retries=Retries(most=0)) as client,
        pytest.raises(UnreachableError, match="must answer"),
    ):
        client.health()


def test_what_may_be_sent_again_is(flaky):
    transport = flaky(503, httpx.ReadError("lost"), 502)
    with Client("http://shop", transport=transport, retries=Retries(first_wait_s=0)) as client:
        assert client.health().status == "alive"
    assert transport.num_sent == 4


def test_what_may_not_is_not(flaky):
    transport = flaky(httpx.ReadError("lost"))
    with Client("http://shop", transport=transport) as client, pytest.raises(UnreachableError):
        client.build_version()
    assert transport.num_sent == 1
