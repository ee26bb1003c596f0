from aisle.reporting.report import ablation_section


def test_no_ablation_names_the_command():
    assert ablation_section(None, (), made=()).command == "aisle ablate"


def test_differences_means_and_claims(ablation, hostile, made):
    section = ablation_section(*ablation, made=[made])
    assert "251 test searches with true products (simulated); 3 seeds of what is trained." in section.body
    assert "+0.150 [+0.100, +0.200] <small>p=0.001</small>" in section.body
    assert "seeds 0.740 to 0.760" in section.body
    assert "<td>+15 %</td><td>+20 % [+10 %, +30 %]</td><td>agrees; figure inside the interval</td>" in section.body
    assert "<td></td><td>+20 % [+10 %, +30 %]</td><td>agrees</td>" in section.body
    assert ".942" in section.body
    assert hostile not in section.body
    assert section.is_simulated


def test_the_finding_names_rows_that_are_told_apart(ablation):
    values, tables = ablation
    [finding] = ablation_section(values, tables, made=()).findings
    assert finding == "Simulated ablation: of 2 rows, 1 differ from their baseline by R@100: without graph −0.150."
    values["rows"][1]["measures"]["R@100"]["baseline_minus_this"]["p_holm"] = 0.5
    values["simulated"] = False
    [finding] = ablation_section(values, tables, made=()).findings
    assert finding == "Ablation: none of 2 rows can be told apart from its baseline by R@100."
