"""The products table: titles and descriptions together with the columns that sellers fill into forms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool, Float64, Int64

from aisle.simulation.choices import Chances, PhrasePool
from aisle.simulation.clock import LOG_START
from aisle.simulation.descriptions import write_descriptions
from aisle.simulation.owners import draw_shop_locations
from aisle.simulation.prices import draw_prices
from aisle.simulation.titles import write_titles
from aisle.simulation.truth import CatalogueTruth

__all__ = [
    "CURRENCY",
    "LOCALE",
    "ListingTexts",
    "contract_columns",
    "list_products",
    "product_ids",
    "write_texts",
]

CURRENCY = "EUR"
LOCALE = "en-GB"

_OLDEST_PRODUCT_DAYS = 3 * 365
_LISTED_SHARE = 0.85
_IN_STOCK_SHARE = 0.93


def product_ids(product_index: Int64[np.ndarray, " products"]) -> pa.Array:
    """Return the ids of these products.

    >>> product_ids(np.array([123])).to_pylist()
    ['p000123']
    """
    return _numbered("p", product_index, width=6)


def list_products(truth: CatalogueTruth, *, seed: int) -> pa.Table:
    """Write the products table of the data contract."""
    chances = Chances(seed, truth.model_index)
    texts = write_texts(truth, chances)
    places = draw_shop_locations(truth.vocabulary.wording, truth.num_shops, seed=seed)[truth.shop_index]
    price = draw_prices(truth, chances, seed=seed)
    created_at = pa.array(_created_at(chances), pa.timestamp("us", tz="UTC"))
    return pa.table(
        contract_columns(truth, texts, price=price, location_index=places, chances=chances) | {"created_at": created_at}
    )


@dataclass(frozen=True)
class ListingTexts:
    """What a seller writes about each product."""

    title: pa.Array
    description: pa.Array
    """Null for a few."""
    attributes: pa.Array
    """Map of attribute to value, most of them."""


def write_texts(
    truth: CatalogueTruth,
    chances: Chances,
    *,
    adjectives: pa.Array | None = None,
    asides: Sequence[pa.Array] = (),
    bridging: float = 1.0,
) -> ListingTexts:
    """Write titles, descriptions and the attribute form.

    Args:
        truth: What the products are.
        chances: The draws that decide on the wording.
        adjectives: A word per product for its title; null where there is none.
        asides: Columns of further sentences for the descriptions; null where there is none.
        bridging: How much of the usual share of descriptions also has shoppers' words.
    """
    titles = write_titles(truth, chances, adjectives=adjectives)
    descriptions = write_descriptions(truth, titles, chances, asides=asides, bridging=bridging)
    unseen = descriptions.is_null().to_numpy(False)
    return ListingTexts(titles.text, descriptions, _attribute_maps(truth, chances, unseen=unseen))


def contract_columns(
    truth: CatalogueTruth,
    texts: ListingTexts,
    *,
    price: Float64[np.ndarray, " products"],
    location_index: Int64[np.ndarray, " products"],
    chances: Chances,
) -> dict[str, pa.Array]:
    """Return the columns of the data contract that need no clock."""
    categories = pa.array([list(kind.category) for kind in truth.vocabulary.types], pa.list_(pa.string()))
    places = pa.array(truth.vocabulary.wording.locations, pa.string())
    group_ids = _numbered("g", truth.model_index, width=6)
    return {
        "product_id": product_ids(np.arange(len(truth))),
        "title": texts.title,
        "description": texts.description,
        "category": categories.take(pa.array(truth.type_index)),
        "brand": pa.array(truth.brand_names, pa.string()).take(pa.array(truth.brand_index)),
        "shop_id": _numbered("s", truth.shop_index, width=4),
        "price": pa.array(price),
        "currency": _constant(CURRENCY, len(truth)),
        "attributes": texts.attributes,
        "location": places.take(pa.array(location_index)),
        "locale": _constant(LOCALE, len(truth)),
        "in_stock": pa.array(chances.of_product("stock") < _IN_STOCK_SHARE),
        "group_id": pc.if_else(pa.array(truth.varies.any(axis=1)), group_ids, pa.scalar(None, pa.string())),
    }


def _numbered(prefix: str, numbers: Int64[np.ndarray, " rows"], *, width: int) -> pa.Array:
    digits = pc.utf8_lpad(pc.cast(pa.array(numbers), pa.string()), width, "0")
    return pc.binary_join_element_wise(prefix, digits, "")


def _constant(text: str, num_rows: int) -> pa.Array:
    return pa.repeat(pa.scalar(text, pa.string()), num_rows)


def _attribute_maps(truth: CatalogueTruth, chances: Chances, *, unseen: Bool[np.ndarray, " products"]) -> pa.Array:
    """List most attribute values in a form; all of them where no description (`unseen`) could state them."""
    attributes = truth.vocabulary.attributes
    chance = np.stack([chances.of_model("listed", attribute.name) for attribute in attributes], axis=1)
    is_listed = (truth.value_index >= 0) & ((chance < _LISTED_SHARE) | unseen[:, None])
    rows, columns = np.nonzero(is_listed)
    sizes = [len(attribute.values) for attribute in attributes]
    pool = PhrasePool([value.sellers for attribute in attributes for value in attribute.values])
    value = (np.cumsum(sizes) - sizes)[columns] + truth.value_index[rows, columns]
    wording = np.stack([chances.of_model("listed words", attribute.name) for attribute in attributes], axis=1)
    keys = pa.array([attribute.name for attribute in attributes], pa.string()).take(pa.array(columns))
    offsets = np.concatenate([[0], np.cumsum(is_listed.sum(axis=1))]).astype(np.int32)
    return pa.MapArray.from_arrays(pa.array(offsets), keys, pool.pick(value, wording[rows, columns]))


def _created_at(chances: Chances) -> np.ndarray:
    age = chances.of_model("age") * _OLDEST_PRODUCT_DAYS * 86_400_000_000
    return np.asarray(LOG_START - age.astype("timedelta64[us]"))
