from pathlib import Path

import pytest
import typer

from aisle.cli.together import launch, options_again
from aisle.pipelines import launching


def test_options_are_given_again():
    again = options_again(Path("shop"), Path("own.toml"), ["a.b=1", "c=x y"], as_json=False)
    assert again == ["--workspace", "shop", "--recipe", "own.toml", "--set", "a.b=1", "--set", "c=x y"]
    assert options_again(Path("shop"), None, None, as_json=True) == ["--workspace", "shop", "--json"]


@pytest.mark.parametrize("code", [0, 2])
def test_a_launched_command_ends_as_its_first_process(monkeypatch, code):
    called = []
    monkeypatch.setattr(launching, "run_together", lambda command, *, number: called.append((command, number)) or code)
    with pytest.raises(typer.Exit) as ended:
        launch(["train", "--json"], number=2)
    assert ended.value.exit_code == code
    [(command, number)] = called
    assert (command[1:], number) == (["-m", "aisle.cli", "train", "--json"], 2)
