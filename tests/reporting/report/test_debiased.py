from aisle.reporting.report import debiased_section, evaluation_section


def test_there_is_no_section_unless_it_was_measured(evaluation, made):
    assert debiased_section([], made=()) is None
    assert debiased_section([evaluation], made=[made]) is None


def test_recall_as_logged_stands_above_the_debiased_one_with_the_coverage(evaluation, debiased, hostile, made):
    section = debiased_section([evaluation, debiased], made=[made, made])
    assert section.made == (made,)
    assert "R@100 of 4,321 clicks and orders of 321 test searches: as they stand" in section.body
    as_logged, freed = (section.body.rindex(text) for text in ("0.500 [0.490, 0.510]", "0.250 [0.240, 0.260]"))
    assert as_logged < freed
    assert '<th scope="row">lexical<small>coverage@10 50.0 %</small></th>' in section.body
    assert hostile not in section.body
    assert "worth 210 of equal weight" in section.body
    assert "cut 1.25 % of them" in section.body
    assert "propensity of 75.0 % of them" in section.body


def test_the_finding_tells_both_at_the_deepest_cut(debiased, made):
    [finding] = debiased_section([debiased], made=[made]).findings
    assert "R@100 of clicks and orders is lexical 0.250 (as logged 0.500)" in finding
    assert not debiased_section([{**debiased, "split": "validation"}], made=[made]).findings


def test_what_is_simulated_is_called_so(debiased, made):
    section = debiased_section([{**debiased, "simulated": True}], made=[made])
    assert section.is_simulated
    assert "test searches (simulated)" in section.body
    assert "orders (simulated) is" in section.findings[0]


def test_the_evaluation_points_to_it(evaluation, debiased):
    assert "a section of its own" in evaluation_section([debiased], made=()).body
    assert "a section of its own" not in evaluation_section([evaluation], made=()).body
