"""The tree holds what it promises: a test beside every module, links that lead somewhere, names that exist."""

import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import aisle

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "aisle"

COVERED_ELSEWHERE = {}
"""Module → why it has no test file of its own."""

PACKAGES = ["aisle", *(module.name for module in pkgutil.walk_packages(aisle.__path__, "aisle.") if module.ispkg)]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/*.md")])


def mirror_of(module):
    return ROOT / "tests" / module.parent / f"test_{module.name}"


def test_every_module_has_its_test():
    modules = [path.relative_to(SOURCE) for path in SOURCE.rglob("*.py") if path.name != "__init__.py"]
    assert len(modules) > 50
    missing = {str(module) for module in modules if not mirror_of(module).exists()}
    assert missing - COVERED_ELSEWHERE.keys() == set()
    assert COVERED_ELSEWHERE.keys() <= missing, "a module on the list has its test now, or is gone: take it off"


@pytest.mark.parametrize("name", PACKAGES)
def test_public_names_exist_and_stand_once_in_order(name):
    package = importlib.import_module(name)
    names = getattr(package, "__all__", [])
    assert [one for one in names if not hasattr(package, one)] == []
    assert len(set(names)) == len(names)
    assert package.__doc__


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_relative_links_lead_to_files(document):
    text = document.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    local = [target.partition("#")[0] for target in targets if "://" not in target and not target.startswith("#")]
    assert [target for target in local if not (document.parent / target).exists()] == []
