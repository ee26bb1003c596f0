"""What each department has on sale at a time: how much, what is popular, and a product of it at random."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64, Int64

from aisle.core.ragged import offsets_of
from aisle.core.ranking import NO_PRODUCT
from aisle.simulation.pages import PAGE_SIZE
from aisle.simulation.stock import Stock

__all__ = ["Shelves"]

_NUM_POPULAR = 4 * PAGE_SIZE

Departments = Int64[np.ndarray, " rows"]


class Shelves:
    """The departments of a shop; the department after the last one is the whole shop."""

    def __init__(self, stock: Stock) -> None:
        self.stock = stock
        """What stands on the shelves."""
        self._whole = stock.num_departments
        by_department = np.argsort(stock.department, kind="stable")
        self._products = np.concatenate([by_department, np.arange(len(stock))])
        start = offsets_of(stock.department[by_department], stock.num_departments)
        self._start = np.append(start, len(self._products))
        self._arrivals = [np.sort(stock.arrived_at[self._of(number)]) for number in range(self._whole + 1)]
        self._removals = [np.sort(stock.removed_at[self._of(number)]) for number in range(self._whole + 1)]
        self._popular = np.stack([self._most_popular(number) for number in range(self._whole + 1)])

    def num_on_sale(self, department: Departments, at: Int64[np.ndarray, " rows"]) -> Int64[np.ndarray, " rows"]:
        """Count what each row's department has on sale at the row's time."""
        count = np.zeros(len(department), np.int64)
        for number in np.unique(department):
            rows = np.flatnonzero(department == number)
            arrived = np.searchsorted(self._arrivals[number], at[rows], side="right")
            count[rows] = arrived - np.searchsorted(self._removals[number], at[rows], side="right")
        return count

    def num_of(self, department: Departments, products: Int64[np.ndarray, "rows places"]) -> Int64[np.ndarray, " rows"]:
        """Count how many of each row's products stand in the row's department."""
        inside = (self.stock.department[products] == department[:, None]) | (department == self._whole)[:, None]
        return np.asarray((inside & (products != NO_PRODUCT)).sum(axis=1))

    def pick(self, department: Departments, chance: Float64[np.ndarray, " rows"]) -> Int64[np.ndarray, " rows"]:
        """Pick a product of each row's department evenly, whether it is on sale or not."""
        start, end = self._start[department], self._start[department + 1]
        return np.asarray(self._products[start + np.floor(chance * (end - start)).astype(np.int64)])

    def fill_up(
        self, ranking: Int64[np.ndarray, "rows places"], department: Departments, at: Int64[np.ndarray, " rows"]
    ) -> Int64[np.ndarray, "rows places"]:
        """Put popular products that are on sale and not yet in the ranking into its empty places at the end."""
        popular = self._popular[department]
        new = self.stock.on_sale(popular, at) & ~(popular[:, :, None] == ranking[:, None, :]).any(axis=2)
        num_ranked = (ranking != NO_PRODUCT).sum(axis=1)
        place = num_ranked[:, None] + np.cumsum(new, axis=1) - 1
        row, column = np.nonzero(new & (place < ranking.shape[1]))
        filled = ranking.copy()
        filled[row, place[row, column]] = popular[row, column]
        return filled

    def _of(self, number: int) -> Int64[np.ndarray, " products"]:
        return self._products[self._start[number] : self._start[number + 1]]

    def _most_popular(self, number: int) -> Int64[np.ndarray, " popular"]:
        products = self._of(number)
        best = products[np.argsort(-self.stock.popularity[products], kind="stable")[:_NUM_POPULAR]]
        return np.pad(best, (0, _NUM_POPULAR - len(best)), constant_values=NO_PRODUCT)
