from aisle.reporting.report import tuning_section


def test_no_tuning_names_the_command():
    assert tuning_section(None, made=()).command == "aisle tune"


def test_front_chosen_and_all_points(tuning, made):
    section = tuning_section(tuning, made=[made])
    assert section.body.count("<circle") == 4
    assert "chosen: 2,500 → 0.02" in section.body
    assert "other settings: 1,000 → 0.03" in section.body
    assert "hnsw: num_links 16 (chosen)" in section.body
    assert section.body.count("hnsw: num_links 64") == 1
    assert "keeps 97.0% of the exact result is hnsw: num_links 16" in section.findings[0]


def test_the_chosen_alone(tuning):
    alone = {**tuning, "front": tuning["points"][1:2], "points": tuning["points"][1:2]}
    body = tuning_section(alone, made=()).body
    assert "chosen</text>" in body
    assert "Pareto front</text>" not in body
