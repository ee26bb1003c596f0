from aisle.cli.hits import print_hits
from aisle.retrieval import Hit

SIDE = {"weight": 0.5, "rank": 3, "score": 7.0, "normalised": 0.8, "adds": 0.4}
ABSENT = {"weight": 0.5, "rank": None, "score": None, "normalised": 0.0, "adds": 0.0}


def hit(explanation=None):
    return Hit(1, "p1", 0.4, {"title": "Lamp [red]", "price": 9.5}, explanation)


def test_a_line_per_hit_without_parts(capsys):
    print_hits("lamp (hybrid)", [hit()])
    out = capsys.readouterr().out
    assert all(text in out for text in ("lamp (hybrid)", "0.400", "p1", "Lamp [red]", "9.50"))


def test_sides_with_their_ranks_and_signed_parts(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "150")
    explanation = {
        "semantic_score": 0.5,
        "parts": {"term": 0.625, "history": -0.125},
        "sides": {"lexical": ABSENT, "semantic": SIDE},
    }
    print_hits("lamp (hybrid)", [hit(explanation), hit()])
    out = capsys.readouterr().out
    assert all(text in out for text in ("+lexical", "+semantic", "0.400 (#3)", "term", "+0.625", "-0.125"))
