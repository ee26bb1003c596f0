import io
import sys

import pytest

from aisle.core.progress import progress_bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def show_terminal(monkeypatch) -> Terminal:
    """Put a terminal in stderr's place; not a fixture, since pytest sets stderr anew after those."""
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return screen


def test_machines_are_shown_nothing(capsys):
    with progress_bar("Training", total=10, unit="pairs") as advance:
        advance(10, "loss 0.5")
        advance(1)
    assert capsys.readouterr() == ("", "")


def test_of_several_processes_the_first_draws(monkeypatch):
    monkeypatch.setenv("RANK", "1")
    terminal = show_terminal(monkeypatch)
    with progress_bar("Training", total=10, unit="pairs") as advance:
        advance(10)
    assert terminal.getvalue() == ""


def test_people_see_title_count_rate_and_note_on_stderr(monkeypatch, capsys):
    terminal = show_terminal(monkeypatch)
    with progress_bar("Training", total=10, unit="pairs") as advance:
        advance(3)
        advance(7, "loss 0.5")
    shown = terminal.getvalue()
    for part in ("Training", "10/10", "pairs/s", "loss 0.5"):
        assert part in shown
    assert capsys.readouterr().out == ""


def test_an_unknown_total_is_a_question_mark(monkeypatch):
    terminal = show_terminal(monkeypatch)
    with progress_bar("Reading", total=None, unit="rows") as advance:
        advance(5)
    assert "5/?" in terminal.getvalue()


def test_an_error_inside_passes_through(monkeypatch):
    show_terminal(monkeypatch)
    with pytest.raises(KeyError), progress_bar("Training", total=1, unit="pairs"):
        raise KeyError
