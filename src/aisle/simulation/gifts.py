"""Gifts: for whom and for which occasion somebody shops, what suits, and how it is typed."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Float32, Float64, Int64
from pydantic import TypeAdapter

from aisle.simulation.choices import NOTHING, OptionTable, PhrasePool
from aisle.simulation.styles import NUM_STYLES, style_names, unit_rows
from aisle.simulation.values import ValueTable
from aisle.simulation.vocabulary import Vocabulary

__all__ = ["Gifts"]

_NO_OCCASION_WEIGHT = 8.0
"""How often no occasion is named, beside the weights of the occasions."""
_PERSON_SHARE = 0.85
"""Share of queries with an occasion that also say for whom."""


@dataclass(frozen=True)
class _Persona:
    phrases: tuple[str, ...]
    types: tuple[str, ...]
    values: Mapping[str, tuple[str, ...]]
    styles: tuple[str, ...]


@dataclass(frozen=True)
class _Occasion:
    frames: tuple[str, ...]
    alone: tuple[str, ...]
    weight: float
    value: str = ""
    personas: tuple[str, ...] = ()


class Gifts:
    """The people that a vocabulary has gifts for (numbered from 0), and the occasions (0: none is named)."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        content = _load()
        position = {kind.name: index for index, kind in enumerate(vocabulary.types)}
        everybody = TypeAdapter(dict[str, _Persona]).validate_python(content["personas"])
        self._personas = {
            name: persona for name, persona in everybody.items() if any(kind in position for kind in persona.types)
        }
        self._occasions = TypeAdapter(dict[str, _Occasion]).validate_python(content["occasions"])
        types = [[position[kind] for kind in one.types if kind in position] for one in self._personas.values()]
        self._types = OptionTable([len(of_persona) for of_persona in types])
        self._type_index = np.array([index for of_persona in types for index in of_persona], dtype=np.int64)
        self._occasion_odds = self._draw_table()
        self._phrases = PhrasePool(self._all_phrases(content["frames"]["plain"]))
        self._alone = PhrasePool([(), *(occasion.alone for occasion in self._occasions.values())])
        self._wishes = [self._wishes_for(column) for column in range(len(vocabulary.attributes))]

    def __len__(self) -> int:
        """Return the number of people; 0 where the vocabulary sells nothing that the packaged gifts know."""
        return len(self._personas)

    @property
    def persona_names(self) -> tuple[str, ...]:
        """Names of the people."""
        return tuple(self._personas)

    @property
    def occasion_names(self) -> tuple[str, ...]:
        """Names of the occasions; the first, empty, stands for none."""
        return ("", *self._occasions)

    @property
    def style(self) -> Float32[np.ndarray, "personas styles"]:
        """What suits each of the people: unit rows in the style space."""
        names = style_names()
        rows = np.zeros((len(self), NUM_STYLES))
        for row, persona in enumerate(self._personas.values()):
            rows[row, [names.index(style) for style in persona.styles]] = 1.0
        return unit_rows(rows)

    def pick_type(
        self, persona: Int64[np.ndarray, " rows"], chance: Float64[np.ndarray, " rows"]
    ) -> Int64[np.ndarray, " rows"]:
        """Choose a type of product that such people are given, evenly."""
        return self._type_index[self._types.pick(persona, chance)]

    def pick_persona(
        self, type_index: Int64[np.ndarray, " rows"], chance: Float64[np.ndarray, " rows"]
    ) -> Int64[np.ndarray, " rows"]:
        """Choose somebody to whom one gives a product of this type; -1 where nobody is known."""
        givers = np.repeat(np.arange(len(self)), self._types.count)[np.argsort(self._type_index, kind="stable")]
        of_type = OptionTable(np.bincount(self._type_index, minlength=len(self._vocabulary.types)).tolist())
        return np.append(givers, NOTHING)[of_type.pick(type_index, chance)]  # no option is -1: the last

    def pick_occasion(
        self, persona: Int64[np.ndarray, " rows"], chance: Float64[np.ndarray, " rows"]
    ) -> Int64[np.ndarray, " rows"]:
        """Choose an occasion on which such people are given something; 0 for none."""
        return (self._occasion_odds[persona] <= chance[:, None]).sum(axis=1)

    def phrase(
        self,
        persona: Int64[np.ndarray, " rows"],
        occasion: Int64[np.ndarray, " rows"],
        chance: Float64[np.ndarray, " rows"],
    ) -> pa.Array:
        """Put person and occasion into words, such as "birthday present for my son"; the type is not said."""
        says_person = (chance < _PERSON_SHARE) | (occasion == 0)
        with_person = np.where(says_person, persona * len(self.occasion_names) + occasion, NOTHING)
        again = np.where(says_person, np.where(occasion == 0, chance, chance / _PERSON_SHARE), chance)
        alone = np.where(says_person, NOTHING, occasion)
        rest = np.clip((chance - _PERSON_SHARE) / (1 - _PERSON_SHARE), 0.0, 1 - 1e-9)
        return pc.coalesce(self._phrases.pick(with_person, again), self._alone.pick(alone, rest))

    def wanted_values(
        self,
        persona: Int64[np.ndarray, " rows"],
        occasion: Int64[np.ndarray, " rows"],
        type_index: Int64[np.ndarray, " rows"],
    ) -> Int64[np.ndarray, "rows attributes"]:
        """Return which value of each attribute such a gift should have.

        Returns:
            Position among the attribute's values; -1 where anything goes or the type does not come in it.
        """
        return np.stack([of[persona, occasion, type_index] for of in self._wishes], axis=1)

    def _draw_table(self) -> Float64[np.ndarray, "personas occasions"]:
        """Return cumulative shares of the occasions of each of the people."""
        weights = np.zeros((len(self), len(self.occasion_names)))
        weights[:, 0] = _NO_OCCASION_WEIGHT
        for column, occasion in enumerate(self._occasions.values(), start=1):
            fits = [not occasion.personas or name in occasion.personas for name in self._personas]
            weights[:, column] = occasion.weight * np.array(fits, dtype=np.float64)
        return np.cumsum(weights / weights.sum(axis=1, keepdims=True), axis=1)

    def _all_phrases(self, plain: Sequence[str]) -> list[list[str]]:
        """Return the phrases of every (person, occasion); usual frames with usual names first."""
        frames = [plain, *(occasion.frames for occasion in self._occasions.values())]
        return [
            [frame.format(name) for _, frame, name in _by_usage(of_occasion, persona.phrases)]
            for persona in self._personas.values()
            for of_occasion in frames
        ]

    def _wishes_for(self, column: int) -> Int64[np.ndarray, "personas occasions types"]:
        """Return the wish for one attribute: the first suitable value that the type comes in, the occasion's before."""
        attribute = self._vocabulary.attributes[column]
        comes_in = ValueTable(attribute, self._vocabulary.types).padded
        wishes = np.full((len(self), len(self.occasion_names), len(comes_in)), NOTHING, dtype=np.int64)
        for row, persona in enumerate(self._personas.values()):
            for name in reversed(persona.values.get(attribute.name, ())):
                value = attribute.position.get(name, NOTHING)
                wishes[row, :, (comes_in == value).any(axis=1) & (value != NOTHING)] = value
        if attribute.name == "occasion":
            for number, occasion in enumerate(self._occasions.values(), start=1):
                value = attribute.position.get(occasion.value, NOTHING)
                wishes[:, number, (comes_in == value).any(axis=1) & (value != NOTHING)] = value
        return wishes


def _by_usage(frames: Sequence[str], names: Sequence[str]) -> list[tuple[int, str, str]]:
    """Pair every frame with every name, those first whose ranks add up to least."""
    pairs = [(rank + other, frame, name) for rank, frame in enumerate(frames) for other, name in enumerate(names)]
    return sorted(pairs, key=lambda pair: pair[0])


@lru_cache(maxsize=1)
def _load() -> dict[str, Any]:
    return tomllib.loads((files("aisle.simulation") / "data" / "gifts.toml").read_text(encoding="utf-8"))
