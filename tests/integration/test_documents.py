"""What README and guide show works as they show it."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import typer

from aisle.cli.app import app

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(language):
    return [
        block
        for path in DOCUMENTS
        for block in re.findall(rf"```{language}\n(.*?)```", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    ]


def commands():
    lines = [
        re.sub(r"^(# )?(\.venv/bin/)?", "", line)
        for block in [*blocks("sh"), *blocks("toml")]
        for line in block.splitlines()
    ]
    return [line for line in lines if line.startswith("aisle ")]


def test_there_are_commands_to_check():
    assert len(commands()) > 8


def app_commands():
    return typer.main.get_command(app).commands.keys()


@pytest.mark.parametrize("line", commands())
def test_commands_have_the_options_that_are_shown(line):
    _, name, *arguments = shlex.split(line, comments=True)
    command = typer.main.get_command(app).commands[name]
    with command.make_context(name, arguments) as context:
        assert context.args == []
        assert context.info_name in app_commands()


def test_the_python_of_the_guide_runs(built_shop, monkeypatch):
    monkeypatch.chdir(built_shop.path.parent)
    [block] = [block for block in blocks("python") if "TwoTower.load" in block]
    names = {}
    exec(block, names)
    assert [hit.rank for hit in names["hits"]] == [1, 2, 3, 4, 5]
    assert names["vectors"].shape == (1, 32)
    assert names["vectors"].dtype == np.float32
