import pyarrow as pa
import pytest

from aisle.core.ids import IdMap
from aisle.tables import EVENTS, IMPRESSIONS, JUDGMENTS, PRODUCTS, SEARCHES
from aisle.tables.rules import apply_rules, cast_column


def rules(column, *values, **options):
    kept, findings = apply_rules(pa.chunked_array([pa.array(values)]), column, **options)
    return kept.to_pylist(), [(finding.rule, finding.action, finding.mask.tolist()) for finding in findings]


def test_good_values_give_no_finding():
    assert rules(PRODUCTS.column("price"), "1.5", None, "") == ([1.5, None, None], [])


def test_optional_values_become_null():
    values, findings = rules(PRODUCTS.column("price"), 1.0, -1.0, float("inf"))
    assert values == [1.0, None, None]
    assert findings == [
        ("must be finite", "nulled", [False, False, True]),
        ("must be at least 0", "nulled", [False, True, False]),
    ]


@pytest.mark.parametrize(
    ("column", "bad", "rule"),
    [
        (IMPRESSIONS.column("position"), 0, "must be at least 1"),
        (IMPRESSIONS.column("position"), 1.5, "must be a whole number"),
        (JUDGMENTS.column("grade"), float("nan"), "must be finite"),
        (JUDGMENTS.column("grade"), "good", "must be a number"),
        (JUDGMENTS.column("split"), "dev", "must be one of train, validation, test"),
        (SEARCHES.column("split"), "Test", "must be one of train, validation, test"),
        (SEARCHES.column("searched_at"), "soon", "must be an ISO 8601 time or an epoch number"),
        (PRODUCTS.column("title"), " ", "must be present and not blank"),
    ],
)
def test_values_that_cost_the_row(column, bad, rule):
    _, findings = rules(column, bad)
    assert findings == [(rule, "quarantined", [True])]


@pytest.mark.parametrize(("propensity", "bad"), [(0.0, True), (1.0, False), (1.01, True), (0.001, False)])
def test_propensity_is_a_probability_above_zero(propensity, bad):
    values, findings = rules(IMPRESSIONS.column("propensity"), propensity)
    assert (values == [None]) == bool(findings) == bad


def test_defaults_fill_nulls_but_hide_no_bad_value():
    values, findings = rules(JUDGMENTS.column("split"), None, "train")
    assert (values, findings) == (["test", "train"], [])


def test_unknown_products_need_a_catalogue_to_be_unknown():
    column, ids = EVENTS.column("product_id"), IdMap(["p1"])
    assert rules(column, "p1", "p2", None)[1] == []
    assert rules(column, "p1", "p2", None, known_products=ids)[1] == [
        ("must be a product of the catalogue", "quarantined", [False, True, False])
    ]


def test_dictionaries_and_null_columns_are_read():
    encoded = pa.chunked_array([pa.array(["1", "x"]).dictionary_encode()])
    assert cast_column(encoded, pa.float64()).bad.tolist() == [False, True]
    assert cast_column(pa.chunked_array([pa.nulls(2)]), pa.float64()).values.type == pa.float64()
