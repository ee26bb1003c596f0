"""The products table of a world: texts in which its styles show, and the columns that change over time."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pyarrow as pa
from jaxtyping import Float32, Int64

from aisle.core.rng import stream_seed
from aisle.simulation.choices import NOTHING, Chances, PhrasePool, SentencePool
from aisle.simulation.clock import timestamps
from aisle.simulation.listing import ListingTexts, contract_columns, write_texts
from aisle.simulation.ratings import draw_ratings
from aisle.simulation.styles import load_styles, pick_style
from aisle.simulation.truth import CatalogueTruth
from aisle.simulation.typos import misspell_texts
from aisle.simulation.world import World

__all__ = ["clock_columns", "list_world"]

_BLOCK = 50_000
"""Products whose texts are written at a time: bounds the memory of the parts that texts are joined from."""
_TITLE_ADJECTIVE_SHARE = 0.3
_DESCRIPTION_ADJECTIVE_SHARE = 0.5
_MOOD_SHARE = 0.4
_BRIDGING = 0.33
"""Sellers of a marketplace seldom think of what shoppers call things: there the log has to teach it."""
_DESCRIPTION_TYPO_SHARE = 0.12


def list_world(world: World, *, seed: int) -> pa.Table:
    """Write the products table of the data contract for a drawn world.

    Beside the contract's columns: `quality_rating` (mean stars, null without a rating) and `quality_num_ratings`, both
    as known at `updated_at`, the start of the log or the product's arrival.
    """
    truth = world.truth
    starts = _block_starts(truth.model_index)
    blocks = [
        _write_block(world, slice(begin, end), seed=stream_seed(seed, "texts", number))
        for number, (begin, end) in enumerate(pairwise(starts))
    ]
    texts = ListingTexts(
        pa.chunked_array([block.title for block in blocks]),
        pa.chunked_array([block.description for block in blocks]),
        pa.chunked_array([block.attributes for block in blocks]),
    )
    columns = contract_columns(
        truth,
        texts,
        price=world.price,
        location_index=world.location_index,
        chances=Chances(seed, truth.model_index),
    )
    return pa.table(columns | clock_columns(world, seed=seed))


def clock_columns(world: World, *, seed: int) -> dict[str, pa.Array]:
    """Return the columns that tell times, and the ratings with the time at which they stood so."""
    rating, num_ratings = draw_ratings(world, seed=seed)
    return {
        "created_at": timestamps(world.arrived_at),
        "removed_at": timestamps(world.removed_at),
        "updated_at": timestamps(np.maximum(world.arrived_at, 0)),
        "quality_rating": rating,
        "quality_num_ratings": num_ratings,
    }


def _block_starts(model_index: Int64[np.ndarray, " products"]) -> list[int]:
    """Cut into blocks between models, so that variants stay together; ends with the number of products."""
    wanted = np.arange(0, len(model_index), _BLOCK)
    starts = np.searchsorted(model_index, model_index[wanted])
    return [*np.unique(starts).tolist(), len(model_index)]


def _write_block(world: World, rows: slice, *, seed: int) -> ListingTexts:
    truth = _part(world.truth, rows)
    chances = Chances(seed, truth.model_index)
    style = world.style[rows]
    texts = write_texts(
        truth,
        chances,
        adjectives=_title_adjectives(style, chances),
        asides=_style_sentences(truth, style, chances),
        bridging=_BRIDGING,
    )
    typed = misspell_texts(
        texts.description,
        where=chances.of_product("description typo") < _DESCRIPTION_TYPO_SHARE,
        place=chances.of_product("description typo place"),
        kind=chances.of_product("description typo kind"),
    )
    return replace(texts, description=typed)


def _part(truth: CatalogueTruth, rows: slice) -> CatalogueTruth:
    """Return some products as a truth of their own; its models are numbered from 0."""
    return replace(
        truth,
        model_index=truth.model_index[rows] - truth.model_index[rows.start],
        type_index=truth.type_index[rows],
        brand_index=truth.brand_index[rows],
        shop_index=truth.shop_index[rows],
        value_index=truth.value_index[rows],
        varies=truth.varies[rows],
    )


def _title_adjectives(style: Float32[np.ndarray, "products styles"], chances: Chances) -> pa.Array:
    says = chances.of_model("style in title") < _TITLE_ADJECTIVE_SHARE
    chosen = np.where(says, pick_style(style, chances.of_model("title style")), NOTHING)
    pool = PhrasePool([words.sellers for words in load_styles()])
    return pool.pick(chosen, chances.of_model("title style words"))


def _style_sentences(
    truth: CatalogueTruth, style: Float32[np.ndarray, "products styles"], chances: Chances
) -> list[pa.Array]:
    """Return a column of sentences that name the style and one that only suit it."""
    styles = load_styles()
    names_it = chances.of_model("style in description") < _DESCRIPTION_ADJECTIVE_SHARE
    suits_it = chances.of_model("mood") < _MOOD_SHARE
    named = np.where(names_it, pick_style(style, chances.of_model("named style")), NOTHING)
    felt = np.where(suits_it, pick_style(style, chances.of_model("felt style")), NOTHING)
    adjectives = PhrasePool([words.sellers for words in styles]).pick(named, chances.of_model("named words"))
    sentences = SentencePool(truth.vocabulary.wording.style_sentences)
    moods = PhrasePool([words.moods for words in styles]).pick(felt, chances.of_model("felt words"))
    return [sentences.fill(adjectives, chances.of_model("style sentence")), moods]
