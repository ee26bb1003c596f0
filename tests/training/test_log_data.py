import numpy as np


def slice_rows(log, number):
    return np.flatnonzero(np.asarray(log.train.snapshot) == number)


def test_nothing_from_a_slice_on_is_in_the_graph_of_its_batches(log_data):
    """What happens at or after the slice's start changes no neighbour of its searches and products, but later ones."""
    data, _ = log_data()
    log = data.log
    number = 2
    rows = slice_rows(log, number)
    changed_data, _ = log_data(int(rows[0]))
    changed = changed_data.log
    products = np.arange(len(data.product_features))

    def inputs(data, snapshot):
        log = data.log
        queries = log.queries(data.query_features, log.train, rows, snapshot=snapshot)
        found = log.products(data.product_features, products, snapshot=snapshot)
        return queries, found

    for one, other in zip(inputs(data, number), inputs(changed_data, number), strict=True):
        assert (one.neighbours.index >= 0).any()
        np.testing.assert_array_equal(one.neighbours.index, other.neighbours.index)
        np.testing.assert_array_equal(one.neighbours.weight, other.neighbours.weight)
    later = [inputs(one, number + 1)[1].neighbours.index for one in (data, changed_data)]
    assert (later[0] != later[1]).any()
    assert changed.last_snapshot == log.last_snapshot


def test_a_history_holds_only_what_was_before_its_search(log_data):
    data, _ = log_data()
    log = data.log
    rows = slice_rows(log, 3)
    changed, _ = log_data(int(rows[5]))
    one, other = (
        each.log.queries(each.query_features, each.log.train, rows, snapshot=3).history for each in (data, changed)
    )
    assert (one.stage[:6] >= 0).any()
    np.testing.assert_array_equal(one.product_index[:6], other.product_index[:6])
    assert (one.age_s[one.stage >= 0] > 0).all()
    # Later searches of the same actors do see what changed.
    assert (one.product_index != other.product_index).any()


def test_products_are_on_sale_where_no_lifetime_is_known(log_data):
    data, _ = log_data()
    assert data.log.on_sale(1).tolist() == list(range(120))


def test_validation_reads_the_last_snapshot_and_each_searchers_own_past(log_data):
    data, _ = log_data()
    features = data.validation.query_features
    assert len(features) == data.validation.qrels.num_queries
    assert (features.history.stage >= 0).any(axis=1).mean() > 0.5
    assert (features.context.ids[:, 0] >= 0).all()
    assert (data.product_features.neighbours.index >= 0).any()
