"""The crash benchmark at the level of the journal, small: what a killed process acknowledged is there, and whole."""

import importlib.util
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def crash(monkeypatch):
    """The modules of the benchmark by name."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))

    def load(name):
        spec = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, module)
        spec.loader.exec_module(module)
        return module

    return load


def test_kills_at_random_moments_lose_nothing_that_was_acknowledged(crash, tmp_path):
    crash("crash_ledger")
    found = crash("crash_journal").kill_writers(tmp_path / "journal", rounds=3, longest_s=0.2)
    assert found.acknowledged >= 3
    assert (found.lost, found.half_written) == (0, 0)


def test_the_ledger_finds_what_is_lost_and_what_is_there_by_halves(crash):
    ledger = crash("crash_ledger").Ledger()
    for token, num_rows in {"whole": 2, "half": 2, "gone": 1, "unknown": 1, "unacknowledged half": 3}.items():
        ledger.send(token, num_rows)
    for token in ("whole", "half", "gone"):
        ledger.acknowledge(token)
    rows = [("whole", "whole"), ("whole", "whole"), ("half", "half"), ("whole", "half"), ("never", "never")]
    found = ledger.compare([*rows, ("unacknowledged half", "unacknowledged half")])
    assert (found.acknowledged, found.lost, found.half_written) == (3, 2, 4)
