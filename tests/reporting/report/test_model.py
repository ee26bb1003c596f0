from aisle.reporting.report import model_section


def test_curves_figures_and_sources(make_trained, made):
    section = model_section(make_trained(), made=[made])
    assert section.body.count("<svg") == 4
    assert "<h3>Validation</h3>" in section.body
    assert "term (" in section.body
    assert '<th scope="row">weights of step</th><td>40</td>' in section.body
    assert "ab" * 32 not in section.body
    [finding] = section.findings
    assert "33,000 parameters" in finding
    assert "R@100 0.750" in finding
    assert section.made == (made,)


def test_no_model_and_one_that_cannot_be_read(made):
    assert model_section(None, made=()).command == "aisle train"
    assert model_section(None, made=[made], problem="Too old.").missing == "Too old."
