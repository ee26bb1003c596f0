"""There is no Docker where the tests run: what the Dockerfile relies on is checked instead."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LINES = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text(encoding="utf-8")).splitlines()


def told(word):
    return [line.removeprefix(f"{word} ") for line in LINES if line.startswith(f"{word} ")]


def test_what_is_copied_exists_and_is_not_left_out():
    copied = {name for line in told("COPY") if "--from" not in line for name in line.split()[:-1]}
    assert copied == {"pyproject.toml", "constraints.txt", "README.md", "LICENSE", "src"}
    assert all((ROOT / name).exists() for name in copied)
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert ignored[0] == "*"
    assert {line[1:] for line in ignored if line.startswith("!")} == copied


def test_it_runs_as_nobody_in_particular_and_needs_a_key():
    assert told("USER") == ["aisle"]
    assert LINES.index("USER aisle") < LINES.index('ENTRYPOINT ["aisle"]')
    command = json.loads(told("CMD")[0])
    assert command == ["serve", "--host", "0.0.0.0", "--port", "8000"]
    assert "API_KEY=" not in "\n".join(LINES)


@pytest.mark.parametrize("option", ["--host", "--port"])
def test_the_options_are_those_of_the_command(aisle, option):
    assert option in aisle("serve", "--help").out


def test_the_health_check_asks_the_service():
    assert "http://127.0.0.1:8000/healthz" in told("HEALTHCHECK")[0]
    assert told("EXPOSE") == ["8000"]
