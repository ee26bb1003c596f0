from aisle.reporting.report import evaluation_section
from aisle.reporting.report.evaluation import main_measure


def test_nothing_evaluated_names_the_command():
    assert evaluation_section([], made=()).command == "aisle evaluate"


def test_measures_differences_and_slices(evaluation, hostile, made):
    section = evaluation_section([evaluation], made=[made])
    assert "1,234 test searches with orders, whole catalogue" in section.body
    assert "0.750 [0.650, 0.850]" in section.body
    assert "hybrid − lexical" in section.body
    assert "+0.500 [+0.400, +0.600] <small>p&lt;0.001</small>" in section.body
    assert '<th scope="row">head<small>400</small></th>' in section.body
    assert hostile not in section.body
    assert "&lt;script&gt;" in section.body
    assert "<details><summary>All measures of all slices" in section.body
    assert section.is_simulated is False


def test_the_finding_is_the_main_measure_with_its_intervals(evaluation):
    [finding] = evaluation_section([evaluation], made=()).findings
    assert finding.startswith("On 1,234 test searches with orders, R@100 is lexical 0.250, hybrid 0.750")
    assert "hybrid − lexical +0.500 [+0.400, +0.600]" in finding
    assert main_measure(["MRR", "R@10"]) == "MRR"


def test_notes_say_what_a_reader_must_know(evaluation):
    body = evaluation_section([evaluation], made=()).body
    assert "semantic weight 0.5 (fixed default)" in body
    assert "ranked 90.0 %" in body
    assert "Relevance beside sales, nDCG@10 of 20 queries by judgments of test: lexical 0.500 [0.400, 0.600]" in body
    assert "3 judged products are not in the catalogue" in body
    assert "trust-quality" not in body
    assert "trust-quality" in evaluation_section([{**evaluation, "trusted_quality": {"undated": 1}}], made=()).body


def test_truth_comes_first_and_is_called_simulated(evaluation):
    truth = {**evaluation, "labels": "truth", "labelled": "true products", "simulated": True}
    validation = {**evaluation, "split": "validation"}
    section = evaluation_section([validation, evaluation, truth], made=())
    places = [section.body.index(words) for words in ("the truth (simulated)", "orders</h3>", "orders, validation")]
    assert places == sorted(places)
    assert section.is_simulated
    assert len(section.findings) == 2
    assert "true products (simulated)" in section.findings[0]


def test_one_system_without_slices(evaluation):
    alone = {**evaluation, "paired": {}, "by": {}, "systems": {"lexical": evaluation["systems"]["lexical"]}}
    section = evaluation_section([alone], made=())
    assert "by slice" not in section.body
    assert "Paired" not in section.body
