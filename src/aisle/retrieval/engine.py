"""One call from a query's text to products that can be shown; what the command line and the service use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa

from aisle.core.errors import ShapeError, UsageError
from aisle.core.ranking import MAX_K, NO_PRODUCT, Retriever, check_k
from aisle.core.shopper import NOBODY, Shopper
from aisle.core.text import normalise_text
from aisle.retrieval.explanation import Explained, retrieve_explained
from aisle.retrieval.shoppers import Shoppers
from aisle.retrieval.spelling import Speller

__all__ = ["DISPLAY_FIELDS", "Hit", "SearchEngine", "check_search"]

DISPLAY_FIELDS = ("title", "brand", "description", "category", "price", "currency", "image")
"""What of a product is shown; None where the catalogue lacks it."""


@dataclass(frozen=True)
class Hit:
    """One product of a result.

    Attributes:
        rank: Place in the result, from 1.
        product_id: The shop's own id.
        score: Higher is better; comparable within one result only.
        product: `DISPLAY_FIELDS` of the product, by name; a category is a list from root to leaf.
        explanation: What the score is made of, where that was asked for and the mode knows it: `semantic_score`, the
            `parts` that add up to it, and of a hybrid `sides`, whose `adds` add up to `score`.
    """

    rank: int
    product_id: str
    score: float
    product: dict[str, Any]
    explanation: dict[str, Any] | None = None


class SearchEngine:
    """A catalogue and the retrievers that search it, by mode.

    Args:
        products: Products table; its row number is the product index of every retriever.
        retrievers: Retriever of each mode, such as "hybrid", "semantic" and "lexical".
        default_mode: Mode of a search that names none.
        shoppers: What is known of those who search; None: nothing.
        speller: What mends queries, as the retrievers do themselves; None: nothing does.

    Raises:
        UsageError: If there is no retriever for the default mode.
    """

    def __init__(
        self,
        products: pa.Table,
        retrievers: Mapping[str, Retriever],
        *,
        default_mode: str,
        shoppers: Shoppers | None = None,
        speller: Speller | None = None,
    ) -> None:
        self._speller = speller
        self._shoppers = shoppers or Shoppers()
        self._retrievers = dict(retrievers)
        self._default_mode = default_mode
        self._retriever(default_mode)
        shown = [name for name in DISPLAY_FIELDS if name in products.column_names]
        # In one piece: taking rows out of many chunks searches the chunk of every row.
        self._products = products.select(["product_id", *shown]).combine_chunks()

    @property
    def modes(self) -> tuple[str, ...]:
        """Modes that can be asked for."""
        return tuple(self._retrievers)

    @property
    def default_mode(self) -> str:
        """Mode of a search that names none."""
        return self._default_mode

    @property
    def num_products(self) -> int:
        """Products that are searched."""
        return int(self._products.num_rows)

    def corrected(self, query: str) -> str | None:
        """Return what a query is taken for; None where that is what was typed."""
        return self._speller.correct(query) if self._speller is not None else None

    def search(
        self,
        query: str,
        *,
        k: int = 24,
        mode: str | None = None,
        shopper: Shopper = NOBODY,
        explain: bool = False,
    ) -> list[Hit]:
        """Return the best products, at most k.

        Args:
            query: As typed.
            k: Most results, 1 to `MAX_K`.
            mode: One of `modes`; the default one where it is None.
            shopper: Who searches, and from where; an actor whom the log does not know counts as nobody.
            explain: Tell what each score is made of.

        Raises:
            UsageError: If the query is blank, k is out of its bounds, or the mode is unknown.
        """
        retriever = self._retriever(self._default_mode if mode is None else mode)
        check_search(query, k=k, shopper=shopper)
        asked = self._shoppers.search(query, shopper)
        answer = retrieve_explained(retriever, asked, k=k) if explain else Explained(retriever.retrieve(asked, k=k))
        return self._hits(answer)

    def _hits(self, answer: Explained) -> list[Hit]:
        found = answer.ranking.product_index[0] != NO_PRODUCT
        product_index, score = answer.ranking.product_index[0][found], answer.ranking.score[0][found]
        if len(product_index) and product_index.max() >= self.num_products:
            raise ShapeError(
                "The retriever must have been built from these products",
                received={"product_index": int(product_index.max()), "products": self.num_products},
                remedy="Build the index again from the present catalogue.",
            )
        rows = self._products.take(pa.array(product_index)).to_pylist()
        return [
            Hit(
                rank=rank,
                product_id=row["product_id"],
                score=float(value),
                product={name: row.get(name) for name in DISPLAY_FIELDS},
                explanation=answer.of_place(0, rank - 1),
            )
            for rank, (row, value) in enumerate(zip(rows, score, strict=True), start=1)
        ]

    def _retriever(self, mode: str) -> Retriever:
        if mode not in self._retrievers:
            raise UsageError(
                f"The mode must be one of {', '.join(self._retrievers) or 'none: there is no retriever'}",
                received={"mode": mode},
                remedy="Choose one of these.",
            )
        return self._retrievers[mode]


def check_search(query: str, *, k: int, shopper: Shopper) -> str:
    """Refuse a search that cannot be answered, and return its normalised query.

    Raises:
        UsageError: If the query is blank, a text is not Unicode, or k is not between 1 and `MAX_K`.
    """
    check_k(k, most=MAX_K)
    _check_texts(query=query, **asdict(shopper))
    normalised = normalise_text(query)
    if not normalised:
        raise UsageError("A query must not be blank", received={"query": query}, remedy="Type a word.")
    return normalised


def _check_texts(**texts: str | None) -> None:
    for name, text in texts.items():
        try:
            (text or "").encode()
        except UnicodeEncodeError:  # half of a character, as broken JSON or a foreign terminal sends it
            raise UsageError(
                f"A {name} must be valid Unicode", received={name: text}, remedy="Send it as UTF-8."
            ) from None
