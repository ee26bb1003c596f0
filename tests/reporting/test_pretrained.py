def test_summary_holds_what_was_measured_before_and_after(make_pretrained):
    summary = make_pretrained().summary()
    assert summary["held_out"] == {"masked_accuracy": 0.5, "contrastive_recall": 0.75}
    assert summary["before"] == {"masked_accuracy": 0.125, "contrastive_recall": 0.25}
    assert (summary["steps"], summary["best_step"], summary["pairs"], summary["purchases"]) == (20, 20, 40, 3)


def test_rows_tell_sources_and_figures(make_pretrained):
    told = make_pretrained()
    sources, figures = dict(told.sources()), dict(told.figures())
    assert sources["products"] == "300; 7 came later and were left out"
    assert sources["pairs"] == "40: queries and products of the log"
    assert figures["masked accuracy"] == "0.5000; 0.1250 before"
    assert figures["steps"] == "20 of 30 planned"
    assert figures["time"] == "1.2 minutes, 1,234 texts/s"
