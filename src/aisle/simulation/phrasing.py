"""Putting needs into words: broad, detailed, in the shopper's own words, as gifts; and again, when nothing was found.

A query says only part of a need. What is left unsaid has to be guessed from who asks. Whoever found nothing asks
again, by then mostly in words that were read on the page: sellers' words. This is how a log can teach what a shopper's
word means.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool, Float64, Int8, Int64

from aisle.simulation.choices import NOTHING, join_words
from aisle.simulation.draws import Draws
from aisle.simulation.gifts import Gifts
from aisle.simulation.lexicon import Lexicon, abbreviate, pluralise
from aisle.simulation.needs import Needs, QueryKind
from aisle.simulation.shoppers import Shoppers
from aisle.simulation.styles import pick_style
from aisle.simulation.typos import misspell_texts
from aisle.simulation.world import World

__all__ = ["NAMES_GROUP", "NAMES_NOTHING", "NAMES_TYPE", "Phrased", "Phrasing"]

NAMES_NOTHING, NAMES_GROUP, NAMES_TYPE = 0, 1, 2
"""What a query says of the type: nothing, the category above it, the type."""

_LONG_SHOPPER_NAME_SHARE = 0.5
"""Who writes a whole sentence writes as people talk."""
_GROUP_SHARE, _SHOPPER_NAME_SHARE, _BRAND_ALONE_SHARE, _GIFT_TYPE_SHARE = 0.2, 0.05, 0.4, 0.35
_SHOPPER_VALUE_SHARE = 0.1
"""Of the values in a query of any kind but `OWN_WORDS`."""
_TRAILING_SHARE = 0.6
"""Of the values that have words for the end of a query, such as "for men"."""
_STYLE_SHARE, _OWN_STYLE_SHARE, _OWN_LONG_SHARE = 0.01, 0.05, 0.02
_NAME_FIRST_SHARE = 0.06
_PLURAL_SHARE, _SHORT_SHARE, _TYPO_SHARE = 0.1, 0.05, 0.08
_PLAIN_FRAME_SHARE, _QUALITY_FRAME_SHARE = 0.015, 0.02
_SAYS_PRICE_SHARE = 0.7
_NO_TEXT = pa.scalar(None, pa.string())
_MORE_SHARE = 0.2
"""Share of second queries that state one value more than the first; the others state one less."""


@dataclass(frozen=True)
class Phrased:
    """Queries, and what each of them tells of its need."""

    text: pa.Array
    states: Bool[np.ndarray, "rows attributes"]
    """Wanted values that are said, in whatever words."""
    names: Int8[np.ndarray, " rows"]
    """`NAMES_NOTHING`, `NAMES_GROUP` or `NAMES_TYPE`."""
    states_brand: Bool[np.ndarray, " rows"]
    says_shopper_words: Bool[np.ndarray, " rows"]
    """Whether the type is called by a name that no title has."""


class Phrasing:
    """The language of all shoppers of a world."""

    def __init__(self, world: World, shoppers: Shoppers, gifts: Gifts, *, seed: int) -> None:
        self._lexicon = Lexicon(world.truth.vocabulary)
        self._gifts, self._style = gifts, shoppers.style
        self._brands = pa.array(world.truth.brand_names, pa.string())
        self._seed = seed

    def write(self, needs: Needs, attempt: Int8[np.ndarray, " rows"]) -> Phrased:
        """Write a query for each need.

        Args:
            needs: What is wanted.
            attempt: 0 for the first query of a need, 1 and 2 for what is typed when nothing was found.
        """
        chance = _Chances(self._seed, needs.need, attempt)
        shape = self._shape(needs, attempt, chance)
        before, after = self._values(needs, shape, chance)
        brand = self._brands.take(pa.array(np.where(shape.states_brand, needs.brand_index, 0)))
        brand = pc.if_else(pa.array(shape.states_brand), brand, pa.scalar(None, pa.string()))
        name = self._names(needs, shape, chance)
        usual = join_words([brand, self._style_words(needs, shape, chance), *before, name, *after])
        name_first = join_words([name, *before, *after, brand])
        text = pc.if_else(pa.array(chance("order") < _NAME_FIRST_SHARE), name_first, usual)
        text = join_words([text, self._gift_phrases(needs, attempt, chance)])
        text = self._misspell(self._frame(text, needs, attempt=attempt, chance=chance), chance)
        return Phrased(text, shape.states, shape.names, shape.states_brand, shape.says_shopper_words)

    def _shape(self, needs: Needs, attempt: Int8[np.ndarray, " rows"], chance: _Chances) -> Phrased:
        """Decide what is said; the text is yet to be written."""
        is_first, kind = attempt == 0, needs.kind
        is_broad, is_gift, is_brand = (kind == one for one in (QueryKind.BROAD, QueryKind.GIFT, QueryKind.BRAND))
        names = np.full(len(needs), NAMES_TYPE, np.int8)
        names[is_first & is_broad & (chance("group") < _GROUP_SHARE)] = NAMES_GROUP
        names[is_first & is_brand & (chance("group") < _BRAND_ALONE_SHARE)] = NAMES_NOTHING
        names[is_first & is_gift & (chance("group") >= _GIFT_TYPE_SHARE)] = NAMES_NOTHING
        own = np.select(
            [kind == QueryKind.OWN_WORDS, kind == QueryKind.LONG], [1.0, _LONG_SHOPPER_NAME_SHARE], _SHOPPER_NAME_SHARE
        )
        says_shopper_words = is_first & (names == NAMES_TYPE) & (chance("name words") < own)
        says_more = np.where(chance("more") < _MORE_SHARE, 1, -1)
        num_stated = needs.num_stated + np.where(attempt == 1, says_more, np.where(attempt == 2, -needs.num_stated, 0))
        # The first wanted values by a draw that all queries of the need share: the second adds to the first.
        priority = Draws(self._seed, "phrasing", "stated").uniform(
            needs.need[:, None], np.arange(needs.wanted.shape[1])
        )
        priority[needs.wanted < 0] = np.inf
        rank = np.argsort(np.argsort(priority, axis=1), axis=1)
        # The words of a gift say which values suit, though they name none.
        states = (needs.wanted >= 0) & ((rank < num_stated[:, None]) | (is_gift & is_first)[:, None])
        return Phrased(pa.nulls(len(needs), pa.string()), states, names, needs.brand_index >= 0, says_shopper_words)

    def _values(self, needs: Needs, shape: Phrased, chance: _Chances) -> tuple[list[pa.Array], list[pa.Array]]:
        """Return the words of stated values, attribute by attribute: those before the name, and those after it."""
        lexicon = self._lexicon
        sides: tuple[list[pa.Array], list[pa.Array]] = ([], [])
        trailing: list[pa.Array] = []
        own = np.where(shape.says_shopper_words & (needs.kind == QueryKind.OWN_WORDS), 0.9, _SHOPPER_VALUE_SHARE)
        named = shape.states & (needs.persona < 0)[:, None]
        for column in np.flatnonzero(named.any(axis=0)).tolist():
            value = np.where(named[:, column], needs.wanted[:, column].astype(np.int64), NOTHING)
            number = lexicon.value_number(np.full(len(value), column), value)
            seller = lexicon.seller_values.pick(number, chance("seller value", column) ** 2)
            shopper = lexicon.shopper_values.pick(number, chance("shopper value", column))
            words = pc.if_else(pa.array(chance("value words", column) < own), pc.coalesce(shopper, seller), seller)
            behind = lexicon.trailing_values.pick(number, chance("trailing words", column))
            is_behind = pc.and_(pc.is_valid(behind), pa.array(chance("trailing", column) < _TRAILING_SHARE))
            sides[0 if lexicon.goes_before[column] else 1].append(pc.if_else(is_behind, _NO_TEXT, words))
            trailing.append(pc.if_else(is_behind, behind, _NO_TEXT))
        return sides[0], [*sides[1], *trailing]

    def _names(self, needs: Needs, shape: Phrased, chance: _Chances) -> pa.Array:
        lexicon = self._lexicon
        of_type = np.where(shape.names == NAMES_TYPE, needs.type_index, NOTHING)
        seller = lexicon.seller_names.pick(of_type, chance("seller name") ** 2)
        shopper = lexicon.shopper_names.pick(of_type, chance("shopper name"))
        name = pc.if_else(pa.array(shape.says_shopper_words), pc.coalesce(shopper, seller), seller)
        plural = pc.if_else(pa.array(chance("plural") < _PLURAL_SHARE), pluralise(name), name)
        group = np.where(shape.names == NAMES_GROUP, lexicon.group_of_type[needs.type_index], NOTHING)
        return pc.coalesce(plural, lexicon.group_names.pick(group, chance("group name")))

    def _style_words(self, needs: Needs, shape: Phrased, chance: _Chances) -> pa.Array:
        """Name the shopper's own style now and then: a taste put into words."""
        share = np.where(shape.says_shopper_words, _OWN_STYLE_SHARE, _STYLE_SHARE)
        says = (chance("style") < share) & (needs.persona < 0) & (shape.names == NAMES_TYPE)
        style = np.full(len(needs), NOTHING, np.int64)
        style[says] = pick_style(self._style[needs.user_index[says]], chance("which style")[says])
        return self._lexicon.style_words.pick(style, chance("style words"))

    def _gift_phrases(self, needs: Needs, attempt: Int8[np.ndarray, " rows"], chance: _Chances) -> pa.Array:
        rows = np.flatnonzero((needs.persona >= 0) & (attempt == 0))
        phrases = self._gifts.phrase(needs.persona[rows], needs.occasion[rows], chance("gift")[rows])
        place = np.full(len(needs), NOTHING, np.int64)
        place[rows] = np.arange(len(rows))
        return phrases.take(pa.array(place, mask=place < 0))

    def _frame(self, text: pa.Array, needs: Needs, *, attempt: Int8[np.ndarray, " rows"], chance: _Chances) -> pa.Array:
        """Put words around the queries: the price wanted, praise, or the chatter of long ones."""
        says_price = (chance("says price") < _SAYS_PRICE_SHARE) & (attempt < 2) & (needs.persona < 0)
        frame = chance("framed")
        talks = (needs.kind == QueryKind.OWN_WORDS) & (chance("talks") < _OWN_LONG_SHARE)
        is_long = (attempt == 0) & ((needs.kind == QueryKind.LONG) | talks)
        chosen = {
            "cheap": says_price & (needs.price_shift < 0),
            "premium": says_price & (needs.price_shift > 0),
            "long": is_long & (needs.price_shift == 0),
            "plain": (frame < _PLAIN_FRAME_SHARE) & (needs.price_shift == 0) & ~is_long,
            "quality": (frame > 1 - _QUALITY_FRAME_SHARE) & (needs.price_shift == 0) & ~is_long,
        }
        for kind, where in chosen.items():
            rows = np.flatnonzero(where)
            framed = self._lexicon.frame(text.take(pa.array(rows)), kind, chance("frame words")[rows])
            source = np.arange(len(text))
            source[rows] = len(text) + np.arange(len(rows))
            text = pa.concat_arrays([text, framed]).take(pa.array(source))
        return text

    def _misspell(self, text: pa.Array, chance: _Chances) -> pa.Array:
        text = abbreviate(text, chance("short") < _SHORT_SHARE)
        typo = chance("typo") < _TYPO_SHARE
        return misspell_texts(text, where=typo, place=chance("typo place"), kind=chance("typo kind"))


class _Chances:
    """Uniform draws of each query, by name."""

    def __init__(self, seed: int, need: Int64[np.ndarray, " rows"], attempt: Int8[np.ndarray, " rows"]) -> None:
        self._seed, self._keys = seed, (need, attempt)

    def __call__(self, *name: str | int) -> Float64[np.ndarray, " rows"]:
        return Draws(self._seed, "phrasing", *name).uniform(*self._keys)
