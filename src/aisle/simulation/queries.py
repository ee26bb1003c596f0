"""Queries of three kinds, each with the intent behind it in terms of the hidden truth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal, get_args

import numpy as np
from jaxtyping import Int64

from aisle.core.rng import generator
from aisle.core.text import normalise_text
from aisle.simulation.truth import CatalogueTruth
from aisle.simulation.vocabulary import AttributeValue

__all__ = ["MAX_RELEVANT", "QUERY_KINDS", "Intent", "QueryKind", "SimulatedQuery", "draw_queries", "num_mismatches"]

QueryKind = Literal["exact", "paraphrase", "attribute"]
QUERY_KINDS: tuple[QueryKind, ...] = get_args(QueryKind)

MAX_RELEVANT = 100
"""Most products that may match a query in full, so that recall@100 can reach 1."""

_ROUNDS = 8
"""Attempts per stocked type before the generator settles for fewer queries than asked."""
_NUM_ASKED: dict[QueryKind, tuple[int, int]] = {"exact": (1, 1), "paraphrase": (0, 1), "attribute": (1, 2)}
"""Fewest and most aspects (brand or attribute values) beside the type; more only where too many products match."""
_BRAND_SHARE = 0.5
_SHOPPER_NAME_SHARE = 0.5
_SHOPPER_VALUE_SHARE = 0.4
_NAME_FIRST_SHARE = 0.15

BRAND = -1
"""Stands for the brand where aspects are numbered like attributes."""


@dataclass(frozen=True)
class Intent:
    """What a shopper wants.

    Attributes:
        type_index: The wanted type.
        aspects: The wanted value by attribute number; under `BRAND` the wanted brand.
    """

    type_index: int
    aspects: dict[int, int]


@dataclass(frozen=True)
class SimulatedQuery:
    """A query as typed, and what is meant by it."""

    text: str
    kind: QueryKind
    intent: Intent


def num_mismatches(
    truth: CatalogueTruth, rows: Int64[np.ndarray, " rows"], aspects: dict[int, int]
) -> Int64[np.ndarray, " rows"]:
    """Count for each of these products how many of the wanted aspects it does not have."""
    mismatches = np.zeros(len(rows), dtype=np.int64)
    for aspect, wanted in aspects.items():
        actual = truth.brand_index[rows] if aspect == BRAND else truth.value_index[rows, aspect]
        mismatches += actual != wanted
    return mismatches


def draw_queries(truth: CatalogueTruth, num_per_kind: int, *, seed: int) -> list[SimulatedQuery]:
    """Draw distinct queries that 1 to `MAX_RELEVANT` products match in full, spread over the types that are stocked.

    - *exact*: the seller's usual name of the type with a brand or the usual name of a value;
    - *paraphrase*: only words that no title uses for them: the shopper's name of the type, perhaps a shopper's value;
    - *attribute*: type and one or two values, each in the words of either side.

    Returns:
        At most `num_per_kind` queries of each kind; fewer where the catalogue has no more distinct ones.
    """
    seen: set[str] = set()
    queries: list[SimulatedQuery] = []
    for kind in QUERY_KINDS:
        candidates = _candidates(truth, kind, rng=generator(seed, "queries", kind))
        queries.extend(islice(_unseen(candidates, seen), num_per_kind))
    return queries


def _unseen(queries: Iterator[SimulatedQuery], seen: set[str]) -> Iterator[SimulatedQuery]:
    for query in queries:
        key = normalise_text(query.text)
        if key not in seen:
            seen.add(key)
            yield query


def _candidates(truth: CatalogueTruth, kind: QueryKind, *, rng: np.random.Generator) -> Iterator[SimulatedQuery]:
    stocked = np.unique(truth.type_index)
    rows_of_type = {int(index): np.flatnonzero(truth.type_index == index) for index in stocked}
    for _ in range(_ROUNDS):
        for type_index in rng.permutation(stocked).tolist():
            intent = _draw_intent(truth, rows_of_type[type_index], kind, rng)
            if intent is not None:
                yield SimulatedQuery(_word(truth, intent, kind, rng), kind, intent)


def _draw_intent(
    truth: CatalogueTruth, rows: Int64[np.ndarray, " rows"], kind: QueryKind, rng: np.random.Generator
) -> Intent | None:
    """Want a random product of the type, by its first few aspects in random order; None where too many match."""
    target = int(rng.choice(rows))
    few, most = _NUM_ASKED[kind]
    num_asked = int(rng.integers(few, most + 1))
    askable = _askable(truth, target, kind, rng)
    if len(askable) < few:
        return None
    for num in range(min(num_asked, len(askable)), len(askable) + 1):
        aspects = dict(askable[:num])
        if (num_mismatches(truth, rows, aspects) == 0).sum() <= MAX_RELEVANT:
            return Intent(int(truth.type_index[target]), aspects)
    return None


def _askable(truth: CatalogueTruth, target: int, kind: QueryKind, rng: np.random.Generator) -> list[tuple[int, int]]:
    """List the product's aspects that a query of this kind has words for, in random order."""
    values = truth.value_index[target]
    has_words = np.array(
        [
            value >= 0 and (kind != "paraphrase" or bool(attribute.values[value].shoppers))
            for attribute, value in zip(truth.vocabulary.attributes, values, strict=True)
        ],
        dtype=bool,
    )
    columns = rng.permutation(np.flatnonzero(has_words))
    aspects = [(int(column), int(values[column])) for column in columns]
    brand = [(BRAND, int(truth.brand_index[target]))]
    if kind != "exact":
        return aspects
    return brand + aspects if rng.random() < _BRAND_SHARE else aspects + brand


def _word(truth: CatalogueTruth, intent: Intent, kind: QueryKind, rng: np.random.Generator) -> str:
    """Type the query as its kind of shopper would."""
    vocabulary = truth.vocabulary
    wanted = vocabulary.types[intent.type_index]
    says_shopper = kind == "paraphrase" or (kind == "attribute" and rng.random() < _SHOPPER_NAME_SHARE)
    name = str(rng.choice(wanted.shoppers)) if says_shopper else wanted.name
    before: list[str] = []
    after: list[str] = []
    for aspect, value in intent.aspects.items():
        if aspect == BRAND:
            before.insert(0, truth.brand_names[value])
            continue
        attribute = vocabulary.attributes[aspect]
        words = _word_value(attribute.values[value], kind, rng)
        (before if attribute.place == "before" else after).append(words)
    if rng.random() < _NAME_FIRST_SHARE:
        return " ".join([name, *before, *after])
    return " ".join([*before, name, *after])


def _word_value(value: AttributeValue, kind: QueryKind, rng: np.random.Generator) -> str:
    says_shopper = kind == "paraphrase" or (kind == "attribute" and rng.random() < _SHOPPER_VALUE_SHARE)
    choices: Sequence[str] = value.shoppers if says_shopper and value.shoppers else value.sellers[:1]
    return str(rng.choice(choices))
