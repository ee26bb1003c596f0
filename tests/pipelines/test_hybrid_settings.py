import json

import numpy as np
import pyarrow as pa
import pytest

from aisle.core.ids import IdMap
from aisle.core.ranking import NO_PRODUCT, Ranking
from aisle.evaluation import JudgedQueries
from aisle.pipelines.hybrid_settings import settle_hybrid
from aisle.retrieval import DEFAULT_SEMANTIC_WEIGHT, LOG_SEMANTIC_WEIGHT
from aisle.retrieval.loading import load_gate

NUM = 400
PRODUCTS = pa.table({"product_id": [f"p{number}" for number in range(NUM)], "title": ["lamp of oak"] * NUM})


class Side:
    """Finds for query i product i first, or another."""

    def __init__(self, name, *, right):
        self.name, self.right = name, right

    def retrieve(self, queries, *, k):
        number = np.array([int(text.split()[-1]) for text in queries.texts])
        index = (number[:, None] + (0 if self.right else 150) + np.arange(k)) % NUM
        index[:, 150:] = NO_PRODUCT
        score = np.where(index == NO_PRODUCT, -np.inf, np.linspace(9, 1, k)).astype(np.float32)
        return Ranking(index, score)


@pytest.fixture
def judged():
    judgments = pa.table(
        {
            "query": [f"lamp {number}" for number in range(NUM)],
            "product_id": [f"p{number}" for number in range(NUM)],
            "grade": [1.0] * NUM,
        }
    )
    return JudgedQueries.from_judgments(judgments, IdMap(PRODUCTS.column("product_id")), split=None)


def settled(folder, recipe, *, words=True, judged=None, from_log=False):
    sides = Side("lexical", right=words), Side("semantic", right=True)
    found = settle_hybrid(recipe, PRODUCTS, folder, sides=sides, judged=judged, from_log=from_log)
    assert json.loads((folder / "hybrid.json").read_text()) == found
    return found


def test_without_judgments_the_weight_is_fixed_and_the_gate_off(tiny_recipe, tmp_path):
    found = settled(tmp_path, tiny_recipe())
    assert (found["semantic_weight"], found["weight_from"]) == (DEFAULT_SEMANTIC_WEIGHT, "fixed default")
    assert found["gate"] == {"on": False, "told": "off: without validation judgments nothing tells what it costs"}
    assert load_gate(tmp_path) is None


def test_a_model_that_learnt_from_a_log_has_a_default_of_its_own(tiny_recipe, tmp_path):
    found = settled(tmp_path, tiny_recipe(), from_log=True)
    assert found["semantic_weight"] == LOG_SEMANTIC_WEIGHT > DEFAULT_SEMANTIC_WEIGHT
    assert "learnt from a log" in found["weight_from"]


def test_judgments_settle_weight_and_gate(tiny_recipe, judged, tmp_path):
    found = settled(tmp_path, tiny_recipe(), words=False, judged=judged)
    assert found["semantic_weight"] > 0.5
    assert found["weight_from"] == "400 validation queries"
    assert "words alone lose" in found["gate"]["told"]


def test_a_gate_that_judgments_allow_is_written_beside_it(tiny_recipe, judged, tmp_path):
    # The numbers of the queries stand in no title: every query would be held back but for a threshold of 0 titles.
    products = PRODUCTS.set_column(1, "title", pa.array([f"lamp {number}" for number in range(NUM)]))
    sides = Side("lexical", right=True), Side("semantic", right=True)
    recipe = tiny_recipe()
    found = settle_hybrid(recipe, products, tmp_path, sides=sides, judged=judged, from_log=False)
    assert found["gate"]["on"]
    assert load_gate(tmp_path).least_titles == found["gate"]["least_titles"] == 1


def test_a_recipe_can_switch_the_gate_off(tiny_recipe, judged, tmp_path):
    found = settled(tmp_path, tiny_recipe(hybrid__gate="false"), judged=judged)
    assert found["gate"] == {"on": False, "told": "off: as the recipe says"}
