def test_the_process_is_alive_without_being_asked_for_a_search(client, backend):
    assert client.get("/healthz").json() == {"status": "alive"}
    assert backend.asked == []


def test_readiness_names_the_modes_and_the_catalogue(client):
    assert client.get("/readyz").json() == {
        "status": "ready",
        "modes": ["lexical", "semantic", "hybrid"],
        "default_mode": "hybrid",
        "info": {"name": "Six things", "products": 6, "examples": ["usb hub", "a & b = c?"]},
    }
