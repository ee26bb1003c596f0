import re

import yaml

from aisle.reporting import model_card


def test_front_matter_is_yaml_and_leaves_the_licence_to_the_shop(make_trained):
    _, front, body = model_card(make_trained()).split("---\n", 2)
    fields = yaml.safe_load(front)
    assert fields["library_name"] == "aisle"
    assert fields["pipeline_tag"] == "sentence-similarity"
    assert "two-tower" in fields["tags"]
    assert "license" not in fields
    assert "# license: yours to choose" in front
    assert body.lstrip().startswith("# Aisle two-tower model")


def test_the_card_tells_parts_data_figures_and_how_to_load(make_trained):
    card = model_card(make_trained())
    for expected in (
        "- Parts: term (16 dimensions), text (16 dimensions); fusion: post.",
        "68,403 pairs over 20,000 products, seed 7",
        "| learnt window | 2025-06-10 to 2025-08-12 |",
        "| data (SHA-256) | abab",
        "R@100 0.7500",
        'TwoTower.from_pretrained(".")',
        "float32 [1, 32]",
    ):
        assert expected in card


def test_its_code_is_python_and_a_bar_breaks_no_table(make_trained):
    learnt_from = {**make_trained().learnt_from, "validation_from": "a|b"}
    card = model_card(make_trained(learnt_from=learnt_from))
    assert r"712, a\|b |" in card
    codes = re.findall(r"```python\n(.*?)```", card, flags=re.DOTALL)
    assert len(codes) == 2
    for code in codes:
        compile(code, "card", "exec")
