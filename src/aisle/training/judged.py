"""Training pairs from human judgments whose grades stand for stages of a search."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from jaxtyping import Float64

from aisle.core.ids import IdMap
from aisle.tables import STAGE_GRADES, Stage
from aisle.training.pairs import TrainingPairs

__all__ = ["POSITIVE_GRADE", "judged_pairs"]

POSITIVE_GRADE = STAGE_GRADES[Stage.CLICKED]
"""Stage grade from which a pair is a positive: clicked (2), favorited and carted (3), ordered (4)."""


def judged_pairs(judgments: pa.Table, stage_grade: Float64[np.ndarray, " judgments"], products: IdMap) -> TrainingPairs:
    """Keep the positives among judgments, weighted by stage.

    Args:
        judgments: Rows of a judgments table, all of one split.
        stage_grade: Grade of each row's stage (ordered 4 … shown 1).
        products: The catalogue's ids; judgments of other products are left out.

    Returns:
        Pairs with the stage's grade, divided by the ordered stage's, as weight.
    """
    product_index = products.index_of(judgments.column("product_id"))
    kept = (stage_grade >= POSITIVE_GRADE) & (product_index >= 0)
    texts = judgments.column("query").combine_chunks().filter(pa.array(kept))
    return TrainingPairs.from_texts(
        texts, product_index[kept], (stage_grade[kept] / STAGE_GRADES[Stage.ORDERED]).astype(np.float32)
    )
