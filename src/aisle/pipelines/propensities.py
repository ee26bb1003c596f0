"""How likely each logged product was to be shown and looked at: from the log's own propensities, and from clicks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from jaxtyping import Bool, Float64, Int64

from aisle.core.ids import UNKNOWN, IdMap
from aisle.core.ranking import Ranking
from aisle.evaluation import adjacent_chain
from aisle.sources.engine import engine
from aisle.workspace import Workspace

__all__ = ["LoggedPages", "examination_of", "read_pages"]

_STEPS = """
WITH seen AS (
    SELECT
        searches.query,
        impressions.product_id,
        impressions.position,
        count(*) AS shown,
        count(impressions.clicked_at) AS clicked
    FROM read_parquet($impressions) AS impressions
    INNER JOIN read_parquet($searches) AS searches ON searches.search_id = impressions.search_id
    WHERE impressions.position <= $places
    GROUP BY ALL
)

SELECT
    above.position,
    sum(least(above.shown, below.shown) * above.clicked / above.shown) AS upper,
    sum(least(above.shown, below.shown) * below.clicked / below.shown) AS lower
FROM seen AS above
INNER JOIN seen AS below
    ON below.query = above.query AND below.product_id = above.product_id AND below.position = above.position + 1
GROUP BY above.position
ORDER BY above.position
"""
_PLACES = 200
"""Places whose examination is estimated; beyond them it stays as it is at the last."""


@dataclass(frozen=True, eq=False)
class LoggedPages:
    """What some searches showed.

    Attributes:
        key: Search × number of products + product of every impression, ascending and distinct.
        position: Its place, from 1.
        propensity: Probability that it was shown there; NaN where the log does not tell.
        num_products: Size of the catalogue.
    """

    key: Int64[np.ndarray, " shown"]
    position: Int64[np.ndarray, " shown"]
    propensity: Float64[np.ndarray, " shown"]
    num_products: int

    def place_of(
        self, row: Int64[np.ndarray, " pairs"], product_index: Int64[np.ndarray, " pairs"]
    ) -> Int64[np.ndarray, " pairs"]:
        """Return where in the arrays each pair stands; -1 where the search did not show the product."""
        wanted = row * self.num_products + product_index
        at = np.minimum(np.searchsorted(self.key, wanted), len(self.key) - 1)
        return np.where(self.key[at] == wanted, at, -1) if len(self.key) else np.full(len(wanted), -1)

    def coverage(self, ranking: Ranking, *, k: int) -> float:
        """Return the share of the first k products of all rankings that the search's own page had shown; NaN of none.

        Args:
            ranking: Results, row i for search i.
            k: Places looked at.
        """
        index = ranking.product_index[:, :k]
        row, column = np.nonzero(index >= 0)
        if not len(row):
            return float("nan")
        return float((self.place_of(row, index[row, column]) >= 0).mean())


def read_pages(workspace: Workspace, search_ids: pa.Array, product_ids: pa.Array) -> LoggedPages:
    """Read what searches showed; of a product that stood twice on a page, the better place counts.

    Args:
        workspace: Where impressions were imported.
        search_ids: Distinct searches, row by row.
        product_ids: The catalogue.
    """
    path = workspace.folder("impressions") / "impressions.parquet"
    told = [name for name in ("propensity",) if name in pq.read_schema(path).names]
    table = pq.read_table(
        path, columns=["search_id", "product_id", "position", *told], filters=pc.field("search_id").isin(search_ids)
    )
    row = IdMap(search_ids).index_of(table.column("search_id"))
    product = IdMap(product_ids).index_of(table.column("product_id"))
    known: Bool[np.ndarray, " rows"] = product != UNKNOWN
    position = np.asarray(table.column("position").cast(pa.int64()).to_numpy(), np.int64)[known]
    propensity = (
        np.asarray(table.column("propensity").cast(pa.float64()).to_numpy(), np.float64)[known]
        if told
        else np.full(int(known.sum()), np.nan)
    )
    key = row[known] * len(product_ids) + product[known]
    order = np.lexsort((position, key))
    first = np.ones(len(order), bool)
    first[1:] = np.diff(key[order]) != 0
    order = order[first]
    return LoggedPages(key[order], position[order], propensity[order], len(product_ids))


def examination_of(workspace: Workspace) -> Float64[np.ndarray, " places"]:
    """Estimate, from the clicks of the whole log, how likely each place is to be looked at; 1 at the first.

    Args:
        workspace: Where searches and impressions were imported.
    """
    impressions = workspace.verified("impressions") / "impressions.parquet"
    if "clicked_at" not in pq.read_schema(impressions).names:
        return np.ones(1)
    searches = workspace.verified("searches") / "searches.parquet"
    values = {"impressions": str(impressions), "searches": str(searches), "places": _PLACES}
    with engine() as database:
        found = database.execute(_STEPS, values).fetchnumpy()
    if not len(found["position"]):
        return np.ones(1)
    upper, lower = np.zeros((2, int(found["position"].max())))
    step = found["position"].astype(np.int64) - 1
    upper[step], lower[step] = found["upper"], found["lower"]
    return adjacent_chain(upper, lower)
