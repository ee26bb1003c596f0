import dataclasses

from aisle.simulation.needs import Needs, QueryKind


def test_every_column_has_a_row_per_need(draw_needs):
    needs = draw_needs(50)
    assert len(needs) == 50
    assert {len(getattr(needs, field.name)) for field in dataclasses.fields(Needs)} == {50}


def test_kinds_are_numbered_from_zero():
    assert [kind.value for kind in QueryKind] == list(range(len(QueryKind)))
