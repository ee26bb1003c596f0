"""Which attribute values the products of a type come in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64, Int64

from aisle.simulation.choices import NOTHING, OptionTable
from aisle.simulation.vocabulary import Attribute, ProductType

__all__ = ["ValueTable", "varying_attribute"]


class ValueTable:
    """The values of one attribute that each type comes in."""

    def __init__(self, attribute: Attribute, types: Sequence[ProductType]) -> None:
        allowed = [kind.attributes.get(attribute.name, ()) for kind in types]
        self._options = OptionTable([len(values) for values in allowed])
        self._value = np.array([attribute.position[value] for values in allowed for value in values], dtype=np.int64)

    @property
    def num_values(self) -> Int64[np.ndarray, " types"]:
        """Number of values that each type comes in; 0 where it does not have the attribute."""
        return self._options.count

    @property
    def padded(self) -> Int64[np.ndarray, "types most_values"]:
        """Positions among the attribute's values that each type comes in, `NOTHING` behind the last."""
        count = self.num_values
        padded = np.full((len(count), int(count.max(initial=0))), NOTHING, dtype=np.int64)
        padded[np.arange(padded.shape[1]) < count[:, None]] = self._value
        return padded

    def draw(
        self,
        type_index: Int64[np.ndarray, " products"],
        chance: Float64[np.ndarray, " products"],
        *,
        step: Int64[np.ndarray, " products"],
    ) -> Int64[np.ndarray, " products"]:
        """Draw evenly among the type's values, then go `step` values further, around the end to the start.

        Returns:
            Position among the attribute's values; `NOTHING` where the type does not have the attribute.
        """
        option = self._options.pick(type_index, chance)
        start, count = self._options.start[type_index], np.maximum(self.num_values[type_index], 1)
        stepped = start + (option - start + step) % count
        chosen = np.full(len(option), NOTHING, dtype=np.int64)
        has = option >= 0
        chosen[has] = self._value[stepped[has]]
        return chosen


def varying_attribute(tables: Sequence[ValueTable]) -> Int64[np.ndarray, " types"]:
    """Return what tells the variants of a type apart: the first attribute with two values or more, or `NOTHING`."""
    can_vary = np.stack([table.num_values >= 2 for table in tables], axis=1)
    return np.where(can_vary.any(axis=1), can_vary.argmax(axis=1), NOTHING)
