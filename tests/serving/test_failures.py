import logging

import pytest

from aisle.serving.failures import log_failure


@pytest.mark.parametrize("level", [logging.WARNING, logging.INFO])
def test_a_failure_is_answered_and_logged_by_its_place(client, backend, monkeypatch, caplog, level):
    def fail(asked):
        raise ValueError(f"cannot search {asked.query}")

    monkeypatch.setattr(backend, "search", fail)
    with caplog.at_level(level, "aisle.serving"):
        response = client.post("/v1/search", json={"query": "very private"})
    assert (response.status_code, response.headers["content-type"]) == (500, "application/problem+json")
    assert response.json()["detail"] == "The service failed on this request. Its log has the cause."
    (record,) = caplog.records
    told = record.getMessage()
    assert record.levelno == logging.ERROR
    assert "in fail" in told
    assert "ValueError" in told
    assert ("very private" in told) == (level == logging.INFO)


def test_the_message_is_only_told_where_queries_are(caplog):
    logger = logging.getLogger("aisle.serving.test")
    with caplog.at_level(logging.WARNING, logger.name):
        log_failure(logger, ValueError("private"))
    assert "private" not in caplog.text
    assert "--log-queries" in caplog.text
