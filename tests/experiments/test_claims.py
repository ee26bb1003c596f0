import numpy as np
import pytest

from aisle.experiments import READY_SPECIFICATION, Claim, hold_against, published_claims, read_specification


def claim(row, **more):
    return Claim(**{"row": row, "measure": "R@100", "claim": "it helps", "source": "s", "note": "n", **more})


def test_lift_and_agreement(compared):
    rows = compared(helps=0.2, hurts=-0.2)
    helps, hurts = hold_against([claim("helps", lift=0.25), claim("hurts", lift=0.25)], rows, labels="truth")
    # What has a fifth less is what the baseline has a quarter more of.
    assert (helps.lift, helps.sign, helps.holds_figure) == (pytest.approx(0.25), "agrees", True)
    assert helps.low < 0.25 < helps.high
    assert (hurts.lift, hurts.sign, hurts.holds_figure) == (pytest.approx(-1 / 6), "disagrees", False)


def test_a_difference_whose_interval_holds_0_is_not_told_apart(compared):
    rows = compared(helps=0.2)
    [held] = hold_against([claim("helps", measure="MRR")], rows, labels="truth")
    assert (held.sign, held.holds_figure, held.lift) == ("not told apart from 0", None, 0.0)


def test_a_claim_of_a_slice_is_held_against_the_slice(compared):
    rows = compared(slices={"domestic": np.arange(200) < 50}, helps=0.5)
    [held] = hold_against([claim("helps", slice="domestic")], rows, labels="truth")
    assert held.lift == pytest.approx(1.0)
    assert held.as_dict()["measured_lift"]["value"] == held.lift


@pytest.mark.parametrize("changed", [{"row": "absent"}, {"slice": "absent"}, {"measure": "absent"}, {"row": "same"}])
def test_what_was_not_compared_is_left_out(compared, changed):
    assert hold_against([claim(**{"row": "helps", **changed})], compared(helps=0.2, same=0.0), labels="truth") == []


def test_published_claims_are_of_the_ready_rows():
    rows = read_specification(READY_SPECIFICATION, check=lambda _: None).rows
    claims = published_claims()
    assert len(claims) >= 8
    assert {one.row for one in claims} <= set(rows)
    assert all(rows[one.row].baseline is not None and one.source and one.note for one in claims)
    figures = {one.row: one.lift for one in claims if one.lift is not None}
    assert figures == {
        "without graph": 0.15,
        "without history": 0.02,
        "without context": 0.08,
        "quantised index": 0.042,
    }
