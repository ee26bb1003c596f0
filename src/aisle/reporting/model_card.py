"""The model's `README.md`, as Hugging Face reads it: YAML in front, then plain words."""

from __future__ import annotations

from collections.abc import Sequence

from aisle.reporting.trained import Trained

__all__ = ["model_card"]

_FRONT = """\
---
library_name: aisle
pipeline_tag: sentence-similarity
tags:
- two-tower
- product-search
- information-retrieval
- retrieval
- e-commerce
- feature-extraction
# license: yours to choose, such as apache-2.0; a model learnt from a log may tell of its shoppers
---
"""
_USE = """\
## Use

```python
from aisle.towers import TwoTower

model = TwoTower.from_pretrained(".")  # this folder, or owner/name on the Hub; files are checked against manifest.json
queries = model.encode_queries(["wireless headphones"])  # float32 [1, {dim}]
products = model.encode_products(table)  # a pyarrow table with product_id and title
scores = queries @ products.T  # higher is better
```

For tools that expect a `SentenceTransformer`:

```python
from aisle.adapters import SentenceEncoder

encoder = SentenceEncoder.from_pretrained(".")
scores = encoder.similarity(
    encoder.encode_query(["wireless headphones"]),
    encoder.encode_document([{"title": "Over-ear headphones", "brand": "Acme"}]),
)
```

`training.html` shows the curves of the training, `training.json` holds their figures, `manifest.json` all settings,
versions and the hashes of the files.

## Limits

- Validation figures chose these weights: `aisle evaluate` tells what they find on test queries. Recall is capped
  (found / min(relevant, k)); of fewer than 1,000 products R@100 looks at a tenth, and likewise R@10 of fewer than 100.
- The folder of a model that learnt from a log holds the texts of the log's queries (`tables.safetensors`): mind who may
  read it before it is shared.
- A log favours what its search showed. Products that nobody met are known by their words and fields alone.
"""


def model_card(trained: Trained) -> str:
    """Return the text of the card. The licence is left for the shop to fill in."""
    return "\n".join(
        [
            _FRONT,
            "# Aisle two-tower model\n",
            "Encodes queries and products of one shop into one vector space, for retrieval by inner product.\n",
            f"- Parts: {trained.parts()}.",
            f"- Trained on {trained.learnt_from['pairs']:,} pairs over {trained.learnt_from['products']:,} products, "
            f"seed {trained.seed}.\n",
            "## Data\n",
            _table(trained.sources()),
            "\n## Training\n",
            _table(trained.figures()),
            "",
            _USE.replace("{dim}", str(trained.towers.embedding_dim)),
        ]
    )


def _table(rows: Sequence[tuple[str, str]]) -> str:
    lines = [f"| {name} | {value.replace('|', chr(92) + '|')} |" for name, value in rows]
    return "\n".join(["| | |", "|---|---|", *lines])
