"""Easy queries, which words alone answer as well as words and vectors together: they need not be encoded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from jaxtyping import Bool, Float64, Int64

from aisle.core.ranking import NO_PRODUCT, Ranking
from aisle.features.analyser import Analyser
from aisle.index.sealed import damaged, seal_folder, unseal_folder

__all__ = ["Gate", "HybridGate", "TitleTerms", "lead_of"]

_KIND, _FILE = "gate", "titles.parquet"
_HEAD, _TAIL = 10, 100


class Gate(Protocol):
    """Tells easy queries from others."""

    def opens(self, texts: Sequence[str], lexical: Ranking, *, k: int) -> Bool[np.ndarray, " queries"]:
        """Tell which queries are easy; see `HybridGate.opens`."""
        ...


class TitleTerms:
    """In how many products' titles each term stands.

    Args:
        term: Distinct terms.
        titles: Number of titles of each.
        stemmer: The Snowball algorithm that made the terms, or None.
    """

    def __init__(self, term: pa.Array, titles: Int64[np.ndarray, " terms"], *, stemmer: str | None) -> None:
        self.stemmer, self._analyser = stemmer, Analyser(stemmer)
        self._term, self._titles = term, titles
        self._titles_of = dict(zip(term.to_pylist(), titles.tolist(), strict=True))

    @classmethod
    def build(cls, titles: pa.Array, *, stemmer: str | None = "english") -> TitleTerms:
        """Count the titles of a catalogue.

        Args:
            titles: One per product; a null counts as empty.
            stemmer: A Snowball algorithm, or None.

        Raises:
            UsageError: If Snowball has no such algorithm.
        """
        lists = Analyser(stemmer).terms(titles)
        pairs = pa.table({"term": lists.flatten().cast(pa.string()), "product": pc.list_parent_indices(lists)})
        once = pairs.group_by(["term", "product"]).aggregate([])
        counted = once.group_by("term").aggregate([("product", "count")]).sort_by("term")
        return cls(counted.column("term").combine_chunks(), counted.column("product_count").to_numpy(), stemmer=stemmer)

    def rarest(self, texts: Sequence[str]) -> Int64[np.ndarray, " texts"]:
        """Return for each query in how many titles its rarest term stands; 0 for a query without terms.

        >>> TitleTerms.build(pa.array(["Oak chair", "Pine chairs"])).rarest(["chair", "oak chair", "lamp", ""]).tolist()
        [2, 1, 0, 0]
        """
        lists = self._analyser.terms(pa.array(texts, pa.string()))
        terms = lists.flatten()
        of_term = np.array([self._titles_of.get(term, 0) for term in terms.dictionary.to_pylist()], np.int64)
        rarest = np.full(len(texts), np.iinfo(np.int64).max)
        np.minimum.at(rarest, pc.list_parent_indices(lists).to_numpy(), of_term[terms.indices.to_numpy()])
        return np.where(pc.list_value_length(lists).to_numpy() > 0, rarest, 0)

    def save(self, path: Path) -> None:
        """Write the counts."""
        pq.write_table(pa.table({"term": self._term, "titles": self._titles}), path)


class HybridGate:
    """Tells which queries of a hybrid words alone may answer.

    Each word of such a query stands in enough titles, so the shop has what is asked for and calls it by this name; and
    the first products found by words stand clear of those further down, so that the words tell products apart.

    Args:
        titles: Where the terms stand.
        least_titles: Titles that the rarest word of an easy query stands in.
        least_lead: Lead of an easy query's first products; see `lead_of`.
    """

    def __init__(self, titles: TitleTerms, *, least_titles: int, least_lead: float) -> None:
        self._titles = titles
        self.least_titles, self.least_lead = least_titles, least_lead

    def opens(self, texts: Sequence[str], lexical: Ranking, *, k: int) -> Bool[np.ndarray, " queries"]:
        """Tell which queries are easy.

        Args:
            texts: Queries as typed: one that has to be corrected is not easy.
            lexical: What words found for them, at least k places each; a query with fewer products is not easy.
            k: Places that are to be filled.
        """
        is_filled = lexical.product_index[:, k - 1] != NO_PRODUCT
        is_known = self._titles.rarest(texts) >= self.least_titles
        return np.asarray(is_filled & is_known & (lead_of(lexical) >= self.least_lead))

    def save(self, folder: Path) -> None:
        """Write the gate into a folder (made if it is missing)."""
        folder.mkdir(parents=True, exist_ok=True)
        self._titles.save(folder / _FILE)
        values = {
            "stemmer": self._titles.stemmer,
            "least_titles": self.least_titles,
            "least_lead": self.least_lead,
        }
        seal_folder(folder, kind=_KIND, values=values, files=[_FILE])

    @classmethod
    def load(cls, folder: Path) -> HybridGate:
        """Read what `save` wrote.

        Raises:
            WorkspaceError: If the folder is missing or damaged.
        """
        values = unseal_folder(folder, kind=_KIND)
        try:
            table = pq.read_table(folder / _FILE)
            titles = TitleTerms(
                table.column("term").combine_chunks(), table.column("titles").to_numpy(), stemmer=values["stemmer"]
            )
            return cls(titles, least_titles=values["least_titles"], least_lead=values["least_lead"])
        except (OSError, pa.ArrowException, KeyError) as error:
            raise damaged(folder, str(error)) from error


def lead_of(lexical: Ranking) -> Float64[np.ndarray, " queries"]:
    """Return how far the 10th score stands above the 100th, as a share of the first; from 0 to 1.

    A place that is empty, or beyond the ranking, has the score 0; so has every place of a query without products.
    """
    score = np.where(lexical.product_index != NO_PRODUCT, lexical.score, 0.0).astype(np.float64)
    padded = np.pad(score, ((0, 0), (0, max(0, _TAIL - lexical.k))))
    first = padded[:, 0]
    return (padded[:, _HEAD - 1] - padded[:, _TAIL - 1]) / np.where(first > 0, first, 1.0)
