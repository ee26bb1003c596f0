def test_only_rules_that_met_rows_are_told(load):
    rows = [{"query_id": "q", "user_query": "lamp", "client_id": "c", "timestamp": 1_700_000_000}]
    assert load(*rows).notes == ("the log has no orders: clicks and carts are all that it teaches",)
    click = {"action_name": "click", "query_id": "gone", "client_id": "c", "timestamp": 1_700_000_001}
    assert load(*rows, click).notes == (
        "1 events of a query that the log does not hold went to events",
        "the log has no orders: clicks and carts are all that it teaches",
        "the busiest actor made 1 events",
    )
