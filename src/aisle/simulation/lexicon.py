"""The language of shoppers for a vocabulary: names, plurals, short forms and the frames around a query."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool, Float64, Int64
from pydantic import TypeAdapter

from aisle.simulation.choices import NOTHING, PhrasePool, SentencePool
from aisle.simulation.styles import load_styles
from aisle.simulation.vocabulary import Vocabulary

__all__ = ["FRAMES", "Lexicon", "abbreviate", "pluralise"]

FRAMES = ("cheap", "premium", "quality", "plain", "long")
"""Kinds of frames around a query."""


@dataclass(frozen=True)
class _Language:
    cheap_frames: tuple[str, ...]
    premium_frames: tuple[str, ...]
    quality_frames: tuple[str, ...]
    plain_frames: tuple[str, ...]
    long_frames: tuple[str, ...]
    abbreviations: tuple[tuple[str, str], ...]
    uncountable: tuple[str, ...]
    trailing: Mapping[str, Mapping[str, tuple[str, ...]]]


@lru_cache(maxsize=1)
def _language() -> _Language:
    content = tomllib.loads((files("aisle.simulation") / "data" / "shoppers_language.toml").read_text(encoding="utf-8"))
    return TypeAdapter(_Language).validate_python(content)


class Lexicon:
    """Words for types, values, styles and categories, in pools to pick from by row.

    Values are numbered through over all attributes: `value_number` gives the number.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        values = [value for attribute in vocabulary.attributes for value in attribute.values]
        sizes = np.array([len(attribute.values) for attribute in vocabulary.attributes], dtype=np.int64)
        groups = list(dict.fromkeys(kind.category[:2] for kind in vocabulary.types))
        self._value_start = np.cumsum(sizes) - sizes
        self.seller_names = PhrasePool([kind.sellers for kind in vocabulary.types])
        """Sellers' names of each type, the usual first."""
        self.shopper_names = PhrasePool([kind.shoppers for kind in vocabulary.types])
        """Names that no title has; null for types without any."""
        self.seller_values = PhrasePool([value.sellers for value in values])
        """Sellers' words for each numbered value."""
        self.shopper_values = PhrasePool([value.shoppers for value in values])
        """Words that no title has for the value; null for values without any."""
        trailing = _language().trailing
        self.trailing_values = PhrasePool(
            [
                trailing.get(attribute.name, {}).get(value.name, ())
                for attribute in vocabulary.attributes
                for value in attribute.values
            ]
        )
        """Words for each numbered value that stand at the end of a query: "for men"; null for values without any."""
        self.style_words = PhrasePool(vocabulary.style_words or [style.shoppers for style in load_styles()])
        """How shoppers ask for each style; null for a style without words."""
        self.group_of_type: Int64[np.ndarray, " types"] = np.array(
            [groups.index(kind.category[:2]) for kind in vocabulary.types], dtype=np.int64
        )
        """Category above each type."""
        self.group_names = PhrasePool([_split_heading(group[-1]) for group in groups])
        """Names of each such category, as one would type them: "hats", "scarves"."""
        self.goes_before: Bool[np.ndarray, " attributes"] = np.array(
            [attribute.place == "before" for attribute in vocabulary.attributes], dtype=bool
        )
        """Whether an attribute's words stand before the type's name."""
        self._frames = {
            "cheap": SentencePool(_language().cheap_frames),
            "premium": SentencePool(_language().premium_frames),
            "quality": SentencePool(_language().quality_frames),
            "plain": SentencePool(_language().plain_frames),
            "long": SentencePool(_language().long_frames),
        }

    def value_number(
        self, attribute: Int64[np.ndarray, " rows"], value: Int64[np.ndarray, " rows"]
    ) -> Int64[np.ndarray, " rows"]:
        """Number values through over all attributes; -1 stays -1."""
        return np.where(value >= 0, self._value_start[attribute] + value, NOTHING)

    def frame(self, queries: pa.Array, kind: str, chance: Float64[np.ndarray, " rows"]) -> pa.Array:
        """Put words around each query, evenly among the frames of a kind of `FRAMES`; null stays null."""
        return self._frames[kind].fill(queries, chance)


def _split_heading(heading: str) -> list[str]:
    """Cut a heading into what shoppers would type, the whole of it last.

    >>> _split_heading("Hats, scarves & gloves")
    ['hats', 'scarves', 'gloves', 'hats scarves and gloves']
    """
    parts = [part.strip().lower() for part in re.split(r",|&|\band\b", heading) if part.strip()]
    whole = re.sub(r"\s+", " ", heading.lower().replace(",", " ").replace("&", " and ")).strip()
    return list(dict.fromkeys([*parts, whole]))


def pluralise(names: pa.Array) -> pa.Array:
    """Put names into the plural by English rules; what is plural or has none stays as it is.

    >>> pluralise(pa.array(["sofa", "wall clock", "torch", "battery", "toy", "jeans", "dog food", None])).to_pylist()
    ['sofas', 'wall clocks', 'torches', 'batteries', 'toys', 'jeans', 'dog food', None]
    """
    endings = "|".join(re.escape(word) for word in _language().uncountable)
    stays = pc.match_substring_regex(names, pattern=rf"(?i)((^|\s)({endings})|[^su]s|us|\d|[^a-z])$")
    plural = pc.replace_substring_regex(names, pattern=r"([^aeiou])y$", replacement=r"\1ies_")
    plural = pc.replace_substring_regex(plural, pattern=r"(ss|x|z|ch|sh)$", replacement=r"\1es_")
    plural = pc.replace_substring_regex(plural, pattern=r"(\bkni|\bscar|\bshel)fe?$", replacement=r"\1ves_")
    plural = pc.replace_substring_regex(plural, pattern=r"\bmouse$", replacement="mice_")
    plural = pc.replace_substring_regex(plural, pattern=r"([^_])$", replacement=r"\1s")
    plural = pc.replace_substring_regex(plural, pattern=r"_$", replacement="")
    return pc.if_else(stays, names, plural)


def abbreviate(queries: pa.Array, where: Bool[np.ndarray, " rows"]) -> pa.Array:
    """Shorten the chosen queries as hurried shoppers do: whole words only, and hyphens become spaces.

    >>> abbreviate(pa.array(["women's T-shirt size L", "grey sofa"]), np.array([True, False])).to_pylist()
    ['womens tshirt L', 'grey sofa']
    """
    chosen = np.flatnonzero(where)
    short = queries.take(pa.array(chosen))
    for full, typed in _language().abbreviations:
        pattern = rf"(?i)(^|\s){re.escape(full.strip())}(\s|$)"
        short = pc.replace_substring_regex(short, pattern=pattern, replacement=rf"\1{typed}\2")
    short = pc.replace_substring_regex(short, pattern=r"[\s-]+", replacement=" ")
    short = pc.utf8_trim_whitespace(short)
    kept = pc.if_else(pc.equal(short, ""), queries.take(pa.array(chosen)), short)
    source = np.arange(len(queries))
    source[chosen] = len(queries) + np.arange(len(chosen))
    return pa.concat_arrays([queries, kept]).take(pa.array(source))
