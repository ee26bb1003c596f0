"""The products table: titles and descriptions together with the columns that sellers fill into forms."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool, Float64, Int64

from aisle.core.rng import generator
from aisle.simulation.choices import Chances, PhrasePool, zipf_weights
from aisle.simulation.descriptions import write_descriptions
from aisle.simulation.titles import write_titles
from aisle.simulation.truth import CatalogueTruth

__all__ = ["CURRENCY", "LOCALE", "list_products", "product_ids"]

CURRENCY = "EUR"
LOCALE = "en-GB"

_NEWEST_PRODUCT = np.datetime64("2025-06-01T00:00:00", "us")
"""A fixed date, so that the same seed gives the same catalogue tomorrow."""
_OLDEST_PRODUCT_DAYS = 3 * 365
_PRICE_SIGMA = 0.45
"""Standard deviation of log price between models of one type and brand."""
_BRAND_SIGMA = 0.25
"""Standard deviation of log price level between brands."""
_CHARM_SHARE = 0.5
_LEAST_PRICE = 0.5
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
    titles = write_titles(truth, chances)
    descriptions = write_descriptions(truth, titles, chances)
    categories = pa.array([list(kind.category) for kind in truth.vocabulary.types], pa.list_(pa.string()))
    group_ids = _numbered("g", truth.model_index, width=6)
    return pa.table(
        {
            "product_id": product_ids(np.arange(len(truth))),
            "title": titles.text,
            "description": descriptions,
            "category": categories.take(pa.array(truth.type_index)),
            "brand": pa.array(truth.brand_names, pa.string()).take(pa.array(truth.brand_index)),
            "shop_id": _numbered("s", truth.shop_index, width=4),
            "price": pa.array(_prices(truth, chances, seed=seed)),
            "currency": _constant(CURRENCY, len(truth)),
            "attributes": _attribute_maps(truth, chances, unseen=descriptions.is_null().to_numpy(False)),
            "location": _locations(truth, seed=seed),
            "locale": _constant(LOCALE, len(truth)),
            "in_stock": pa.array(chances.of_product("stock") < _IN_STOCK_SHARE),
            "created_at": pa.array(_created_at(chances), pa.timestamp("us", tz="UTC")),
            "group_id": pc.if_else(pa.array(truth.varies.any(axis=1)), group_ids, pa.scalar(None, pa.string())),
        }
    )


def _numbered(prefix: str, numbers: Int64[np.ndarray, " rows"], *, width: int) -> pa.Array:
    digits = pc.utf8_lpad(pc.cast(pa.array(numbers), pa.string()), width, "0")
    return pc.binary_join_element_wise(prefix, digits, "")


def _constant(text: str, num_rows: int) -> pa.Array:
    return pa.repeat(pa.scalar(text, pa.string()), num_rows)


def _prices(truth: CatalogueTruth, chances: Chances, *, seed: int) -> Float64[np.ndarray, " products"]:
    """Draw log-normal prices around the type's median, half of them ending in .99; variants cost the same."""
    median = np.array([kind.median_price for kind in truth.vocabulary.types])[truth.type_index]
    level = generator(seed, "brand level").normal(0.0, _BRAND_SIGMA, len(truth.brand_names))
    # Chances are uniform; Box and Muller's transform makes a normal draw of two of them.
    radius = np.sqrt(-2.0 * np.log1p(-chances.of_model("price radius")))
    spread = radius * np.cos(2.0 * np.pi * chances.of_model("price angle"))
    price = median * np.exp(_PRICE_SIGMA * spread + level[truth.brand_index])
    is_charm = (chances.of_model("charm price") < _CHARM_SHARE) & (price > 5)
    return np.maximum(np.where(is_charm, np.floor(price) + 0.99, price.round(2)), _LEAST_PRICE)


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


def _locations(truth: CatalogueTruth, *, seed: int) -> pa.Array:
    """Give every product its shop's country."""
    places = truth.vocabulary.wording.locations
    num_shops = int(truth.shop_index.max()) + 1
    of_shop = generator(seed, "locations").choice(len(places), size=num_shops, p=zipf_weights(len(places)))
    return pa.array(places, pa.string()).take(pa.array(of_shop[truth.shop_index]))


def _created_at(chances: Chances) -> np.ndarray:
    age = chances.of_model("age") * _OLDEST_PRODUCT_DAYS * 86_400_000_000
    return np.asarray(_NEWEST_PRODUCT - age.astype("timedelta64[us]"))
