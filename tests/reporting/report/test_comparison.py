from aisle.reporting.report import comparison_section


def test_nothing_compared_names_the_command():
    assert comparison_section([], made=()).command == "aisle compare lexical hybrid"


def test_differences_and_changes_in_words(comparison, hostile, made):
    section = comparison_section([comparison], made=[made])
    assert "+0.100 [+0.050, +0.150] <small>p=0.012</small>" in section.body
    assert "corrected by Holm for 2 comparisons" in section.body
    assert "lexical missed “&lt;script&gt;" in section.body
    assert "(not retrieved; hybrid: place 1). lexical showed instead: p2." in section.body
    assert "hybrid missed" in section.body
    assert "(place 1,200; lexical: place 2)" in section.body
    assert hostile not in section.body
    assert section.is_simulated


def test_the_finding_counts_queries(comparison):
    [finding] = comparison_section([comparison], made=()).findings
    assert finding == (
        "By nDCG@10, hybrid is better than lexical on 50 queries, worse on 30, alike on 10 (simulated truth)."
    )


def test_no_changes_no_headings(comparison):
    body = comparison_section([{**comparison, "wins": [], "losses": []}], made=()).body
    assert "Biggest" not in body
