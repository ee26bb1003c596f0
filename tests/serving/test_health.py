def test_the_process_is_alive_without_being_asked_for_a_search(client, backend):
    assert client.get("/healthz").json() == {"status": "alive"}
    assert backend.asked == []


def test_readiness_names_the_modes_and_the_catalogue(client):
    assert client.get("/readyz").json() == {
        "status": "ready",
        "modes": ["lexical", "semantic", "hybrid"],
        "default_mode": "hybrid",
        "state": {
            "version": "v2",
            "num_products": 6,
            "journal_head": 0,
            "applied_offset": 0,
            "store_kind": "memory",
        },
        "info": {"name": "Six things", "examples": ["usb hub", "a & b = c?"]},
    }


def test_readiness_follows_the_shop(client):
    client.put("/v1/products/new", json={"title": "New"})
    state = client.get("/readyz").json()["state"]
    assert (state["num_products"], state["journal_head"], state["applied_offset"]) == (7, 1, 1)
