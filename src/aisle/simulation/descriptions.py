"""Descriptions: the facts that the title leaves out, and now and then the words that shoppers use."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aisle.simulation.choices import NOTHING, Chances, OptionTable, PhrasePool, SentencePool, join_words
from aisle.simulation.titles import Titles
from aisle.simulation.truth import CatalogueTruth

__all__ = ["SHOPPER_NAME_SHARE", "SHOPPER_VALUE_SHARE", "write_descriptions"]

SHOPPER_NAME_SHARE = 0.45
"""Share of descriptions that also name the type as shoppers do. This is how a catalogue alone, without a search log,
can teach a model that a couch is a sofa; in the other descriptions and in all titles the word is missing."""
SHOPPER_VALUE_SHARE = 0.2
"""Share of a product's attribute values that its description also words as shoppers do, where there are such words."""

_REPEAT_SHARE = 0.4
"""Share of the values mentioned in the title that the description repeats; it states all that the title leaves out."""
_PAIRING_SHARE = 0.15
_CLOSING_SHARE = 0.7
_MISSING_SHARE = 0.03


def write_descriptions(
    truth: CatalogueTruth, titles: Titles, chances: Chances, *, asides: Sequence[pa.Array] = (), bridging: float = 1.0
) -> pa.Array:
    """Write a description for every product; null for the few that have none.

    Args:
        truth: What the products are.
        titles: Their titles: what is said there need not be said again.
        chances: The draws that decide on the wording.
        asides: Columns of further sentences, which stand before the facts; null where there is none.
        bridging: Factor on `SHOPPER_NAME_SHARE` and `SHOPPER_VALUE_SHARE`, from 0 to 1.
    """
    types, wording = truth.vocabulary.types, truth.vocabulary.wording
    seller_name = PhrasePool([kind.sellers for kind in types])
    shopper_name = PhrasePool([kind.shoppers for kind in types])
    says_shopper_name = chances.of_model("shopper name") < SHOPPER_NAME_SHARE * bridging
    sentences = [
        SentencePool(wording.introductions).fill(
            seller_name.pick(truth.type_index, chances.of_model("description name")),
            chances.of_model("introduction"),
        ),
        *asides,
        *_fact_sentences(truth, titles, chances, rewording=SHOPPER_VALUE_SHARE * bridging),
        SentencePool(wording.shopper_name_sentences).fill(
            shopper_name.pick(
                np.where(says_shopper_name, truth.type_index, NOTHING), chances.of_model("shopper name words")
            ),
            chances.of_model("shopper name sentence"),
        ),
        _pairing_sentence(truth, chances),
        PhrasePool([wording.closings]).pick(
            np.where(chances.of_model("has closing") < _CLOSING_SHARE, 0, NOTHING), chances.of_model("closing")
        ),
    ]
    is_missing = pa.array(chances.of_model("no description") < _MISSING_SHARE)
    return pc.if_else(is_missing, pa.scalar(None, pa.string()), join_words(sentences))


def _fact_sentences(truth: CatalogueTruth, titles: Titles, chances: Chances, *, rewording: float) -> list[pa.Array]:
    """Return one column per attribute for the seller's words and one for the shopper's."""
    reworded = SentencePool(truth.vocabulary.wording.shopper_value_sentences)
    columns = []
    for column, attribute in enumerate(truth.vocabulary.attributes):
        value, name = truth.value_index[:, column], attribute.name
        states = ~titles.mentions[:, column] | (chances.of_model("repeats", name) < _REPEAT_SHARE)
        rewords = chances.of_model("rewords", name) < rewording
        of_sellers = PhrasePool([option.sellers for option in attribute.values])
        of_shoppers = PhrasePool([option.shoppers for option in attribute.values])
        columns += [
            SentencePool(attribute.sentences).fill(
                of_sellers.pick(np.where(states, value, NOTHING), chances.of_model("fact words", name)),
                chances.of_model("fact sentence", name),
            ),
            reworded.fill(
                of_shoppers.pick(np.where(rewords, value, NOTHING), chances.of_model("reworded words", name)),
                chances.of_model("reworded sentence", name),
            ),
        ]
    return columns


def _pairing_sentence(truth: CatalogueTruth, chances: Chances) -> pa.Array:
    """Mention another type of the department: words that are true of the page but not of the product."""
    types, departments = truth.vocabulary.types, truth.vocabulary.departments
    neighbours = [
        [index for index, kind in enumerate(types) if kind.department == department] for department in departments
    ]
    options = OptionTable([len(of_department) for of_department in neighbours])
    flat = np.array([index for of_department in neighbours for index in of_department], dtype=np.int64)
    home = np.array([departments.index(kind.department) for kind in types], dtype=np.int64)
    other = flat[options.pick(home[truth.type_index], chances.of_model("pairing type"))]
    is_paired = (chances.of_model("pairing") < _PAIRING_SHARE) & (other != truth.type_index)
    names = PhrasePool([kind.sellers for kind in types]).pick(
        np.where(is_paired, other, NOTHING), chances.of_model("pairing name")
    )
    sentences = SentencePool(truth.vocabulary.wording.pairing_sentences)
    return sentences.fill(names, chances.of_model("pairing sentence"))
