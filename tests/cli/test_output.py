import json
from pathlib import Path

import numpy as np

from aisle.cli.output import keep_for_report, print_json, print_step, say
from aisle.core.errors import WorkspaceError

SUMMARY = {"steps": 1234567, "recall": 0.123456, "seconds": 12345.6, "on": True, "hybrid": {"from": "[bold]recipe"}}


def test_json_is_utf8_whatever_the_terminal_and_undefined_is_null(capfdbinary):
    print_json({"query": "größe", "score": np.float32(0.5), "count": np.int64(3), "nothing": float("nan")})
    out = capfdbinary.readouterr().out
    assert json.loads(out) == {"query": "größe", "score": 0.5, "count": 3, "nothing": None}
    assert "größe".encode() in out
    assert out.endswith(b"}\n")


def test_what_is_said_goes_to_stderr(capsys):
    say("hello")
    assert capsys.readouterr() == ("", "hello\n")


def test_a_step_as_json(capsys):
    print_step("train", SUMMARY, skipped=False, as_json=True)
    out, err = capsys.readouterr()
    assert json.loads(out) == {"step": "train", "skipped": False, **SUMMARY}
    assert err == ""


def test_a_step_as_a_table(capsys):
    print_step("train", SUMMARY, skipped=True, as_json=False)
    out = capsys.readouterr().out
    assert "train (unchanged: skipped)" in out
    shown = {line.split("│")[1].strip(): line.split("│")[2].strip() for line in out.splitlines() if "│" in line}
    assert shown == {
        "steps": "1,234,567",
        "recall": "0.1235",
        "seconds": "12,346",
        "on": "True",
        "hybrid.from": "[bold]recipe",
    }


def test_what_is_kept_is_told_and_what_cannot_be_stops_nothing(capsys):
    def refuse():
        raise WorkspaceError("The workspace must be writable")

    keep_for_report(lambda: Path("shop/evaluation/log-test"))
    keep_for_report(refuse)
    told = capsys.readouterr()
    assert told.out == ""
    assert "Kept in shop/evaluation/log-test for `aisle report`." in told.err
    assert "Not kept for `aisle report`: The workspace must be writable" in told.err
