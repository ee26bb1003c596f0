"""What must hold for a vocabulary, so that the gap between sellers and shoppers is real."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import pyarrow as pa

from aisle.core.text import word_lists
from aisle.simulation.vocabulary import Attribute, AttributeValue, ProductType, Vocabulary, Wording

__all__ = ["vocabulary_problems"]

_SENTENCES = (
    "introductions",
    "shopper_name_sentences",
    "shopper_value_sentences",
    "style_sentences",
    "pairing_sentences",
)
WordsOf = Mapping[str, tuple[str, ...]]
"""The normalised words of every phrase of the vocabulary."""


def vocabulary_problems(vocabulary: Vocabulary) -> list[str]:
    """List everything that breaks the vocabulary's rules, one readable line each; empty where all is well."""
    if not vocabulary.types or not vocabulary.attributes:
        return ["a vocabulary needs at least one product type and one attribute"]
    words_of = _cut_phrases(vocabulary)
    return [
        *_type_problems(vocabulary.types, words_of),
        *(problem for attribute in vocabulary.attributes for problem in _attribute_problems(attribute, words_of)),
        *_wording_problems(vocabulary.wording, num_departments=len(vocabulary.departments)),
    ]


def _cut_phrases(vocabulary: Vocabulary) -> WordsOf:
    """Cut all phrases at once: the analyser is made for columns."""
    owners: list[ProductType | AttributeValue] = list(vocabulary.types)
    owners += [value for attribute in vocabulary.attributes for value in attribute.values]
    phrases = [phrase for owner in owners for phrase in (*owner.sellers, *owner.shoppers)]
    cut = word_lists(pa.array(phrases, pa.string())).to_pylist()
    return {phrase: tuple(words) for phrase, words in zip(phrases, cut, strict=True)}


def _type_problems(types: tuple[ProductType, ...], words_of: WordsOf) -> Iterator[str]:
    yield from _repeated("type name", (kind.name for kind in types))
    yield from _repeated("shopper word of types", (phrase for kind in types for phrase in kind.shoppers))
    # Spaces on both sides, so that text search finds whole words only.
    names = "\n".join(f" {' '.join(words_of[phrase])} " for kind in types for phrase in kind.sellers)
    for kind in types:
        if not kind.shoppers:
            yield f"type {kind.name!r} has no shopper words"
        yield from _shared_words("type", kind, words_of)
        for phrase in kind.shoppers:
            if f" {' '.join(words_of[phrase])} " in names:
                yield f"shopper word {phrase!r} of type {kind.name!r} is what a seller calls some type"


def _attribute_problems(attribute: Attribute, words_of: WordsOf) -> Iterator[str]:
    phrases = [phrase for value in attribute.values for phrase in value.shoppers]
    yield from _repeated(f"shopper word of {attribute.name}", phrases)
    for value in attribute.values:
        yield from _shared_words(attribute.name, value, words_of)
    yield from _bad_sentences(attribute.name, attribute.sentences)


def _wording_problems(wording: Wording, *, num_departments: int) -> Iterator[str]:
    for name in _SENTENCES:
        yield from _bad_sentences(name, getattr(wording, name))
    for name in ("patterns", "leading_fillers", "trailing_fillers", "closings", "locations"):
        if not getattr(wording, name):
            yield f"{name} must not be empty"
    yield from _repeated("brand name", (start + end for start in wording.brand_starts for end in wording.brand_ends))
    if len(wording.brand_starts) * len(wording.brand_ends) < num_departments:
        yield f"too few brand names for {num_departments} departments"


def _shared_words(what: str, owner: ProductType | AttributeValue, words_of: WordsOf) -> Iterator[str]:
    of_sellers = {word for phrase in owner.sellers for word in words_of[phrase]}
    for phrase in owner.shoppers:
        if common := sorted(of_sellers & set(words_of[phrase])):
            yield f"{what} {owner.name!r}: shopper word {phrase!r} shares {common} with its sellers"


def _bad_sentences(owner: str, sentences: Iterable[str]) -> Iterator[str]:
    sentences = tuple(sentences)
    if not sentences:
        yield f"{owner} needs at least one sentence"
    yield from (f"{owner}: {text!r} needs exactly one {{}}" for text in sentences if text.count("{}") != 1)


def _repeated(what: str, names: Iterable[str]) -> Iterator[str]:
    counts = Counter(name.lower() for name in names)
    return (f"{what} {name!r} occurs {count} times" for name, count in counts.items() if count > 1)
