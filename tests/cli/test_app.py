import subprocess
import sys

import pytest

from aisle import __version__

COMMANDS = ["demo", "simulate", "import", "train", "index", "evaluate", "search", "serve"]

# Asks every command for its help in one process, and prints what came with it.
_HELP = """
import sys
from typer.testing import CliRunner
from aisle.cli.app import app
for arguments in ["--help"], *([command, "--help"] for command in sys.argv[1:]):
    result = CliRunner().invoke(app, arguments)
    print(arguments[0], result.exit_code, "Example:" in result.output)
print("heavy", sorted({"torch", "duckdb", "pyarrow", "transformers", "faiss"} & set(sys.modules)))
"""


def test_every_help_has_an_example_and_loads_nothing_heavy():
    ran = subprocess.run([sys.executable, "-c", _HELP, *COMMANDS], capture_output=True, text=True, check=True)
    expected = [f"{name} 0 True" for name in ["--help", *COMMANDS]]
    assert ran.stdout.splitlines() == [*expected, "heavy []"]


def test_help_lists_every_command(aisle):
    result = aisle("--help")
    assert result.code == 0
    assert all(f" {command} " in result.out for command in COMMANDS)


def test_without_arguments_help_is_shown(aisle):
    assert "Usage: aisle" in aisle().out


def test_version(aisle):
    assert aisle("--version").out == f"aisle {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["trian"], "No such command"),
        (["train", "--epochs", "3"], "No such option"),
        (["search"], "Missing argument"),
        (["search", "lamp", "--k", "many"], "--k"),
        (["simulate", "--products", "3"], "100"),
    ],
)
def test_arguments_that_do_not_parse_exit_with_2(aisle, arguments, text):
    result = aisle(*arguments)
    assert (result.code, result.out) == (2, "")
    assert text in result.err


def test_errors_are_one_line_with_exit_codes_by_kind(aisle, tmp_path):
    missing = aisle("train", "--workspace", tmp_path / "none")
    assert missing.code == 1
    assert missing.err.startswith("Error: The workspace must exist. Received: workspace=")
    assert missing.err.count("\n") == 1
    usage = aisle("import", "--workspace", tmp_path / "none")
    assert usage.code == 2
    assert usage.err.startswith("Error: Import takes own files, a known data set, or both.")
    assert not (tmp_path / "none").exists()


def test_ctrl_c_says_that_what_was_finished_is_kept(aisle, monkeypatch, tmp_path):
    def interrupted(*_arguments, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr("aisle.workspace.Workspace.open", interrupted)
    result = aisle("train", "--workspace", tmp_path)
    assert (result.code, result.err) == (130, "Interrupted; what was finished is kept.\n")


def test_an_error_of_our_own_is_not_hidden(aisle, monkeypatch, tmp_path):
    def broken(*_arguments, **_options):
        raise ZeroDivisionError

    monkeypatch.setattr("aisle.workspace.Workspace.open", broken)
    with pytest.raises(ZeroDivisionError):
        aisle("train", "--workspace", tmp_path)
