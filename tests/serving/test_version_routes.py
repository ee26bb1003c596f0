from aisle.api import VersionDocument, VersionList


def test_versions_are_listed(client):
    found = VersionList.model_validate(client.get("/v1/versions").json()).versions
    assert [(one.id, one.state) for one in found] == [("v2", "current"), ("v1", "ready")]


def test_building_is_accepted_and_goes_on(client):
    response = client.post("/v1/versions")
    assert response.status_code == 202
    assert VersionDocument.model_validate(response.json()).state == "building"


def test_a_switch_and_back(client, backend):
    for name in ("v1", "v2"):
        response = client.put("/v1/versions/current", json={"id": name})
        assert (response.status_code, response.json()["id"], backend.current) == (200, name, name)
        assert client.post("/v1/search", json={"query": "usb"}).json()["version"] == name


def test_an_unknown_version_is_told(client, backend):
    response = client.put("/v1/versions/current", json={"id": "v9"})
    assert response.status_code == 422
    assert response.json()["detail"] == "A version must be there. Received: id='v9'. See the list."
    assert backend.current == "v2"
