"""What is pre-trained on: texts, pairs of texts that belong together, and purchases. Nothing of what is held out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool, Int64

from aisle.core.ragged import expand_slices
from aisle.features import ProductText, product_text
from aisle.mining import MinedLog
from aisle.tables import STAGE_GRADES, Stage
from aisle.training import TrainingPairs
from aisle.training.judged import POSITIVE_GRADE
from aisle.training.pairs import NO_PAIRS

__all__ = ["PretrainTexts", "catalogue_texts", "known_before", "logged_texts"]


@dataclass(frozen=True, eq=False)
class PretrainTexts:
    """Texts of a shop.

    Attributes:
        texts: Distinct texts of products and queries, none empty: tokens of them are hidden and guessed.
        products: Text of each product as the pairs know it, a position each.
        pairs: Queries with products that they led to, or titles with the rest of their product's text.
        purchases: Queries with products that were ordered after them.
        pairs_from: In words, what the pairs are.
        counts: Figures of what was read.
    """

    texts: pa.Array
    products: pa.Array
    pairs: TrainingPairs
    purchases: TrainingPairs
    pairs_from: str
    counts: dict[str, int]


def known_before(products: pa.Table, *, before_us: int) -> Bool[np.ndarray, " products"]:
    """Tell which products were there before a time: all that do not say that they were made at it or later.

    Args:
        products: Products table.
        before_us: The time, microseconds since 1970.
    """
    if "created_at" not in products.column_names or pa.types.is_null(products.column("created_at").type):
        return np.ones(products.num_rows, bool)
    known = pc.fill_null(pc.less(products.column("created_at").cast(pa.int64()), before_us), True)
    return np.asarray(known.to_numpy(), bool)


def logged_texts(products: pa.Table, mined: MinedLog) -> PretrainTexts:
    """Read the texts and pairs of a log's training window.

    Products that came into the shop later are left out, and so are queries that were first searched later.

    Args:
        products: Products table, in index order.
        mined: The mined log; only its training window is read.
    """
    joined = product_text(products).joined()
    known = known_before(products, before_us=mined.windows.train_end)
    query, product, grade, discount = _positives(mined)
    kept = known[product]
    query, product, grade, discount = query[kept], product[kept], grade[kept], discount[kept]
    every = mined.table("queries").column("text").combine_chunks()
    searched = np.unique(mined.table("examples", "train").column("query_index").to_numpy())
    queries = every.take(pa.array(searched))
    weight = (grade / STAGE_GRADES[Stage.ORDERED] * discount).astype(np.float32)
    ordered = grade >= STAGE_GRADES[Stage.ORDERED]
    texts = every.take(pa.array(query))
    return PretrainTexts(
        texts=_distinct(pa.concat_arrays([joined.filter(pa.array(known)), queries])),
        products=joined,
        pairs=TrainingPairs.from_texts(texts, product, weight),
        purchases=TrainingPairs.from_texts(
            texts.filter(pa.array(ordered)), product[ordered], discount[ordered].astype(np.float32)
        ),
        pairs_from="queries and products of the log",
        counts={
            "products": int(known.sum()),
            "products_later": int((~known).sum()),
            "queries": len(queries),
            "purchases": int(ordered.sum()),
        },
    )


def catalogue_texts(products: pa.Table) -> PretrainTexts:
    """Read the texts of a catalogue alone: the pairs are each product's title and the rest of its text.

    Args:
        products: Products table.
    """
    texts = product_text(products)
    rest = _without_title(texts)
    paired = np.flatnonzero(pc.and_(pc.greater(pc.utf8_length(rest), 0), pc.not_equal(texts.title, "")))
    titles = texts.title.take(pa.array(paired))
    return PretrainTexts(
        texts=_distinct(texts.joined()),
        products=rest,
        pairs=TrainingPairs.from_texts(titles, paired.astype(np.int64), np.ones(len(paired), np.float32)),
        purchases=NO_PAIRS,
        pairs_from="titles and the rest of their product's text",
        counts={"products": products.num_rows, "products_later": 0, "queries": 0, "purchases": 0},
    )


def _without_title(texts: ProductText) -> pa.Array:
    """Return description, brand, category and attributes as one text; the description first, for it is cut behind."""
    fields = (texts.description, texts.brand, texts.category, texts.attributes)
    return pc.utf8_trim_whitespace(pc.binary_join_element_wise(*fields, " "))


def _positives(
    mined: MinedLog,
) -> tuple[
    Int64[np.ndarray, " positives"],
    Int64[np.ndarray, " positives"],
    np.ndarray,
    np.ndarray,
]:
    """Return query, product, grade and discount of what was clicked or more in the training window."""
    examples, outcomes = mined.table("examples", "train"), mined.table("outcomes", "train")
    start, end = (examples.column(f"outcome_{side}").to_numpy().astype(np.int64) for side in ("start", "end"))
    place, _ = expand_slices(start, end)
    query = np.repeat(examples.column("query_index").to_numpy().astype(np.int64), end - start)
    grade = outcomes.column("grade").to_numpy()[place]
    kept = grade >= POSITIVE_GRADE
    product = outcomes.column("product_index").to_numpy().astype(np.int64)[place[kept]]
    return query[kept], product, grade[kept], outcomes.column("weight").to_numpy()[place[kept]]


def _distinct(texts: pa.Array) -> pa.Array:
    distinct = pc.unique(texts)
    return distinct.filter(pc.greater(pc.utf8_length(distinct), 0))
