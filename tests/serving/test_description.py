import pytest


@pytest.fixture
def document(client):
    return client.get("/openapi.json").json()


def references(node):
    if isinstance(node, dict):
        found = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return found + [one for value in node.values() for one in references(value)]
    return [one for value in node for one in references(value)] if isinstance(node, list) else []


def test_every_reference_leads_to_a_model(document):
    names = {reference.removeprefix("#/components/schemas/") for reference in references(document)}
    assert {"SearchRequest", "SearchFilters", "ProductDocument", "EventDocument", "VersionChoice"} <= names
    assert names <= document["components"]["schemas"].keys()


def test_it_is_made_once(app):
    assert app.openapi() is app.openapi()


@pytest.mark.parametrize(
    "name", ["SearchRequest", "SearchResponse", "ProductDocument", "EventDocument", "WriteDocument"]
)
def test_models_carry_examples(document, name):
    assert document["components"]["schemas"][name]["examples"]


def test_every_operation_says_what_it_does_and_how_it_fails(document):
    operations = [one for path in document["paths"].values() for one in path.values()]
    assert len(operations) == 12
    for operation in operations:
        assert operation["summary"]
        assert operation["description"]
        problems = {status: one for status, one in operation["responses"].items() if int(status) >= 400}
        assert all("application/problem+json" in one["content"] for one in problems.values())
