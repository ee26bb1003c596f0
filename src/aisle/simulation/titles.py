"""Titles the way sellers write them: any order, attributes left out, synonyms, filler, abbreviations and typos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool

from aisle.simulation.choices import NOTHING, Chances, PhrasePool, join_words
from aisle.simulation.truth import CatalogueTruth
from aisle.simulation.typos import misspell_texts

__all__ = ["Titles", "write_titles"]

MENTION_SHARE = 0.7
"""Share of its attributes that a title mentions."""
_LEADING_FILLER_SHARE = 0.15
_TRAILING_FILLER_SHARE = 0.25
_ABBREVIATION_SHARE = 0.15
_TYPO_SHARE = 0.04


@dataclass(frozen=True)
class Titles:
    """The titles, and which attributes each of them mentions."""

    text: pa.Array
    mentions: Bool[np.ndarray, "products attributes"]


def write_titles(truth: CatalogueTruth, chances: Chances, *, adjectives: pa.Array | None = None) -> Titles:
    """Write a title for every product; only words of sellers occur in it.

    Args:
        truth: What the products are.
        chances: The draws that decide on the wording.
        adjectives: A word or phrase per product that stands among those before the name; null where there is none.
    """
    vocabulary, wording = truth.vocabulary, truth.vocabulary.wording
    names = [attribute.name for attribute in vocabulary.attributes]
    chance = np.stack([chances.of_model("title mention", name) for name in names], axis=1)
    mentions = (truth.value_index >= 0) & ((chance < MENTION_SHARE) | truth.varies)

    phrases: dict[str, list[pa.Array]] = {"before": [] if adjectives is None else [adjectives], "after": []}
    for column, attribute in enumerate(vocabulary.attributes):
        pool = PhrasePool([value.sellers for value in attribute.values])
        mentioned = np.where(mentions[:, column], truth.value_index[:, column], NOTHING)
        phrases[attribute.place].append(pool.pick(mentioned, chances.of_model("title words", attribute.name)))
    nothing = pa.nulls(len(truth), pa.string())
    slots = {
        "brand": pa.array(truth.brand_names, pa.string()).take(pa.array(truth.brand_index)),
        "name": PhrasePool([kind.sellers for kind in vocabulary.types]).pick(
            truth.type_index, chances.of_model("title name")
        ),
        "before": join_words([*phrases["before"], nothing]),
        "before_reversed": join_words([*phrases["before"][::-1], nothing]),
        "after": join_words([*phrases["after"], nothing]),
    }
    parts = [
        _filler(wording.leading_fillers, _LEADING_FILLER_SHARE, chances.of_model("leading filler")),
        _arrange(slots, wording.patterns, chances.of_model("pattern")),
        _filler(wording.trailing_fillers, _TRAILING_FILLER_SHARE, chances.of_model("trailing filler")),
    ]
    text = _abbreviate(join_words(parts), wording.abbreviations, chances)
    typed = misspell_texts(
        _capitalise(text, chances.of_model("case")),
        where=chances.of_product("typo") < _TYPO_SHARE,
        place=chances.of_product("typo place"),
        kind=chances.of_product("typo kind"),
    )
    return Titles(typed, mentions)


def _filler(words: Sequence[str], share: float, chance: np.ndarray) -> pa.Array:
    """Take a filler in `share` of the rows, null in the others."""
    owner = np.where(chance < share, 0, NOTHING)
    return PhrasePool([words]).pick(owner, np.minimum(chance / share, 1 - 1e-9))


def _arrange(slots: dict[str, pa.Array], patterns: Sequence[Sequence[str]], chance: np.ndarray) -> pa.Array:
    """Join the slots of each row in the order of its pattern, the first patterns more often."""
    pattern = np.floor(len(patterns) * chance**2).astype(np.int64)
    rows = [np.flatnonzero(pattern == number) for number in range(len(patterns))]
    texts = [
        join_words([slots[slot].take(pa.array(of_pattern)) for slot in order])
        for of_pattern, order in zip(rows, patterns, strict=True)
    ]
    return pa.concat_arrays(texts).take(pa.array(np.argsort(np.concatenate(rows))))


def _abbreviate(text: pa.Array, abbreviations: Sequence[tuple[str, str]], chances: Chances) -> pa.Array:
    short = text
    for full, abbreviation in abbreviations:
        short = pc.replace_substring(short, pattern=full, replacement=abbreviation)
    return pc.if_else(pa.array(chances.of_model("abbreviate") < _ABBREVIATION_SHARE), short, text)


def _capitalise(text: pa.Array, chance: np.ndarray) -> pa.Array:
    """Write 60 % in title case, 10 % in lower case, 5 % in capitals; leave the others."""
    # Arrow's title case starts a new word after an apostrophe.
    title_case = pc.replace_substring_regex(pc.utf8_title(text), pattern=r"'S\b", replacement="'s")
    cases = [(0.60, title_case), (0.70, pc.utf8_lower(text)), (0.75, pc.utf8_upper(text))]
    cased = text
    for below, written in reversed(cases):
        cased = pc.if_else(pa.array(chance < below), written, cased)
    return cased
