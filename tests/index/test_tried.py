from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge

from aisle.index import HnswConfig
from aisle.index.tried import Tried, tried_values

Codes = Literal["a", "b"]


@dataclass(frozen=True)
class Settings:
    codes: Annotated[Codes, Tried(("a", "b"))] = "a"
    lists: Annotated[int, Ge(1), Tried((8, 16))] = 8
    probes: Annotated[int, Tried((1, 2), is_of_search=True)] = 1
    threads: Annotated[int, Ge(0)] = 0
    name: str = ""


def test_values_are_read_off_the_annotations():
    assert tried_values(Settings, is_of_search=False) == {"codes": ("a", "b"), "lists": (8, 16)}
    assert tried_values(Settings, is_of_search=True) == {"probes": (1, 2)}


def test_what_hnsw_tries_holds_its_defaults():
    config = HnswConfig()
    tried = {**tried_values(HnswConfig, is_of_search=False), **tried_values(HnswConfig, is_of_search=True)}
    assert set(tried) == {"storage", "num_links", "ef_construction", "ef_search"}
    assert all(getattr(config, name) in values for name, values in tried.items())
