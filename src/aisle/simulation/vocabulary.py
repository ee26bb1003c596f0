"""What a simulated shop sells and which words sellers and shoppers have for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

__all__ = ["Attribute", "AttributeValue", "ProductType", "TitleSlot", "Vocabulary", "Wording"]

TitleSlot = Literal["brand", "name", "before", "before_reversed", "after"]


@dataclass(frozen=True)
class AttributeValue:
    """One value that an attribute can take, such as navy."""

    sellers: tuple[str, ...]
    """How sellers write it; the first is its name and the most usual."""
    shoppers: tuple[str, ...]
    """How shoppers ask for it, in words that sellers do not use for it; may be empty."""

    @property
    def name(self) -> str:
        """The name of the value."""
        return self.sellers[0]


@dataclass(frozen=True)
class Attribute:
    """A dimension in which products of a type differ, such as colour."""

    name: str
    place: Literal["before", "after"]
    """Where its words stand in a title: before or after the name of the type."""
    sentences: tuple[str, ...]
    """How a description states a value; `{}` is the value's place."""
    values: tuple[AttributeValue, ...]

    @cached_property
    def position(self) -> Mapping[str, int]:
        """Position of each value by its name."""
        return {value.name: position for position, value in enumerate(self.values)}


@dataclass(frozen=True)
class ProductType:
    """A kind of product, such as the sofa."""

    sellers: tuple[str, ...]
    """How sellers call it; the first is its name and the most usual."""
    shoppers: tuple[str, ...]
    """How shoppers call it, in words that no seller's name of this type contains; at least one."""
    category: tuple[str, ...]
    """Path from the root (the department) to the leaf."""
    median_price: float
    """Median of its log-normal prices, in the catalogue's currency."""
    attributes: Mapping[str, tuple[str, ...]]
    """The values that it comes in, by attribute."""

    @property
    def name(self) -> str:
        """The name of the type."""
        return self.sellers[0]

    @property
    def department(self) -> str:
        """The root of the category path."""
        return self.category[0]


@dataclass(frozen=True)
class Wording:
    """How titles and descriptions are put together; every sentence has one `{}`, closings have none."""

    patterns: tuple[tuple[TitleSlot, ...], ...]
    """Orders of the parts of a title, most usual first."""
    leading_fillers: tuple[str, ...]
    """Words without content at the start of a title."""
    trailing_fillers: tuple[str, ...]
    """Words without content at the end of a title."""
    abbreviations: tuple[tuple[str, str], ...]
    """What hurried sellers shorten: (in full, shortened)."""
    introductions: tuple[str, ...]
    """First sentences of a description, around the seller's name of the type."""
    shopper_name_sentences: tuple[str, ...]
    """Sentences around the shopper's name of the type."""
    shopper_value_sentences: tuple[str, ...]
    """Sentences around the shopper's words for a value."""
    pairing_sentences: tuple[str, ...]
    """Sentences around the name of another type of the same department."""
    closings: tuple[str, ...]
    """Last sentences, without content."""
    brand_starts: tuple[str, ...]
    """First parts of the invented brand names."""
    brand_ends: tuple[str, ...]
    """Second parts of the invented brand names."""
    locations: tuple[str, ...]
    """Country codes of the shops, most usual first."""
    style_sentences: tuple[str, ...] = ("Its style: {}.",)
    """Sentences around an adjective of style."""
    brand_suffixes: tuple[str, ...] = ()
    """Words behind a brand name that make further ones, for catalogues with more brands than names."""


@dataclass(frozen=True)
class Vocabulary:
    """Everything that the generator draws from."""

    attributes: tuple[Attribute, ...]
    types: tuple[ProductType, ...]
    wording: Wording
    style_words: tuple[tuple[str, ...], ...] = ()
    """How shoppers ask for each style where the packaged styles are not meant; empty: they are."""

    @cached_property
    def departments(self) -> tuple[str, ...]:
        """Names of the departments in order of first appearance."""
        return tuple(dict.fromkeys(kind.department for kind in self.types))
